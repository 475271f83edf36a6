//! Where something has to go: a row for each destination, with its failures, and a row for each event that waits for it.

use crate::config;
use crate::domain::account_id::AccountId;
use crate::domain::region::Region;
use crate::domain::routing::CapturedEvent;
use crate::store::bulk::BulkInsert;
use crate::store::{Deliveries, Session, StoreResult, StoredEvents, WriteSession};
use sqlx::FromRow;
use std::collections::{BTreeMap, HashMap};

static INSERT_PENDING: BulkInsert =
    BulkInsert::new("INSERT INTO pending_events (destination, number, event_key)", 3, "");

/// What a destination is. Stored as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(rename_all = "snake_case")]
pub enum DestinationKind {
    /// Log files in a trail's bucket.
    LogFile,
    /// A stream in a trail's log group.
    LogStream,
    /// A trail's topic, where log files are announced.
    Topic,
    /// The webhook, where log files of all trails are announced.
    Webhook,
    /// Digests in a trail's bucket.
    Digest,
    /// The event bus of an account and region.
    EventBus,
}

/// A destination.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Destination {
    /// `destinations.id`
    pub id: i64,
    /// What it is.
    pub kind: DestinationKind,
    /// `trails.id`; 0 for an event bus.
    pub trail_id: i64,
    /// Whose events go there, ...
    pub account: AccountId,
    /// ... and of which region.
    pub region: Region,
    /// Whether what waits has to go at once, whatever the period.
    pub due: bool,
    /// Failures since the last success ...
    pub failures: i64,
    /// ... and when to try again, milliseconds since 1970.
    pub retry_at: Option<i64>,
}

/// A destination for which something waits.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct WaitingDestination {
    /// The destination.
    #[sqlx(flatten)]
    pub destination: Destination,
    /// For a log stream, when the first of its events was stored, milliseconds since 1970.
    pub first_stored_at: Option<i64>,
}

/// Which events the event bus of their account and region gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventBusTakes {
    /// There is none.
    #[default]
    Nothing,
    /// Those that change something.
    Writes,
    /// Those that only read, too.
    Everything,
}

impl EventBusTakes {
    /// What the settings say.
    pub fn of(settings: &config::DeliverySettings) -> EventBusTakes {
        match (&settings.events_endpoint, settings.events_read_only) {
            (None, _) => EventBusTakes::Nothing,
            (Some(_), false) => EventBusTakes::Writes,
            (Some(_), true) => EventBusTakes::Everything,
        }
    }
}

/// What waits to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct Backlog {
    /// Events, counted once for each destination.
    pub pending_events: i64,
    /// Log files made and not yet put.
    pub waiting_files: i64,
    /// Destinations whose last try failed.
    pub failing_destinations: i64,
}

impl<S: Session> Deliveries<'_, S> {
    /// A destination, as long as it is there.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn by_id(&mut self, id: i64) -> StoreResult<Option<Destination>> {
        let destination = sqlx::query_as("SELECT * FROM destinations WHERE id = $1 AND wiped = 0");
        Ok(destination.bind(id).fetch_optional(self.db()).await?)
    }

    /// The destinations for which something waits to be sent, by id. For log files these are files, not events.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn waiting(&mut self) -> StoreResult<Vec<WaitingDestination>> {
        let waiting = sqlx::query_as(
            "SELECT d.*, CASE WHEN d.kind = 'log_stream' THEN (SELECT coalesce(e.stored_at, 0) FROM pending_events p \
             LEFT JOIN events e ON e.key = p.event_key WHERE p.destination = d.id ORDER BY p.number LIMIT 1) END \
             AS first_stored_at FROM destinations d WHERE d.wiped = 0 AND CASE d.kind \
             WHEN 'log_file' THEN EXISTS (SELECT 1 FROM log_files f WHERE f.state = 'waiting' AND f.destination = d.id) \
             WHEN 'digest' THEN EXISTS (SELECT 1 FROM digest_chains c JOIN digests g ON g.chain = c.id \
             AND g.state = 'waiting' WHERE c.destination = d.id) \
             WHEN 'topic' THEN EXISTS (SELECT 1 FROM pending_notices n WHERE n.destination = d.id) \
             WHEN 'webhook' THEN EXISTS (SELECT 1 FROM pending_notices n WHERE n.destination = d.id) \
             ELSE d.pending_events > 0 END ORDER BY d.id",
        );
        Ok(waiting.fetch_all(self.db()).await?)
    }

    /// The highest number in a destination's queue: of arrival for events, of log files for announcements.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn last_in_queue(&mut self, destination: i64) -> StoreResult<Option<i64>> {
        let last = sqlx::query_scalar(
            "SELECT max(number) FROM (SELECT max(number) AS number FROM pending_events WHERE destination = $1 \
             UNION ALL SELECT max(log_file) FROM pending_notices WHERE destination = $1) q",
        );
        Ok(last.bind(destination).fetch_one(self.db()).await?)
    }

    /// What waits to be delivered.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn backlog(&mut self) -> StoreResult<Backlog> {
        let backlog = sqlx::query_as(
            "SELECT coalesce(sum(pending_events), 0) AS pending_events, \
             (SELECT count(*) FROM log_files WHERE state = 'waiting') AS waiting_files, \
             count(CASE WHEN failures > 0 THEN 1 END) AS failing_destinations FROM destinations WHERE wiped = 0",
        );
        Ok(backlog.fetch_one(self.db()).await?)
    }
}

impl Deliveries<'_, WriteSession> {
    /// Notes for events that were stored in this session where each of them has to go, so that none is ever forgotten.
    ///
    /// # Errors
    /// The database cannot be written; then the session must be dropped.
    pub async fn queue(
        &mut self,
        events: &[&CapturedEvent],
        stored: &StoredEvents,
        event_bus: EventBusTakes,
    ) -> StoreResult<()> {
        let mut known = HashMap::new();
        let mut rows = Vec::new();
        for (at, captured) in events.iter().enumerate().filter(|(at, _)| stored.new[*at]) {
            for (kind, trail_id) in places(captured, event_bus) {
                let (account, region) = (&captured.event.account, &captured.event.region);
                let destination = match known.get(&(kind, trail_id, account, region)) {
                    Some(known) => *known,
                    None => {
                        let found = self.destination(kind, trail_id, account, region).await?;
                        known.insert((kind, trail_id, account, region), found);
                        found
                    }
                };
                // None when the trail has been wiped since the event was captured.
                rows.extend(destination.map(|id| (id, stored.numbers[at], stored.keys[at])));
            }
        }
        INSERT_PENDING
            .all(self.db(), &rows, |row, (destination, number, key)| {
                row.push(*destination).push(*number).push(*key);
            })
            .await?;
        let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
        for (destination, ..) in rows {
            *counts.entry(destination).or_default() += 1;
        }
        for (destination, more) in counts {
            // What comes for a trail that is stopped meanwhile is not kept for the end of a period.
            let count = sqlx::query(
                "UPDATE destinations SET pending_events = pending_events + $2, due = due OR trail_id <> 0 \
                 AND NOT EXISTS (SELECT 1 FROM trail_status s WHERE s.trail_id = destinations.trail_id AND s.is_logging) \
                 WHERE id = $1",
            );
            count.bind(destination).bind(more).execute(self.db()).await?;
        }
        Ok(())
    }

    /// The id of a destination, made if it is not there yet; `None` when its trail is gone.
    pub(super) async fn destination(
        &mut self,
        kind: DestinationKind,
        trail_id: i64,
        account: &AccountId,
        region: &Region,
    ) -> StoreResult<Option<i64>> {
        let known = sqlx::query_scalar(
            "SELECT id FROM destinations WHERE kind = $1 AND trail_id = $2 AND account = $3 AND region = $4 \
             AND wiped = 0",
        );
        let known = known.bind(kind).bind(trail_id).bind(account).bind(region);
        if let Some(id) = known.fetch_optional(self.db()).await? {
            return Ok(Some(id));
        }
        let insert = sqlx::query_scalar(
            "INSERT INTO destinations (kind, trail_id, account, region) SELECT $1, $2, $3, $4 \
             WHERE $2 = 0 OR EXISTS (SELECT 1 FROM trails WHERE id = $2) RETURNING id",
        );
        Ok(insert.bind(kind).bind(trail_id).bind(account).bind(region).fetch_optional(self.db()).await?)
    }

    /// Counts events that wait for a destination no longer.
    pub(super) async fn count_removed(&mut self, destination: i64, removed: u64) -> StoreResult<()> {
        let count = sqlx::query("UPDATE destinations SET pending_events = pending_events - $2 WHERE id = $1");
        let removed = i64::try_from(removed).unwrap_or(i64::MAX);
        count.bind(destination).bind(removed).execute(self.db()).await?;
        Ok(())
    }

    /// Has what failed at a trail's destinations tried again at once. Those of the kinds in `moved` go to another place
    /// now, which has not failed yet.
    pub(super) async fn try_again(&mut self, trail_id: i64, moved: &[DestinationKind]) -> StoreResult<()> {
        let try_again = sqlx::query("UPDATE destinations SET retry_at = NULL WHERE trail_id = $1");
        try_again.bind(trail_id).execute(self.db()).await?;
        for kind in moved {
            let reset = sqlx::query("UPDATE destinations SET failures = 0 WHERE trail_id = $1 AND kind = $2");
            reset.bind(trail_id).bind(kind).execute(self.db()).await?;
        }
        Ok(())
    }

    /// What a trail has captured is delivered at once (`due`), or after the usual period again.
    pub(super) async fn set_due(&mut self, trail_id: i64, due: bool) -> StoreResult<()> {
        let set = sqlx::query("UPDATE destinations SET due = $2 WHERE trail_id = $1");
        set.bind(trail_id).bind(due).execute(self.db()).await?;
        Ok(())
    }

    /// Notes how many failures in a row a destination has had, and when to try again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_retry(&mut self, id: i64, failures: i64, retry_at: Option<i64>) -> StoreResult<()> {
        let set = sqlx::query("UPDATE destinations SET failures = $2, retry_at = $3 WHERE id = $1");
        set.bind(id).bind(failures).bind(retry_at).execute(self.db()).await?;
        Ok(())
    }
}

/// Where an event has to go. The event bus gets it once, however many trails take it.
fn places(
    captured: &CapturedEvent,
    event_bus: EventBusTakes,
) -> impl Iterator<Item = (DestinationKind, i64)> + use<'_> {
    let of_trails = captured.takers.iter().flat_map(|taker| {
        let log_stream = taker.has_log_group.then_some((DestinationKind::LogStream, taker.trail_id));
        [(DestinationKind::LogFile, taker.trail_id)].into_iter().chain(log_stream)
    });
    let has_bus = match event_bus {
        EventBusTakes::Nothing => false,
        EventBusTakes::Writes => !captured.event.read_only,
        EventBusTakes::Everything => true,
    };
    of_trails.chain((has_bus && !captured.takers.is_empty()).then_some((DestinationKind::EventBus, 0)))
}
