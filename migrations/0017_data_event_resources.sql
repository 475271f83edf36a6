-- Data events have resources too: what their records name. No lookup lists them, but the console finds events by them. They may
-- come by the hundred a second, so there is one row for each event. An index of all names cost as much as all else that is
-- stored of such an event (measured), as objects are many; buckets, tables and functions are few.
CREATE TABLE data_event_resources (
  key       INTEGER NOT NULL PRIMARY KEY,           -- events.key
  container TEXT    NOT NULL,                       -- the bucket, table, function ... of all of them; empty if they have several
  resources TEXT    NOT NULL                        -- as events.resources; the one that the call was about is the first
);
CREATE INDEX data_event_resources_by_container ON data_event_resources (container, key);
-- The place in resources (from 0) of the one that the call was about; their order is that of lookups. Older rows get theirs as
-- they are corrected at the next start.
ALTER TABLE events ADD COLUMN main_resource INTEGER NOT NULL DEFAULT 0;
