//! An SQLite file that other processes may have open: copying it, and whether it is sound. Nothing here changes it.

use crate::clock::Clock;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// How long it is waited for another program.
const BUSY: Duration = Duration::from_secs(10);

/// Steps of SQLite's machine between two looks at the time.
const PROGRESS_STEPS: i32 = 1000;

/// SQLite's code for a statement that was ended so.
const INTERRUPT: &str = "9";

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
    /// Its pages, for so long at most, but not whether indexes and tables agree. On a disk that is slow to seek, and not in
    /// memory, a file of 2 GB takes minutes.
    Quick(Duration),
    /// All pages, and indexes, too.
    Whole,
}

/// What was found of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soundness {
    /// What is wrong with it, in a line each; none if it can be used.
    pub problems: Vec<String>,
    /// Whether all of it was looked at.
    pub is_whole: bool,
    /// Which schema it has, if there are no problems.
    pub schema: Schema,
}

/// The schema of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// The newest that this program knows.
    Known,
    /// An older one: a start brings it up to date.
    Older,
}

impl Soundness {
    /// A file that cannot be used, and is looked at no further.
    fn problem(problem: &str) -> Soundness {
        let problems = vec![problem.replace('\n', " ")];
        Soundness { problems, is_whole: false, schema: Schema::Known }
    }
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

/// Looks at a file.
pub async fn examine(path: &Path, kind: DatabaseKind, depth: Depth) -> Soundness {
    match look(path, kind, depth).await {
        Ok(soundness) => soundness,
        Err(error) => Soundness::problem(&error.to_string()),
    }
}

async fn look(path: &Path, kind: DatabaseKind, depth: Depth) -> Result<Soundness, sqlx::Error> {
    let mut connection = open(path).await?;
    let id: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await?;
    if id != kind.application_id {
        return Ok(Soundness::problem("it is another program's database"));
    }
    let schema: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(&mut connection).await?;
    if let Some(newer) = schema.filter(|schema| *schema > kind.newest_schema) {
        return Ok(Soundness::problem(&format!("it was written by a newer contrail (schema {newer})")));
    }
    let schema = if schema < Some(kind.newest_schema) { Schema::Older } else { Schema::Known };
    let pragma = match depth {
        Depth::Quick(longest) => {
            let clock = Clock::system();
            let goes_on = move || clock.elapsed() < longest;
            connection.lock_handle().await?.set_progress_handler(PROGRESS_STEPS, goes_on);
            "quick_check"
        }
        Depth::Whole => "integrity_check",
    };
    let pragma = AssertSqlSafe(format!("PRAGMA {pragma}({MAX_PROBLEMS})"));
    let found: Vec<String> = match sqlx::query_scalar(pragma).fetch_all(&mut connection).await {
        Ok(found) => found,
        Err(error) if is_interrupted(&error) => {
            return Ok(Soundness { problems: Vec::new(), is_whole: false, schema });
        }
        Err(error) => return Err(error),
    };
    let problems = found.into_iter().filter(|line| line != "ok").map(|line| line.replace('\n', " "));
    Ok(Soundness { problems: problems.collect(), is_whole: true, schema })
}

fn is_interrupted(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some(INTERRUPT)
}
