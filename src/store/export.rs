//! Reading events out, oldest first, in pieces.

use crate::domain::account_id::AccountId;
use crate::domain::region::Region;
use crate::store::events::ARRIVAL_BITS;
use crate::store::{Session, StoreResult};
use sqlx::{FromRow, QueryBuilder, Sqlite};

/// Which events to read; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the names are those of the columns")]
pub struct ExportFilter {
    pub account: Option<AccountId>,
    pub region: Option<Region>,
    pub event_name: Option<String>,
    pub event_source: Option<String>,
    pub username: Option<String>,
    pub error: Option<ErrorFilter>,
    /// The first second, since 1970.
    pub from: Option<i64>,
    /// The last second, since 1970.
    pub to: Option<i64>,
}

/// Which outcome a call had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorFilter {
    /// Refused, with whatever code.
    Any,
    /// Not refused.
    None,
    /// Refused with this code.
    Code(String),
}

/// An event of an export.
#[derive(Debug, Clone, FromRow)]
pub struct ExportRow {
    /// Its place; the next piece begins behind it.
    pub key: i64,
    /// The record, compact JSON.
    pub record: String,
}

impl Session {
    /// The next `limit` events behind the key `after`, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn export(
        &mut self,
        filter: &ExportFilter,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<ExportRow>> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT key, record FROM events WHERE key > ");
        sql.push_bind(after.max(filter.from.map_or(-1, |from| (from << ARRIVAL_BITS) - 1)));
        if let Some(to) = filter.to {
            sql.push(" AND key < ").push_bind(to.saturating_add(1) << ARRIVAL_BITS);
        }
        let columns = [
            ("account", filter.account.as_deref()),
            ("region", filter.region.as_deref()),
            ("event_name", filter.event_name.as_deref()),
            ("event_source", filter.event_source.as_deref()),
            ("username", filter.username.as_deref()),
        ];
        for (column, value) in columns {
            if let Some(value) = value {
                // As an expression a column is of no use to an index: the table is read in its own order, once, and
                // not sorted anew for every piece.
                sql.push(format!(" AND {column} || '' = ")).push_bind(value.to_owned());
            }
        }
        match &filter.error {
            None => {}
            Some(ErrorFilter::Any) => {
                sql.push(" AND error_code IS NOT NULL");
            }
            Some(ErrorFilter::None) => {
                sql.push(" AND error_code IS NULL");
            }
            Some(ErrorFilter::Code(code)) => {
                sql.push(" AND error_code = ").push_bind(code.clone());
            }
        }
        sql.push(" ORDER BY key LIMIT ").push_bind(i64::from(limit));
        Ok(sql.build_query_as().fetch_all(self.db()).await?)
    }

    /// The key of an event, whatever its account and region; `None` if there is none of that id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn key_of(&mut self, event_id: &str) -> StoreResult<Option<i64>> {
        let key = sqlx::query_scalar("SELECT max(key) FROM events WHERE event_id = $1");
        Ok(key.bind(event_id).fetch_one(self.db()).await?)
    }
}
