//! The work in the background: delivering, and removing what is too old. Each is a worker by itself: one that dies is
//! started again, and takes no other with it.

use crate::clock::Clock;
use crate::delivery::{Delivery, DeliveryReport, Flush};
use crate::recorder::retention::Retention;
use crate::store::StoreResult;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// How often to look for what is too old.
const TICK: Duration = Duration::from_secs(1);

/// The pause before a worker that died is started again, and how long it has to live to count as well again.
const PAUSE: Duration = Duration::from_secs(10);

/// The workers, cheap to clone.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Delivers what trails captured.
    pub delivery: Delivery,
    /// Removes what is too old.
    pub retention: Retention,
    deaths: Deaths,
}

/// Which workers have died, cheap to clone.
#[derive(Clone, Debug)]
struct Deaths {
    clock: Clock,
    /// When each died last, since the clock was made.
    last: Arc<Mutex<BTreeMap<&'static str, Duration>>>,
}

impl Workers {
    /// Workers that deliver, and remove what is too old.
    pub fn new(delivery: Delivery, retention: Retention, clock: Clock) -> Workers {
        Workers { delivery, retention, deaths: Deaths::new(clock) }
    }

    /// Does what is due now.
    ///
    /// # Errors
    /// The database cannot be read or written; the rest is done by the next step.
    pub async fn step(&self) -> StoreResult<DeliveryReport> {
        let delivered = Box::pin(self.delivery.step(Flush::No)).await;
        // Whatever became of the deliveries.
        self.retention.step().await?;
        delivered
    }

    /// Delivers everything that waits, whatever the period, and closes digests over it.
    ///
    /// # Errors
    /// As [`Workers::step`].
    pub async fn flush(&self) -> StoreResult<DeliveryReport> {
        Box::pin(self.delivery.step(Flush::Yes)).await
    }

    /// Works for ever, unless the clock stands still: then whoever moves it steps. May be dropped at any point.
    pub async fn run(self) {
        tokio::join!(
            self.keep_alive("delivery", || self.delivery.clone().run()),
            self.keep_alive("retention", || self.retention.clone().run(TICK)),
        );
    }

    /// Runs some work until it ends by itself, and again, after a pause, when it has died.
    pub async fn keep_alive<F>(&self, name: &'static str, work: impl Fn() -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.deaths.keep_alive(name, work).await;
    }

    /// Workers that died, and have not lived long since.
    pub fn failing(&self) -> Vec<&'static str> {
        self.deaths.failing()
    }
}

impl Deaths {
    fn new(clock: Clock) -> Deaths {
        Deaths { clock, last: Arc::default() }
    }

    fn failing(&self) -> Vec<&'static str> {
        let now = self.clock.elapsed();
        let last = self.last();
        let failing = last.iter().filter(|(_, died)| now < **died + 2 * PAUSE);
        failing.map(|(name, _)| *name).collect()
    }

    async fn keep_alive<F>(&self, name: &'static str, work: impl Fn() -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        loop {
            // In a task of its own, which ends the panic; in a set, which ends the task when it is dropped.
            let mut tasks = JoinSet::new();
            tasks.spawn(work());
            let Some(Err(error)) = tasks.join_next().await else { return };
            self.last().insert(name, self.clock.elapsed());
            tracing::error!(worker = name, %error, "a worker in the background died; it is started again");
            if self.clock.runs() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Nothing panics while the lock is held.
    fn last(&self) -> MutexGuard<'_, BTreeMap<&'static str, Duration>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
