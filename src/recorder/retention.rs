//! Removing events, and the notes about delivered log files, that are older than they need to be. Age counts from the day an event was stored, so that old
//! records put in from outside are kept as long as new ones.

use crate::store::{Store, StoreResult};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// How often to look.
pub const EVERY: Duration = Duration::from_secs(3600);

/// Events in one transaction: short enough that nobody who writes waits long.
const PIECE: u32 = 10_000;

/// Removes what was stored longer than `keep` before `now`; how many events that were.
///
/// # Errors
/// The database cannot be written; pieces removed before that stay removed.
pub async fn step(store: &Store, keep: TimeDelta, now: DateTime<Utc>) -> StoreResult<u64> {
    let before = (now - keep).timestamp_millis();
    let mut removed = 0;
    loop {
        let mut session = store.write().await?;
        let piece = session.remove_old_events(before, PIECE).await?;
        session.commit().await?;
        removed += piece;
        if piece < u64::from(PIECE) {
            break;
        }
    }
    let mut session = store.write().await?;
    session.remove_old_files(before).await?;
    session.commit().await?;
    Ok(removed)
}
