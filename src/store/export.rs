//! Reading events out, in either order, in pieces.

use crate::domain::event_filter::EventFilter;
use crate::store::event_filter::{Text, keys, push_where};
use crate::store::{Events, Session, StoreResult};
use sqlx::{FromRow, QueryBuilder, Sqlite};
use std::ops::Range;

/// In which order events are read out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By time; those of one second in the order of their arrival.
    OldestFirst,
    /// The reverse.
    NewestFirst,
}

impl Order {
    /// What stands behind a column in `ORDER BY`.
    pub(super) const fn direction(self) -> &'static str {
        match self {
            Order::OldestFirst => "",
            Order::NewestFirst => " DESC",
        }
    }
}

/// The keys behind `after` in an order that events of a filter's time can have.
pub(super) fn keys_behind(filter: &EventFilter, order: Order, after: Option<i64>) -> Range<i64> {
    let mut keys = keys(filter);
    match (order, after) {
        (_, None) => {}
        (Order::OldestFirst, Some(after)) => keys.start = keys.start.max(after.saturating_add(1)),
        (Order::NewestFirst, Some(after)) => keys.end = keys.end.min(after),
    }
    keys
}

/// An event of an export.
#[derive(Debug, Clone, FromRow)]
pub struct ExportRow {
    /// Its place; the next piece begins behind it.
    pub key: i64,
    /// The record, compact JSON.
    pub record: String,
}

impl<S: Session> Events<'_, S> {
    /// The next `limit` events behind the key `after` in that order, or the first ones.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn export(
        &mut self,
        filter: &EventFilter,
        order: Order,
        after: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<ExportRow>> {
        // The keys first: whatever decides which events these are, no record is read for another one.
        let direction = order.direction();
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT key, record FROM events WHERE key IN (SELECT s.key FROM event_summaries s",
        );
        push_where(&mut sql, filter, &keys_behind(filter, order, after), Text::Included);
        sql.push(format!(" ORDER BY s.key{direction} LIMIT ")).push_bind(i64::from(limit));
        sql.push(format!(") ORDER BY key{direction}"));
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
