//! Removing an account's trails and events, or everything.

use crate::domain::account_id::AccountId;
use crate::error::ApiResult;
use crate::recorder::retention::PIECE;
use crate::store::{Session, Store};
use chrono::{DateTime, Utc};

/// What a reset removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Trails.
    pub trails: u64,
    /// Events.
    pub events: u64,
}

/// Removes the trails of an account (or of all accounts) and the events stored until `now`, trails first. Others write
/// between the pieces; what they write stays.
///
/// # Errors
/// The database cannot be written. What was removed before that stays removed; another reset does the rest.
pub async fn reset(store: &Store, account: Option<&AccountId>, now: DateTime<Utc>) -> ApiResult<Removed> {
    let mut session = store.write().await?;
    let (wipe, trails) = session.maintenance().begin_wipe(account, now.timestamp_millis()).await?;
    session.commit().await?;
    let mut events = 0;
    loop {
        let mut session = store.write().await?;
        let piece = session.maintenance().wipe_piece(&wipe, PIECE).await?;
        session.commit().await?;
        events += piece.events;
        if piece.rows == 0 {
            return Ok(Removed { trails, events });
        }
    }
}
