//! All SQL, and the file that it runs on. Knows the values of `domain`, and of the API only that an error of the database
//! is an internal failure there.
//!
//! One SQLite database in WAL mode with `synchronous = FULL`: what a commit acknowledged survives loss of power.
//! Writing goes through one connection (a [`Session`] from [`Store::write`]), reading through a few others, which
//! neither block it nor wait for it.

mod data_dir;
mod destinations;
mod digest_keys;
mod digests;
mod error;
mod events;
mod export;
mod log_files;
mod lookup;
mod maintenance;
mod open;
mod settings;
mod trail_status;
mod trail_tags;
mod trails;
mod values;
mod wipe;

pub use data_dir::DataDir;
pub use destinations::{Backlog, Destination, Outlets, Route};
pub use digest_keys::DigestKey;
pub use digests::{Chain, NewDigest, WaitingDigest, Wanted};
pub use error::{StoreError, StoreErrorKind, StoreResult};
pub use events::StoredEvents;
pub use export::{ErrorFilter, ExportFilter, ExportRow};
pub use log_files::{PendingEvent, PutFile, Unannounced, Uncut, WaitingFile};
pub use lookup::{LookupQuery, LookupRow};
pub use open::OpenError;
pub use trail_status::{DeliveryKind, TrailRegion, TrailStatus};
pub use trails::Trail;
pub use wipe::{Wipe, WipedPiece};

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

/// Tries of a session that writes, each of which waits for another program as long as [`open`] says.
const WRITE_TRIES: usize = 5;

/// The database, cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// One connection: SQLite has one writer, and waiting for this pool is the fair queue for it.
    write: SqlitePool,
    read: SqlitePool,
}

/// A connection in use: for reading, or a transaction for writing, which is undone unless it is committed.
/// Everything that can be asked of the database is a method of this type, in this folder.
#[derive(Debug)]
pub struct Session(Connection);

#[derive(Debug)]
enum Connection {
    Read(PoolConnection<Sqlite>),
    Write(Transaction<'static, Sqlite>),
}

impl Session {
    fn db(&mut self) -> &mut SqliteConnection {
        match &mut self.0 {
            Connection::Read(connection) => connection,
            Connection::Write(transaction) => transaction,
        }
    }

    /// Makes everything done in this session durable. Nothing to do for a session that reads.
    ///
    /// # Errors
    /// The disk is full, or the database is damaged; then nothing of it is stored.
    pub async fn commit(self) -> StoreResult<()> {
        match self.0 {
            Connection::Read(_) => Ok(()),
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
        self.write.close().await;
    }
}
