//! Delivers what trails captured: log files, their announcements, log streams, digests, the event bus.
//!
//! Work is rows in the database, written with the events themselves; nothing of it is kept in memory, so everything here
//! may be dropped at any point and run again. Each destination has its own queue, is served by itself beside the others,
//! and fails alone ([`engine`]). A kind of destination is one file: how its next item is made, and how it is sent.
//! Log files are cut ([`log_files`]) and digests begun ([`chains`]) before destinations are served.

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
use crate::outbound::Outbound;
use crate::store::{DestinationKind, Session, Store, StoreResult, WaitingDestination};
use chrono::{DateTime, Utc};
use engine::Served;
use serving::{Claim, Serving};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::task::JoinSet;

/// How often to look for what is due.
const TICK: Duration = Duration::from_secs(1);

/// How often in a row a step serves a destination for which nothing is left, so that every step ends.
const MOST_IN_VAIN: u32 = 10;

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

    /// Delivers what is due now, or everything, and returns when it is done.
    ///
    /// # Errors
    /// The database cannot be read or written. What other services refuse is no error: it stands in the report and in the
    /// trails' status, and is tried again.
    pub async fn step(&self, flush: Flush) -> StoreResult<DeliveryReport> {
        let mut report = DeliveryReport::default();
        let (mut done, mut in_vain) = (HashSet::new(), HashMap::new());
        loop {
            // What one round has delivered is announced, or named by digests, in the next.
            let claims = self.look(flush, &done).await?;
            if claims.is_empty() {
                return Ok(report);
            }
            for claim in &claims {
                if matches!(claim.kind, DestinationKind::LogStream | DestinationKind::EventBus) {
                    // More can come all the time; the next step takes it.
                    done.insert(claim.destination);
                }
            }
            let served = claims.into_iter().map(|claim| async {
                let destination = claim.destination;
                (destination, self.serve(claim).await)
            });
            for (destination, served) in futures_util::future::join_all(served).await {
                let served = served?;
                // Where nothing was left, somebody else may have been faster, and more may have come meanwhile.
                let in_vain = in_vain.entry(destination).or_insert(0);
                *in_vain = if served.settled == 0 { *in_vain + 1 } else { 0 };
                // What has failed is not tried twice.
                if *in_vain == MOST_IN_VAIN || !served.report.failures.is_empty() {
                    done.insert(destination);
                }
                report.log_files.extend(served.report.log_files);
                report.digests.extend(served.report.digests);
                report.failures.extend(served.report.failures);
            }
        }
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
            match self.look(Flush::No, &HashSet::new()).await {
                Err(error) => tracing::error!(error = %error, "deliveries cannot be looked for"),
                Ok(claims) => {
                    for claim in claims {
                        let delivery = self.clone();
                        tasks.spawn(async move {
                            if let Err(error) = delivery.serve(claim).await {
                                tracing::error!(error = %error, "a delivery was broken off; it is done again");
                            }
                        });
                    }
                }
            }
        }
    }

    /// Prepares what is due, and claims the destinations that are ready and not in `done`.
    async fn look(&self, flush: Flush, done: &HashSet<i64>) -> StoreResult<Vec<Claim>> {
        loop {
            log_files::cut(self, flush).await?;
            let mut claims = Vec::new();
            self.claim(flush, done, &mut claims).await?;
            chains::reconcile(self).await?;
            let held_up = chains::write_due(self, flush, done).await?;
            self.claim(flush, done, &mut claims).await?;
            // What held a digest up and is not claimed here has been delivered meanwhile.
            if flush == Flush::No || !held_up || !claims.is_empty() {
                return Ok(claims);
            }
        }
    }

    /// Claims what is ready and neither in `done` nor in `claims` already.
    async fn claim(&self, flush: Flush, done: &HashSet<i64>, claims: &mut Vec<Claim>) -> StoreResult<()> {
        let waiting = self.store.read().await?.deliveries().waiting().await?;
        let known: HashSet<i64> =
            done.iter().copied().chain(claims.iter().map(|claim| claim.destination)).collect();
        for waiting in waiting {
            if !known.contains(&waiting.destination.id) && self.is_ready(&waiting, flush) {
                claims.extend(self.serving.claim(&waiting.destination, flush));
            }
        }
        Ok(())
    }

    async fn serve(&self, claim: Claim) -> StoreResult<Served> {
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
