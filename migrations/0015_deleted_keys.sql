-- When an emulator has deleted a key, milliseconds since 1970; the row stays for a week, as calls made with it may still be
-- on their way to be recorded.
ALTER TABLE learned_keys ADD COLUMN deleted_at BIGINT;

CREATE INDEX learned_keys_by_deletion ON learned_keys (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX learned_keys_by_name ON learned_keys (name) WHERE type = 'IAMUser';

DROP VIEW learned_key_overview;
CREATE VIEW learned_key_overview AS
SELECT access_key_id,
       account,
       type,
       coalesce(name, 'root') AS name,
       session_name AS session,
       strftime('%Y-%m-%dT%H:%M:%SZ', created_at / 1000, 'unixepoch') AS created,
       strftime('%Y-%m-%dT%H:%M:%SZ', expires_at / 1000, 'unixepoch') AS expires,
       strftime('%Y-%m-%dT%H:%M:%SZ', deleted_at / 1000, 'unixepoch') AS deleted
FROM learned_keys
ORDER BY created_at, access_key_id;
