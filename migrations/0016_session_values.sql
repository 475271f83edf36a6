-- What an assumed role's session carries into its calls, and into the sessions that are made with it: the identity that was
-- set for it, and its transitive tags (a JSON object).
ALTER TABLE learned_keys ADD COLUMN source_identity TEXT;
ALTER TABLE learned_keys ADD COLUMN transitive_tags TEXT;
