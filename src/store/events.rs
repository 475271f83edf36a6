//! Taking events in: many rows a statement, duplicates ignored, keys from a counter.

use crate::domain::account_id::AccountId;
use crate::domain::event::{Event, Listing};
use crate::domain::region::Region;
use crate::domain::resources::{EventResources, Resource, container, short_type};
use crate::store::bulk::BulkInsert;
use crate::store::summaries::Summary;
use crate::store::{Events, StoreError, StoreResult, WriteSession};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

/// Low bits of an event's key: the number of its arrival. They begin again after 2^30 events.
pub(super) const ARRIVAL_BITS: u32 = 30;

static INSERT_EVENTS: BulkInsert = BulkInsert::new(
    "INSERT INTO events (key, event_time, account, region, event_id, event_name, event_source, listing, read_only, \
     username, access_key_id, error_code, stored_at, resources, main_resource, record)",
    16,
    // The target is named: a taken key must be an error, or an event would be lost as a "duplicate".
    "ON CONFLICT (account, region, event_id) DO NOTHING",
);

static INSERT_DATA_RESOURCES: BulkInsert =
    BulkInsert::new("INSERT INTO data_event_resources (key, container, resources)", 3, "");

static INSERT_RESOURCES: BulkInsert = BulkInsert::new(
    "INSERT INTO event_resources (key, position, account, region, listing, resource_type, short_type, resource_name)",
    8,
    "",
);

/// What is stored of an event without resources.
const NO_RESOURCES: &str = "[]";

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

impl Events<'_, WriteSession> {
    /// Stores events, in this order of arrival, at `now` (milliseconds since 1970). An event whose id its account and
    /// region have already, or that stands twice in `events`, is stored once.
    ///
    /// # Errors
    /// The database cannot be written; then the session must be dropped.
    pub async fn insert(&mut self, events: &[&Event], now: i64) -> StoreResult<StoredEvents> {
        let mut stored = StoredEvents::default();
        let mut summaries = Vec::with_capacity(events.len());
        let mut first = self.take_numbers(events.len()).await?;
        let mut rest = events;
        while let Some((chunk, behind)) = BulkInsert::next_chunk(rest) {
            let rows = chunk.len();
            let mut number = first;
            let mut result = self.insert_chunk(chunk, &keys(chunk, number), now).await;
            for _ in 1..TRIES {
                if !result.as_ref().is_err_and(StoreError::is_key_taken) {
                    break;
                }
                number = self.take_numbers(rows).await?;
                result = self.insert_chunk(chunk, &keys(chunk, number), now).await;
            }
            let (new, keys) = (result?, keys(chunk, number));
            let new_events = chunk.iter().zip(&keys).zip(&new).filter(|(_, new)| **new);
            summaries.extend(new_events.map(|((event, key), _)| Summary::of(*key, event)));
            stored.new.extend(new);
            stored.keys.extend(keys);
            stored.numbers.extend((number..).take(rows));
            first += rows as i64;
            rest = behind;
        }
        self.insert_summaries(&summaries).await?;
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
        let rows: Vec<_> = chunk.iter().zip(keys).collect();
        let inserted = INSERT_EVENTS
            .chunk(self.db(), &rows, |row, (event, key)| {
                row.push(**key)
                    .push(event.event_time)
                    .push(&event.account)
                    .push(&event.region)
                    .push(&event.event_id)
                    .push(&event.event_name)
                    .push(&event.event_source)
                    .push(event.listing.name())
                    .push(event.read_only)
                    .push(&event.username)
                    .push(&event.access_key_id)
                    .push(&event.error_code)
                    .push(now)
                    .push(lookup_resources(event))
                    .push(main_resource(event))
                    .push(&event.record);
            })
            .await?;
        let new =
            if inserted == chunk.len() as u64 { vec![true; chunk.len()] } else { self.which(keys).await? };
        let stored: Vec<_> = chunk
            .iter()
            .zip(keys)
            .zip(&new)
            .filter(|(_, new)| **new)
            .map(|((event, key), _)| Listed {
                key: *key,
                account: &event.account,
                region: &event.region,
                listing: event.listing.name(),
                resources: &event.resources,
            })
            .collect();
        insert_resources(self.db(), &stored).await?;
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
}

/// What an event is found by as resources, and where.
pub(super) struct Listed<'a> {
    pub(super) key: i64,
    pub(super) account: &'a AccountId,
    pub(super) region: &'a Region,
    pub(super) listing: &'static str,
    pub(super) resources: &'a EventResources,
}

/// Stores what events are found by as resources.
pub(super) async fn insert_resources(db: &mut SqliteConnection, events: &[Listed<'_>]) -> StoreResult<()> {
    let (data, listed): (Vec<_>, Vec<_>) =
        events.iter().partition(|event| event.listing == Listing::Data.name());
    let rows: Vec<(&Listed<'_>, i64, &Resource)> = listed
        .iter()
        .flat_map(|event| {
            event.resources.all().iter().zip(0i64..).map(move |(resource, n)| (*event, n, resource))
        })
        .collect();
    INSERT_RESOURCES
        .all(&mut *db, &rows, |row, (event, position, resource)| {
            row.push(event.key)
                .push(*position)
                .push(event.account)
                .push(event.region)
                .push(event.listing)
                .push(&resource.resource_type)
                .push(resource.resource_type.as_deref().map(short_type))
                .push(&resource.resource_name);
        })
        .await?;
    let rows: Vec<_> = data.into_iter().filter(|event| !event.resources.all().is_empty()).collect();
    INSERT_DATA_RESOURCES
        .all(db, &rows, |row, event| {
            row.push(event.key).push(container(event.resources.all())).push(resources_json(event.resources));
        })
        .await
}

/// The resources of an event in the order of lookups, as the column holds them; data events are in no lookup.
pub(super) fn lookup_resources(event: &Event) -> String {
    if event.listing == Listing::Data { NO_RESOURCES.to_owned() } else { resources_json(&event.resources) }
}

/// Resources as JSON. Most events have none.
pub(super) fn resources_json(resources: &EventResources) -> String {
    match resources.all() {
        [] => NO_RESOURCES.to_owned(),
        // Texts always become JSON.
        all => serde_json::to_string(all).unwrap_or_else(|_| NO_RESOURCES.to_owned()),
    }
}

/// How a resource of this name ends in [`resources_json`], and no other does.
pub(super) fn end_of_resource(name: &str) -> String {
    format!("\"ResourceName\":{}}}", serde_json::json!(name))
}

/// The place of the resource that the call was about, as the column holds it.
pub(super) fn main_resource(event: &Event) -> i64 {
    i64::try_from(event.resources.main()).unwrap_or_default()
}

fn keys(chunk: &[&Event], first: i64) -> Vec<i64> {
    chunk.iter().zip(first..).map(|(event, n)| key(event.event_time, n)).collect()
}

/// The key of an event: its second, then the number of its arrival.
fn key(event_time: i64, number: i64) -> i64 {
    event_time << ARRIVAL_BITS | number & ((1 << ARRIVAL_BITS) - 1)
}
