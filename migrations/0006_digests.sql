-- Digests of delivered log files. Times: seconds since 1970 where a digest shows them, else milliseconds.

-- The keys that sign digests, one pair a region at a time. Kept after their time, as old digests are checked with them.
CREATE TABLE digest_keys (
  region      TEXT   NOT NULL,
  fingerprint TEXT   NOT NULL,                            -- MD5 of the public key, hexadecimal
  private_key TEXT   NOT NULL,                            -- PKCS#8 DER, base64
  public_key  TEXT   NOT NULL,                            -- PKCS#1 DER, base64
  valid_from  BIGINT NOT NULL,                            -- seconds
  valid_to    BIGINT NOT NULL,
  PRIMARY KEY (region, fingerprint)
);

-- A chain of digests: from when a trail logs with validation until it no longer does, for one region of events. The
-- settings are the trail's, and stay when it is deleted, so that its chain can be closed.
CREATE TABLE digest_chains (
  id               INTEGER NOT NULL PRIMARY KEY,
  trail_account    TEXT    NOT NULL,
  home_region      TEXT    NOT NULL,
  trail_name       TEXT    NOT NULL,
  trail_created_at BIGINT  NOT NULL,
  region           TEXT    NOT NULL,
  s3_bucket_name   TEXT    NOT NULL,
  s3_key_prefix    TEXT,
  kms_key_id       TEXT,
  state            TEXT    NOT NULL,                      -- open, closing (a last digest is to come), closed
  last_end         BIGINT  NOT NULL,                      -- seconds
  failures         INTEGER NOT NULL DEFAULT 0,            -- since the last success
  retry_at         BIGINT
);
CREATE INDEX digest_chains_by_state ON digest_chains (state, id);

-- Digests: key, content and signature are fixed before the object is put.
CREATE TABLE digests (
  id             INTEGER NOT NULL PRIMARY KEY,
  chain          BIGINT  NOT NULL,
  s3_bucket_name TEXT    NOT NULL,
  s3_object_key  TEXT    NOT NULL,
  kms_key_id     TEXT,
  start_time     BIGINT  NOT NULL,                        -- seconds
  end_time       BIGINT  NOT NULL,
  log_files      BIGINT  NOT NULL,
  fingerprint    TEXT    NOT NULL,
  sha256         TEXT    NOT NULL,                        -- of the unpacked content, hexadecimal
  signature      TEXT    NOT NULL,                        -- hexadecimal
  content        TEXT,                                    -- JSON, until it is put
  created_at     BIGINT  NOT NULL,
  state          TEXT    NOT NULL,                        -- waiting, stored, abandoned (after 30 days)
  stored_at      BIGINT
);
CREATE UNIQUE INDEX digests_by_key ON digests (s3_bucket_name, s3_object_key);
CREATE INDEX digests_by_chain ON digests (chain, id);
CREATE INDEX digests_by_state ON digests (state, chain, id);

-- For people.
CREATE VIEW digest_overview AS
SELECT c.trail_name AS trail,
       c.trail_account AS account,
       c.region,
       strftime('%Y-%m-%dT%H:%M:%SZ', d.start_time, 'unixepoch') AS "from",
       strftime('%Y-%m-%dT%H:%M:%SZ', d.end_time, 'unixepoch') AS "to",
       d.log_files,
       d.state,
       c.state AS chain,
       d.s3_bucket_name AS bucket,
       d.s3_object_key AS key
FROM digests d
JOIN digest_chains c ON c.id = d.chain
ORDER BY d.id DESC;
