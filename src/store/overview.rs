//! What there is at all: accounts, regions, and trails with what became of their deliveries. For people who look.

use crate::store::events::ARRIVAL_BITS;
use crate::store::figures::{FAILING_DESTINATIONS, FailingDestination};
use crate::store::{Deliveries, Digests, Events, Session, StoreResult};
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
    /// Without the trail's prefix until it is put.
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
    /// `None` until it is put.
    pub s3_object_key: Option<String>,
    /// Seconds since 1970.
    pub start_time: i64,
    pub end_time: i64,
    pub log_files: i64,
    pub state: String,
}

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
    /// The destinations whose last try failed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn failing(&mut self) -> StoreResult<Vec<FailingDestination>> {
        Ok(sqlx::query_as(FAILING_DESTINATIONS).fetch_all(self.db()).await?)
    }

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
    pub async fn of_trail(&mut self, trail_id: i64) -> StoreResult<TrailBacklog> {
        let backlog = sqlx::query_as(
            "SELECT CAST(coalesce(sum(pending_events), 0) AS BIGINT) AS pending_events, \
             coalesce(max(failures), 0) AS failures, min(retry_at) AS retry_at \
             FROM destinations WHERE kind = 'log_file' AND trail_id = $1",
        );
        Ok(backlog.bind(trail_id).fetch_one(self.db()).await?)
    }

    /// The last `limit` log files of a trail, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn files_of_trail(&mut self, trail_id: i64, limit: u32) -> StoreResult<Vec<TrailFile>> {
        let files = sqlx::query_as(
            "SELECT coalesce(f.s3_object_key, f.object_name) AS s3_object_key, f.state, f.created_at, f.stored_at, \
             f.events, f.bytes, d.failures, EXISTS (SELECT 1 FROM pending_notices n JOIN destinations w \
             ON w.id = n.destination AND w.kind = 'webhook' WHERE n.log_file = f.id) AS webhook FROM log_files f \
             JOIN destinations d ON d.id = f.destination WHERE d.trail_id = $1 ORDER BY f.id DESC LIMIT $2",
        );
        Ok(files.bind(trail_id).bind(limit).fetch_all(self.db()).await?)
    }

    /// How many events the last `limit` rounds of log files of a trail held, oldest round first. A round is what is cut
    /// at the end of a period, in all regions.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn events_per_period(&mut self, trail_id: i64, limit: u32) -> StoreResult<Vec<i64>> {
        let rounds = sqlx::query_scalar(
            "SELECT CAST(sum(coalesce(f.events, 0)) AS BIGINT) FROM log_files f JOIN destinations d \
             ON d.id = f.destination WHERE d.trail_id = $1 GROUP BY f.created_at ORDER BY f.created_at DESC LIMIT $2",
        );
        let mut events: Vec<i64> = rounds.bind(trail_id).bind(limit).fetch_all(self.db()).await?;
        events.reverse();
        Ok(events)
    }
}

impl<S: Session> Digests<'_, S> {
    /// The last `limit` digests of a trail, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn of_trail(&mut self, trail_id: i64, limit: u32) -> StoreResult<Vec<TrailDigest>> {
        let digests = sqlx::query_as(
            "SELECT d.region, g.s3_object_key, g.start_time, g.end_time, g.log_files, g.state FROM digests g \
             JOIN digest_chains c ON c.id = g.chain JOIN destinations d ON d.id = c.destination \
             WHERE d.kind = 'digest' AND d.trail_id = $1 ORDER BY g.id DESC LIMIT $2",
        );
        Ok(digests.bind(trail_id).bind(limit).fetch_all(self.db()).await?)
    }
}
