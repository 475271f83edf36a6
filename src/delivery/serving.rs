//! Which destinations are being served: one by one task at a time, and of each kind a few at once, so that a service that
//! hangs takes nothing from the others.

use crate::delivery::Flush;
use crate::store::{Destination, DestinationKind};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Destinations of a kind that are served at the same time.
const AT_ONCE: usize = 4;

/// The destinations that are being served, cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Serving {
    state: Arc<Mutex<State>>,
    packing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    destinations: HashMap<i64, Arc<tokio::sync::Mutex<()>>>,
    slots: HashMap<DestinationKind, Arc<Semaphore>>,
}

/// A destination that is to be served.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) destination: i64,
    pub(super) kind: DestinationKind,
    lock: Arc<tokio::sync::Mutex<()>>,
    /// `None` while somebody else may be serving it.
    held: Option<OwnedMutexGuard<()>>,
}

/// What lets a destination be served, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _destination: OwnedMutexGuard<()>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Serving {
    /// Claims a destination. `None` when it is being served; for a flush, which delivers everything, [`Serving::turn`]
    /// waits for that: nobody holds one destination while waiting for another.
    pub(super) fn claim(&self, destination: &Destination, flush: Flush) -> Option<Claim> {
        let lock = {
            let mut state = self.state();
            // Those whose lock nobody else holds are done.
            state.destinations.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(state.destinations.entry(destination.id).or_default())
        };
        let held = match flush {
            Flush::No => Some(Arc::clone(&lock).try_lock_owned().ok()?),
            Flush::Yes => None,
        };
        Some(Claim { destination: destination.id, kind: destination.kind, lock, held })
    }

    /// Waits until the destination is one's own, and one more of its kind may be served.
    pub(super) async fn turn(&self, claim: Claim) -> Turn {
        let destination = match claim.held {
            Some(held) => held,
            None => claim.lock.lock_owned().await,
        };
        let slots = {
            let mut state = self.state();
            Arc::clone(state.slots.entry(claim.kind).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
        };
        // It is never closed.
        Turn { _destination: destination, _slot: slots.acquire_owned().await.ok() }
    }

    /// Waits until one may pack a log file. It takes all of a processor, and one must be left for those who store events.
    pub(super) async fn packing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.packing.lock().await
    }

    /// Nothing panics while the lock is held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
