//! What there is at all: accounts, regions, and trails with what became of their deliveries. For people who look.

use crate::store::events::ARRIVAL_BITS;
use crate::store::{Deliveries, Digests, Events, Session, StoreResult, Trail, TrailStatus, Trails};
use sqlx::FromRow;

/// Which accounts and regions have events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes {
    /// With their numbers of events, the largest first.
    pub accounts: Vec<(String, i64)>,
    /// The same for regions.
    pub regions: Vec<(String, i64)>,
    /// The time of the oldest event, seconds since 1970.
    pub oldest: Option<i64>,
}

/// What waits to be delivered for a trail.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TrailBacklog {
    /// Events that are in no stored log file.
    pub pending_events: i64,
    /// Failed tries since the last success, of the destination that has most.
    pub failures: i64,
    /// When the next try after a failure is, milliseconds since 1970.
    pub retry_at: Option<i64>,
}

/// A log file of a trail.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct TrailFile {
    pub s3_object_key: String,
    pub state: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    pub stored_at: Option<i64>,
    pub events: Option<i64>,
    pub bytes: Option<i64>,
    /// Failed tries of its destination since the last success.
    pub failures: i64,
    /// Whether it is still to be announced at the webhook.
    pub webhook: bool,
}

/// A digest of a trail.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct TrailDigest {
    pub region: String,
    pub s3_object_key: String,
    /// Seconds since 1970.
    pub start_time: i64,
    pub end_time: i64,
    pub log_files: i64,
    pub state: String,
}

/// The trail of `t`, in tables that know it by name.
const OF_TRAIL: &str =
    "trail_account = $1 AND home_region = $2 AND trail_name = $3 AND trail_created_at = $4";

impl<S: Session> Events<'_, S> {
    /// Which accounts and regions have events.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn scopes(&mut self) -> StoreResult<Scopes> {
        let mut scopes = Scopes::default();
        for (column, found) in [("account", &mut scopes.accounts), ("region", &mut scopes.regions)] {
            let sql = format!(
                "SELECT {column}, CAST(sum(reads + writes + failures) AS BIGINT) AS events FROM event_counts \
                 GROUP BY {column} ORDER BY events DESC, {column}"
            );
            *found = sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(self.db()).await?;
        }
        let oldest: Option<i64> =
            sqlx::query_scalar("SELECT min(key) FROM event_summaries").fetch_one(self.db()).await?;
        scopes.oldest = oldest.map(|key| key >> ARRIVAL_BITS);
        Ok(scopes)
    }

    /// How many events each account has in each region, by both.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn count_by_scope(&mut self) -> StoreResult<Vec<(String, String, i64)>> {
        let counts = sqlx::query_as(
            "SELECT account, region, CAST(sum(reads + writes + failures) AS BIGINT) FROM event_counts \
             GROUP BY account, region ORDER BY account, region",
        );
        Ok(counts.fetch_all(self.db()).await?)
    }
}

impl<S: Session> Deliveries<'_, S> {
    /// When the oldest of the events that wait to be delivered was stored, milliseconds since 1970.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn oldest_pending(&mut self) -> StoreResult<Option<i64>> {
        let oldest = sqlx::query_scalar(
            "SELECT min(e.stored_at) FROM destinations d JOIN events e ON e.key = \
             (SELECT p.event_key FROM pending_events p WHERE p.destination = d.id ORDER BY p.number LIMIT 1)",
        );
        Ok(oldest.fetch_one(self.db()).await?)
    }

    /// What waits to be put into log files of a trail.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn of_trail(&mut self, trail: &Trail) -> StoreResult<TrailBacklog> {
        let sql = format!(
            "SELECT CAST(coalesce(sum(pending_events), 0) AS BIGINT) AS pending_events, \
             coalesce(max(failures), 0) AS failures, min(retry_at) AS retry_at \
             FROM destinations WHERE kind = 'log_file' AND {OF_TRAIL}"
        );
        let backlog = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(&trail.account).bind(&trail.home_region);
        Ok(backlog.bind(&trail.name).bind(trail.created_at).fetch_one(self.db()).await?)
    }

    /// The last `limit` log files of a trail, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn files_of_trail(&mut self, trail: &Trail, limit: u32) -> StoreResult<Vec<TrailFile>> {
        let files = sqlx::query_as(
            "SELECT f.s3_object_key, f.state, f.created_at, f.stored_at, f.events, f.bytes, f.webhook, \
             coalesce(d.failures, 0) AS failures FROM log_files f LEFT JOIN destinations d ON d.id = f.destination \
             WHERE f.trail_account = $1 AND f.home_region = $2 AND f.trail_name = $3 AND f.trail_created_at = $4 \
             ORDER BY f.id DESC LIMIT $5",
        );
        let files = files.bind(&trail.account).bind(&trail.home_region).bind(&trail.name);
        Ok(files.bind(trail.created_at).bind(limit).fetch_all(self.db()).await?)
    }

    /// How many events the last `limit` rounds of log files of a trail held, oldest round first. A round is what is cut
    /// at the end of a period, in all regions.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn events_per_period(&mut self, trail: &Trail, limit: u32) -> StoreResult<Vec<i64>> {
        let sql = format!(
            "SELECT CAST(sum(coalesce(events, 0)) AS BIGINT) FROM log_files WHERE {OF_TRAIL} \
             GROUP BY created_at ORDER BY created_at DESC LIMIT $5"
        );
        let rounds = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(&trail.account);
        let rounds = rounds.bind(&trail.home_region).bind(&trail.name).bind(trail.created_at).bind(limit);
        let mut events: Vec<i64> = rounds.fetch_all(self.db()).await?;
        events.reverse();
        Ok(events)
    }
}

impl<S: Session> Trails<'_, S> {
    /// All trails of all accounts, by account, home region and name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn all(&mut self) -> StoreResult<Vec<Trail>> {
        let trails = sqlx::query_as("SELECT * FROM trails ORDER BY account, home_region, name");
        Ok(trails.fetch_all(self.db()).await?)
    }

    /// The status of a trail over all its regions: of each kind of delivery the latest time, and an error if there is one
    /// anywhere.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn status_everywhere(&mut self, trail: &Trail) -> StoreResult<TrailStatus> {
        let status = sqlx::query_as(
            "SELECT max(is_logging) AS is_logging, max(start_logging_time) AS start_logging_time, \
             max(stop_logging_time) AS stop_logging_time, \
             max(latest_delivery_time) AS latest_delivery_time, \
             max(latest_delivery_error) AS latest_delivery_error, \
             max(latest_notification_time) AS latest_notification_time, \
             max(latest_notification_error) AS latest_notification_error, \
             max(latest_cloud_watch_logs_delivery_time) AS latest_cloud_watch_logs_delivery_time, \
             max(latest_cloud_watch_logs_delivery_error) AS latest_cloud_watch_logs_delivery_error, \
             max(latest_digest_delivery_time) AS latest_digest_delivery_time, \
             max(latest_digest_delivery_error) AS latest_digest_delivery_error \
             FROM trail_status WHERE account = $1 AND home_region = $2 AND name = $3",
        );
        let status = status.bind(&trail.account).bind(&trail.home_region).bind(&trail.name);
        Ok(status.fetch_one(self.db()).await?)
    }
}

impl<S: Session> Digests<'_, S> {
    /// The last `limit` digests of a trail, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn of_trail(&mut self, trail: &Trail, limit: u32) -> StoreResult<Vec<TrailDigest>> {
        let digests = sqlx::query_as(
            "SELECT c.region, d.s3_object_key, d.start_time, d.end_time, d.log_files, d.state FROM digests d \
             JOIN digest_chains c ON c.id = d.chain WHERE c.trail_account = $1 AND c.home_region = $2 \
             AND c.trail_name = $3 AND c.trail_created_at = $4 ORDER BY d.id DESC LIMIT $5",
        );
        let digests = digests.bind(&trail.account).bind(&trail.home_region).bind(&trail.name);
        Ok(digests.bind(trail.created_at).bind(limit).fetch_all(self.db()).await?)
    }
}
