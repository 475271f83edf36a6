-- Data events have resources too, for the console: what their records name. Lookups by type leave them out. listed is as in
-- events. Of an event's rows the first (position 0) is the resource that the call was about; the order in which lookups
-- list them stands in events.resources.
ALTER TABLE event_resources ADD COLUMN listed TEXT GENERATED ALWAYS AS (nullif(listing, 'data')) VIRTUAL;
DROP INDEX event_resources_by_type;
CREATE INDEX event_resources_by_type ON event_resources (account, region, listed, short_type, key, resource_type)
  WHERE listed IS NOT NULL;
