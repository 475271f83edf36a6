//! Wiping an account, or everything, in pieces: nobody who writes waits for more than one of them.

use crate::domain::account_id::AccountId;
use crate::store::{Maintenance, Session, StoreResult, WriteSession};

/// A wipe that has begun: what was there at that moment is to be removed, what came later stays.
#[derive(Debug, Clone)]
pub struct Wipe {
    /// The account; `None` for all.
    account: Option<AccountId>,
    /// Events stored until then, milliseconds since 1970.
    stored_until: i64,
}

/// What one piece removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WipedPiece {
    /// Events among the rows.
    pub events: u64,
    /// Rows of all tables; 0 when there is nothing left.
    pub rows: u64,
}

/// Destinations marked by [`Maintenance::begin_wipe`], also those of a wipe that did not come to its end.
const DESTINATIONS: &str = "SELECT id FROM destinations WHERE wiped <> 0";

impl Maintenance<'_, WriteSession> {
    /// Begins to wipe an account, or everything, at `now` (milliseconds since 1970). Its trails are removed at once, and
    /// what waits to be delivered for them is marked, so that nobody delivers it any more. How many trails that were.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn begin_wipe(&mut self, account: Option<&AccountId>, now: i64) -> StoreResult<(Wipe, u64)> {
        let count = "SELECT count(*) FROM trails WHERE deleted_at IS NULL AND ($1 IS NULL OR account = $1)";
        let trails: i64 = sqlx::query_scalar(count).bind(account).fetch_one(self.db()).await?;
        let mark = "UPDATE destinations SET wiped = id WHERE wiped = 0 AND ($1 IS NULL OR account = $1 \
                    OR trail_id IN (SELECT id FROM trails WHERE account = $1))";
        sqlx::query(mark).bind(account).execute(self.db()).await?;
        let delete = "DELETE FROM trails WHERE $1 IS NULL OR account = $1";
        sqlx::query(delete).bind(account).execute(self.db()).await?;
        self.0.has_changed_all_trails();
        let admins = "DELETE FROM delegated_admins WHERE $1 IS NULL OR management_account = $1";
        sqlx::query(admins).bind(account).execute(self.db()).await?;
        let files = format!(
            "UPDATE log_files SET state = 'abandoned' WHERE state = 'waiting' AND destination IN ({DESTINATIONS})"
        );
        sqlx::query(sqlx::AssertSqlSafe(files)).execute(self.db()).await?;
        Ok((Wipe { account: account.cloned(), stored_until: now }, trails.unsigned_abs()))
    }

    /// Removes the next piece: at most `limit` rows, and with events their resources.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn wipe_piece(&mut self, wipe: &Wipe, limit: u32) -> StoreResult<WipedPiece> {
        let marked = self.wipe_marked_piece(limit).await?;
        let left = i64::from(limit).saturating_sub_unsigned(marked);
        let events = if left > 0 { self.wipe_events(wipe, left).await? } else { 0 };
        Ok(WipedPiece { events, rows: marked + events })
    }

    /// Removes at most `limit` rows of what a wipe has marked, this one or one that did not come to its end; how many
    /// there were. When none is left, the marks go as well.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn wipe_marked_piece(&mut self, limit: u32) -> StoreResult<u64> {
        let mut removed = 0;
        let chains = format!("SELECT id FROM digest_chains WHERE destination IN ({DESTINATIONS})");
        // First what hangs on others: digests know their chain, the rest its destination.
        for (table, key, of) in [
            ("pending_events", "destination, number", format!("destination IN ({DESTINATIONS})")),
            ("pending_notices", "destination, log_file", format!("destination IN ({DESTINATIONS})")),
            ("log_files", "id", format!("destination IN ({DESTINATIONS})")),
            ("digests", "id", format!("chain IN ({chains})")),
            ("digest_chains", "id", format!("destination IN ({DESTINATIONS})")),
        ] {
            let left = i64::from(limit).saturating_sub_unsigned(removed);
            if left > 0 {
                let delete = format!(
                    "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {of} LIMIT $1)"
                );
                let delete = sqlx::query(sqlx::AssertSqlSafe(delete)).bind(left);
                removed += delete.execute(self.db()).await?.rows_affected();
            }
        }
        if removed < u64::from(limit) {
            sqlx::query("DELETE FROM destinations WHERE wiped <> 0").execute(self.db()).await?;
        }
        Ok(removed)
    }

    async fn wipe_events(&mut self, wipe: &Wipe, limit: i64) -> StoreResult<u64> {
        // Each in the order of an index.
        let keys = match &wipe.account {
            None => "SELECT key FROM events WHERE stored_at <= $2 ORDER BY stored_at, key LIMIT $3",
            Some(_) => {
                "SELECT key FROM events WHERE account = $1 AND stored_at <= $2 \
                 ORDER BY account, region, listed, key LIMIT $3"
            }
        };
        self.0
            .events()
            .remove(keys, |delete| delete.bind(wipe.account.clone()).bind(wipe.stored_until).bind(limit))
            .await
    }
}
