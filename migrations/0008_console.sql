-- What the console lists, filters and counts by: an event without its record and resources, written and removed with it.
-- Narrow, so that a million of them are read through in a fraction of a second, whatever the filter.
CREATE TABLE event_summaries (
  key           INTEGER NOT NULL PRIMARY KEY,             -- events.key
  account       TEXT    NOT NULL,
  region        TEXT    NOT NULL,
  event_source  TEXT    NOT NULL,
  event_name    TEXT    NOT NULL,
  actor         TEXT,                                     -- the name of who called, also where lookups show none
  actor_type    TEXT,                                     -- userIdentity.type: IAMUser, AssumedRole, ...
  access_key_id TEXT,
  read_only     BOOLEAN NOT NULL,
  error_code    TEXT,
  source_ip     TEXT
);

-- How many events there are of each hour (its first second, since 1970), account and region. A failed call counts as a
-- failure, not as a read or write.
CREATE TABLE event_counts (
  hour     BIGINT NOT NULL,
  account  TEXT   NOT NULL,
  region   TEXT   NOT NULL,
  reads    BIGINT NOT NULL,
  writes   BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  PRIMARY KEY (hour, account, region)
) WITHOUT ROWID;

-- Events stored before these tables existed are entered at the next start; this is the key of the last one that is.
INSERT INTO counters (name, value) SELECT 'summarized_until', -1 WHERE EXISTS (SELECT 1 FROM events);

-- For people.
CREATE VIEW events_by_hour AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', hour, 'unixepoch') AS hour, account, region, reads, writes, failures
FROM event_counts
ORDER BY event_counts.hour DESC, account, region;
