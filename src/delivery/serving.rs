//! Which destinations are being served: one by one task at a time, and of each kind a few at once, so that a service that
//! hangs takes nothing from the others.

use crate::delivery::Flush;
use crate::domain::region::Region;
use crate::store::{Destination, DestinationKind};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// Destinations of a kind that are served at the same time.
const AT_ONCE: usize = 4;

/// The destinations that are being served, cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Serving(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    destinations: HashMap<i64, Served>,
    slots: HashMap<DestinationKind, Arc<Semaphore>>,
}

#[derive(Debug)]
struct Served {
    kind: DestinationKind,
    trail_id: i64,
    region: Region,
    lock: Arc<tokio::sync::Mutex<()>>,
}

/// A destination that is one's own to serve until this is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) destination: i64,
    pub(super) kind: DestinationKind,
    _served: OwnedMutexGuard<()>,
}

impl Serving {
    /// Claims a destination. `None` when it is being served; for a flush, which delivers everything, that is waited for.
    pub(super) async fn claim(&self, destination: &Destination, flush: Flush) -> Option<Claim> {
        let lock = {
            let mut state = self.state();
            // Those whose lock nobody else holds are done.
            state.destinations.retain(|_, served| Arc::strong_count(&served.lock) > 1);
            let served = state.destinations.entry(destination.id).or_insert_with(|| Served {
                kind: destination.kind,
                trail_id: destination.trail_id,
                region: destination.region.clone(),
                lock: Arc::default(),
            });
            Arc::clone(&served.lock)
        };
        let served = match flush {
            Flush::No => lock.try_lock_owned().ok()?,
            Flush::Yes => lock.lock_owned().await,
        };
        Some(Claim { destination: destination.id, kind: destination.kind, _served: served })
    }

    /// Waits until one more of a kind may be served.
    pub(super) async fn slot(&self, kind: DestinationKind) -> Option<OwnedSemaphorePermit> {
        let slots = {
            let mut state = self.state();
            Arc::clone(state.slots.entry(kind).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
        };
        // It is never closed.
        slots.acquire_owned().await.ok()
    }

    /// Whether log files of a trail and region are on their way.
    pub(super) fn has_log_files_of(&self, trail_id: i64, region: &Region) -> bool {
        self.state().destinations.values().any(|served| {
            (served.kind, served.trail_id, &served.region) == (DestinationKind::LogFile, trail_id, region)
                && Arc::strong_count(&served.lock) > 1
        })
    }

    /// Nothing panics while the lock is held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
