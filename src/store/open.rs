//! Opening a data folder: what is ours and sound is brought up to date, what is not is refused and left alone.

use crate::database_file::DatabaseKind;
use crate::private_files;
use crate::store::error::{CANNOT_OPEN, CORRUPT, NOT_A_DATABASE, READ_ONLY, result_code};
use crate::store::logging_trails::{self, LoggingTrailsByAccount};
use crate::store::{DataDir, Store, StoreError};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};
use std::path::{Path, PathBuf};
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// `PRAGMA application_id` of our databases: "CTRL" in ASCII.
const APPLICATION_ID: i32 = 0x4354_524C;

/// What a database of ours is.
pub fn database_kind() -> DatabaseKind {
    let newest_schema = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    DatabaseKind { application_id: APPLICATION_ID, newest_schema }
}

/// How long one statement waits for another program that writes.
const BUSY: Duration = Duration::from_secs(1);

/// Connections that read at the same time.
const READERS: u32 = 4;

/// The same for the console.
const CONSOLE_READERS: u32 = 2;

/// The same for exports.
const EXPORT_READERS: u32 = 2;

/// Why a data folder was refused: one line for the person who started the server. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum OpenError {
    #[error("cannot use the data folder {}: {cause}{advice}", path.display())]
    DataDir { path: PathBuf, cause: std::io::Error, advice: String },
    #[error(
        "the data folder {} is in use by another contrail{}{address}",
        path.display(), if address.is_empty() { "" } else { " at " }
    )]
    InUse { path: PathBuf, address: String },
    #[error("{} is not a contrail database; it was left as it is", path.display())]
    Foreign { path: PathBuf },
    #[error("{} was written by a newer contrail (schema {version}); use that one, or another data folder", path.display())]
    Newer { path: PathBuf, version: i64 },
    #[error("{} is damaged ({cause}); it was left as it is: restore a copy, or use another data folder", path.display())]
    Damaged { path: PathBuf, cause: String },
    #[error("{} cannot be written: {cause}", path.display())]
    ReadOnly { path: PathBuf, cause: String },
    #[error("cannot open {}: {cause}", path.display())]
    Other { path: PathBuf, cause: String },
}

impl OpenError {
    fn from_sqlx(path: &Path, error: &sqlx::Error) -> OpenError {
        let (path, cause) = (path.to_owned(), error.to_string());
        match result_code(error) {
            Some(NOT_A_DATABASE) => OpenError::Foreign { path },
            Some(CORRUPT) => OpenError::Damaged { path, cause },
            Some(READ_ONLY | CANNOT_OPEN) => OpenError::ReadOnly { path, cause },
            _ => OpenError::Other { path, cause },
        }
    }
}

impl Store {
    /// Opens the database of a data folder, makes it if there is none, and runs the migrations that it lacks.
    ///
    /// # Errors
    /// [`OpenError`], with a line that says what to do.
    pub async fn open(folder: &DataDir) -> Result<Store, OpenError> {
        let path = folder.database();
        let wrong = |e: sqlx::Error| OpenError::from_sqlx(&path, &e);
        let common =
            SqliteConnectOptions::new().filename(&path).busy_timeout(BUSY).disable_statement_logging();
        let writer = common
            .clone()
            .create_if_missing(true)
            .page_size(8192)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // A larger log makes bulk intake cheaper: fewer pages are copied back twice (measured).
            .pragma("wal_autocheckpoint", "4000")
            // 16 MB: what a batch touches is not read again from the file (measured: a third less system time).
            .pragma("cache_size", "-16000");
        let mark = refuse_unusable(&path, &common).await?;
        folder.close_to_others();
        private_files::touch(&path).map_err(|cause| folder.unusable(cause))?;
        let write = pool(1)
            // After a failed write (a full disk) SQLite may have undone the transaction by itself; sqlx still counts
            // it as open and would refuse every later one. Such a connection is replaced.
            .before_acquire(|connection, _| {
                Box::pin(async move { Ok(!sqlx::Connection::is_in_transaction(connection)) })
            });
        let write = write.connect_with(writer).await.map_err(wrong)?;
        migrate(&write, &path, mark).await?;
        let reader = common.read_only(true);
        let read = pool(READERS).connect_with(reader.clone()).await.map_err(wrong)?;
        // None until somebody looks.
        let console = pool(CONSOLE_READERS).min_connections(0).connect_lazy_with(reader.clone());
        let exports = pool(EXPORT_READERS).min_connections(0).connect_lazy_with(reader);
        let logging_trails = LoggingTrailsByAccount::default();
        let known = async { logging_trails::read(&mut *read.acquire().await?, None).await };
        logging_trails.replace(known.await.map_err(|error| OpenError::Other {
            path: path.clone(),
            cause: format!("the trails cannot be read: {error}"),
        })?);
        let store = Store { write, read, console, exports, logging_trails };
        store.summarize_older_events().await.map_err(|error| OpenError::Other {
            path: path.clone(),
            cause: format!("the summaries of older events cannot be made: {error}"),
        })?;
        Ok(store)
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// What a file says of whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// It has our application id.
    Ours,
    /// It is new, or empty.
    Missing,
}

/// Looks at an existing file without changing it (setting the journal mode would); whether it is marked as ours.
async fn refuse_unusable(path: &Path, options: &SqliteConnectOptions) -> Result<Mark, OpenError> {
    if std::fs::metadata(path).map_or(0, |m| m.len()) == 0 {
        return Ok(Mark::Missing);
    }
    let wrong = |e: sqlx::Error| OpenError::from_sqlx(path, &e);
    let mut connection = options.clone().read_only(true).connect().await.map_err(wrong)?;
    let id: i32 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await.map_err(wrong)?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master")
        .fetch_one(&mut connection)
        .await
        .map_err(wrong)?;
    if id != APPLICATION_ID && tables > 0 {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    if tables > 0 {
        // Damage that the migrations would meet is met here, where nothing has been written.
        sqlx::query("SELECT * FROM _sqlx_migrations").fetch_all(&mut connection).await.map_err(wrong)?;
    }
    sqlx::Connection::close(connection).await.map_err(wrong)?;
    Ok(if id == APPLICATION_ID { Mark::Ours } else { Mark::Missing })
}

async fn migrate(write: &SqlitePool, path: &Path, mark: Mark) -> Result<(), OpenError> {
    let wrong = |e: sqlx::Error| OpenError::from_sqlx(path, &e);
    if mark == Mark::Missing {
        // First of all: a file that a crash leaves behind half made must be known as ours.
        sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}")))
            .execute(write)
            .await
            .map_err(wrong)?;
    }
    let path = path.to_owned();
    MIGRATIONS.run(write).await.map_err(|e| match e {
        MigrateError::VersionMissing(version) => OpenError::Newer { path, version },
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => OpenError::from_sqlx(&path, &e),
        other => OpenError::Damaged { path, cause: other.to_string() },
    })
}

impl From<OpenError> for std::io::Error {
    fn from(error: OpenError) -> Self {
        std::io::Error::other(error)
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        OpenError::Other { path: PathBuf::from("the database"), cause: error.to_string() }
    }
}
