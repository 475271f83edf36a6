//! Removing events that are too old, wiping on request, and figures about the database.

use crate::store::{Session, StoreResult};

impl Session {
    /// Removes at most `limit` of the events stored before `before` (milliseconds since 1970), oldest first; how many
    /// there were.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_old_events(&mut self, before: i64, limit: u32) -> StoreResult<u64> {
        // The keys are found twice rather than carried out and in: both statements see the same rows. The events go
        // last, as both find their keys there.
        let mut removed = 0;
        for table in ["event_resources", "events"] {
            let delete = format!(
                "DELETE FROM {table} WHERE key IN \
                 (SELECT key FROM events WHERE stored_at < $1 ORDER BY stored_at, key LIMIT $2)"
            );
            let delete = sqlx::query(sqlx::AssertSqlSafe(delete)).bind(before).bind(i64::from(limit));
            removed = delete.execute(self.db()).await?.rows_affected();
        }
        Ok(removed)
    }

    /// Removes all trails and events of an account, or of all accounts; (trails, events) removed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn wipe(&mut self, account: Option<&str>) -> StoreResult<(u64, u64)> {
        let mut removed = Vec::new();
        for table in ["event_resources", "events", "trails"] {
            let done = match account {
                Some(account) => {
                    let delete = format!("DELETE FROM {table} WHERE account = $1");
                    sqlx::query(sqlx::AssertSqlSafe(delete)).bind(account).execute(self.db()).await?
                }
                None => {
                    sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}")))
                        .execute(self.db())
                        .await?
                }
            };
            removed.push(done.rows_affected());
        }
        Ok((removed[2], removed[1]))
    }

    /// The size of the database file's pages in bytes, without the write-ahead log.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn size_bytes(&mut self) -> StoreResult<i64> {
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(self.db()).await?;
        let size: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(self.db()).await?;
        Ok(pages * size)
    }
}
