//! Reading events out, in either order, in pieces.

use crate::domain::event_filter::EventFilter;
use crate::store::event_filter::{Text, keys, push_where};
use crate::store::{Events, Session, StoreResult};
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use sqlx::{FromRow, QueryBuilder, Sqlite};
use std::ops::Range;

/// Bytes of records in a piece; the one that goes beyond it is the last one.
const MAX_BYTES: usize = 4 * 1024 * 1024;

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

/// A piece of an export.
#[derive(Debug, Clone)]
pub struct ExportPiece<T> {
    /// The events of it, in the order asked for; perhaps none.
    pub rows: Vec<T>,
    /// The key behind which the next piece begins; `None` at the end.
    pub next: Option<i64>,
}

/// Where an export is, and how far it may go at once.
#[derive(Debug, Clone, Copy)]
pub struct ExportStep {
    /// In which order.
    pub order: Order,
    /// The key of the last event; `None` at the beginning.
    pub after: Option<i64>,
    /// Events at most.
    pub limit: u32,
    /// Events that are looked at, at most.
    pub searched: u32,
}

/// An event of an export.
#[derive(Debug, Clone, FromRow)]
pub struct ExportRow {
    /// Its place; the next piece begins behind it.
    pub key: i64,
    /// The record, compact JSON.
    pub record: String,
}

/// Behind which key the next piece begins: the last event's if there may be more of this one, else the last that was looked at.
pub(super) fn next(rows: usize, last: Option<i64>, edge: Option<i64>, limit: u32) -> Option<i64> {
    if rows < limit as usize { edge } else { last }
}

impl<S: Session> Events<'_, S> {
    /// The next records.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn export(
        &mut self,
        filter: &EventFilter,
        step: ExportStep,
    ) -> StoreResult<ExportPiece<ExportRow>> {
        let ExportStep { order, limit, .. } = step;
        let (keys, edge) = self.export_keys(filter, step).await?;
        // The keys first: whatever decides which events these are, no record is read for another one.
        let direction = order.direction();
        let mut sql = QueryBuilder::<Sqlite>::new(
            "SELECT key, record FROM events WHERE key IN (SELECT s.key FROM event_summaries s",
        );
        push_where(&mut sql, filter, &keys, Text::Included);
        sql.push(format!(" ORDER BY s.key{direction} LIMIT ")).push_bind(i64::from(limit));
        sql.push(format!(") ORDER BY key{direction}"));
        let mut found: BoxStream<'_, Result<ExportRow, sqlx::Error>> = sql.build_query_as().fetch(self.db());
        let (mut rows, mut bytes): (Vec<ExportRow>, usize) = (Vec::new(), 0);
        while let Some(row) = found.try_next().await? {
            bytes += row.record.len();
            rows.push(row);
            if bytes > MAX_BYTES {
                break;
            }
        }
        drop(found);
        let last = rows.last().map(|row| row.key);
        let next = if bytes > MAX_BYTES { last } else { next(rows.len(), last, edge, limit) };
        Ok(ExportPiece { rows, next })
    }

    /// The keys of the events that the next piece looks at, and the last of them if there are more behind it.
    pub(super) async fn export_keys(
        &mut self,
        filter: &EventFilter,
        ExportStep { order, after, searched, .. }: ExportStep,
    ) -> StoreResult<(Range<i64>, Option<i64>)> {
        let mut keys = keys_behind(filter, order, after);
        if !filter.has_conditions() {
            return Ok((keys, None));
        }
        let direction = order.direction();
        let edge = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT key FROM event_summaries WHERE key >= $1 AND key < $2 ORDER BY key{direction} LIMIT 1 OFFSET $3"
        )));
        let edge = edge.bind(keys.start).bind(keys.end).bind(i64::from(searched.max(1)) - 1);
        let edge: Option<i64> = edge.fetch_optional(self.db()).await?;
        match (order, edge) {
            (_, None) => {}
            (Order::OldestFirst, Some(edge)) => keys.end = edge.saturating_add(1),
            (Order::NewestFirst, Some(edge)) => keys.start = edge,
        }
        Ok((keys, edge))
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
