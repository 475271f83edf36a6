-- Trails, by the account that owns them and the region they were created in. Times: milliseconds since 1970.
CREATE TABLE trails (
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
  PRIMARY KEY (account, home_region, name)
);

-- What GetTrailStatus tells. Whether a trail is logging stands in the row of its home region; a multi-region trail can
-- have a row for each region that it delivers from.
CREATE TABLE trail_status (
  account                               TEXT    NOT NULL,
  home_region                           TEXT    NOT NULL,
  name                                  TEXT    NOT NULL,
  region                                TEXT    NOT NULL,
  is_logging                            BOOLEAN NOT NULL DEFAULT FALSE,
  start_logging_time                    BIGINT,
  stop_logging_time                     BIGINT,
  latest_delivery_time                  BIGINT,
  latest_delivery_error                 TEXT,
  latest_notification_time              BIGINT,
  latest_notification_error             TEXT,
  latest_cloud_watch_logs_delivery_time  BIGINT,
  latest_cloud_watch_logs_delivery_error TEXT,
  latest_digest_delivery_time           BIGINT,
  latest_digest_delivery_error          TEXT,
  PRIMARY KEY (account, home_region, name, region),
  FOREIGN KEY (account, home_region, name) REFERENCES trails (account, home_region, name) ON DELETE CASCADE
);

CREATE TABLE trail_tags (
  account     TEXT    NOT NULL,
  home_region TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  tag_key     TEXT    NOT NULL,
  tag_value   TEXT,
  position    INTEGER NOT NULL,                     -- tags are listed in the order in which they came
  PRIMARY KEY (account, home_region, name, tag_key),
  FOREIGN KEY (account, home_region, name) REFERENCES trails (account, home_region, name) ON DELETE CASCADE
);
