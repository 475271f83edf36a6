-- What emulators have said of callers as they handed out users and keys. No secrets.

CREATE TABLE learned_users (
  account      TEXT NOT NULL,  -- of whoever made the user
  name         TEXT NOT NULL,
  principal_id TEXT,
  arn          TEXT,
  PRIMARY KEY (account, name)
) WITHOUT ROWID;

CREATE TABLE learned_keys (
  access_key_id      TEXT    NOT NULL PRIMARY KEY,
  account            TEXT    NOT NULL, -- that the key belongs to
  type               TEXT    NOT NULL, -- as in userIdentity: Root, IAMUser, AssumedRole, FederatedUser
  name               TEXT,             -- of the user or the role, of a federated user's issuer; NULL for the root user
  principal_id       TEXT,             -- the same one's unique id
  arn                TEXT,             -- and ARN
  session_name       TEXT,             -- of a role's session, or of a federated user
  mfa_authenticated  BOOLEAN NOT NULL, -- whether a code of a device was asked for
  federated_provider TEXT,             -- that vouched for a web identity
  created_at         BIGINT  NOT NULL, -- milliseconds since 1970
  expires_at         BIGINT            -- milliseconds since 1970; NULL for a key that lasts
) WITHOUT ROWID;

CREATE INDEX learned_keys_by_expiry ON learned_keys (expires_at) WHERE expires_at IS NOT NULL;

-- For people: the same with readable times.
CREATE VIEW learned_key_overview AS
SELECT access_key_id,
       account,
       type,
       coalesce(name, 'root') AS name,
       session_name AS session,
       strftime('%Y-%m-%dT%H:%M:%SZ', created_at / 1000, 'unixepoch') AS created,
       strftime('%Y-%m-%dT%H:%M:%SZ', expires_at / 1000, 'unixepoch') AS expires
FROM learned_keys
ORDER BY created_at, access_key_id;
