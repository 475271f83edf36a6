//! Removing events, the notes about delivered log files, and learned keys, that are older than they need to be. Age counts
//! from the day an event was stored, so that old records imported are kept as long as new ones.

use crate::clock::Clock;
use crate::domain::learned::over_before;
use crate::store::{Session, Store, StoreResult};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Arc, Mutex, PoisonError};

/// How often to look.
const EVERY: TimeDelta = TimeDelta::hours(1);

/// Rows removed in one transaction: nobody who writes waits for longer than that (measured: a fifth of a second).
pub(super) const PIECE: u32 = 2_000;

/// Pieces in a step: what there is more is removed by the next ones, and what else is due is done in between.
const PIECES: u32 = 10;

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

    /// Removes what is too old, and what a reset that was interrupted has left, once an hour, a bounded number of rows a
    /// step; how many events that were.
    ///
    /// # Errors
    /// The database cannot be written; pieces removed before that stay removed, and the next step goes on.
    pub async fn step(&self) -> StoreResult<u64> {
        let now = self.clock.now();
        if self.next().is_some_and(|next| now < next) {
            return Ok(0);
        }
        let mut removed = 0;
        for _ in 0..PIECES {
            let mut session = self.store.write().await?;
            let marked = session.maintenance().wipe_marked_piece(PIECE).await?;
            let mut is_done = marked < u64::from(PIECE);
            if let Some(keep) = self.keep.filter(|_| is_done) {
                let before = (now - keep).timestamp_millis();
                let events = session.events().remove_old(before, PIECE).await?;
                removed += events;
                is_done = events < u64::from(PIECE);
                if is_done {
                    session.deliveries().remove_old_files(before).await?;
                }
            }
            if is_done {
                session.learned_keys().remove_expired(over_before(now)).await?;
            }
            session.commit().await?;
            if is_done {
                *self.next() = Some(now + EVERY);
                break;
            }
        }
        if removed > 0 {
            tracing::info!(removed, "removed events past their retention");
        }
        Ok(removed)
    }

    /// Steps for ever, every `tick`; unless the clock stands still. May be dropped at any point.
    pub async fn run(self, tick: std::time::Duration) {
        if !self.clock.runs() {
            return;
        }
        let mut tick = tokio::time::interval(tick);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Err(error) = self.step().await {
                tracing::error!(error = %error, "what is too old cannot be removed; the next step goes on");
            }
        }
    }

    /// Nothing panics while the lock is held.
    fn next(&self) -> std::sync::MutexGuard<'_, Option<DateTime<Utc>>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
