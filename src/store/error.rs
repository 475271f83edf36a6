//! What can go wrong in the database, and which of a few kinds it is.

use crate::error::ApiError;
use std::fmt;

/// An error of the database. For a caller of the API it is always an internal failure.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", self.kind())]
pub struct StoreError {
    #[from]
    source: sqlx::Error,
}

/// What functions of the store return.
pub type StoreResult<T> = Result<T, StoreError>;

/// The kind of a [`StoreError`]: what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Somebody else is writing, perhaps another program: it can be tried again.
    Busy,
    /// There is no room on the disk: it can be tried again when there is.
    Full,
    /// A rule of a table forbids the row.
    Conflict,
    /// The file, or a value in it, is not as it was written.
    Damaged,
    /// It took too long, or nobody waits for it any more.
    Interrupted,
    /// Anything else.
    Other,
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreErrorKind::Busy => "the database is busy",
            StoreErrorKind::Full => "the disk is full",
            StoreErrorKind::Conflict => "the row conflicts with a rule of its table",
            StoreErrorKind::Damaged => "the database is damaged",
            StoreErrorKind::Interrupted => "the statement was ended early",
            StoreErrorKind::Other => "the database failed",
        })
    }
}

impl StoreError {
    /// Which kind it is.
    pub fn kind(&self) -> StoreErrorKind {
        use sqlx::Error as E;
        match (&self.source, result_code(&self.source)) {
            _ if self.is_locked() => StoreErrorKind::Busy,
            (E::PoolTimedOut, _) => StoreErrorKind::Busy,
            (_, Some(INTERRUPT)) => StoreErrorKind::Interrupted,
            (_, Some(FULL)) => StoreErrorKind::Full,
            (_, Some(CONSTRAINT)) => StoreErrorKind::Conflict,
            (E::ColumnDecode { .. } | E::Decode(_), _) | (_, Some(CORRUPT | NOT_A_DATABASE)) => {
                StoreErrorKind::Damaged
            }
            _ => StoreErrorKind::Other,
        }
    }

    /// A fault in Contrail.
    pub(crate) fn fault() -> StoreError {
        sqlx::Error::Io(std::io::Error::other("a fault in Contrail")).into()
    }

    /// Whether another program holds the database, as opposed to somebody else in this one.
    pub(super) fn is_locked(&self) -> bool {
        matches!(result_code(&self.source), Some(BUSY | LOCKED))
    }

    /// Whether a row was refused because its primary key is taken: SQLITE_CONSTRAINT_PRIMARYKEY or
    /// SQLITE_CONSTRAINT_ROWID.
    pub(super) fn is_key_taken(&self) -> bool {
        matches!(extended_code(&self.source), Some(1555 | 2579))
    }
}

/// A commit in a task of its own that did not come to its end.
impl From<tokio::task::JoinError> for StoreError {
    fn from(error: tokio::task::JoinError) -> StoreError {
        sqlx::Error::Io(std::io::Error::other(error)).into()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        ApiError::internal(error)
    }
}

// SQLite's result codes: https://www.sqlite.org/rescode.html
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
pub(super) const READ_ONLY: i32 = 8;
const INTERRUPT: i32 = 9;
pub(super) const CORRUPT: i32 = 11;
const FULL: i32 = 13;
pub(super) const CANNOT_OPEN: i32 = 14;
const CONSTRAINT: i32 = 19;
pub(super) const NOT_A_DATABASE: i32 = 26;

fn extended_code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// SQLite's primary result code: the low byte of the extended one.
pub(super) fn result_code(error: &sqlx::Error) -> Option<i32> {
    extended_code(error).map(|code| code & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Connection;

    #[test]
    fn an_error_says_which_kind_it_is() {
        let kind = |error: sqlx::Error| StoreError::from(error).kind();
        assert_eq!(kind(sqlx::Error::PoolTimedOut), StoreErrorKind::Busy);
        assert_eq!(kind(sqlx::Error::Decode("no region".into())), StoreErrorKind::Damaged);
        assert_eq!(kind(sqlx::Error::RowNotFound), StoreErrorKind::Other);
        let busy = StoreError::from(sqlx::Error::PoolTimedOut).to_string();
        assert!(busy.starts_with("the database is busy: "), "{busy}");
    }

    #[tokio::test]
    async fn a_database_that_cannot_grow_is_full() {
        let mut db = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::query("PRAGMA max_page_count = 3").execute(&mut db).await.unwrap();
        sqlx::query("CREATE TABLE t (text TEXT)").execute(&mut db).await.unwrap();
        let insert = sqlx::query("INSERT INTO t VALUES ($1)").bind("x".repeat(100_000));
        let full = StoreError::from(insert.execute(&mut db).await.unwrap_err());
        assert_eq!(full.kind(), StoreErrorKind::Full, "{full}");
    }
}
