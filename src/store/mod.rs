//! All SQL, and the file that it runs on. Knows the values of `domain`, and of the API only that an error of the database
//! is an internal failure there.
//!
//! One SQLite database in WAL mode with `synchronous = FULL`: what a commit acknowledged survives loss of power.
//! Writing goes through one connection (a [`WriteSession`] from [`Store::write`]), reading through a few others, which
//! neither block it nor wait for it.

mod bulk;
mod console;
mod corrections;
mod data_dir;
mod destinations;
mod digest_keys;
mod digests;
mod error;
mod event_filter;
mod events;
mod export;
mod figures;
mod learned_keys;
mod log_files;
mod logging_trails;
mod lookup;
mod maintenance;
mod notices;
mod open;
mod organizations;
mod overview;
mod session;
mod settings;
mod summaries;
mod trail_status;
mod trail_tags;
mod trails;
mod values;
mod wipe;

pub use console::{EventPage, EventRow, Facet, Facets, Histogram, ReadBounds};
pub use corrections::{CorrectionMark, EventToCheck};
pub use data_dir::{BUCKETS, DATABASE, DataDir};
pub use destinations::{Backlog, Destination, DestinationKind, EventBusTakes, WaitingDestination};
pub use digest_keys::DigestKey;
pub use digests::{Chain, NewDigest, WaitingDigest, WantedChain};
pub use error::{StoreError, StoreErrorKind, StoreResult};
pub use events::StoredEvents;
pub use export::{ExportPiece, ExportRow, ExportStep, Order};
pub use figures::{DatabaseFigures, FailingDestination, figures};
pub use log_files::{PendingEvent, PendingEvents, PieceBounds, PutFile, Uncut, WaitingFile};
pub use lookup::{LookupQuery, LookupRow};
pub use notices::PendingNotice;
pub use open::{OpenError, database_kind};
pub use overview::{Scopes, TrailBacklog, TrailDigest, TrailFile};
pub use session::{
    Deliveries, DigestKeys, Digests, Events, LearnedKeys, Maintenance, Organizations, ReadSession, Session,
    Settings, Trails, WriteSession,
};
pub use trail_status::TrailStatus;
pub use trails::Trail;
pub use wipe::{Wipe, WipedPiece};

use crate::domain::account_id::AccountId;
use crate::domain::routing::LoggingTrails;
use logging_trails::LoggingTrailsByAccount;
use sqlx::SqlitePool;

/// Tries of a session that writes, each of which waits for another program as long as [`open`] says.
const WRITE_TRIES: usize = 5;

/// The database, cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// One connection: SQLite has one writer, and waiting for this pool is the fair queue for it.
    write: SqlitePool,
    read: SqlitePool,
    /// For questions that may take long, so that no call of the API waits for them.
    console: SqlitePool,
    /// For exports, so that the console does not wait for them.
    exports: SqlitePool,
    logging_trails: LoggingTrailsByAccount,
}

impl Store {
    /// A session that only reads. It sees what was committed before each of its statements.
    ///
    /// # Errors
    /// No connection could be had.
    pub async fn read(&self) -> StoreResult<ReadSession> {
        Ok(ReadSession::new(self.read.acquire().await?))
    }

    /// A session for the console: it reads on one of two connections kept for that, and ends every statement with
    /// [`StoreErrorKind::Interrupted`] as soon as `is_late` says so, or nobody waits for the answer any more.
    ///
    /// # Errors
    /// No connection could be had.
    pub async fn read_bounded(
        &self,
        is_late: impl FnMut() -> bool + Send + 'static,
    ) -> StoreResult<ReadSession> {
        ReadSession::bounded(self.console.acquire().await?, is_late).await
    }

    /// A session for the next piece of an export: it reads on one of two connections kept for that, and ends its statement when
    /// it is dropped.
    ///
    /// # Errors
    /// No connection could be had.
    pub async fn read_for_export(&self) -> StoreResult<ReadSession> {
        ReadSession::bounded(self.exports.acquire().await?, || false).await
    }

    /// A session that writes, after all others that asked before. While another program writes, it waits some seconds.
    ///
    /// # Errors
    /// Busy: another program goes on writing for longer, or somebody else in this one does for half a minute.
    pub async fn write(&self) -> StoreResult<WriteSession> {
        for _ in 1..WRITE_TRIES {
            match self.try_write().await {
                Err(error) if error.is_locked() => {}
                other => return other,
            }
        }
        self.try_write().await
    }

    /// The same with one try: it waits a second for another program.
    ///
    /// # Errors
    /// Busy: another program writes.
    pub async fn try_write(&self) -> StoreResult<WriteSession> {
        let transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        // Whoever writes finds in memory what is committed.
        drop(self.logging_trails.lock_changes().await);
        Ok(WriteSession::new(transaction, self.logging_trails.clone()))
    }

    /// The trails of an account that are logging now, from memory.
    pub fn logging_trails(&self, account: &AccountId) -> LoggingTrails {
        self.logging_trails.of(account)
    }

    /// Whether a trail of any account is logging now, from memory.
    pub fn is_any_trail_logging(&self) -> bool {
        !self.logging_trails.are_none()
    }

    /// Closes all connections, after folding the write-ahead log into the database file.
    pub async fn close(&self) {
        self.read.close().await;
        self.console.close().await;
        self.exports.close().await;
        self.write.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::{Pin, pin};
    use std::task::{Context, Waker};

    #[tokio::test]
    async fn a_question_that_nobody_waits_for_ends_and_its_connection_can_be_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let locked = DataDir::lock(folder.path()).unwrap();
        let store = Store::open(&locked).await.unwrap();
        // More than there are connections, each with a question that has no end.
        for _ in 0..3 {
            let mut session = store.read_bounded(|| false).await.unwrap();
            let endless =
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
            let count = sqlx::query_scalar::<_, i64>(endless);
            let mut asked = pin!(async move { count.fetch_one(session.events().db()).await });
            assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let mut session = store.read_bounded(|| false).await.unwrap();
        assert_eq!(session.events().key_of("nothing").await.unwrap(), None);
    }

    /// Whether it is still waiting after all that it could do by itself.
    async fn waits(store: &Store, mut future: Pin<&mut impl Future>) -> bool {
        for _ in 0..20 {
            if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                return false;
            }
            store.read().await.unwrap().events().key_of("nothing").await.unwrap();
        }
        true
    }

    #[tokio::test]
    async fn who_writes_sees_in_memory_what_is_committed_of_trails() {
        let folder = tempfile::tempdir().unwrap();
        let locked = DataDir::lock(folder.path()).unwrap();
        let store = Store::open(&locked).await.unwrap();
        let mut session = store.write().await.unwrap();
        session.has_changed_all_trails();
        // As long as a change is committed and not known yet.
        let changing = store.logging_trails.lock_changes().await;
        let mut commit = pin!(session.commit());
        assert!(waits(&store, commit.as_mut()).await, "the next change");
        drop(changing);
        commit.await.unwrap();
        let changing = store.logging_trails.lock_changes().await;
        let mut write = pin!(store.try_write());
        assert!(waits(&store, write.as_mut()).await, "whoever writes");
        drop(changing);
        write.await.unwrap();
    }
}
