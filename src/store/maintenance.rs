//! Removing events that are too old, and figures about the database.

use crate::store::summaries::SqliteQuery;
use crate::store::{Deliveries, Events, Maintenance, Session, StoreResult, WriteSession};

impl Events<'_, WriteSession> {
    /// Removes at most `limit` of the events stored before `before` (milliseconds since 1970), oldest first; how many
    /// there were. Events that are still to be delivered stay, and all that were stored after the first of them.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_old(&mut self, before: i64, limit: u32) -> StoreResult<u64> {
        let pending = self.0.deliveries().oldest_pending().await?;
        let before = pending.map_or(before, |pending| before.min(pending));
        let keys = "SELECT key FROM events WHERE stored_at < $1 ORDER BY stored_at, key LIMIT $2";
        self.0.events().remove(keys, |delete| delete.bind(before).bind(i64::from(limit))).await
    }

    /// Removes the events whose keys the statement `keys` finds, to which `bind` gives its values, with all that belongs to
    /// them; how many there were. The keys are found anew for each table rather than carried out and in: all statements
    /// see the same events, as these go last.
    pub(super) async fn remove(
        &mut self,
        keys: &str,
        bind: impl Fn(SqliteQuery) -> SqliteQuery,
    ) -> StoreResult<u64> {
        self.0.events().uncount(keys, &bind).await?;
        let mut removed = 0;
        for table in ["event_summaries", "event_resources", "data_event_resources", "events"] {
            let delete = format!("DELETE FROM {table} WHERE key IN ({keys})");
            let delete = bind(sqlx::query(sqlx::AssertSqlSafe(delete)));
            removed = delete.execute(self.db()).await?.rows_affected();
        }
        Ok(removed)
    }
}

impl Deliveries<'_, WriteSession> {
    /// Removes what is noted about log files and digests that were settled before `before` (milliseconds since 1970), about
    /// trails that are deleted and have nothing left, and about regions in which nothing has been delivered since: there are
    /// as many as callers make up.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_old_files(&mut self, before: i64) -> StoreResult<()> {
        let settled = "created_at < $1 AND state <> 'waiting'";
        let of_deleted = "trail_id IN (SELECT id FROM trails WHERE deleted_at IS NOT NULL)";
        let is_quiet = "failures = 0 AND NOT due AND (trail_id = 0 OR kind NOT IN ('log_file', 'digest') \
                        AND NOT EXISTS (SELECT 1 FROM trail_status s WHERE s.trail_id = destinations.trail_id \
                        AND s.region = destinations.region))";
        for delete in [
            format!(
                "DELETE FROM log_files WHERE {settled} AND (validated = FALSE OR digest IS NOT NULL) \
                 AND id NOT IN (SELECT log_file FROM pending_notices)"
            ),
            format!(
                "DELETE FROM digests WHERE {settled} AND chain IN (SELECT id FROM digest_chains WHERE state = 'closed')"
            ),
            "DELETE FROM digest_chains WHERE state = 'closed' AND last_end * 1000 < $1 \
             AND NOT EXISTS (SELECT 1 FROM digests g WHERE g.chain = digest_chains.id)"
                .to_owned(),
            "DELETE FROM trail_status WHERE region <> (SELECT home_region FROM trails WHERE id = trail_id) \
             AND max(coalesce(latest_delivery_time, 0), coalesce(latest_notification_time, 0), \
             coalesce(latest_cloud_watch_logs_delivery_time, 0), coalesce(latest_digest_delivery_time, 0)) < $1 \
             AND NOT EXISTS (SELECT 1 FROM destinations d WHERE d.trail_id = trail_status.trail_id \
             AND d.region = trail_status.region AND (d.failures > 0 OR d.pending_events > 0 OR d.kind = 'digest'))"
                .to_owned(),
            format!(
                "DELETE FROM destinations WHERE ({of_deleted} OR {is_quiet}) AND wiped = 0 \
                 AND NOT EXISTS (SELECT 1 FROM pending_events p WHERE p.destination = destinations.id) \
                 AND NOT EXISTS (SELECT 1 FROM pending_notices n WHERE n.destination = destinations.id) \
                 AND NOT EXISTS (SELECT 1 FROM log_files f WHERE f.destination = destinations.id) \
                 AND NOT EXISTS (SELECT 1 FROM digest_chains c WHERE c.destination = destinations.id)"
            ),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(delete)).bind(before).execute(self.db()).await?;
        }
        self.0.trails().remove_deleted().await
    }
}

impl<S: Session> Maintenance<'_, S> {
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
