//! Where captured events go: a row for each destination of a trail, and a row for each event that still has to go there.

use crate::config;
use crate::domain::account_id::AccountId;
use crate::domain::event::{Event, Listing};
use crate::domain::region::Region;
use crate::store::bulk::BulkInsert;
use crate::store::{
    Deliveries, Session, StoreResult, StoredEvents, Trail, TrailRegion, Trails, WriteSession,
};
use sqlx::FromRow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

static INSERT_PENDING: BulkInsert =
    BulkInsert::new("INSERT INTO pending_events (destination, number, event_key)", 3, "");

/// Which kinds of destinations can be reached at all, beside buckets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outlets {
    /// CloudWatch Logs.
    pub log_streams: bool,
    /// An event bus ...
    pub event_bus: bool,
    /// ... that takes events that only read, too.
    pub event_bus_reads: bool,
}

impl Outlets {
    /// What the settings name.
    pub fn of(settings: &config::DeliverySettings) -> Outlets {
        Outlets {
            log_streams: settings.logs_endpoint.is_some(),
            event_bus: settings.events_endpoint.is_some(),
            event_bus_reads: settings.events_read_only,
        }
    }
}

/// What decides which destinations an event has: the same for all events that agree in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route<'a> {
    /// Whose event it is.
    pub account: &'a AccountId,
    /// The event's region.
    pub region: &'a Region,
    /// Whether it is an event of a global service, see [`is_global`].
    pub global: bool,
    /// Whether it only reads.
    pub reads: bool,
}

impl<'a> Route<'a> {
    /// The route of an event; `None` for one that no trail takes: trails have the default selector, which takes
    /// management events.
    pub fn of(event: &'a Event) -> Option<Route<'a>> {
        let reads = match event.listing {
            Listing::Write => false,
            Listing::Read => true,
            Listing::Unlogged | Listing::Insight | Listing::Data => return None,
        };
        let global = is_global(&event.event_source, &event.region);
        Some(Route { account: &event.account, region: &event.region, global, reads })
    }
}

/// Whether `source` is a global service whose events are recorded in `region`: IAM, STS and CloudFront in us-east-1
/// (user guide, "Global service events", since 2021-11-22).
fn is_global(source: &str, region: &str) -> bool {
    region == "us-east-1"
        && matches!(source, "iam.amazonaws.com" | "sts.amazonaws.com" | "cloudfront.amazonaws.com")
}

/// A destination.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are those of the trail's settings")]
pub struct Destination {
    pub id: i64,
    /// Whose trail it is, and which: a new trail of an old name has another `trail_created_at`.
    pub trail_account: String,
    pub home_region: String,
    pub trail_name: String,
    pub trail_created_at: i64,
    /// Whose events go there, ...
    pub account: String,
    /// ... and of which region.
    pub region: String,
    pub s3_bucket_name: String,
    pub s3_key_prefix: Option<String>,
    pub kms_key_id: Option<String>,
    pub sns_topic_arn: Option<String>,
    pub log_group_arn: Option<String>,
    pub log_file_validation_enabled: bool,
    /// Failures since the last success ...
    pub failures: i64,
    /// ... and when to try again.
    pub retry_at: Option<i64>,
    /// The same for notifications.
    pub notice_failures: i64,
    pub notice_retry_at: Option<i64>,
}

/// What waits to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Backlog {
    /// Events, counted once for each destination.
    pub pending_events: i64,
    /// Log files made and not yet put.
    pub waiting_files: i64,
    /// Destinations whose last try failed.
    pub failing_destinations: i64,
}

impl Destination {
    /// The trail, and the region of its events.
    pub fn whose(&self) -> TrailRegion {
        TrailRegion {
            trail_account: self.trail_account.clone(),
            home_region: self.home_region.clone(),
            trail_name: self.trail_name.clone(),
            trail_created_at: self.trail_created_at,
            region: self.region.clone(),
        }
    }
}

impl Trail {
    /// Whether the trail takes events of this route.
    fn takes(&self, route: &Route<'_>) -> bool {
        self.account == *route.account
            && self.covers(route.region)
            && (self.include_global_service_events || !route.global)
    }
}

impl<S: Session> Trails<'_, S> {
    /// The trails of an account that are logging.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn logging(&mut self, account: &AccountId) -> StoreResult<Vec<Trail>> {
        let trails = sqlx::query_as(
            "SELECT t.* FROM trails t JOIN trail_status s ON s.account = t.account \
             AND s.home_region = t.home_region AND s.name = t.name AND s.region = t.home_region \
             WHERE t.account = $1 AND s.is_logging",
        );
        Ok(trails.bind(account).fetch_all(self.db()).await?)
    }
}

impl Deliveries<'_, WriteSession> {
    /// The destinations of events of a route, given the trails that are logging; made where they are not there yet.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn destinations(
        &mut self,
        trails: &[Trail],
        route: &Route<'_>,
        outlets: Outlets,
    ) -> StoreResult<Vec<i64>> {
        let mut found = Vec::new();
        for trail in trails.iter().filter(|trail| trail.takes(route)) {
            found.push(self.destination("log_file", Some(trail), route).await?);
            if outlets.log_streams && trail.cloud_watch_logs_log_group_arn.is_some() {
                found.push(self.destination("log_stream", Some(trail), route).await?);
            }
        }
        // Once per event, however many trails take it.
        if !found.is_empty() && outlets.event_bus && (!route.reads || outlets.event_bus_reads) {
            found.push(self.destination("event_bus", None, route).await?);
        }
        Ok(found)
    }

    async fn destination(
        &mut self,
        kind: &str,
        trail: Option<&Trail>,
        route: &Route<'_>,
    ) -> StoreResult<i64> {
        let (owner, home, name, created) = trail.map_or(("", "", "", 0), |trail| {
            (trail.account.as_str(), trail.home_region.as_str(), trail.name.as_str(), trail.created_at)
        });
        let known = sqlx::query_scalar(
            "SELECT id FROM destinations WHERE kind = $1 AND trail_account = $2 AND home_region = $3 \
             AND trail_name = $4 AND trail_created_at = $5 AND account = $6 AND region = $7",
        );
        let known = known.bind(kind).bind(owner).bind(home).bind(name).bind(created);
        let known = known.bind(route.account).bind(route.region).fetch_optional(self.db()).await?;
        if let Some(id) = known {
            return Ok(id);
        }
        let insert = sqlx::query_scalar(
            "INSERT INTO destinations (kind, trail_account, home_region, trail_name, trail_created_at, account, \
             region, s3_bucket_name, s3_key_prefix, kms_key_id, sns_topic_arn, log_group_arn, \
             log_file_validation_enabled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
             RETURNING id",
        );
        let insert = insert.bind(kind).bind(owner).bind(home).bind(name).bind(created);
        let insert = insert.bind(route.account).bind(route.region);
        let insert = insert
            .bind(trail.map_or("", |t| t.s3_bucket_name.as_str()))
            .bind(trail.and_then(|t| t.s3_key_prefix.as_deref()))
            .bind(trail.and_then(|t| t.kms_key_id.as_deref()))
            .bind(trail.and_then(|t| t.sns_topic_arn.as_deref()))
            .bind(trail.and_then(|t| t.cloud_watch_logs_log_group_arn.as_deref()))
            .bind(trail.is_some_and(|t| t.log_file_validation_enabled));
        Ok(insert.fetch_one(self.db()).await?)
    }

    /// Notes for stored events where each of them has to go, by the trails that are logging now: in the transaction that
    /// stores them, so that none is ever forgotten.
    ///
    /// # Errors
    /// The database cannot be written; then the session must be dropped.
    pub async fn queue_events(
        &mut self,
        events: &[&Event],
        stored: &StoredEvents,
        outlets: Outlets,
    ) -> StoreResult<()> {
        let mut logging: HashMap<&AccountId, Arc<[Trail]>> = HashMap::new();
        let mut routes: HashMap<Route<'_>, Arc<[i64]>> = HashMap::new();
        let mut rows = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let Some(route) = Route::of(event).filter(|_| stored.new[at]) else { continue };
            let destinations = match routes.get(&route) {
                Some(known) => Arc::clone(known),
                None => {
                    let trails = match logging.get(route.account) {
                        Some(known) => Arc::clone(known),
                        None => {
                            let trails: Arc<[Trail]> = self.0.trails().logging(route.account).await?.into();
                            logging.insert(route.account, Arc::clone(&trails));
                            trails
                        }
                    };
                    let found: Arc<[i64]> = self.destinations(&trails, &route, outlets).await?.into();
                    routes.insert(route, Arc::clone(&found));
                    found
                }
            };
            rows.extend(destinations.iter().map(|id| (*id, stored.numbers[at], stored.keys[at])));
        }
        self.insert_pending(&rows).await
    }

    /// Notes that one stored event has to go to `destinations`.
    ///
    /// # Errors
    /// The database cannot be written; then the session must be dropped.
    pub async fn queue_event(&mut self, stored: &StoredEvents, destinations: &[i64]) -> StoreResult<()> {
        let row = |id: &i64| Some((*id, *stored.numbers.first()?, *stored.keys.first()?));
        let rows: Vec<_> = destinations.iter().filter_map(row).collect();
        self.insert_pending(&rows).await
    }

    /// Rows of (destination, number of arrival, event key).
    async fn insert_pending(&mut self, rows: &[(i64, i64, i64)]) -> StoreResult<()> {
        INSERT_PENDING
            .all(self.db(), rows, |row, (destination, number, key)| {
                row.push(*destination).push(*number).push(*key);
            })
            .await?;
        let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
        for (destination, ..) in rows {
            *counts.entry(*destination).or_default() += 1;
        }
        for (destination, more) in counts {
            self.count_pending(destination, more).await?;
        }
        Ok(())
    }

    /// Counts events that have come to wait for a destination (or, below 0, that wait no longer).
    pub(super) async fn count_pending(&mut self, destination: i64, more: i64) -> StoreResult<()> {
        let count = sqlx::query("UPDATE destinations SET pending_events = pending_events + $2 WHERE id = $1");
        count.bind(destination).bind(more).execute(self.db()).await?;
        Ok(())
    }

    /// Takes a trail's settings over into its destinations: what has got another bucket, topic or log group has not
    /// failed yet. Log files that wait for a bucket which the trail no longer
    /// names are taken apart again: their events go to the new one. Files not yet announced are announced at the new
    /// topic.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) async fn follow_trail(&mut self, trail: &Trail) -> StoreResult<()> {
        let apart = sqlx::query(
            "DELETE FROM log_files WHERE state = 'waiting' AND destination IN (SELECT id FROM destinations \
             WHERE trail_account = $1 AND home_region = $2 AND trail_name = $3 AND trail_created_at = $4 \
             AND (s3_bucket_name <> $5 OR s3_key_prefix IS NOT $6))",
        );
        let apart = apart.bind(&trail.account).bind(&trail.home_region).bind(&trail.name);
        let apart = apart.bind(trail.created_at).bind(&trail.s3_bucket_name).bind(&trail.s3_key_prefix);
        apart.execute(self.db()).await?;
        let follow = sqlx::query(
            "UPDATE destinations SET s3_bucket_name = $5, s3_key_prefix = $6, kms_key_id = $7, sns_topic_arn = $8, \
             log_group_arn = $9, log_file_validation_enabled = $10, retry_at = NULL, notice_retry_at = NULL, \
             failures = CASE WHEN s3_bucket_name <> $5 OR log_group_arn IS NOT $9 THEN 0 ELSE failures END, \
             notice_failures = CASE WHEN sns_topic_arn IS NOT $8 THEN 0 ELSE notice_failures END \
             WHERE trail_account = $1 AND home_region = $2 AND trail_name = $3 AND trail_created_at = $4",
        );
        let follow = follow.bind(&trail.account).bind(&trail.home_region).bind(&trail.name);
        let follow = follow.bind(trail.created_at).bind(&trail.s3_bucket_name).bind(&trail.s3_key_prefix);
        let follow = follow.bind(&trail.kms_key_id).bind(&trail.sns_topic_arn);
        let follow =
            follow.bind(&trail.cloud_watch_logs_log_group_arn).bind(trail.log_file_validation_enabled);
        follow.execute(self.db()).await?;
        let announce = sqlx::query(
            "UPDATE log_files SET sns_topic_arn = $5, notify = $5 IS NOT NULL WHERE trail_account = $1 \
             AND home_region = $2 AND trail_name = $3 AND trail_created_at = $4 \
             AND id IN (SELECT id FROM log_files WHERE state = 'waiting' UNION SELECT id FROM log_files \
             WHERE notify = TRUE AND state = 'stored')",
        );
        let announce = announce.bind(&trail.account).bind(&trail.home_region).bind(&trail.name);
        announce.bind(trail.created_at).bind(&trail.sns_topic_arn).execute(self.db()).await?;
        Ok(())
    }

    /// What a trail has captured is delivered at once (`due`), or after the usual period again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) async fn set_due(&mut self, trail: &Trail, due: bool) -> StoreResult<()> {
        let set = sqlx::query(
            "UPDATE destinations SET due = $5 WHERE trail_account = $1 AND home_region = $2 AND trail_name = $3 \
             AND trail_created_at = $4",
        );
        let set = set.bind(&trail.account).bind(&trail.home_region).bind(&trail.name).bind(trail.created_at);
        set.bind(due).execute(self.db()).await?;
        Ok(())
    }

    /// Counts a failure of a destination and says when to try again, or none after a success. `notice`: of its
    /// notifications.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_retry(
        &mut self,
        destination: i64,
        notice: bool,
        failures: i64,
        retry_at: Option<i64>,
    ) -> StoreResult<()> {
        let set = if notice {
            "UPDATE destinations SET notice_failures = $2, notice_retry_at = $3 WHERE id = $1"
        } else {
            "UPDATE destinations SET failures = $2, retry_at = $3 WHERE id = $1"
        };
        sqlx::query(set).bind(destination).bind(failures).bind(retry_at).execute(self.db()).await?;
        Ok(())
    }
}

impl<S: Session> Deliveries<'_, S> {
    /// What waits to be delivered.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn backlog(&mut self) -> StoreResult<Backlog> {
        let backlog = sqlx::query_as(
            "SELECT coalesce(sum(pending_events), 0) AS pending_events, \
             (SELECT count(*) FROM log_files WHERE state = 'waiting') AS waiting_files, \
             count(CASE WHEN failures > 0 OR notice_failures > 0 THEN 1 END) AS failing_destinations \
             FROM destinations WHERE kind NOT LIKE 'wiped-%'",
        );
        Ok(backlog.fetch_one(self.db()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn global_services_are_recorded_in_one_region() {
        assert!(is_global("iam.amazonaws.com", "us-east-1"));
        assert!(!is_global("sts.amazonaws.com", "eu-west-1"), "a regional endpoint of STS");
        assert!(!is_global("ec2.amazonaws.com", "us-east-1"));
    }
}
