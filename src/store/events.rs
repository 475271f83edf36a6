//! Taking events in: many rows a statement, duplicates ignored, keys from a counter.

use crate::domain::event::Event;
use crate::domain::resources::{Resource, short_type};
use crate::store::summaries::Summary;
use crate::store::{Session, StoreError, StoreResult};
use sqlx::{QueryBuilder, Sqlite};

/// Low bits of an event's key: the number of its arrival. They begin again after 2^30 events.
pub(super) const ARRIVAL_BITS: u32 = 30;

/// Rows a statement. Few different sizes, so that few statements are prepared and kept.
pub(super) const ROWS: [usize; 3] = [100, 10, 1];

/// Tries with new numbers when a key is taken, which needs 2^30 events and a coincidence.
const TRIES: usize = 3;

/// What came of storing a batch of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredEvents {
    /// For each event of the batch, whether it is new; the others were there already.
    pub new: Vec<bool>,
    /// The keys of the new ones.
    pub keys: Vec<i64>,
    /// Their numbers of arrival, which only grow.
    pub numbers: Vec<i64>,
}

impl Session {
    /// Stores events, in this order of arrival, at `now` (milliseconds since 1970). An event whose id its account and
    /// region have already, or that stands twice in `events`, is stored once.
    ///
    /// # Errors
    /// The database cannot be written; then the session must be dropped.
    pub async fn insert_events(&mut self, events: &[&Event], now: i64) -> StoreResult<StoredEvents> {
        let mut stored = StoredEvents::default();
        let mut first = self.take_numbers(events.len()).await?;
        let mut rest = events;
        while let Some(rows) = ROWS.into_iter().find(|rows| *rows <= rest.len()) {
            let (chunk, behind) = rest.split_at(rows);
            let mut number = first;
            let mut result = self.insert_chunk(chunk, &keys(chunk, number), now).await;
            for _ in 1..TRIES {
                if !result.as_ref().is_err_and(StoreError::is_key_taken) {
                    break;
                }
                number = self.take_numbers(rows).await?;
                result = self.insert_chunk(chunk, &keys(chunk, number), now).await;
            }
            stored.new.extend(result?);
            stored.keys.extend(keys(chunk, number));
            stored.numbers.extend((number..).take(rows));
            first += rows as i64;
            rest = behind;
        }
        Ok(stored)
    }

    /// Reserves `n` numbers of arrival; the first of them.
    async fn take_numbers(&mut self, n: usize) -> StoreResult<i64> {
        let next: i64 = sqlx::query_scalar(
            "UPDATE counters SET value = value + $1 WHERE name = 'events' RETURNING value",
        )
        .bind(n as i64)
        .fetch_one(self.db())
        .await?;
        Ok(next - n as i64)
    }

    async fn insert_chunk(&mut self, chunk: &[&Event], keys: &[i64], now: i64) -> StoreResult<Vec<bool>> {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO events (key, event_time, account, region, event_id, event_name, event_source, listing, \
             read_only, username, access_key_id, error_code, stored_at, resources, record) ",
        );
        insert.push_values(chunk.iter().zip(keys), |mut row, (event, key)| {
            row.push_bind(*key)
                .push_bind(event.event_time)
                .push_bind(&event.account)
                .push_bind(&event.region)
                .push_bind(&event.event_id)
                .push_bind(&event.event_name)
                .push_bind(&event.event_source)
                .push_bind(event.listing.name())
                .push_bind(event.read_only)
                .push_bind(&event.username)
                .push_bind(&event.access_key_id)
                .push_bind(&event.error_code)
                .push_bind(now)
                .push_bind(resources_json(&event.resources))
                .push_bind(&event.record);
        });
        // The target is named: a taken key must be an error, or an event would be lost as a "duplicate".
        insert.push(" ON CONFLICT (account, region, event_id) DO NOTHING");
        let inserted = insert.build().execute(self.db()).await?.rows_affected();
        let new =
            if inserted == chunk.len() as u64 { vec![true; chunk.len()] } else { self.which(keys).await? };
        self.insert_resources(chunk, keys, &new).await?;
        let new_events = chunk.iter().zip(keys).zip(&new).filter(|(_, new)| **new);
        let summaries: Vec<_> = new_events.map(|((event, key), _)| Summary::of(*key, event)).collect();
        self.insert_summaries(&summaries).await?;
        Ok(new)
    }

    /// Which of these fresh keys were stored.
    async fn which(&mut self, keys: &[i64]) -> StoreResult<Vec<bool>> {
        let mut select = QueryBuilder::<Sqlite>::new("SELECT key FROM events WHERE key IN (");
        let mut list = select.separated(", ");
        for key in keys {
            list.push_bind(*key);
        }
        select.push(")");
        let stored: Vec<i64> = select.build_query_scalar().fetch_all(self.db()).await?;
        Ok(keys.iter().map(|key| stored.contains(key)).collect())
    }

    async fn insert_resources(&mut self, chunk: &[&Event], keys: &[i64], new: &[bool]) -> StoreResult<()> {
        let mut rows: Vec<(&Event, i64, i64, &Resource)> = Vec::new();
        for ((event, key), _) in chunk.iter().zip(keys).zip(new).filter(|(_, new)| **new) {
            rows.extend(event.resources.iter().zip(0i64..).map(|(r, position)| (*event, *key, position, r)));
        }
        let mut rest = rows.as_slice();
        while let Some(size) = ROWS.into_iter().find(|size| *size <= rest.len()) {
            let (part, behind) = rest.split_at(size);
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO event_resources (key, position, account, region, listing, resource_type, short_type, \
                 resource_name) ",
            );
            insert.push_values(part, |mut row, (event, key, position, resource)| {
                row.push_bind(*key)
                    .push_bind(*position)
                    .push_bind(&event.account)
                    .push_bind(&event.region)
                    .push_bind(event.listing.name())
                    .push_bind(&resource.resource_type)
                    .push_bind(resource.resource_type.as_deref().map(short_type))
                    .push_bind(&resource.resource_name);
            });
            insert.build().execute(self.db()).await?;
            rest = behind;
        }
        Ok(())
    }
}

/// Resources as an answer shows them. Most events have none.
fn resources_json(resources: &[Resource]) -> String {
    if resources.is_empty() { "[]".to_owned() } else { serde_json::json!(resources).to_string() }
}

fn keys(chunk: &[&Event], first: i64) -> Vec<i64> {
    chunk.iter().zip(first..).map(|(event, n)| key(event.event_time, n)).collect()
}

/// The key of an event: its second, then the number of its arrival.
fn key(event_time: i64, number: i64) -> i64 {
    event_time << ARRIVAL_BITS | number & ((1 << ARRIVAL_BITS) - 1)
}
