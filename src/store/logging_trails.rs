//! The trails that are logging, kept in memory, because every call asks for them.
//!
//! Trails change only through this server (it holds the data folder alone), and only in a [`WriteSession`], whose commit
//! puts what is then true in the place of what was.
//!
//! [`WriteSession`]: crate::store::WriteSession

use crate::domain::account_id::AccountId;
use crate::domain::region::Region;
use crate::domain::routing::{LoggingTrail, LoggingTrails};
use crate::domain::selectors::{EventSelectors, Selection};
use crate::store::StoreResult;
use sqlx::{FromRow, SqliteConnection};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// All of them, by account; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct LoggingTrailsByAccount {
    known: Arc<RwLock<HashMap<AccountId, LoggingTrails>>>,
    /// Held from before a change is committed until it is known here.
    changing: Arc<Mutex<()>>,
}

/// Whose trails a session has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum ChangedTrails {
    /// Nobody's.
    #[default]
    None,
    /// One account's.
    Of(AccountId),
    /// More than one account's.
    All,
}

/// What is to be put in the place of what is in memory.
#[derive(Debug)]
pub(super) enum Replacement {
    Of(AccountId, LoggingTrails),
    All(HashMap<AccountId, LoggingTrails>),
}

#[derive(FromRow)]
struct Row {
    account: AccountId,
    id: i64,
    home_region: Region,
    is_multi_region_trail: bool,
    include_global_service_events: bool,
    has_log_group: bool,
    event_selectors: EventSelectors,
}

impl ChangedTrails {
    /// Adds an account.
    pub(super) fn add(&mut self, account: &AccountId) {
        *self = match std::mem::take(self) {
            ChangedTrails::None => ChangedTrails::Of(account.clone()),
            ChangedTrails::Of(other) if other == *account => ChangedTrails::Of(other),
            _ => ChangedTrails::All,
        };
    }
}

impl LoggingTrailsByAccount {
    /// Those of an account.
    pub(super) fn of(&self, account: &AccountId) -> LoggingTrails {
        // Nothing panics while the lock is held, and if it did, what is in it would still be whole.
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(account).cloned().unwrap_or_default()
    }

    /// Whether no account has one.
    pub(super) fn are_none(&self) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().all(LoggingTrails::is_empty)
    }

    /// Waits until what others have committed is known here, and keeps them from committing more while it is held.
    pub(super) async fn lock_changes(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.changing).lock_owned().await
    }

    /// Takes what was read for changed trails over.
    pub(super) fn replace(&self, replacement: Replacement) {
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match replacement {
            Replacement::Of(account, trails) if trails.is_empty() => {
                all.remove(&account);
            }
            Replacement::Of(account, trails) => {
                all.insert(account, trails);
            }
            Replacement::All(trails) => *all = trails,
        }
    }
}

/// Reads the trails that are logging, of one account or of all.
pub(super) async fn read(db: &mut SqliteConnection, account: Option<&AccountId>) -> StoreResult<Replacement> {
    let rows = sqlx::query_as(
        "SELECT t.account, t.id, t.home_region, t.is_multi_region_trail, t.include_global_service_events, \
         t.cloud_watch_logs_log_group_arn IS NOT NULL AS has_log_group, t.event_selectors FROM trails t \
         JOIN trail_status s ON s.trail_id = t.id AND s.region = t.home_region \
         WHERE s.is_logging AND t.deleted_at IS NULL AND ($1 IS NULL OR t.account = $1) ORDER BY t.id",
    );
    let rows: Vec<Row> = rows.bind(account).fetch_all(db).await?;
    let mut trails: HashMap<AccountId, Vec<LoggingTrail>> = HashMap::new();
    for row in rows {
        trails.entry(row.account).or_default().push(LoggingTrail {
            id: row.id,
            home_region: row.home_region,
            is_multi_region: row.is_multi_region_trail,
            includes_global_services: row.include_global_service_events,
            has_log_group: row.has_log_group,
            selection: Selection::from(&row.event_selectors),
        });
    }
    Ok(match account {
        Some(account) => Replacement::Of(account.clone(), trails.remove(account).unwrap_or_default().into()),
        None => {
            Replacement::All(trails.into_iter().map(|(account, trails)| (account, trails.into())).collect())
        }
    })
}
