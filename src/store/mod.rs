//! All SQL, and the file that it runs on. Knows the values of `domain`, and of the API only that an error of the database
//! is an internal failure there.
//!
//! One SQLite database in WAL mode with `synchronous = FULL`: what a commit acknowledged survives loss of power.
//! Writing goes through one connection (a [`Session`] from [`Store::write`]), reading through a few others, which
//! neither block it nor wait for it.

mod bulk;
mod console;
mod data_dir;
mod destinations;
mod digest_keys;
mod digests;
mod error;
mod event_filter;
mod events;
mod export;
mod log_files;
mod lookup;
mod maintenance;
mod open;
mod overview;
mod settings;
mod summaries;
mod trail_status;
mod trail_tags;
mod trails;
mod values;
mod wipe;

pub use console::{EventPage, EventRow, Facet, Facets, Histogram, ReadBounds};
pub use data_dir::DataDir;
pub use destinations::{Backlog, Destination, Outlets, Route};
pub use digest_keys::DigestKey;
pub use digests::{Chain, NewDigest, WaitingDigest, Wanted};
pub use error::{StoreError, StoreErrorKind, StoreResult};
pub use events::StoredEvents;
pub use export::{ExportRow, Order};
pub use log_files::{PendingEvent, PutFile, Unannounced, Uncut, WaitingFile};
pub use lookup::{LookupQuery, LookupRow};
pub use open::OpenError;
pub use overview::{Scopes, TrailBacklog, TrailDigest, TrailFile};
pub use trail_status::{DeliveryKind, TrailRegion, TrailStatus};
pub use trails::Trail;
pub use wipe::{Wipe, WipedPiece};

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tries of a session that writes, each of which waits for another program as long as [`open`] says.
const WRITE_TRIES: usize = 5;

/// Steps of SQLite's machine between two looks at whether a bounded session has to end: some ten microseconds.
const PROGRESS_STEPS: i32 = 1_000;

/// The database, cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// One connection: SQLite has one writer, and waiting for this pool is the fair queue for it.
    write: SqlitePool,
    read: SqlitePool,
    /// For questions that may take long, so that no call of the API waits for them.
    console: SqlitePool,
}

/// A connection in use: for reading, or a transaction for writing, which is undone unless it is committed.
/// Everything that can be asked of the database is a method of this type, in this folder.
#[derive(Debug)]
pub struct Session(Connection);

#[derive(Debug)]
enum Connection {
    Read(PoolConnection<Sqlite>),
    Write(Transaction<'static, Sqlite>),
    /// Abandoned is dropped first, so that the statement ends before the connection is given back.
    Bounded {
        _abandoned: Abandoned,
        connection: PoolConnection<Sqlite>,
    },
}

/// Says, once it is dropped, that nobody waits for the session's statement any more.
#[derive(Debug, Default)]
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Session {
    fn db(&mut self) -> &mut SqliteConnection {
        match &mut self.0 {
            Connection::Read(connection) | Connection::Bounded { connection, .. } => connection,
            Connection::Write(transaction) => transaction,
        }
    }

    /// Makes everything done in this session durable. Nothing to do for a session that reads.
    ///
    /// # Errors
    /// The disk is full, or the database is damaged; then nothing of it is stored.
    pub async fn commit(self) -> StoreResult<()> {
        match self.0 {
            Connection::Read(_) | Connection::Bounded { .. } => Ok(()),
            Connection::Write(transaction) => Ok(transaction.commit().await?),
        }
    }
}

impl Store {
    /// A session that only reads. It sees what was committed before each of its statements.
    ///
    /// # Errors
    /// No connection could be had.
    pub async fn read(&self) -> StoreResult<Session> {
        Ok(Session(Connection::Read(self.read.acquire().await?)))
    }

    /// A session for the console: it reads on one of two connections kept for that, and ends every statement with
    /// [`StoreErrorKind::Interrupted`] as soon as `is_late` says so, or nobody waits for the answer any more.
    ///
    /// # Errors
    /// No connection could be had.
    pub async fn read_bounded(
        &self,
        mut is_late: impl FnMut() -> bool + Send + 'static,
    ) -> StoreResult<Session> {
        let mut connection = self.console.acquire().await?;
        let abandoned = Abandoned::default();
        let gone = Arc::clone(&abandoned.0);
        connection
            .lock_handle()
            .await?
            .set_progress_handler(PROGRESS_STEPS, move || !gone.load(Ordering::Relaxed) && !is_late());
        Ok(Session(Connection::Bounded { _abandoned: abandoned, connection }))
    }

    /// A session that writes, after all others that asked before. While another program writes, it waits some seconds.
    ///
    /// # Errors
    /// Busy: another program goes on writing for longer, or somebody else in this one does for half a minute.
    pub async fn write(&self) -> StoreResult<Session> {
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
    pub async fn try_write(&self) -> StoreResult<Session> {
        Ok(Session(Connection::Write(self.write.begin_with("BEGIN IMMEDIATE").await?)))
    }

    /// Closes all connections, after folding the write-ahead log into the database file.
    pub async fn close(&self) {
        self.read.close().await;
        self.console.close().await;
        self.write.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
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
            let mut asked = pin!(async move { count.fetch_one(session.db()).await });
            assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        let mut session = store.read_bounded(|| false).await.unwrap();
        assert_eq!(session.key_of("nothing").await.unwrap(), None);
    }
}
