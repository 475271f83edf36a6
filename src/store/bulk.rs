//! Inserting many rows with few statements. Their texts are made once: writing thousands of placeholders and values takes
//! longer than storing them.

use crate::store::StoreResult;
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};
use std::sync::OnceLock;

/// Rows a statement. Few different sizes, so that few statements are prepared and kept.
const ROWS: [usize; 3] = [100, 10, 1];

/// An `INSERT` of many rows.
pub(super) struct BulkInsert {
    /// Up to the values: `INSERT INTO table (column, …)`.
    insert: &'static str,
    /// Columns of a row.
    columns: usize,
    /// Behind the values, or nothing.
    on_conflict: &'static str,
    texts: [OnceLock<String>; 3],
}

/// The values of one statement, in the order of rows and columns.
#[derive(Default)]
pub(super) struct Values {
    values: SqliteArguments,
    /// The first value that cannot be given to the database.
    failed: Option<BoxDynError>,
}

impl Values {
    /// Adds the next value.
    pub(super) fn push<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Values {
        if let Err(error) = self.values.add(value) {
            self.failed.get_or_insert(error);
        }
        self
    }
}

impl BulkInsert {
    pub(super) const fn new(insert: &'static str, columns: usize, on_conflict: &'static str) -> BulkInsert {
        BulkInsert { insert, columns, on_conflict, texts: [const { OnceLock::new() }; 3] }
    }

    /// The first rows of `rest` that fit into one statement, and those behind; `None` when there are none.
    pub(super) fn next_chunk<T>(rest: &[T]) -> Option<(&[T], &[T])> {
        let rows = ROWS.into_iter().find(|rows| *rows <= rest.len())?;
        Some(rest.split_at(rows))
    }

    /// Inserts the rows of one chunk, to each of which `push` adds the values; how many rows were stored or changed.
    pub(super) async fn chunk<T>(
        &'static self,
        db: &mut SqliteConnection,
        chunk: &[T],
        push: impl Fn(&mut Values, &T),
    ) -> StoreResult<u64> {
        let mut values = Values::default();
        chunk.iter().for_each(|row| push(&mut values, row));
        if let Some(error) = values.failed {
            return Err(sqlx::Error::Encode(error).into());
        }
        let insert = sqlx::query_with(self.text(chunk.len())?, values.values);
        Ok(insert.execute(db).await?.rows_affected())
    }

    /// Inserts all rows, in chunks.
    pub(super) async fn all<T>(
        &'static self,
        db: &mut SqliteConnection,
        rows: &[T],
        push: impl Fn(&mut Values, &T),
    ) -> StoreResult<()> {
        let mut rest = rows;
        while let Some((chunk, behind)) = BulkInsert::next_chunk(rest) {
            self.chunk(&mut *db, chunk, &push).await?;
            rest = behind;
        }
        Ok(())
    }

    /// # Errors
    /// A chunk that [`BulkInsert::next_chunk`] has not made.
    fn text(&'static self, rows: usize) -> StoreResult<AssertSqlSafe<&'static str>> {
        let kept = self.texts.iter().zip(ROWS).find(|(_, size)| *size == rows).map(|(text, _)| text);
        let kept = kept.ok_or_else(|| sqlx::Error::Protocol(format!("no statement has {rows} rows")))?;
        Ok(AssertSqlSafe(kept.get_or_init(|| self.write(rows))))
    }

    fn write(&self, rows: usize) -> String {
        // Not $1, $2 …: SQLite takes these for names, and looks each of them up among all (measured: three times as slow).
        let row = format!("({})", vec!["?"; self.columns].join(", "));
        format!("{} VALUES {} {}", self.insert, vec![row.as_str(); rows].join(", "), self.on_conflict)
    }
}
