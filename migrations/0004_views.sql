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
JOIN trail_status s
  ON s.account = t.account AND s.home_region = t.home_region AND s.name = t.name AND s.region = t.home_region
ORDER BY t.account, t.home_region, t.name;

CREATE VIEW event_history AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', e.event_time, 'unixepoch') AS time,
       e.account,
       e.region,
       e.event_name,
       e.event_source,
       e.username,
       e.access_key_id,
       e.error_code,
       CASE WHEN e.read_only THEN 'yes' ELSE 'no' END AS read_only,
       e.listing,
       (SELECT group_concat(r.resource_name, ', ') FROM event_resources r WHERE r.key = e.key) AS resources,
       e.event_id,
       strftime('%Y-%m-%dT%H:%M:%SZ', e.stored_at / 1000, 'unixepoch') AS stored,
       e.record
FROM events e
ORDER BY e.key DESC;
