-- Whose a bucket is: the account that made it, or for whose trail it was made. NULL for buckets from before: they are
-- everybody's.
ALTER TABLE buckets ADD COLUMN account TEXT;
