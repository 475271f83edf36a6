//! What GetTrailStatus tells of a trail.

use crate::store::{Session, StoreResult, Trail};
use sqlx::FromRow;

/// What GetTrailStatus tells of a trail in one region. Times: milliseconds since 1970.
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

/// One thing that GetTrailStatus tells about: its time and its error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
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

impl Delivery {
    const fn columns(self) -> (&'static str, &'static str) {
        match self {
            Delivery::LogFile => ("latest_delivery_time", "latest_delivery_error"),
            Delivery::Notification => ("latest_notification_time", "latest_notification_error"),
            Delivery::CloudWatchLogs => {
                ("latest_cloud_watch_logs_delivery_time", "latest_cloud_watch_logs_delivery_error")
            }
            Delivery::Digest => ("latest_digest_delivery_time", "latest_digest_delivery_error"),
        }
    }
}

impl Session {
    /// The status of a trail as seen in `region`: whether it is logging and since when is the home region's; what was
    /// delivered is the region's own.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn trail_status(&mut self, trail: &Trail, region: &str) -> StoreResult<TrailStatus> {
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

    /// Starts (`on`) or stops logging at `now`. A trail that is in that state already stays as it is. What a stopped trail
    /// has captured is delivered at once.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_logging(&mut self, trail: &Trail, on: bool, now: i64) -> StoreResult<()> {
        let change = if on {
            "UPDATE trail_status SET is_logging = TRUE, start_logging_time = $4 \
             WHERE account = $1 AND home_region = $2 AND name = $3 AND region = home_region AND NOT is_logging"
        } else {
            "UPDATE trail_status SET is_logging = FALSE, stop_logging_time = $4 \
             WHERE account = $1 AND home_region = $2 AND name = $3 AND region = home_region AND is_logging"
        };
        sqlx::query(change)
            .bind(&trail.account)
            .bind(&trail.home_region)
            .bind(&trail.name)
            .bind(now)
            .execute(self.db())
            .await?;
        self.set_due(trail, !on).await
    }

    /// Notes what came of a delivery in the status of a trail and region: a success at a time
    /// (milliseconds since 1970), which clears the error, or an error, which leaves the time. Nothing happens when the
    /// trail is gone.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn record_delivery(
        &mut self,
        whose: &TrailRegion,
        delivery: Delivery,
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
            .bind(&whose.trail_account)
            .bind(&whose.home_region)
            .bind(&whose.trail_name)
            .bind(whose.trail_created_at)
            .bind(&whose.region)
            .bind(outcome.ok())
            .bind(outcome.err())
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Forgets what stands in the status about a topic or a log group that the trail no longer has: the topic's error,
    /// the log group's time and error, in all regions (observed).
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn forget_delivery(&mut self, trail: &Trail, topic: bool, log_group: bool) -> StoreResult<()> {
        let mut sets = Vec::new();
        if topic {
            sets.push("latest_notification_error = NULL");
        }
        if log_group {
            sets.push(
                "latest_cloud_watch_logs_delivery_time = NULL, latest_cloud_watch_logs_delivery_error = NULL",
            );
        }
        if sets.is_empty() {
            return Ok(());
        }
        let update = format!(
            "UPDATE trail_status SET {} WHERE account = $1 AND home_region = $2 AND name = $3",
            sets.join(", ")
        );
        let update = sqlx::query(sqlx::AssertSqlSafe(update)).bind(&trail.account);
        update.bind(&trail.home_region).bind(&trail.name).execute(self.db()).await?;
        Ok(())
    }
}
