-- What trails deliver. Times: milliseconds since 1970.

-- Where captured events go: a trail's log files or log stream, for one account and region of events each; or the event
-- bus of an account and region (then the trail's columns are empty). The settings are those of the trail, and stay when
-- it is deleted, so that what it captured is still delivered.
CREATE TABLE destinations (
  id                          INTEGER NOT NULL PRIMARY KEY,
  kind                        TEXT    NOT NULL,           -- log_file, log_stream, event_bus
  trail_account               TEXT    NOT NULL,
  home_region                 TEXT    NOT NULL,
  trail_name                  TEXT    NOT NULL,
  trail_created_at            BIGINT  NOT NULL,           -- a new trail of an old name is another one
  account                     TEXT    NOT NULL,
  region                      TEXT    NOT NULL,
  s3_bucket_name              TEXT    NOT NULL,
  s3_key_prefix               TEXT,
  kms_key_id                  TEXT,
  sns_topic_arn               TEXT,
  log_group_arn               TEXT,
  log_file_validation_enabled BOOLEAN NOT NULL,
  due                         BOOLEAN NOT NULL DEFAULT FALSE, -- deliver at once, whatever the period
  failures                    INTEGER NOT NULL DEFAULT 0,     -- since the last success
  retry_at                    BIGINT,
  notice_failures             INTEGER NOT NULL DEFAULT 0,     -- the same for notifications
  notice_retry_at             BIGINT,
  UNIQUE (kind, trail_account, home_region, trail_name, trail_created_at, account, region)
);

-- Events captured and not yet delivered, in the order of their arrival. Written with the event, removed when the
-- destination has it.
CREATE TABLE pending_events (
  destination BIGINT NOT NULL,
  number      BIGINT NOT NULL,                            -- of arrival
  event_key   BIGINT NOT NULL,                            -- events.key
  PRIMARY KEY (destination, number)
) WITHOUT ROWID;

-- Log files: the key and the events are fixed before the object is put, so that putting it again changes nothing.
CREATE TABLE log_files (
  id                INTEGER NOT NULL PRIMARY KEY,
  destination       BIGINT  NOT NULL,
  trail_account     TEXT    NOT NULL,
  home_region       TEXT    NOT NULL,
  trail_name        TEXT    NOT NULL,
  trail_created_at  BIGINT  NOT NULL,
  account           TEXT    NOT NULL,
  region            TEXT    NOT NULL,
  s3_bucket_name    TEXT    NOT NULL,
  s3_object_key     TEXT    NOT NULL,
  kms_key_id        TEXT,
  sns_topic_arn     TEXT,
  first_number      BIGINT  NOT NULL,                     -- of pending_events
  last_number       BIGINT  NOT NULL,
  created_at        BIGINT  NOT NULL,
  state             TEXT    NOT NULL,                     -- waiting, stored, abandoned (after 30 days)
  stored_at         BIGINT,
  events            BIGINT,
  bytes             BIGINT,                               -- of the object
  sha256            TEXT,                                 -- of the unpacked content, hexadecimal
  oldest_event_time BIGINT,                               -- seconds since 1970
  newest_event_time BIGINT,
  validated         BOOLEAN NOT NULL,                     -- a digest has to name it ...
  digest            BIGINT,                               -- ... and this one does
  notify            BOOLEAN NOT NULL,                     -- still to be announced at the topic
  webhook           BOOLEAN NOT NULL                      -- still to be announced at the webhook
);
CREATE UNIQUE INDEX log_files_by_key ON log_files (s3_bucket_name, s3_object_key);
CREATE INDEX log_files_by_state  ON log_files (state, destination, id);
CREATE INDEX log_files_by_digest ON log_files (validated, digest, trail_account, home_region, trail_name, region);
CREATE INDEX log_files_by_notify ON log_files (notify, state, destination, id);
CREATE INDEX log_files_by_webhook ON log_files (webhook, state, destination, id);

-- For people: the same with readable times.
CREATE VIEW delivered_log_files AS
SELECT trail_name AS trail,
       account,
       region,
       s3_bucket_name AS bucket,
       s3_object_key AS key,
       state,
       events,
       bytes,
       strftime('%Y-%m-%dT%H:%M:%SZ', stored_at / 1000, 'unixepoch') AS stored,
       strftime('%Y-%m-%dT%H:%M:%SZ', oldest_event_time, 'unixepoch') AS oldest_event,
       strftime('%Y-%m-%dT%H:%M:%SZ', newest_event_time, 'unixepoch') AS newest_event,
       CASE WHEN digest IS NOT NULL THEN 'yes' WHEN validated THEN 'not yet' ELSE 'no' END AS in_digest
FROM log_files
ORDER BY id DESC;
