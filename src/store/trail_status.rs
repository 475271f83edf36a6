//! What GetTrailStatus answers about a trail.

use crate::store::{DestinationKind, Session, StoreResult, Trail, Trails, WriteSession};
use sqlx::FromRow;

/// What GetTrailStatus answers about a trail in one region. Times: milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are CloudTrail's own")]
pub struct TrailStatus {
    pub is_logging: bool,
    pub start_logging_time: Option<i64>,
    pub stop_logging_time: Option<i64>,
    pub latest_delivery_time: Option<i64>,
    pub latest_delivery_error: Option<String>,
    pub latest_notification_time: Option<i64>,
    pub latest_notification_error: Option<String>,
    pub latest_cloud_watch_logs_delivery_time: Option<i64>,
    pub latest_cloud_watch_logs_delivery_error: Option<String>,
    pub latest_digest_delivery_time: Option<i64>,
    pub latest_digest_delivery_error: Option<String>,
}

impl DestinationKind {
    /// The columns that hold the time of the latest success, and the error since then; a status says nothing of webhook
    /// and event bus.
    const fn status_columns(self) -> Option<(&'static str, &'static str)> {
        match self {
            DestinationKind::LogFile => Some(("latest_delivery_time", "latest_delivery_error")),
            DestinationKind::Topic => Some(("latest_notification_time", "latest_notification_error")),
            DestinationKind::LogStream => {
                Some(("latest_cloud_watch_logs_delivery_time", "latest_cloud_watch_logs_delivery_error"))
            }
            DestinationKind::Digest => Some(("latest_digest_delivery_time", "latest_digest_delivery_error")),
            DestinationKind::Webhook | DestinationKind::EventBus => None,
        }
    }
}

impl<S: Session> Trails<'_, S> {
    /// The status of a trail as seen in `region`: whether it is logging and since when is the home region's; what was
    /// delivered is the region's own.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn status(&mut self, trail: &Trail, region: &str) -> StoreResult<TrailStatus> {
        let status = sqlx::query_as(
            "SELECT h.is_logging, h.start_logging_time, h.stop_logging_time, r.latest_delivery_time, \
             r.latest_delivery_error, r.latest_notification_time, r.latest_notification_error, \
             r.latest_cloud_watch_logs_delivery_time, r.latest_cloud_watch_logs_delivery_error, \
             r.latest_digest_delivery_time, r.latest_digest_delivery_error \
             FROM trail_status h LEFT JOIN trail_status r ON r.trail_id = h.trail_id AND r.region = $3 \
             WHERE h.trail_id = $1 AND h.region = $2",
        );
        Ok(status.bind(trail.id).bind(&trail.home_region).bind(region).fetch_one(self.db()).await?)
    }

    /// The status of a trail over all its regions: of each kind of delivery the latest time, and an error if there is one
    /// anywhere.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn status_everywhere(&mut self, trail_id: i64) -> StoreResult<TrailStatus> {
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
             FROM trail_status WHERE trail_id = $1",
        );
        Ok(status.bind(trail_id).fetch_one(self.db()).await?)
    }
}

impl Trails<'_, WriteSession> {
    /// Starts logging at `now`. A trail that is logging already stays as it is.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn start_logging(&mut self, trail: &Trail, now: i64) -> StoreResult<()> {
        let start = "UPDATE trail_status SET is_logging = TRUE, start_logging_time = $3 \
                     WHERE trail_id = $1 AND region = $2 AND NOT is_logging";
        sqlx::query(start).bind(trail.id).bind(&trail.home_region).bind(now).execute(self.db()).await?;
        self.0.has_changed_trails_of(&trail.account);
        self.0.deliveries().set_due(trail.id, false).await
    }

    /// Stops logging at `now`; what the trail has captured is delivered at once. A trail that is not logging stays as it
    /// is.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn stop_logging(&mut self, trail: &Trail, now: i64) -> StoreResult<()> {
        let stop = "UPDATE trail_status SET is_logging = FALSE, stop_logging_time = $3 \
                    WHERE trail_id = $1 AND region = $2 AND is_logging";
        sqlx::query(stop).bind(trail.id).bind(&trail.home_region).bind(now).execute(self.db()).await?;
        self.0.has_changed_trails_of(&trail.account);
        self.0.deliveries().set_due(trail.id, true).await
    }

    /// Notes what came of a delivery in the status of a trail and region, where it has a place: a success at a time
    /// (milliseconds since 1970), which clears the error, or an error, which leaves the time.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn record_delivery(
        &mut self,
        trail_id: i64,
        region: &str,
        kind: DestinationKind,
        outcome: Result<i64, &str>,
    ) -> StoreResult<()> {
        let Some((time, error)) = kind.status_columns() else { return Ok(()) };
        let keep = if outcome.is_ok() { format!("{time} = excluded.{time}, ") } else { String::new() };
        let upsert = format!(
            "INSERT INTO trail_status (trail_id, region, {time}, {error}) SELECT id, $2, $3, $4 FROM trails \
             WHERE id = $1 ON CONFLICT (trail_id, region) DO UPDATE SET {keep}{error} = excluded.{error}"
        );
        let upsert = sqlx::query(sqlx::AssertSqlSafe(upsert)).bind(trail_id).bind(region);
        upsert.bind(outcome.ok()).bind(outcome.err()).execute(self.db()).await?;
        Ok(())
    }

    /// Forgets the error of a topic that the trail no longer has, in all regions (observed).
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn forget_notifications(&mut self, trail_id: i64) -> StoreResult<()> {
        let forget = "UPDATE trail_status SET latest_notification_error = NULL WHERE trail_id = $1";
        sqlx::query(forget).bind(trail_id).execute(self.db()).await?;
        Ok(())
    }

    /// Forgets the time and the error of a log group that the trail no longer has, in all regions (observed).
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn forget_cloud_watch_logs(&mut self, trail_id: i64) -> StoreResult<()> {
        let forget = "UPDATE trail_status SET latest_cloud_watch_logs_delivery_time = NULL, \
                      latest_cloud_watch_logs_delivery_error = NULL WHERE trail_id = $1";
        sqlx::query(forget).bind(trail_id).execute(self.db()).await?;
        Ok(())
    }
}
