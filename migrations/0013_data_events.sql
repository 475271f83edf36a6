-- Data events may come by the hundred a second, and no lookup lists them: the indexes that only lookups use leave them out.
-- listed: the list of the history in which lookups show an event, NULL for data events. It is compared with =, which is
-- never true of NULL, so that SQLite may use these partial indexes whatever value is bound.
ALTER TABLE events ADD COLUMN listed TEXT GENERATED ALWAYS AS (nullif(listing, 'data')) VIRTUAL;
DROP INDEX events_by_time;
DROP INDEX events_by_name;
DROP INDEX events_by_source;
DROP INDEX events_by_username;
DROP INDEX events_by_access_key;
-- Accounts are wiped by this one, data events included.
CREATE INDEX events_by_time       ON events (account, region, listed, key);
CREATE INDEX events_by_name       ON events (account, region, listed, event_name, key)    WHERE listed IS NOT NULL;
CREATE INDEX events_by_source     ON events (account, region, listed, event_source, key)  WHERE listed IS NOT NULL;
CREATE INDEX events_by_username   ON events (account, region, listed, username, key)      WHERE listed IS NOT NULL;
CREATE INDEX events_by_access_key ON events (account, region, listed, access_key_id, key) WHERE listed IS NOT NULL;
