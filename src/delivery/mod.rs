//! Delivers what trails captured: log files, their announcements, log streams, the event bus.
//!
//! Work is rows in the database (`pending_events`, `log_files`), written with the events themselves. [`Delivery::step`]
//! looks once for what is due and does it; it keeps nothing in memory, so it may be dropped at any point and run again.
//! One step runs at a time. Each destination fails alone and is tried again later.

mod event_bus;
mod log_files;
mod log_streams;
mod notices;

use crate::clock::{Clock, Ids};
use crate::config;
use crate::metrics::Metrics;
use crate::outbound::{Failure, Outbound, retry};
use crate::store::{self, Destination, Session, Store, StoreResult, Uncut};
use chrono::{DateTime, Utc};

/// Destinations served at the same time.
const AT_ONCE: usize = 4;

/// Whether to wait for a destination's period, and for the pause after its failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Only what is due.
    No,
    /// Everything, now.
    Yes,
}

/// What a step delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Log files stored, as bucket and key.
    pub log_files: Vec<(String, String)>,
    /// What failed, in words: it will be tried again.
    pub failures: Vec<String>,
}

/// What delivering needs, cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Delivery {
    pub settings: config::DeliverySettings,
    pub store: Store,
    pub outbound: Outbound,
    pub clock: Clock,
    pub ids: Ids,
    pub metrics: Metrics,
}

impl Delivery {
    /// Delivers what is due now, or everything.
    ///
    /// # Errors
    /// The database cannot be read or written. What other services refuse is no error: it stands in the report and in
    /// the trails' status, and is tried again.
    pub async fn step(&self, flush: Flush) -> StoreResult<DeliveryReport> {
        let mut report = DeliveryReport::default();
        // Boxed: the SDKs' futures are deep and large.
        Box::pin(log_files::step(self, flush, &mut report)).await?;
        Box::pin(notices::step(self, flush, &mut report)).await?;
        Box::pin(log_streams::step(self, flush, &mut report)).await?;
        Box::pin(event_bus::step(self, flush, &mut report)).await?;
        Ok(report)
    }

    fn now_millis(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// Whether pending events of a destination are due: they were captured before the last mark of the period, or the
    /// trail was stopped.
    fn is_due(&self, uncut: &Uncut, flush: Flush) -> bool {
        flush == Flush::Yes || uncut.due || uncut.first_stored_at < self.last_mark().timestamp_millis()
    }

    /// The latest moment at which a period ended: periods are counted from 1970, so that five minutes end on the clock's
    /// five-minute marks, as the names of AWS's log files do.
    fn last_mark(&self) -> DateTime<Utc> {
        let now = self.now_millis();
        let period = i64::try_from(self.settings.period.0.as_millis()).unwrap_or(i64::MAX).max(1);
        DateTime::from_timestamp_millis(now - now.rem_euclid(period)).unwrap_or_default()
    }

    /// Whether what waits since `time` (milliseconds since 1970) is to be given up.
    fn is_too_old(&self, time: i64) -> bool {
        retry::is_too_old(&self.clock, time)
    }

    /// Whether the pause after failures is over.
    fn may_try(&self, retry_at: Option<i64>, flush: Flush) -> bool {
        flush == Flush::Yes || retry_at.is_none_or(|at| at <= self.now_millis())
    }

    /// When to try again after so many failures in a row.
    fn next_try(&self, failures: i64) -> i64 {
        retry::next_try(&self.clock, &self.ids, failures)
    }

    /// Notes a failure of a destination in its status and when to try again; says it in the log when it is a new one.
    async fn failed(
        &self,
        destination: &Destination,
        delivery: store::DeliveryKind,
        failure: &Failure,
        report: &mut DeliveryReport,
    ) -> StoreResult<()> {
        let notice = delivery == store::DeliveryKind::Notification;
        let failures = 1 + if notice { destination.notice_failures } else { destination.failures };
        let what = format!("{delivery:?}");
        self.metrics.delivery_failed(delivery_label(delivery));
        if failures == 1 {
            tracing::warn!(
                what,
                trail = destination.trail_name,
                account = destination.account,
                region = destination.region,
                code = failure.code,
                message = failure.message,
                "a delivery failed; it will be tried again"
            );
        }
        report.failures.push(format!("{what} of {}: {failure}", destination.trail_name));
        let mut session = self.store.write().await?;
        session.trails().record_delivery(&destination.whose(), delivery, Err(&failure.code)).await?;
        session
            .deliveries()
            .set_retry(destination.id, notice, failures, Some(self.next_try(failures)))
            .await?;
        session.commit().await
    }
}

const fn delivery_label(delivery: store::DeliveryKind) -> &'static str {
    match delivery {
        store::DeliveryKind::LogFile => "s3",
        store::DeliveryKind::Notification => "sns",
        store::DeliveryKind::CloudWatchLogs => "logs",
        store::DeliveryKind::Digest => "digest",
    }
}
