//! What GetTrailStatus answers about a trail.

use crate::store::{Session, StoreResult, Trail, Trails, WriteSession};
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

/// A kind of delivery, for which GetTrailStatus answers a time and an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryKind {
    /// Log files put into the bucket.
    LogFile,
    /// Log files announced at the topic.
    Notification,
    /// Records put into the log group.
    CloudWatchLogs,
    /// Digests put into the bucket.
    Digest,
}

/// A trail in one of its regions.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are those of the trail's settings")]
pub struct TrailRegion {
    pub trail_account: String,
    pub home_region: String,
    pub trail_name: String,
    /// Tells a trail from an earlier one of its name; milliseconds since 1970.
    pub trail_created_at: i64,
    /// The region of the events.
    pub region: String,
}

impl DeliveryKind {
    const fn columns(self) -> (&'static str, &'static str) {
        match self {
            DeliveryKind::LogFile => ("latest_delivery_time", "latest_delivery_error"),
            DeliveryKind::Notification => ("latest_notification_time", "latest_notification_error"),
            DeliveryKind::CloudWatchLogs => {
                ("latest_cloud_watch_logs_delivery_time", "latest_cloud_watch_logs_delivery_error")
            }
            DeliveryKind::Digest => ("latest_digest_delivery_time", "latest_digest_delivery_error"),
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
             FROM trail_status h LEFT JOIN trail_status r \
             ON r.account = h.account AND r.home_region = h.home_region AND r.name = h.name AND r.region = $4 \
             WHERE h.account = $1 AND h.home_region = $2 AND h.name = $3 AND h.region = h.home_region",
        )
        .bind(&trail.account)
        .bind(&trail.home_region)
        .bind(&trail.name)
        .bind(region)
        .fetch_one(self.db())
        .await?;
        Ok(status)
    }
}

impl Trails<'_, WriteSession> {
    /// Starts logging at `now`. A trail that is logging already stays as it is.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn start_logging(&mut self, trail: &Trail, now: i64) -> StoreResult<()> {
        let start = sqlx::query(
            "UPDATE trail_status SET is_logging = TRUE, start_logging_time = $4 \
             WHERE account = $1 AND home_region = $2 AND name = $3 AND region = home_region AND NOT is_logging",
        );
        let start = start.bind(&trail.account).bind(&trail.home_region).bind(&trail.name).bind(now);
        start.execute(self.db()).await?;
        self.0.deliveries().set_due(trail, false).await
    }

    /// Stops logging at `now`; what the trail has captured is delivered at once. A trail that is not logging stays as it
    /// is.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn stop_logging(&mut self, trail: &Trail, now: i64) -> StoreResult<()> {
        let stop = sqlx::query(
            "UPDATE trail_status SET is_logging = FALSE, stop_logging_time = $4 \
             WHERE account = $1 AND home_region = $2 AND name = $3 AND region = home_region AND is_logging",
        );
        let stop = stop.bind(&trail.account).bind(&trail.home_region).bind(&trail.name).bind(now);
        stop.execute(self.db()).await?;
        self.0.deliveries().set_due(trail, true).await
    }

    /// Notes what came of a delivery in the status of a trail and region: a success at a time
    /// (milliseconds since 1970), which clears the error, or an error, which leaves the time. Nothing happens when the
    /// trail is gone.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn record_delivery(
        &mut self,
        trail_region: &TrailRegion,
        delivery: DeliveryKind,
        outcome: Result<i64, &str>,
    ) -> StoreResult<()> {
        let (time, error) = delivery.columns();
        let keep = if outcome.is_ok() { format!("{time} = excluded.{time}, ") } else { String::new() };
        let upsert = format!(
            "INSERT INTO trail_status (account, home_region, name, region, {time}, {error}) \
             SELECT account, home_region, name, $5, $6, $7 FROM trails \
             WHERE account = $1 AND home_region = $2 AND name = $3 AND created_at = $4 \
             ON CONFLICT (account, home_region, name, region) DO UPDATE SET {keep}{error} = excluded.{error}"
        );
        sqlx::query(sqlx::AssertSqlSafe(upsert))
            .bind(&trail_region.trail_account)
            .bind(&trail_region.home_region)
            .bind(&trail_region.trail_name)
            .bind(trail_region.trail_created_at)
            .bind(&trail_region.region)
            .bind(outcome.ok())
            .bind(outcome.err())
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Forgets the error of a topic that the trail no longer has, in all regions (observed).
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn forget_notifications(&mut self, trail: &Trail) -> StoreResult<()> {
        self.forget("latest_notification_error = NULL", trail).await
    }

    /// Forgets the time and the error of a log group that the trail no longer has, in all regions (observed).
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn forget_cloud_watch_logs(&mut self, trail: &Trail) -> StoreResult<()> {
        let set =
            "latest_cloud_watch_logs_delivery_time = NULL, latest_cloud_watch_logs_delivery_error = NULL";
        self.forget(set, trail).await
    }

    async fn forget(&mut self, set: &str, trail: &Trail) -> StoreResult<()> {
        let update =
            format!("UPDATE trail_status SET {set} WHERE account = $1 AND home_region = $2 AND name = $3");
        let update = sqlx::query(sqlx::AssertSqlSafe(update)).bind(&trail.account);
        update.bind(&trail.home_region).bind(&trail.name).execute(self.db()).await?;
        Ok(())
    }
}
