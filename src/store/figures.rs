//! Figures about a database that another process may use: for people who look after it.

use crate::database_file;
use crate::store::StoreResult;
use sqlx::FromRow;
use std::path::Path;

/// What there is in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct DatabaseFigures {
    /// Events.
    pub events: i64,
    /// Trails that are not deleted.
    pub trails: i64,
    /// Of them, how many are logging.
    pub logging_trails: i64,
    /// When the newest event was stored, milliseconds since 1970.
    pub newest_stored_at: Option<i64>,
    /// Events that wait to be delivered, once for each destination.
    pub pending_events: i64,
}

/// A destination whose last try failed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FailingDestination {
    /// The trail's name; empty for an event bus and the webhook, as are the next two.
    pub trail: String,
    /// The trail's account.
    pub trail_account: String,
    /// The trail's home region.
    pub home_region: String,
    /// Whether the trail is deleted; what it had captured is still to be delivered.
    pub trail_deleted: bool,
    /// `log_file`, `log_stream`, `topic`, `webhook`, `digest` or `event_bus`.
    pub kind: String,
    /// Of the events.
    pub account: String,
    /// Of the events.
    pub region: String,
    /// Failed tries since the last success.
    pub failures: i64,
    /// What the service said last, where the trail's status shows it.
    pub error: Option<String>,
}

/// The destinations whose last try failed.
pub(super) const FAILING_DESTINATIONS: &str = "SELECT coalesce(t.name, '') AS trail, coalesce(t.account, '') AS trail_account, \
     coalesce(t.home_region, '') AS home_region, t.deleted_at IS NOT NULL AS trail_deleted, d.kind, d.account, d.region, d.failures, \
     CASE d.kind WHEN 'log_file' THEN s.latest_delivery_error WHEN 'topic' THEN s.latest_notification_error \
     WHEN 'log_stream' THEN s.latest_cloud_watch_logs_delivery_error \
     WHEN 'digest' THEN s.latest_digest_delivery_error END AS error \
     FROM destinations d LEFT JOIN trails t ON t.id = d.trail_id \
     LEFT JOIN trail_status s ON s.trail_id = d.trail_id AND s.region = d.region \
     WHERE d.failures > 0 AND d.wiped = 0 ORDER BY d.id";

/// What there is in the database at `path`, which is opened for reading.
///
/// # Errors
/// It cannot be read.
pub async fn figures(path: &Path) -> StoreResult<(DatabaseFigures, Vec<FailingDestination>)> {
    let mut connection = database_file::open(path).await?;
    let figures = sqlx::query_as(
        "SELECT (SELECT coalesce(sum(reads + writes + failures), 0) FROM event_counts) AS events, \
         (SELECT count(*) FROM trails WHERE deleted_at IS NULL) AS trails, \
         (SELECT count(*) FROM trails t JOIN trail_status s ON s.trail_id = t.id AND s.region = t.home_region \
          WHERE t.deleted_at IS NULL AND s.is_logging) AS logging_trails, \
         (SELECT max(stored_at) FROM events) AS newest_stored_at, \
         (SELECT coalesce(sum(pending_events), 0) FROM destinations WHERE wiped = 0) AS pending_events",
    );
    let figures = figures.fetch_one(&mut connection).await?;
    let failing = sqlx::query_as(FAILING_DESTINATIONS);
    Ok((figures, failing.fetch_all(&mut connection).await?))
}
