//! Removing events, and the notes about delivered log files, that are older than they need to be. Age counts from the day
//! an event was stored, so that old records imported are kept as long as new ones.

use crate::clock::Clock;
use crate::store::{Store, StoreResult};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Arc, Mutex, PoisonError};

/// How often to look.
const EVERY: TimeDelta = TimeDelta::hours(1);

/// Events in one transaction: short enough that nobody who writes waits long.
const PIECE: u32 = 10_000;

/// What retention needs, cheap to clone.
#[derive(Clone, Debug)]
pub struct Retention {
    store: Store,
    clock: Clock,
    /// How long events are kept; `None` for ever.
    keep: Option<TimeDelta>,
    /// When to look again; at once after a start.
    next: Arc<Mutex<Option<DateTime<Utc>>>>,
}

impl Retention {
    /// Keeps events for `keep`, or for ever.
    pub fn new(store: Store, clock: Clock, keep: Option<TimeDelta>) -> Retention {
        Retention { store, clock, keep, next: Arc::default() }
    }

    /// Removes what is too old, once an hour; how many events that were.
    ///
    /// # Errors
    /// The database cannot be written; pieces removed before that stay removed, and the next step goes on.
    pub async fn step(&self) -> StoreResult<u64> {
        let now = self.clock.now();
        let Some(keep) = self.keep else { return Ok(0) };
        if self.next().is_some_and(|next| now < next) {
            return Ok(0);
        }
        let removed = self.remove((now - keep).timestamp_millis()).await?;
        *self.next() = Some(now + EVERY);
        if removed > 0 {
            tracing::info!(removed, "removed events past their retention");
        }
        Ok(removed)
    }

    /// Removes what was stored before `before` (milliseconds since 1970).
    async fn remove(&self, before: i64) -> StoreResult<u64> {
        let mut removed = 0;
        loop {
            let mut session = self.store.write().await?;
            let piece = session.remove_old_events(before, PIECE).await?;
            session.commit().await?;
            removed += piece;
            if piece < u64::from(PIECE) {
                break;
            }
        }
        let mut session = self.store.write().await?;
        session.remove_old_files(before).await?;
        session.commit().await?;
        Ok(removed)
    }

    /// Nothing panics while the lock is held.
    fn next(&self) -> std::sync::MutexGuard<'_, Option<DateTime<Utc>>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
