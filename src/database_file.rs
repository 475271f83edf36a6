//! An SQLite file, beside whoever else has it open: copying it, and whether it is sound. Nothing here changes it.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// How long it is waited for another program.
const BUSY: Duration = Duration::from_secs(10);

/// Problems that are told of one file.
const MAX_PROBLEMS: usize = 5;

/// What a file must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseKind {
    /// `PRAGMA application_id`
    pub application_id: i32,
    /// The newest migration that this program knows.
    pub newest_schema: i64,
}

/// How closely a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All pages, but not whether indexes and tables agree: about a second for each GB.
    Quick,
    /// Indexes, too: several times as long.
    Whole,
}

/// Opens a file for reading.
///
/// # Errors
/// It is not there, or no database.
pub async fn open(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY);
    options.disable_statement_logging().connect().await
}

/// Writes what is in a database at one moment into a new file, while others go on writing. The file may exist if it is empty.
///
/// The copy is written anew, row by row (`VACUUM INTO`), and so as small as can be. SQLite's page by page copy would begin
/// again with each commit of another process.
///
/// # Errors
/// The database cannot be read, or the copy not be written.
pub async fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let in_one_line = |error: sqlx::Error| error.to_string().replace('\n', " ");
    let mut connection = open(from).await.map_err(in_one_line)?;
    let to = to.to_str().ok_or("its path is not in UTF-8")?;
    let copied = sqlx::query("VACUUM INTO $1").bind(to).execute(&mut connection).await;
    copied.map_err(in_one_line)?;
    connection.close().await.map_err(in_one_line)
}

/// What is wrong with a file, in a line each; nothing if it can be used.
pub async fn problems(path: &Path, kind: DatabaseKind, depth: Depth) -> Vec<String> {
    match look(path, kind, depth).await {
        Ok(problems) => problems,
        Err(error) => vec![error.to_string().replace('\n', " ")],
    }
}

async fn look(path: &Path, kind: DatabaseKind, depth: Depth) -> Result<Vec<String>, sqlx::Error> {
    let mut connection = open(path).await?;
    let id: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await?;
    if id != kind.application_id {
        return Ok(vec!["it is another program's database".to_owned()]);
    }
    let schema: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut connection).await?;
    if let Some(newer) = schema.filter(|schema| *schema > kind.newest_schema) {
        return Ok(vec![format!("it was written by a newer contrail (schema {newer})")]);
    }
    let pragma = match depth {
        Depth::Quick => "quick_check",
        Depth::Whole => "integrity_check",
    };
    let pragma = AssertSqlSafe(format!("PRAGMA {pragma}({MAX_PROBLEMS})"));
    let found: Vec<String> = sqlx::query_scalar(pragma).fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok(found.into_iter().filter(|line| line != "ok").map(|line| line.replace('\n', " ")).collect())
}
