-- Buckets. Times: milliseconds since 1970.
CREATE TABLE buckets (
  name       TEXT   NOT NULL PRIMARY KEY,
  region     TEXT   NOT NULL,
  created_at BIGINT NOT NULL
);

-- What has been set on a bucket: 'policy' as it was put, everything else as JSON.
CREATE TABLE bucket_settings (
  bucket TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE,
  name   TEXT NOT NULL,
  value  TEXT NOT NULL,
  PRIMARY KEY (bucket, name)
);

-- Bodies never change; objects and parts point to them, several objects to one body after a copy. A body that nothing
-- points to is what an upload left behind that did not come to its end.
CREATE TABLE bodies (
  id   INTEGER PRIMARY KEY AUTOINCREMENT,           -- never used twice
  size BIGINT  NOT NULL DEFAULT 0
);

-- A body in pieces, by the position of their first byte. The bytes stand apart, so that a body can take over the pieces
-- of another without moving them.
CREATE TABLE pieces (
  body  BIGINT NOT NULL,
  start BIGINT NOT NULL,
  bytes BIGINT NOT NULL,                            -- piece_bytes.id
  PRIMARY KEY (body, start)
);
CREATE TABLE piece_bytes (
  id   INTEGER PRIMARY KEY,
  data BLOB NOT NULL
);

-- `attributes`: what comes back as headers (content type, encoding, user metadata …), JSON.
CREATE TABLE objects (
  bucket        TEXT   NOT NULL REFERENCES buckets (name),
  key           TEXT   NOT NULL,
  size          BIGINT NOT NULL,
  etag          TEXT   NOT NULL,                    -- without quotes
  last_modified BIGINT NOT NULL,
  attributes    TEXT   NOT NULL,
  body          BIGINT NOT NULL,
  PRIMARY KEY (bucket, key)
);
CREATE INDEX objects_body ON objects (body);

-- Uploads in parts that have been begun and neither finished nor given up.
CREATE TABLE uploads (
  id           TEXT   NOT NULL PRIMARY KEY,
  bucket       TEXT   NOT NULL REFERENCES buckets (name) ON DELETE CASCADE,
  key          TEXT   NOT NULL,
  initiated_at BIGINT NOT NULL,
  attributes   TEXT   NOT NULL
);
CREATE INDEX uploads_key ON uploads (bucket, key, id);

CREATE TABLE parts (
  upload        TEXT   NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
  number        BIGINT NOT NULL,
  size          BIGINT NOT NULL,
  etag          TEXT   NOT NULL,
  last_modified BIGINT NOT NULL,
  body          BIGINT NOT NULL,
  PRIMARY KEY (upload, number)
);
CREATE INDEX parts_body ON parts (body);
