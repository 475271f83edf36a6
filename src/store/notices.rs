//! Log files that are still to be announced, at a topic or at the webhook.

use crate::store::{Deliveries, Session, StoreResult, WriteSession};
use sqlx::FromRow;

/// A stored log file that is to be announced.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PendingNotice {
    /// `log_files.id`
    pub log_file: i64,
    /// Where the file is: the bucket ...
    pub s3_bucket_name: String,
    /// ... and the key.
    pub s3_object_key: String,
    /// When the file was stored, milliseconds since 1970.
    pub stored_at: i64,
}

impl<S: Session> Deliveries<'_, S> {
    /// The next log file to be announced at a destination, in the order in which they were cut.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn next_notice(&mut self, destination: i64) -> StoreResult<Option<PendingNotice>> {
        let next = sqlx::query_as(
            "SELECT n.log_file, f.s3_bucket_name, f.s3_object_key, f.stored_at FROM pending_notices n \
             JOIN log_files f ON f.id = n.log_file WHERE n.destination = $1 ORDER BY n.log_file LIMIT 1",
        );
        Ok(next.bind(destination).fetch_optional(self.db()).await?)
    }
}

impl Deliveries<'_, WriteSession> {
    pub(super) async fn insert_notice(&mut self, destination: i64, log_file: i64) -> StoreResult<()> {
        let insert = "INSERT INTO pending_notices (destination, log_file) VALUES ($1, $2)";
        sqlx::query(insert).bind(destination).bind(log_file).execute(self.db()).await?;
        Ok(())
    }

    /// Notes that a log file has been announced at a destination, or need not be.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn settle_notice(&mut self, destination: i64, log_file: i64) -> StoreResult<()> {
        let settle = "DELETE FROM pending_notices WHERE destination = $1 AND log_file = $2";
        sqlx::query(settle).bind(destination).bind(log_file).execute(self.db()).await?;
        Ok(())
    }

    /// Gives up announcements at a destination of files that were stored before `before` (milliseconds since 1970), at most
    /// `limit` of them; how many.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn give_up_notices(&mut self, destination: i64, before: i64, limit: u32) -> StoreResult<u64> {
        let give_up = "DELETE FROM pending_notices WHERE destination = $1 \
                       AND log_file IN (SELECT n.log_file FROM pending_notices n JOIN log_files f ON f.id = n.log_file \
                       WHERE n.destination = $1 AND f.stored_at < $2 ORDER BY n.log_file LIMIT $3)";
        let give_up = sqlx::query(give_up).bind(destination).bind(before).bind(limit);
        Ok(give_up.execute(self.db()).await?.rows_affected())
    }
}
