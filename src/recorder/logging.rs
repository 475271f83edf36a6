//! Whether a call is logged: kept in memory, because every call asks.
//!
//! Trails change only through this server (it holds the data folder alone), so what was read stays true until a call
//! that changes something is committed.

use crate::domain::account_id::AccountId;
use crate::domain::caller::Caller;
use crate::domain::region::Region;
use crate::error::{ApiError, ApiResult};
use crate::store::{Session, StoreResult, Trail, WriteSession};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Accounts remembered before all are forgotten.
const MANY: usize = 10_000;

/// Which trails are logging where, by account.
#[derive(Debug, Default)]
pub struct Logging(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    accounts: HashMap<AccountId, Arc<[Trail]>>,
    /// Counts what was forgotten, so that nothing read before that is remembered after it.
    forgotten: u64,
}

impl Logging {
    /// Whether a trail that covers the caller's region is logging.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn covers(&self, caller: &Caller, db: &mut impl Session) -> StoreResult<bool> {
        self.covers_region(&caller.account, &caller.region, db).await
    }

    /// The same from memory alone; `None` when the account's trails are not known yet.
    pub fn remembers(&self, account: &AccountId, region: &Region) -> Option<bool> {
        let trails = self.known().accounts.get(account).cloned()?;
        Some(trails.iter().any(|trail| trail.covers(region)))
    }

    /// Whether a trail of `account` that covers `region` is logging.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn covers_region(
        &self,
        account: &AccountId,
        region: &Region,
        db: &mut impl Session,
    ) -> StoreResult<bool> {
        let (known, forgotten) = {
            let known = self.known();
            (known.accounts.get(account).cloned(), known.forgotten)
        };
        let trails = match known {
            Some(trails) => trails,
            None => {
                let trails: Arc<[Trail]> = db.trails().logging(account).await?.into();
                let mut known = self.known();
                if known.forgotten == forgotten {
                    if known.accounts.len() >= MANY {
                        known.accounts.clear();
                    }
                    known.accounts.insert(account.clone(), Arc::clone(&trails));
                }
                trails
            }
        };
        Ok(trails.iter().any(|trail| trail.covers(region)))
    }

    /// Commits a session that may have changed trails of `account`, or of all accounts, and forgets them. It does so to
    /// the end also when whoever asked has gone away meanwhile: what is known must not outlive a commit.
    ///
    /// # Errors
    /// As [`WriteSession::commit`].
    pub async fn commit(self: &Arc<Self>, db: WriteSession, account: Option<&AccountId>) -> ApiResult<()> {
        let (logging, account) = (Arc::clone(self), account.cloned());
        let committing = tokio::spawn(async move {
            let committed = db.commit().await;
            logging.forget(account.as_ref());
            committed
        });
        Ok(committing.await.map_err(ApiError::internal)??)
    }

    fn forget(&self, account: Option<&AccountId>) {
        let mut known = self.known();
        known.forgotten += 1;
        match account {
            Some(account) => {
                known.accounts.remove(account);
            }
            None => known.accounts.clear(),
        }
    }

    /// Nothing panics while the lock is held, and if it did, what is known would still be whole.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
