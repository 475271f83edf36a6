-- How many events wait for each destination: kept with pending_events, which can be very many to count.
ALTER TABLE destinations ADD COLUMN pending_events BIGINT NOT NULL DEFAULT 0;
UPDATE destinations SET pending_events = (SELECT count(*) FROM pending_events p WHERE p.destination = destinations.id);
