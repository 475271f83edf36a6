//! The work in the background: delivering, digests of what was delivered, and removing what is too old. One step at a
//! time, whoever asks for it.

use crate::api::Service;
use crate::delivery::{Delivery, Flush};
use crate::digest::{DigestError, Digesting};
use crate::recorder::retention::Retention;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How often to look for what is due.
const TICK: Duration = Duration::from_secs(1);

/// The workers, cheap to clone.
#[derive(Clone, Debug)]
pub struct Workers {
    delivery: Delivery,
    digesting: Digesting,
    retention: Retention,
    /// Held during a step.
    turn: Arc<Mutex<()>>,
}

/// What a flush delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Log files, as bucket and key.
    pub log_files: Vec<(String, String)>,
    /// Digests, as bucket and key.
    pub digests: Vec<(String, String)>,
    /// What failed, in words; it is tried again.
    pub failures: Vec<String>,
}

impl Workers {
    /// The workers of a server.
    pub fn new(service: &Service) -> Workers {
        let delivery = Delivery {
            settings: service.settings.delivery.clone(),
            store: service.store.clone(),
            outbound: service.outbound.clone(),
            clock: service.clock.clone(),
            ids: service.ids.clone(),
            metrics: service.metrics.clone(),
        };
        let digesting = Digesting {
            settings: service.settings.delivery.clone(),
            store: service.store.clone(),
            keys: service.digest_keys.clone(),
            outbound: service.outbound.clone(),
            clock: service.clock.clone(),
            ids: service.ids.clone(),
            metrics: service.metrics.clone(),
        };
        let keep = service.settings.retention();
        let retention = Retention::new(service.store.clone(), service.clock.clone(), keep);
        Workers { delivery, digesting, retention, turn: Arc::default() }
    }

    /// Does what is due now.
    ///
    /// # Errors
    /// The database cannot be read or written, or no key could be made; the rest is done by the next step.
    pub async fn step(&self) -> Result<Flushed, DigestError> {
        self.work(Flush::No).await
    }

    /// Delivers everything that waits, whatever the period, and closes digests over it.
    ///
    /// # Errors
    /// As [`Workers::step`].
    pub async fn flush(&self) -> Result<Flushed, DigestError> {
        self.work(Flush::Yes).await
    }

    async fn work(&self, flush: Flush) -> Result<Flushed, DigestError> {
        let _turn = self.turn.lock().await;
        let worked = self.deliver(flush).await;
        // Whatever became of the deliveries, but not while somebody waits for them.
        let removed = match flush {
            Flush::No => self.retention.step().await,
            Flush::Yes => Ok(0),
        };
        let flushed = worked?;
        removed?;
        Ok(flushed)
    }

    async fn deliver(&self, flush: Flush) -> Result<Flushed, DigestError> {
        let delivered = Box::pin(self.delivery.step(flush)).await?;
        let digested = Box::pin(self.digesting.step(flush == Flush::Yes)).await?;
        let failures = [delivered.failures, digested.failures].concat();
        Ok(Flushed { log_files: delivered.log_files, digests: digested.digests, failures })
    }

    /// Steps for ever, unless the clock stands still: then whoever moves it steps. May be dropped at any point.
    pub async fn run(self) {
        if !self.delivery.clock.runs() {
            return;
        }
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.step().await {
                tracing::error!(error = %error, "a step of the workers failed; the next one does the rest");
            }
        }
    }
}
