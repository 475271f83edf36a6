//! Opening `buckets.db`: what is ours is brought up to date, what is not is refused and left alone.

use crate::buckets::BucketError;
use crate::database_file::DatabaseKind;
use crate::private_files;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqlitePool};
use std::path::Path;
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/buckets");

/// `PRAGMA application_id` of bucket stores: "CTRB" in ASCII.
const APPLICATION_ID: i32 = 0x4354_5242;

/// What a bucket store of ours is.
pub fn database_kind() -> DatabaseKind {
    let newest_schema = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    DatabaseKind { application_id: APPLICATION_ID, newest_schema }
}

/// Connections that read at the same time.
const READERS: u32 = 4;

/// The pools for writing (one connection) and for reading.
///
/// # Errors
/// One line for the person who started the server.
pub(super) async fn pools(path: &Path) -> Result<(SqlitePool, SqlitePool), BucketError> {
    let wrong = |e: sqlx::Error| refused(path, &e.to_string());
    let common = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    let writer = common
        .clone()
        .create_if_missing(true)
        .page_size(8192)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    let ours = is_ours(path, &common).await?;
    private_files::touch(path).map_err(|error| refused(path, &error.to_string()))?;
    let write = pool(1)
        // As in the main store: a connection whose transaction SQLite undid by itself is replaced.
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!sqlx::Connection::is_in_transaction(connection)) })
        });
    let write = write.connect_with(writer).await.map_err(wrong)?;
    if !ours {
        // First of all: a file that a crash leaves behind half made must be known as ours.
        sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}")))
            .execute(&write)
            .await
            .map_err(wrong)?;
    }
    MIGRATIONS.run(&write).await.map_err(|e| match e {
        MigrateError::VersionMissing(version) => refused(
            path,
            &format!(
                "it was written by a newer contrail (schema {version}); use that one, or another data folder"
            ),
        ),
        other => refused(path, &other.to_string()),
    })?;
    let read = pool(READERS).connect_with(common.read_only(true)).await.map_err(wrong)?;
    Ok((write, read))
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Looks at an existing file without changing it; whether it is marked as a bucket store.
async fn is_ours(path: &Path, options: &SqliteConnectOptions) -> Result<bool, BucketError> {
    if std::fs::metadata(path).map_or(0, |m| m.len()) == 0 {
        return Ok(false);
    }
    let wrong = |e: sqlx::Error| refused(path, &e.to_string());
    let mut connection = options.clone().read_only(true).connect().await.map_err(wrong)?;
    let id: i32 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await.map_err(wrong)?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master")
        .fetch_one(&mut connection)
        .await
        .map_err(wrong)?;
    sqlx::Connection::close(connection).await.map_err(wrong)?;
    if id != APPLICATION_ID && tables > 0 {
        return Err(refused(path, "it is not a bucket store of contrail; it was left as it is"));
    }
    Ok(id == APPLICATION_ID)
}

fn refused(path: &Path, why: &str) -> BucketError {
    BucketError { code: "InternalError", message: format!("{}: {why}", path.display()) }
}
