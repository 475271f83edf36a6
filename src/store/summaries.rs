//! Summaries of events and how many there are of each hour: written and removed with the events themselves, and made once
//! for events of older data folders.

use crate::domain::account_id::AccountId;
use crate::domain::event::Event;
use crate::domain::record_fields::RecordFields;
use crate::domain::region::Region;
use crate::store::bulk::BulkInsert;
use crate::store::events::ARRIVAL_BITS;
use crate::store::{Events, Session, Store, StoreResult, WriteSession};
use sqlx::{FromRow, Sqlite};
use std::collections::BTreeMap;

/// Seconds in an hour.
pub(super) const HOUR: i64 = 3600;

/// Older events that are summarized in one transaction.
const PIECE: i64 = 5_000;

/// Pieces after which a line says how far it has come.
const SAY_EVERY: u64 = 20;

static INSERT_SUMMARIES: BulkInsert = BulkInsert::new(
    "INSERT INTO event_summaries (key, account, region, event_source, event_name, actor, role_name, actor_type, \
     access_key_id, read_only, error_code, source_ip)",
    12,
    "",
);

static ADD_COUNTS: BulkInsert = BulkInsert::new(
    "INSERT INTO event_counts (hour, account, region, reads, writes, failures)",
    6,
    "ON CONFLICT (hour, account, region) DO UPDATE SET reads = event_counts.reads + excluded.reads, \
     writes = event_counts.writes + excluded.writes, failures = event_counts.failures + excluded.failures",
);

/// A row of `event_summaries`.
pub(super) struct Summary<'a> {
    key: i64,
    account: &'a AccountId,
    region: &'a Region,
    event_source: &'a str,
    event_name: &'a str,
    actor: Option<&'a str>,
    role_name: Option<&'a str>,
    actor_type: Option<&'a str>,
    access_key_id: Option<&'a str>,
    read_only: bool,
    error_code: Option<&'a str>,
    source_ip: Option<&'a str>,
}

impl<'a> Summary<'a> {
    pub(super) fn of(key: i64, event: &'a Event) -> Summary<'a> {
        Summary {
            key,
            account: &event.account,
            region: &event.region,
            event_source: &event.event_source,
            event_name: &event.event_name,
            actor: event.actor.as_deref(),
            role_name: event.role_name.as_deref(),
            actor_type: event.actor_type.as_deref(),
            access_key_id: event.access_key_id.as_deref(),
            read_only: event.read_only,
            error_code: event.error_code.as_deref(),
            source_ip: event.source_ip.as_deref(),
        }
    }
}

/// An event that has no summary yet.
#[derive(FromRow)]
struct Unsummarized {
    key: i64,
    account: AccountId,
    region: Region,
    event_source: String,
    event_name: String,
    username: Option<String>,
    access_key_id: Option<String>,
    read_only: bool,
    error_code: Option<String>,
    record: String,
}

/// Events of an hour, account and region.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    reads: i64,
    writes: i64,
    failures: i64,
}

/// As what an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Read,
    Write,
    /// A failed call, whatever it would have done.
    Failure,
}

impl Outcome {
    pub(super) fn of(error_code: Option<&str>, read_only: bool) -> Outcome {
        match (error_code, read_only) {
            (Some(_), _) => Outcome::Failure,
            (None, true) => Outcome::Read,
            (None, false) => Outcome::Write,
        }
    }
}

impl Counts {
    fn add(&mut self, outcome: Outcome, number: i64) {
        match outcome {
            Outcome::Read => self.reads += number,
            Outcome::Write => self.writes += number,
            Outcome::Failure => self.failures += number,
        }
    }
}

impl Events<'_, WriteSession> {
    /// Stores the summaries of new events and counts them.
    pub(super) async fn insert_summaries(&mut self, summaries: &[Summary<'_>]) -> StoreResult<()> {
        INSERT_SUMMARIES
            .all(self.db(), summaries, |row, summary| {
                row.push(summary.key)
                    .push(summary.account)
                    .push(summary.region)
                    .push(summary.event_source)
                    .push(summary.event_name)
                    .push(summary.actor)
                    .push(summary.role_name)
                    .push(summary.actor_type)
                    .push(summary.access_key_id)
                    .push(summary.read_only)
                    .push(summary.error_code)
                    .push(summary.source_ip);
            })
            .await?;
        self.count(summaries).await
    }

    async fn count(&mut self, summaries: &[Summary<'_>]) -> StoreResult<()> {
        let mut counted = BTreeMap::<_, Counts>::new();
        for summary in summaries {
            let hour = (summary.key >> ARRIVAL_BITS) / HOUR * HOUR;
            let counts = counted.entry((hour, summary.account, summary.region)).or_default();
            counts.add(Outcome::of(summary.error_code, summary.read_only), 1);
        }
        let counted: Vec<_> = counted.into_iter().collect();
        ADD_COUNTS
            .all(self.db(), &counted, |row, ((hour, account, region), counts)| {
                row.push(*hour)
                    .push(*account)
                    .push(*region)
                    .push(counts.reads)
                    .push(counts.writes)
                    .push(counts.failures);
            })
            .await
    }

    /// Counts an event as something else than before.
    pub(super) async fn recount(
        &mut self,
        key: i64,
        account: &AccountId,
        region: &Region,
        (before, now): (Outcome, Outcome),
    ) -> StoreResult<()> {
        let hour = (key >> ARRIVAL_BITS) / HOUR * HOUR;
        let mut change = Counts::default();
        change.add(before, -1);
        change.add(now, 1);
        let update = "UPDATE event_counts SET reads = reads + $1, writes = writes + $2, failures = failures + $3 \
                      WHERE hour = $4 AND account = $5 AND region = $6";
        sqlx::query(update)
            .bind(change.reads)
            .bind(change.writes)
            .bind(change.failures)
            .bind(hour)
            .bind(account)
            .bind(region)
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Takes events that are about to be removed out of the counts. `keys` is the statement that finds them, `bind` gives
    /// it its values.
    pub(super) async fn uncount(
        &mut self,
        keys: &str,
        bind: impl Fn(SqliteQuery) -> SqliteQuery,
    ) -> StoreResult<()> {
        let hour = format!("(key >> {ARRIVAL_BITS}) / {HOUR} * {HOUR}");
        let update = format!(
            "UPDATE event_counts SET reads = event_counts.reads - gone.reads, \
             writes = event_counts.writes - gone.writes, failures = event_counts.failures - gone.failures \
             FROM (SELECT {hour} AS hour, account, region, \
             sum(CASE WHEN error_code IS NULL AND read_only THEN 1 ELSE 0 END) AS reads, \
             sum(CASE WHEN error_code IS NULL AND NOT read_only THEN 1 ELSE 0 END) AS writes, \
             count(error_code) AS failures FROM event_summaries WHERE key IN ({keys}) GROUP BY 1, 2, 3) AS gone \
             WHERE event_counts.hour = gone.hour AND event_counts.account = gone.account \
             AND event_counts.region = gone.region"
        );
        bind(sqlx::query(sqlx::AssertSqlSafe(update))).execute(self.db()).await?;
        let empty = "DELETE FROM event_counts WHERE reads = 0 AND writes = 0 AND failures = 0";
        sqlx::query(empty).execute(self.db()).await?;
        Ok(())
    }

    /// Makes summaries of the next older events that have none; the key of the last one, `None` when all have.
    async fn summarize_piece(&mut self, until: i64) -> StoreResult<Option<i64>> {
        let rows: Vec<Unsummarized> = sqlx::query_as(
            "SELECT key, account, region, event_source, event_name, username, access_key_id, read_only, error_code, \
             record FROM events WHERE key > $1 ORDER BY key LIMIT $2",
        )
        .bind(until)
        .bind(PIECE)
        .fetch_all(self.db())
        .await?;
        let Some(last) = rows.last().map(|row| row.key) else {
            sqlx::query("DELETE FROM counters WHERE name = 'summarized_until'").execute(self.db()).await?;
            return Ok(None);
        };
        // What could be read once can be read again; if not, the summary holds what the columns do.
        let read: Vec<Option<RecordFields<'_>>> =
            rows.iter().map(|row| RecordFields::read(&row.record).ok()).collect();
        let summaries: Vec<_> = rows
            .iter()
            .zip(&read)
            .map(|(row, read)| Summary {
                key: row.key,
                account: &row.account,
                region: &row.region,
                event_source: &row.event_source,
                event_name: &row.event_name,
                actor: read.as_ref().map_or(row.username.as_deref(), RecordFields::actor),
                role_name: read.as_ref().and_then(RecordFields::role_name),
                actor_type: read.as_ref().and_then(RecordFields::actor_type),
                access_key_id: row.access_key_id.as_deref(),
                read_only: row.read_only,
                error_code: row.error_code.as_deref(),
                source_ip: read.as_ref().and_then(|fields| fields.source_ip_address.as_deref()),
            })
            .collect();
        self.insert_summaries(&summaries).await?;
        let mark = sqlx::query("UPDATE counters SET value = $1 WHERE name = 'summarized_until'");
        mark.bind(last).execute(self.db()).await?;
        Ok(Some(last))
    }
}

/// A statement that is being given its values.
pub(super) type SqliteQuery = sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>;

impl Store {
    /// Makes the summaries of events that were stored before there were any, in pieces: whoever is interrupted goes on
    /// at the next start.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub(super) async fn summarize_older_events(&self) -> StoreResult<()> {
        let until = sqlx::query_scalar("SELECT value FROM counters WHERE name = 'summarized_until'");
        let Some(mut until) = until.fetch_optional(&self.write).await? else { return Ok(()) };
        let total: i64 = sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&self.write).await?;
        tracing::info!(events = total, "the console's summaries of older events are being made, once");
        for piece in 1u64.. {
            let mut session = self.write().await?;
            let last = session.events().summarize_piece(until).await?;
            session.commit().await?;
            let Some(last) = last else { break };
            until = last;
            if piece.is_multiple_of(SAY_EVERY) {
                let done = piece.saturating_mul(PIECE.unsigned_abs());
                tracing::info!(done, of = total, "summaries of older events");
            }
        }
        tracing::info!(events = total, "the console's summaries are made");
        Ok(())
    }
}
