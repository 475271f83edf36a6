-- Events, newest last. key = event_time << 30 | number of arrival, so that every index is ordered by time.
-- listing says which lookups show an event: write (changes something), unlogged (the same while no trail was logging),
-- read, insight, data (none).
CREATE TABLE events (
  key           INTEGER NOT NULL PRIMARY KEY,
  event_time    BIGINT  NOT NULL,                   -- seconds since 1970
  account       TEXT    NOT NULL,
  region        TEXT    NOT NULL,
  event_id      TEXT    NOT NULL,
  event_name    TEXT    NOT NULL,
  event_source  TEXT    NOT NULL,
  listing       TEXT    NOT NULL,
  read_only     BOOLEAN NOT NULL,
  username      TEXT,
  access_key_id TEXT,
  error_code    TEXT,
  stored_at     BIGINT  NOT NULL,                   -- milliseconds since 1970
  resources     TEXT    NOT NULL,                   -- what it can be looked up by, JSON; the same as event_resources
  record        TEXT    NOT NULL                    -- the whole record, JSON
);

-- None of these is partial: SQLite would plan every lookup anew, as its plan would hang on the values bound (measured).
CREATE UNIQUE INDEX events_by_id ON events (event_id, account, region);
CREATE INDEX events_by_time       ON events (account, region, listing, key);
CREATE INDEX events_by_name       ON events (account, region, listing, event_name, key);
CREATE INDEX events_by_source     ON events (account, region, listing, event_source, key);
CREATE INDEX events_by_username   ON events (account, region, listing, username, key);
CREATE INDEX events_by_access_key ON events (account, region, listing, access_key_id, key);
CREATE INDEX events_by_age        ON events (stored_at, key);

-- What events can be looked up by as resources. account, region and listing are the event's.
CREATE TABLE event_resources (
  key           BIGINT  NOT NULL,
  position      INTEGER NOT NULL,
  account       TEXT    NOT NULL,
  region        TEXT    NOT NULL,
  listing       TEXT    NOT NULL,
  resource_type TEXT,                               -- AWS::CloudTrail::Trail
  short_type    TEXT,                               -- Trail
  resource_name TEXT    NOT NULL,
  PRIMARY KEY (key, position)
) WITHOUT ROWID;
CREATE INDEX event_resources_by_name ON event_resources (account, region, listing, resource_name, key);
CREATE INDEX event_resources_by_type ON event_resources (account, region, listing, short_type, key, resource_type);
