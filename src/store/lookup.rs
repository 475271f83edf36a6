//! LookupEvents: a page of events, newest first.
//!
//! The keys of the page are found first, in a subquery that one index answers alone; then their records are fetched.
//! Each listing is an arm of its own, so that every arm is one run along an index: nothing is scanned, nothing sorted
//! beyond a page (`tests/it/plans.rs` reads the plans).

use crate::domain::account_id::AccountId;
use crate::domain::event::Listing;
use crate::domain::lookup::{Attribute, AttributeKey, TimeRange};
use crate::domain::region::Region;
use crate::domain::resources::short_type;
use crate::store::events::ARRIVAL_BITS;
use crate::store::{Events, Session, StoreResult};
use sqlx::{FromRow, QueryBuilder, Sqlite};

/// Which events to find.
#[derive(Debug, Clone)]
pub struct LookupQuery<'a> {
    /// Whose.
    pub account: &'a AccountId,
    /// Of which region.
    pub region: &'a Region,
    /// In which lists; never empty.
    pub listings: &'a [Listing],
    /// With which attribute.
    pub attribute: Option<&'a Attribute>,
    /// From when.
    pub range: TimeRange,
    /// Only events with a smaller key: the last one of the page before.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// An event of a page.
#[derive(Debug, Clone, FromRow)]
#[expect(missing_docs, reason = "the names are those of the columns")]
pub struct LookupRow {
    pub key: i64,
    pub event_time: i64,
    pub event_id: String,
    pub event_name: String,
    pub event_source: String,
    pub read_only: bool,
    pub username: Option<String>,
    pub access_key_id: Option<String>,
    pub record: String,
    /// JSON: a list of [`Resource`](crate::domain::resources::Resource).
    pub resources: String,
}

impl LookupQuery<'_> {
    /// The statement of this query, with its values bound.
    pub(super) fn statement(&self) -> QueryBuilder<Sqlite> {
        let mut sql = QueryBuilder::new(
            "SELECT key, event_time, event_id, event_name, event_source, read_only, username, access_key_id, resources, record \
             FROM events WHERE key IN (",
        );
        let from = self.range.from << ARRIVAL_BITS;
        let end = self.range.to.saturating_add(1) << ARRIVAL_BITS;
        let end = self.before.map_or(end, |before| before.min(end));
        for (i, listing) in self.listings.iter().enumerate() {
            sql.push(if i == 0 { "SELECT key FROM (" } else { " UNION ALL SELECT key FROM (" });
            let of_resources = matches!(
                self.attribute.map(|a| a.key),
                Some(AttributeKey::ResourceName | AttributeKey::ResourceType)
            );
            let (select, listed) = match of_resources {
                true => ("SELECT DISTINCT key FROM event_resources", "listing"),
                false => ("SELECT key FROM events", "listed"),
            };
            sql.push(select);
            sql.push(" WHERE account = ").push_bind(self.account.clone());
            sql.push(" AND region = ").push_bind(self.region.clone());
            sql.push(format!(" AND {listed} = ")).push_bind(listing.name());
            if let Some(attribute) = self.attribute {
                push_attribute(&mut sql, attribute);
            }
            sql.push(" AND key >= ").push_bind(from);
            sql.push(" AND key < ").push_bind(end);
            sql.push(" ORDER BY key DESC LIMIT ").push_bind(i64::from(self.limit));
            sql.push(")");
        }
        sql.push(") ORDER BY key DESC LIMIT ").push_bind(i64::from(self.limit));
        sql
    }
}

fn push_attribute(sql: &mut QueryBuilder<Sqlite>, attribute: &Attribute) {
    let value = attribute.value.clone();
    match attribute.key {
        AttributeKey::EventId => sql.push(" AND event_id = ").push_bind(value),
        AttributeKey::EventName => sql.push(" AND event_name = ").push_bind(value),
        AttributeKey::EventSource => sql.push(" AND event_source = ").push_bind(value),
        AttributeKey::Username => sql.push(" AND username = ").push_bind(value),
        AttributeKey::AccessKeyId => sql.push(" AND access_key_id = ").push_bind(value),
        AttributeKey::ResourceName => sql.push(" AND resource_name = ").push_bind(value),
        AttributeKey::ResourceType => {
            // Both spellings find a type: the long one must match whole, the short one by its last part.
            sql.push(" AND short_type = ").push_bind(short_type(&value).to_owned());
            if value.contains("::") {
                sql.push(" AND resource_type = ").push_bind(value);
            }
            sql
        }
        // The listings say it.
        AttributeKey::ReadOnly => sql,
    };
}

impl<S: Session> Events<'_, S> {
    /// A page of events, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn lookup(&mut self, query: &LookupQuery<'_>) -> StoreResult<Vec<LookupRow>> {
        Ok(query.statement().build_query_as().fetch_all(self.db()).await?)
    }

    /// How SQLite would answer a query: the lines of EXPLAIN QUERY PLAN.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn lookup_plan(&mut self, query: &LookupQuery<'_>) -> StoreResult<Vec<String>> {
        let sql = format!("EXPLAIN QUERY PLAN {}", query.statement().into_string());
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(self.db()).await?;
        Ok(rows.into_iter().map(|(.., detail)| detail).collect())
    }
}
