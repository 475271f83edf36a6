-- The role behind an actor that is a role's session. Older rows get theirs as they are corrected at the next start.
ALTER TABLE event_summaries ADD COLUMN role_name TEXT;
