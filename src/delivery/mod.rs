//! Delivers what trails captured: log files, their announcements, log streams, digests, the event bus.
//!
//! Work is rows in the database, written with the events themselves; nothing of it is kept in memory, so everything here
//! may be dropped at any point and run again. Each destination has its own queue, is served by itself beside the others,
//! and fails alone ([`engine`]). A kind of destination is one file: how its next item is made, and how it is sent.
//! First log files are cut ([`log_files`]) and the destinations of events served; then digests are begun ([`chains`]), and
//! those served that follow from log files.

mod chains;
mod digests;
mod engine;
mod event_bus;
mod log_files;
mod log_streams;
mod notices;
mod pending;
mod serving;

use crate::clock::{Clock, Ids};
use crate::config;
use crate::digest_keys::DigestKeys;
use crate::metrics::Metrics;
use crate::outbound::{Outbound, retry};
use crate::store::{Destination, DestinationKind, Session, Store, StoreResult, WaitingDestination};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use serving::{Claim, Serving};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often to look for what is due.
const TICK: Duration = Duration::from_secs(1);

/// Whether to wait for a destination's period, and for the pause after its failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flush {
    /// Only what is due.
    No,
    /// Everything, now.
    Yes,
}

/// What was delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Log files stored, as bucket and key.
    pub log_files: Vec<(String, String)>,
    /// Digests stored, as bucket and key.
    pub digests: Vec<(String, String)>,
    /// What failed, in words: it will be tried again.
    pub failures: Vec<String>,
}

/// What delivering needs, cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Parts {
    pub settings: config::DeliverySettings,
    pub store: Store,
    pub digest_keys: DigestKeys,
    pub outbound: Outbound,
    pub clock: Clock,
    pub ids: Ids,
    pub metrics: Metrics,
}

/// The delivery of everything, cheap to clone.
#[derive(Clone, Debug)]
pub struct Delivery {
    parts: Parts,
    serving: Serving,
}

impl std::ops::Deref for Delivery {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Delivery {
    /// A delivery with these parts.
    pub fn new(parts: Parts) -> Delivery {
        Delivery { parts, serving: Serving::default() }
    }

    /// Delivers what is due now, or everything that has come until now, and returns when it is done.
    ///
    /// # Errors
    /// The database cannot be read or written. What other services refuse is no error: it stands in the report and in the
    /// trails' status, and is tried again.
    pub async fn step(&self, flush: Flush) -> StoreResult<DeliveryReport> {
        let mut report = DeliveryReport::default();
        let claims = self.claim_for_events(flush).await?;
        self.serve_all(claims, &mut report).await?;
        let claims = self.claim_for_log_files(flush).await?;
        self.serve_all(claims, &mut report).await?;
        Ok(report)
    }

    /// Delivers for ever, every destination in a task of its own; unless the clock stands still: then whoever moves it
    /// steps. May be dropped at any point.
    pub async fn run(self) {
        if !self.clock.runs() {
            return;
        }
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut tasks = JoinSet::new();
        loop {
            tick.tick().await;
            while tasks.try_join_next().is_some() {}
            self.spawn_all(self.claim_for_events(Flush::No).await, &mut tasks);
            self.spawn_all(self.claim_for_log_files(Flush::No).await, &mut tasks);
        }
    }

    fn spawn_all(&self, claims: StoreResult<Vec<Claim>>, tasks: &mut JoinSet<()>) {
        let claims = match claims {
            Ok(claims) => claims,
            Err(error) => return tracing::error!(error = %error, "deliveries cannot be looked for"),
        };
        for claim in claims {
            let delivery = self.clone();
            let destination = claim.destination;
            tasks.spawn(async move {
                match AssertUnwindSafe(delivery.serve(claim)).catch_unwind().await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => {
                        tracing::error!(error = %error, "a delivery was broken off; it is done again");
                    }
                    Err(_) => {
                        tracing::error!(destination, "a delivery died; it is done again after a pause");
                        if let Err(error) = delivery.pause(destination).await {
                            tracing::error!(error = %error, "the pause cannot be noted");
                        }
                    }
                }
            });
        }
    }

    /// Notes that a delivery to a destination came to no end, and when to try again.
    async fn pause(&self, destination: i64) -> StoreResult<()> {
        let mut db = self.store.write().await?;
        let Some(Destination { failures, .. }) = db.deliveries().by_id(destination).await? else {
            return Ok(());
        };
        let next_try = retry::next_try(&self.clock, &self.ids, failures + 1);
        db.deliveries().set_retry(destination, failures + 1, Some(next_try)).await?;
        db.commit().await
    }

    /// Cuts the log files that are due, and claims the destinations of events that are ready.
    async fn claim_for_events(&self, flush: Flush) -> StoreResult<Vec<Claim>> {
        log_files::cut(self, flush).await?;
        self.claim(flush, &[DestinationKind::LogFile, DestinationKind::LogStream, DestinationKind::EventBus])
            .await
    }

    /// Writes the digests that are due, and claims the destinations of what follows from log files.
    async fn claim_for_log_files(&self, flush: Flush) -> StoreResult<Vec<Claim>> {
        chains::reconcile(self).await?;
        chains::write_due(self, flush).await?;
        self.claim(flush, &[DestinationKind::Topic, DestinationKind::Webhook, DestinationKind::Digest]).await
    }

    async fn claim(&self, flush: Flush, kinds: &[DestinationKind]) -> StoreResult<Vec<Claim>> {
        let mut waiting = self.store.read().await?.deliveries().waiting().await?;
        waiting.retain(|w| kinds.contains(&w.destination.kind) && self.is_ready(w, flush));
        Ok(waiting.iter().filter_map(|w| self.serving.claim(&w.destination, flush)).collect())
    }

    async fn serve_all(&self, claims: Vec<Claim>, report: &mut DeliveryReport) -> StoreResult<()> {
        for served in futures_util::future::join_all(claims.into_iter().map(|claim| self.serve(claim))).await
        {
            let served = served?;
            report.log_files.extend(served.log_files);
            report.digests.extend(served.digests);
            report.failures.extend(served.failures);
        }
        Ok(())
    }

    async fn serve(&self, claim: Claim) -> StoreResult<DeliveryReport> {
        let (id, kind) = (claim.destination, claim.kind);
        let _turn = self.serving.turn(claim).await;
        // Boxed: the SDKs' futures are deep and large.
        match kind {
            DestinationKind::LogFile => Box::pin(self.send_all(&log_files::LogFiles(self), id)).await,
            DestinationKind::LogStream => Box::pin(self.send_all(&log_streams::LogStreams(self), id)).await,
            DestinationKind::Topic => Box::pin(self.send_all(&notices::Topics(self), id)).await,
            DestinationKind::Webhook => Box::pin(self.send_all(&notices::Webhooks(self), id)).await,
            DestinationKind::Digest => Box::pin(self.send_all(&digests::Digests(self), id)).await,
            DestinationKind::EventBus => Box::pin(self.send_all(&event_bus::EventBuses(self), id)).await,
        }
    }

    /// Whether it is time for a destination: the pause after its failures is over, and for a log stream its period.
    fn is_ready(&self, waiting: &WaitingDestination, flush: Flush) -> bool {
        let destination = &waiting.destination;
        let has_paused = destination.retry_at.is_none_or(|at| at <= self.now_millis());
        let is_due = || match waiting.first_stored_at {
            // What a call has refused is tried again when its pause is over, not at the next mark.
            Some(stored_at) => destination.due || destination.failures > 0 || self.is_due(stored_at),
            None => true,
        };
        flush == Flush::Yes || has_paused && is_due()
    }

    fn now_millis(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// Whether the period is over in which something was stored (milliseconds since 1970).
    fn is_due(&self, stored_at: i64) -> bool {
        stored_at < self.last_mark().timestamp_millis()
    }

    /// The latest moment at which a period ended: periods are counted from 1970, so that five minutes end on the clock's
    /// five-minute marks, as the names of AWS's log files do.
    fn last_mark(&self) -> DateTime<Utc> {
        let now = self.now_millis();
        let period = i64::try_from(self.settings.period.0.as_millis()).unwrap_or(i64::MAX).max(1);
        DateTime::from_timestamp_millis(now - now.rem_euclid(period)).unwrap_or_default()
    }
}
