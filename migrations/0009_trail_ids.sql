-- Trails get a number as their key. What they deliver refers to it, and reads their settings when something is sent;
-- nothing of them is copied. A deleted trail stays, marked, until everything that it took is delivered.
--
-- Each place that a trail delivers to is a destination with its own queue and its own failures: log files, log stream,
-- topic, webhook, digests.

DROP VIEW trail_overview;
DROP VIEW delivered_log_files;
DROP VIEW digest_overview;

CREATE TABLE new_trails (
  id                             INTEGER NOT NULL PRIMARY KEY,  -- from counters: never given again
  account                        TEXT    NOT NULL,
  home_region                    TEXT    NOT NULL,
  name                           TEXT    NOT NULL,
  s3_bucket_name                 TEXT    NOT NULL,
  s3_key_prefix                  TEXT,
  sns_topic_name                 TEXT,              -- as it was given: a name or an ARN
  sns_topic_arn                  TEXT,
  include_global_service_events  BOOLEAN NOT NULL,
  is_multi_region_trail          BOOLEAN NOT NULL,
  log_file_validation_enabled    BOOLEAN NOT NULL,
  cloud_watch_logs_log_group_arn TEXT,
  cloud_watch_logs_role_arn      TEXT,
  kms_key_id                     TEXT,
  is_organization_trail          BOOLEAN NOT NULL,
  recursive_logging              BOOLEAN NOT NULL,
  created_at                     BIGINT  NOT NULL,
  updated_at                     BIGINT  NOT NULL,
  deleted_at                     BIGINT
);

INSERT INTO new_trails
SELECT row_number() OVER (ORDER BY created_at, account, home_region, name),
       account, home_region, name, s3_bucket_name, s3_key_prefix, sns_topic_name, sns_topic_arn,
       include_global_service_events, is_multi_region_trail, log_file_validation_enabled,
       cloud_watch_logs_log_group_arn, cloud_watch_logs_role_arn, kms_key_id, is_organization_trail, recursive_logging,
       created_at, updated_at, NULL
FROM trails;

-- Trails that are gone and still have something here: their settings stand in their destinations, or in their chains.
INSERT INTO new_trails
WITH known AS (
  SELECT 1 AS source, id, trail_account, home_region, trail_name, trail_created_at, s3_bucket_name, s3_key_prefix,
         sns_topic_arn, log_group_arn, kms_key_id, log_file_validation_enabled
  FROM destinations WHERE kind IN ('log_file', 'log_stream')
  UNION ALL
  SELECT 2, id, trail_account, home_region, trail_name, trail_created_at, s3_bucket_name, s3_key_prefix,
         NULL, NULL, kms_key_id, TRUE
  FROM digest_chains WHERE state <> 'wiped'
), gone AS (
  SELECT *, row_number() OVER (PARTITION BY trail_account, home_region, trail_name, trail_created_at
                               ORDER BY source, id) AS place
  FROM known
  WHERE NOT EXISTS (SELECT 1 FROM trails t WHERE t.account = trail_account AND t.home_region = known.home_region
                    AND t.name = trail_name AND t.created_at = trail_created_at)
)
SELECT (SELECT count(*) FROM trails) + row_number() OVER (ORDER BY trail_created_at, trail_account, home_region, trail_name),
       trail_account, home_region, trail_name, s3_bucket_name, s3_key_prefix, sns_topic_arn, sns_topic_arn,
       TRUE, FALSE, log_file_validation_enabled, log_group_arn, NULL, kms_key_id, FALSE, TRUE,
       trail_created_at, trail_created_at, trail_created_at
FROM gone WHERE place = 1;

INSERT INTO counters (name, value) SELECT 'trails', count(*) FROM new_trails;

CREATE TABLE new_trail_status (
  trail_id                               BIGINT  NOT NULL,
  region                                 TEXT    NOT NULL,
  is_logging                             BOOLEAN NOT NULL DEFAULT FALSE,
  start_logging_time                     BIGINT,
  stop_logging_time                      BIGINT,
  latest_delivery_time                   BIGINT,
  latest_delivery_error                  TEXT,
  latest_notification_time               BIGINT,
  latest_notification_error              TEXT,
  latest_cloud_watch_logs_delivery_time  BIGINT,
  latest_cloud_watch_logs_delivery_error TEXT,
  latest_digest_delivery_time            BIGINT,
  latest_digest_delivery_error           TEXT,
  PRIMARY KEY (trail_id, region),
  FOREIGN KEY (trail_id) REFERENCES new_trails (id) ON DELETE CASCADE
);
INSERT INTO new_trail_status
SELECT t.id, s.region, s.is_logging, s.start_logging_time, s.stop_logging_time, s.latest_delivery_time,
       s.latest_delivery_error, s.latest_notification_time, s.latest_notification_error,
       s.latest_cloud_watch_logs_delivery_time, s.latest_cloud_watch_logs_delivery_error,
       s.latest_digest_delivery_time, s.latest_digest_delivery_error
FROM trail_status s
JOIN new_trails t ON t.account = s.account AND t.home_region = s.home_region AND t.name = s.name
  AND t.deleted_at IS NULL;
INSERT INTO new_trail_status (trail_id, region) SELECT id, home_region FROM new_trails WHERE deleted_at IS NOT NULL;

CREATE TABLE new_trail_tags (
  trail_id  BIGINT  NOT NULL,
  tag_key   TEXT    NOT NULL,
  tag_value TEXT,
  position  INTEGER NOT NULL,                       -- tags are listed in the order in which they came
  PRIMARY KEY (trail_id, tag_key),
  FOREIGN KEY (trail_id) REFERENCES new_trails (id) ON DELETE CASCADE
);
INSERT INTO new_trail_tags
SELECT t.id, g.tag_key, g.tag_value, g.position
FROM trail_tags g
JOIN new_trails t ON t.account = g.account AND t.home_region = g.home_region AND t.name = g.name
  AND t.deleted_at IS NULL;

-- Where something has to go: what one trail delivers in one way, for one account and region of events; or the event bus
-- of an account and region.
CREATE TABLE new_destinations (
  id             INTEGER NOT NULL PRIMARY KEY,
  kind           TEXT    NOT NULL,                  -- log_file, log_stream, topic, webhook, digest, event_bus
  trail_id       BIGINT  NOT NULL,                  -- trails.id; 0 for an event bus
  account        TEXT    NOT NULL,                  -- of the events
  region         TEXT    NOT NULL,
  pending_events BIGINT  NOT NULL DEFAULT 0,        -- how many rows of pending_events there are
  due            BOOLEAN NOT NULL DEFAULT FALSE,    -- deliver at once, whatever the period
  failures       BIGINT  NOT NULL DEFAULT 0,        -- since the last success
  retry_at       BIGINT,
  wiped          BIGINT  NOT NULL DEFAULT 0,        -- its own id once it is to be removed with all that waits for it
  UNIQUE (kind, trail_id, account, region, wiped)
);
INSERT INTO new_destinations
SELECT d.id, CASE WHEN d.kind LIKE 'wiped-%' THEN 'log_file' ELSE d.kind END, coalesce(t.id, 0), d.account, d.region,
       d.pending_events, d.due, d.failures, d.retry_at, CASE WHEN d.kind LIKE 'wiped-%' THEN d.id ELSE 0 END
FROM destinations d
LEFT JOIN new_trails t ON t.account = d.trail_account AND t.home_region = d.home_region AND t.name = d.trail_name
  AND t.created_at = d.trail_created_at AND d.kind NOT LIKE 'wiped-%';

-- Log files that are still to be announced.
CREATE TABLE pending_notices (
  destination BIGINT NOT NULL,                      -- a topic or a webhook
  log_file    BIGINT NOT NULL,                      -- log_files.id
  PRIMARY KEY (destination, log_file)
) WITHOUT ROWID;
INSERT INTO new_destinations (kind, trail_id, account, region, failures, retry_at)
SELECT 'topic', n.trail_id, n.account, n.region, d.notice_failures, d.notice_retry_at
FROM new_destinations n JOIN destinations d ON d.id = n.id
WHERE n.kind = 'log_file' AND n.wiped = 0
  AND n.id IN (SELECT destination FROM log_files WHERE notify = TRUE AND state = 'stored');
INSERT INTO new_destinations (kind, trail_id, account, region, failures, retry_at)
SELECT 'webhook', n.trail_id, n.account, n.region, d.notice_failures, d.notice_retry_at
FROM new_destinations n JOIN destinations d ON d.id = n.id
WHERE n.kind = 'log_file' AND n.wiped = 0
  AND n.id IN (SELECT destination FROM log_files WHERE webhook = TRUE AND state = 'stored');
INSERT INTO pending_notices
SELECT o.id, f.id
FROM log_files f
JOIN new_destinations n ON n.id = f.destination AND n.wiped = 0
JOIN new_destinations o ON o.trail_id = n.trail_id AND o.account = n.account AND o.region = n.region
WHERE f.state = 'stored' AND ((o.kind = 'topic' AND f.notify = TRUE) OR (o.kind = 'webhook' AND f.webhook = TRUE));

-- Log files: name and events are fixed before the object is put, so that putting it again changes nothing. Bucket and
-- prefix are the trail's when it is put.
CREATE TABLE new_log_files (
  id                INTEGER NOT NULL PRIMARY KEY,
  destination       BIGINT  NOT NULL,
  object_name       TEXT    NOT NULL,               -- the object's key without the trail's prefix
  first_number      BIGINT  NOT NULL,               -- of pending_events
  last_number       BIGINT  NOT NULL,
  created_at        BIGINT  NOT NULL,
  state             TEXT    NOT NULL,               -- waiting, stored, abandoned (after 30 days)
  s3_bucket_name    TEXT,                           -- where it was put, ...
  s3_object_key     TEXT,
  stored_at         BIGINT,                         -- ... and when
  events            BIGINT,
  bytes             BIGINT,                         -- of the object
  sha256            TEXT,                           -- of the unpacked content, hexadecimal
  oldest_event_time BIGINT,                         -- seconds since 1970
  newest_event_time BIGINT,
  validated         BOOLEAN NOT NULL DEFAULT FALSE, -- a digest has to name it ...
  digest            BIGINT                          -- ... and this one does
);
INSERT INTO new_log_files
SELECT f.id, f.destination,
       CASE WHEN d.s3_key_prefix IS NOT NULL
             AND substr(f.s3_object_key, 1, length(d.s3_key_prefix) + 1) = d.s3_key_prefix || '/'
            THEN substr(f.s3_object_key, length(d.s3_key_prefix) + 2)
            ELSE substr(f.s3_object_key, instr(f.s3_object_key, 'AWSLogs/')) END,
       f.first_number, f.last_number, f.created_at, f.state,
       CASE WHEN f.state = 'waiting' THEN NULL ELSE f.s3_bucket_name END,
       CASE WHEN f.state = 'waiting' THEN NULL ELSE f.s3_object_key END,
       f.stored_at, f.events, f.bytes, f.sha256, f.oldest_event_time, f.newest_event_time, f.validated, f.digest
FROM log_files f
JOIN destinations d ON d.id = f.destination;

-- A chain of digests: from when a trail logs with validation until it no longer does, for one region of events.
CREATE TABLE new_digest_chains (
  id          INTEGER NOT NULL PRIMARY KEY,
  destination BIGINT  NOT NULL,
  state       TEXT    NOT NULL,                     -- open, closing (a last digest is to come), closed
  last_end    BIGINT  NOT NULL                      -- seconds since 1970
);
INSERT INTO new_destinations (kind, trail_id, account, region, failures, retry_at)
SELECT 'digest', t.id, t.account, c.region, max(c.failures), max(c.retry_at)
FROM digest_chains c
JOIN new_trails t ON t.account = c.trail_account AND t.home_region = c.home_region AND t.name = c.trail_name
  AND t.created_at = c.trail_created_at
WHERE c.state <> 'wiped'
GROUP BY t.id, t.account, c.region;
INSERT INTO new_digest_chains
SELECT c.id, n.id, c.state, c.last_end
FROM digest_chains c
JOIN new_trails t ON t.account = c.trail_account AND t.home_region = c.home_region AND t.name = c.trail_name
  AND t.created_at = c.trail_created_at
JOIN new_destinations n ON n.kind = 'digest' AND n.trail_id = t.id AND n.region = c.region
WHERE c.state <> 'wiped';

-- Digests: what each covers is fixed when its time has come. Its content is written when it is put, for the bucket and
-- prefix that the trail has then; the same content each time, as long as these stay.
CREATE TABLE new_digests (
  id             INTEGER NOT NULL PRIMARY KEY,
  chain          BIGINT  NOT NULL,
  start_time     BIGINT  NOT NULL,                  -- seconds since 1970
  end_time       BIGINT  NOT NULL,
  log_files      BIGINT  NOT NULL,                  -- how many it names
  fingerprint    TEXT    NOT NULL,                  -- of the key that signs it
  created_at     BIGINT  NOT NULL,
  state          TEXT    NOT NULL,                  -- waiting, stored, abandoned (after 30 days)
  s3_bucket_name TEXT,                              -- where it was put, ...
  s3_object_key  TEXT,
  stored_at      BIGINT,                            -- ... and when
  sha256         TEXT,                              -- of the unpacked content, hexadecimal
  signature      TEXT                               -- hexadecimal
);
INSERT INTO new_digests
SELECT d.id, d.chain, d.start_time, d.end_time, d.log_files, d.fingerprint, d.created_at, d.state,
       CASE WHEN d.state = 'stored' THEN d.s3_bucket_name END,
       CASE WHEN d.state = 'stored' THEN d.s3_object_key END,
       d.stored_at,
       CASE WHEN d.state = 'stored' THEN d.sha256 END,
       CASE WHEN d.state = 'stored' THEN d.signature END
FROM digests d
WHERE d.chain IN (SELECT id FROM new_digest_chains);

DROP TABLE trail_tags;
DROP TABLE trail_status;
DROP TABLE trails;
DROP TABLE destinations;
DROP TABLE log_files;
DROP TABLE digests;
DROP TABLE digest_chains;
ALTER TABLE new_trails RENAME TO trails;
ALTER TABLE new_trail_status RENAME TO trail_status;
ALTER TABLE new_trail_tags RENAME TO trail_tags;
ALTER TABLE new_destinations RENAME TO destinations;
ALTER TABLE new_log_files RENAME TO log_files;
ALTER TABLE new_digest_chains RENAME TO digest_chains;
ALTER TABLE new_digests RENAME TO digests;

CREATE UNIQUE INDEX trails_by_name ON trails (account, home_region, name) WHERE deleted_at IS NULL;
CREATE INDEX destinations_by_trail ON destinations (trail_id);
CREATE UNIQUE INDEX log_files_by_key ON log_files (s3_bucket_name, s3_object_key);
CREATE INDEX log_files_by_state ON log_files (state, destination, id);
CREATE INDEX log_files_by_digest ON log_files (digest, validated, destination, id);
CREATE INDEX log_files_by_destination ON log_files (destination, id);
CREATE INDEX digest_chains_by_state ON digest_chains (state, id);
CREATE INDEX digest_chains_by_destination ON digest_chains (destination, id);
CREATE INDEX digests_by_chain ON digests (chain, id);
CREATE INDEX digests_by_state ON digests (state, chain, id);

-- For people: the same with readable times.
CREATE VIEW trail_overview AS
SELECT t.name,
       t.account,
       t.home_region,
       CASE WHEN t.is_multi_region_trail THEN 'all regions' ELSE 'home region' END AS covers,
       CASE WHEN s.is_logging THEN 'yes' ELSE 'no' END AS logging,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.start_logging_time / 1000, 'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.stop_logging_time / 1000, 'unixepoch') AS stopped,
       t.s3_bucket_name AS bucket,
       t.s3_key_prefix AS prefix,
       strftime('%Y-%m-%dT%H:%M:%SZ', s.latest_delivery_time / 1000, 'unixepoch') AS latest_delivery,
       s.latest_delivery_error AS delivery_error,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.created_at / 1000, 'unixepoch') AS created,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.updated_at / 1000, 'unixepoch') AS updated
FROM trails t
JOIN trail_status s ON s.trail_id = t.id AND s.region = t.home_region
WHERE t.deleted_at IS NULL
ORDER BY t.account, t.home_region, t.name;

CREATE VIEW delivery_overview AS
SELECT coalesce(t.name, '') AS trail,
       d.kind,
       d.account,
       d.region,
       d.pending_events,
       (SELECT count(*) FROM pending_notices n WHERE n.destination = d.id) AS pending_notices,
       d.failures,
       strftime('%Y-%m-%dT%H:%M:%SZ', d.retry_at / 1000, 'unixepoch') AS next_try,
       CASE WHEN t.deleted_at IS NULL THEN 'no' ELSE 'yes' END AS trail_deleted
FROM destinations d
LEFT JOIN trails t ON t.id = d.trail_id
WHERE d.wiped = 0
ORDER BY d.id;

CREATE VIEW delivered_log_files AS
SELECT t.name AS trail,
       d.account,
       d.region,
       f.s3_bucket_name AS bucket,
       coalesce(f.s3_object_key, f.object_name) AS key,
       f.state,
       f.events,
       f.bytes,
       strftime('%Y-%m-%dT%H:%M:%SZ', f.stored_at / 1000, 'unixepoch') AS stored,
       strftime('%Y-%m-%dT%H:%M:%SZ', f.oldest_event_time, 'unixepoch') AS oldest_event,
       strftime('%Y-%m-%dT%H:%M:%SZ', f.newest_event_time, 'unixepoch') AS newest_event,
       CASE WHEN f.digest IS NOT NULL THEN 'yes' WHEN f.validated THEN 'not yet' ELSE 'no' END AS in_digest
FROM log_files f
JOIN destinations d ON d.id = f.destination
LEFT JOIN trails t ON t.id = d.trail_id
ORDER BY f.id DESC;

CREATE VIEW digest_overview AS
SELECT t.name AS trail,
       t.account,
       d.region,
       strftime('%Y-%m-%dT%H:%M:%SZ', g.start_time, 'unixepoch') AS "from",
       strftime('%Y-%m-%dT%H:%M:%SZ', g.end_time, 'unixepoch') AS "to",
       g.log_files,
       g.state,
       c.state AS chain,
       g.s3_bucket_name AS bucket,
       g.s3_object_key AS key
FROM digests g
JOIN digest_chains c ON c.id = g.chain
JOIN destinations d ON d.id = c.destination
LEFT JOIN trails t ON t.id = d.trail_id
ORDER BY g.id DESC;
