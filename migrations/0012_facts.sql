-- What is known of AWS's operations decides about events: whether they change something, in which lookups they stand, which
-- resources those list. facts_version is the version of that knowledge with which the rows were made. Rows of an older one
-- are corrected at the next start; while that goes on, facts_corrected_until is the key of the last one that is.
INSERT INTO counters (name, value) VALUES ('facts_version', 0);
