//! What the console and its read API ask of the event history: pages, one event, counts by time and by value.
//!
//! Everything is answered along the key of `event_summaries`, newest first; only whole hours come from `event_counts`.

use crate::domain::event_filter::{EventFilter, Field};
use crate::domain::resources::Resource;
use crate::store::event_filter::{Text, column, keys, push_conditions, push_where};
use crate::store::events::ARRIVAL_BITS;
use crate::store::export::next;
use crate::store::summaries::HOUR;
use crate::store::{Events, ExportPiece, ExportStep, Order, Session, StoreResult};
use sqlx::{FromRow, QueryBuilder, Sqlite};
use std::collections::HashMap;
use std::ops::Range;

/// How much one question may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadBounds {
    /// Records that are looked through for a text.
    pub searched: u32,
    /// Events whose values are counted.
    pub sampled: u32,
}

/// An event as lists show it.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the names are those of the columns")]
pub struct EventRow {
    /// Its place in time; the next page begins below it.
    pub key: i64,
    pub account: String,
    pub region: String,
    pub event_source: String,
    pub event_name: String,
    pub actor: Option<String>,
    pub role_name: Option<String>,
    pub actor_type: Option<String>,
    pub access_key_id: Option<String>,
    pub read_only: bool,
    pub error_code: Option<String>,
    pub source_ip: Option<String>,
    pub event_id: String,
    resources: String,
    main_resource: i64,
}

impl EventRow {
    /// Seconds since 1970.
    pub fn event_time(&self) -> i64 {
        self.key >> ARRIVAL_BITS
    }

    /// Its resources: the one that the call was about, then the others in the order of lookups.
    pub fn resources(&self) -> Vec<Resource> {
        // It was written as such a list.
        let mut resources: Vec<Resource> = serde_json::from_str(&self.resources).unwrap_or_default();
        let main = usize::try_from(self.main_resource).unwrap_or_default();
        if let Some(up_to_main) = resources.get_mut(..=main) {
            up_to_main.rotate_right(1);
        }
        resources
    }
}

/// A page of events, newest first.
#[derive(Debug, Clone)]
pub struct EventPage {
    /// At most as many as were asked for.
    pub events: Vec<EventRow>,
    /// Where the next page begins (below this key); `None` at the end.
    pub next: Option<i64>,
    /// Whether the search for a text ended at its bound, before the page was full.
    pub partial: bool,
}

/// How many events there are in each of some spans of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Reads, writes and failures of each span.
    pub buckets: Vec<[i64; 3]>,
    /// Whether only as many of the newest records as the bound allows were looked through for a text.
    pub partial: bool,
}

/// How often each value of a field occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facet {
    /// Values with their numbers, the most frequent first.
    pub values: Vec<(String, i64)>,
    /// How many different values there are.
    pub distinct: i64,
}

/// Facets of the newest events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// In the order of the fields asked for.
    pub facets: Vec<Facet>,
    /// Whether as many events were counted as the bound allows: then these are the newest, and there may be more.
    pub sampled: bool,
}

const COLUMNS: &str = "s.key, s.account, s.region, s.event_source, s.event_name, s.actor, s.role_name, \
     s.actor_type, s.access_key_id, s.read_only, s.error_code, s.source_ip, i.event_id, \
     coalesce(d.resources, i.resources) AS resources, i.main_resource";

/// Where they come from: the id stands with the event, and is read for the rows that are shown only.
const ROWS: &str = "event_summaries s CROSS JOIN events i ON i.key = s.key \
     LEFT JOIN data_event_resources d ON d.key = s.key";

/// Events of one id that are looked at: so many accounts and regions can share it.
const SAME_ID: i64 = 1000;

impl<S: Session> Events<'_, S> {
    /// A page of at most `limit` events below the key `before`, newest first.
    ///
    /// # Errors
    /// The database cannot be read, or not within the session's time.
    pub async fn page(
        &mut self,
        filter: &EventFilter,
        before: Option<i64>,
        limit: u32,
        bounds: ReadBounds,
    ) -> StoreResult<EventPage> {
        let mut keys = keys(filter);
        keys.end = before.map_or(keys.end, |before| before.min(keys.end));
        let floor = self.search_floor(filter, &keys, bounds).await?;
        keys.start = floor.unwrap_or(keys.start);
        let mut page = page_statement(filter, &keys, Order::NewestFirst, limit + 1);
        let mut events: Vec<EventRow> = page.build_query_as().fetch_all(self.db()).await?;
        let is_full = events.len() > limit as usize;
        events.truncate(limit as usize);
        let next = if is_full { events.last().map(|last| last.key) } else { floor };
        Ok(EventPage { events, next, partial: !is_full && floor.is_some() })
    }

    /// The records of some events, in any order.
    ///
    /// # Errors
    /// As [`Session::event_page`].
    pub async fn records(&mut self, keys: &[i64]) -> StoreResult<HashMap<i64, String>> {
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT key, record FROM events WHERE key IN (");
        let mut list = sql.separated(", ");
        for key in keys {
            list.push_bind(*key);
        }
        sql.push(")");
        let rows: Vec<(i64, String)> = sql.build_query_as().fetch_all(self.db()).await?;
        Ok(rows.into_iter().collect())
    }

    /// The events of some keys that pass a filter, in the order of the keys given.
    ///
    /// # Errors
    /// As [`Session::event_page`].
    pub async fn of_keys(&mut self, filter: &EventFilter, wanted: &[i64]) -> StoreResult<Vec<EventRow>> {
        let (Some(first), Some(last)) = (wanted.iter().min(), wanted.iter().max()) else {
            return Ok(Vec::new());
        };
        let mut sql = QueryBuilder::<Sqlite>::new(format!("SELECT {COLUMNS} FROM {ROWS}"));
        // Whatever else is looked for, it is looked for among these only.
        let mut keys = keys(filter);
        keys = keys.start.max(*first)..keys.end.min(last.saturating_add(1));
        push_where(&mut sql, filter, &keys, Text::Included);
        sql.push(" AND s.key IN (");
        let mut list = sql.separated(", ");
        for key in wanted {
            list.push_bind(*key);
        }
        sql.push(")");
        let found: Vec<EventRow> = sql.build_query_as().fetch_all(self.db()).await?;
        let mut by_key: HashMap<i64, EventRow> = found.into_iter().map(|row| (row.key, row)).collect();
        let events: Vec<_> = wanted.iter().filter_map(|key| by_key.remove(key)).collect();
        Ok(events)
    }

    /// The next rows of an export, with all their resources.
    ///
    /// # Errors
    /// As [`Session::event_page`].
    pub async fn export_rows(
        &mut self,
        filter: &EventFilter,
        step: ExportStep,
    ) -> StoreResult<ExportPiece<EventRow>> {
        let (keys, edge) = self.export_keys(filter, step).await?;
        let mut rows = page_statement(filter, &keys, step.order, step.limit);
        let events: Vec<EventRow> = rows.build_query_as().fetch_all(self.db()).await?;
        let last = events.last().map(|row| row.key);
        Ok(ExportPiece { next: next(events.len(), last, edge, step.limit), rows: events })
    }

    /// The newest event of an id that passes a filter, with its record. Ids are unique in an account and region only.
    ///
    /// # Errors
    /// As [`Session::event_page`].
    pub async fn by_id(
        &mut self,
        event_id: &str,
        filter: &EventFilter,
    ) -> StoreResult<Option<(EventRow, String)>> {
        let keys =
            sqlx::query_scalar("SELECT key FROM events WHERE event_id = $1 ORDER BY key DESC LIMIT $2");
        let keys: Vec<i64> = keys.bind(event_id).bind(SAME_ID).fetch_all(self.db()).await?;
        let Some(row) = self.of_keys(filter, &keys).await?.into_iter().next() else { return Ok(None) };
        let record = sqlx::query_scalar("SELECT record FROM events WHERE key = $1").bind(row.key);
        let record: Option<String> = record.fetch_optional(self.db()).await?;
        Ok(record.map(|record| (row, record)))
    }

    /// Counts events in `buckets` spans of `step` seconds from `start` on, which is a multiple of `step`. Events outside
    /// the filter's time are not counted.
    ///
    /// # Errors
    /// As [`Session::event_page`].
    pub async fn histogram(
        &mut self,
        filter: &EventFilter,
        start: i64,
        step: i64,
        buckets: usize,
        bounds: ReadBounds,
    ) -> StoreResult<Histogram> {
        let mut keys = keys(filter);
        let floor = self.search_floor(filter, &keys, bounds).await?;
        keys.start = floor.unwrap_or(keys.start);
        let mut histogram = Histogram { buckets: vec![[0; 3]; buckets], partial: floor.is_some() };
        // Hours that lie within the time whole are counted already; what is left are the ends.
        let first = (keys.start >> ARRIVAL_BITS).div_euclid(HOUR) * HOUR;
        let first = if first << ARRIVAL_BITS < keys.start { first + HOUR } else { first };
        let behind = (keys.end >> ARRIVAL_BITS).div_euclid(HOUR) * HOUR;
        let mut parts = vec![keys.clone()];
        if step % HOUR == 0 && filter.is_by_scope() && first < behind {
            let hours = hours_statement(filter, first..behind, step);
            self.count_into(&mut histogram, start / step, hours).await?;
            parts = vec![keys.start..first << ARRIVAL_BITS, behind << ARRIVAL_BITS..keys.end];
        }
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let counts = histogram_statement(filter, &part, step);
            self.count_into(&mut histogram, start / step, counts).await?;
        }
        Ok(histogram)
    }

    async fn count_into(
        &mut self,
        histogram: &mut Histogram,
        first: i64,
        mut counts: QueryBuilder<Sqlite>,
    ) -> StoreResult<()> {
        let rows: Vec<(i64, i64, i64, i64)> = counts.build_query_as().fetch_all(self.db()).await?;
        for (bucket, reads, writes, failures) in rows {
            let bucket = usize::try_from(bucket - first).ok().and_then(|i| histogram.buckets.get_mut(i));
            if let Some(bucket) = bucket {
                *bucket = [bucket[0] + reads, bucket[1] + writes, bucket[2] + failures];
            }
        }
        Ok(())
    }

    /// The `limit` most frequent values of each field, among the newest events that pass the filter. A field ignores
    /// what the filter says of it, so that another value can be added.
    ///
    /// # Errors
    /// As [`Session::event_page`].
    pub async fn facets(
        &mut self,
        filter: &EventFilter,
        fields: &[Field],
        limit: u32,
        bounds: ReadBounds,
    ) -> StoreResult<Facets> {
        let mut facets = Facets { facets: vec![Facet::default(); fields.len()], sampled: false };
        let (filtered, free): (Vec<Field>, Vec<Field>) = fields.iter().partition(|field| filter.has(**field));
        // All fields that the filter does not name have one sample; each of the others has one of its own.
        let alone = filtered.into_iter().map(|field| (filter.without(field), vec![field]));
        for (filter, group) in alone.chain([(filter.clone(), free)]).filter(|(_, group)| !group.is_empty()) {
            let mut keys = keys(&filter);
            let floor = self.search_floor(&filter, &keys, bounds).await?;
            keys.start = floor.unwrap_or(keys.start);
            facets.sampled |= floor.is_some();
            let mut counts = facets_statement(&filter, &keys, &group, limit, bounds);
            let rows: Vec<(i64, Option<String>, i64, i64)> =
                counts.build_query_as().fetch_all(self.db()).await?;
            for (field, value, count, distinct) in rows {
                let Some(field) = usize::try_from(field).ok().and_then(|i| group.get(i)) else {
                    // The size of the sample: there may be more events than that.
                    facets.sampled |= count >= i64::from(bounds.sampled);
                    continue;
                };
                let at = fields.iter().position(|known| known == field);
                if let Some((facet, value)) = at.map(|at| &mut facets.facets[at]).zip(value) {
                    facet.values.push((value, count));
                    facet.distinct = distinct;
                }
            }
        }
        Ok(facets)
    }

    /// Where a search for a text has to end: the key of the last record that may be looked at, if there are more.
    async fn search_floor(
        &mut self,
        filter: &EventFilter,
        keys: &Range<i64>,
        bounds: ReadBounds,
    ) -> StoreResult<Option<i64>> {
        if filter.text.is_none() {
            return Ok(None);
        }
        let mut sql = QueryBuilder::<Sqlite>::new("SELECT s.key FROM event_summaries s");
        push_where(&mut sql, filter, keys, Text::Ignored);
        sql.push(" ORDER BY s.key DESC LIMIT 2 OFFSET ").push_bind(i64::from(bounds.searched) - 1);
        let last: Vec<i64> = sql.build_query_scalar().fetch_all(self.db()).await?;
        Ok(if last.len() == 2 { Some(last[0]) } else { None })
    }

    /// How SQLite would answer the first page of a filter: the lines of EXPLAIN QUERY PLAN.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn page_plan(&mut self, filter: &EventFilter) -> StoreResult<Vec<String>> {
        let sql = page_statement(filter, &keys(filter), Order::NewestFirst, 200).into_string();
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
                .fetch_all(self.db())
                .await?;
        Ok(rows.into_iter().map(|(.., detail)| detail).collect())
    }
}

fn page_statement(filter: &EventFilter, keys: &Range<i64>, order: Order, limit: u32) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS} FROM {ROWS}"));
    push_where(&mut sql, filter, keys, Text::Included);
    sql.push(format!(" ORDER BY s.key{} LIMIT ", order.direction())).push_bind(i64::from(limit));
    sql
}

/// Spans counted from `event_summaries`: (number of the span, reads, writes, failures).
fn histogram_statement(filter: &EventFilter, keys: &Range<i64>, step: i64) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT (s.key >> ");
    sql.push(ARRIVAL_BITS).push(") / ").push(step);
    sql.push(
        ", sum(CASE WHEN s.error_code IS NULL AND s.read_only THEN 1 ELSE 0 END), \
         sum(CASE WHEN s.error_code IS NULL AND NOT s.read_only THEN 1 ELSE 0 END), count(s.error_code) \
         FROM event_summaries s",
    );
    push_where(&mut sql, filter, keys, Text::Included);
    sql.push(" GROUP BY 1");
    sql
}

/// The same from `event_counts`, for whole hours.
fn hours_statement(filter: &EventFilter, hours: Range<i64>, step: i64) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT s.hour / ");
    sql.push(step).push(
        ", CAST(sum(s.reads) AS BIGINT), CAST(sum(s.writes) AS BIGINT), CAST(sum(s.failures) AS BIGINT) \
         FROM event_counts s WHERE s.hour >= ",
    );
    sql.push_bind(hours.start).push(" AND s.hour < ").push_bind(hours.end);
    push_conditions(&mut sql, filter, &(0..0), Text::Ignored);
    sql.push(" GROUP BY 1");
    sql
}

/// Values of some fields among the newest events: (number of the field, value, count, distinct values), and a row of the
/// number -1 with the size of the sample.
fn facets_statement(
    filter: &EventFilter,
    keys: &Range<i64>,
    fields: &[Field],
    limit: u32,
    bounds: ReadBounds,
) -> QueryBuilder<Sqlite> {
    let columns: Vec<_> = fields.iter().map(|field| format!("s.{}", column(*field))).collect();
    let mut sql = QueryBuilder::new(format!(
        "WITH sample AS MATERIALIZED (SELECT {} FROM event_summaries s",
        columns.join(", ")
    ));
    push_where(&mut sql, filter, keys, Text::Included);
    sql.push(" ORDER BY s.key DESC LIMIT ").push_bind(i64::from(bounds.sampled));
    sql.push(") SELECT -1, NULL, count(*), 0 FROM sample");
    for (number, field) in fields.iter().enumerate() {
        let column = column(*field);
        sql.push(format!(
            " UNION ALL SELECT * FROM (SELECT {number}, {column}, count(*) AS events, count(*) OVER () \
             FROM sample WHERE {column} IS NOT NULL GROUP BY {column} ORDER BY events DESC, {column} LIMIT {limit})"
        ));
    }
    sql
}
