//! Correcting what is stored of events beside their records, when more is known of AWS's operations than before.

use crate::domain::account_id::AccountId;
use crate::domain::event::{Event, Listing};
use crate::domain::region::Region;
use crate::store::events::{Listed, insert_resources, lookup_resources, main_resource, resources_json};
use crate::store::summaries::Outcome;
use crate::store::{Events, Session, StoreResult, WriteSession};
use sqlx::FromRow;

/// A stored event, and what is to be looked at again.
#[derive(Debug, FromRow)]
pub struct EventToCheck {
    /// Its key.
    pub key: i64,
    /// Whose it is.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// The whole record.
    pub record: String,
    #[sqlx(flatten)]
    columns: Columns,
}

/// The columns of `events` and `event_summaries` that are made from a record.
#[derive(Debug, PartialEq, Eq, FromRow)]
struct Columns {
    listing: String,
    read_only: bool,
    username: Option<String>,
    access_key_id: Option<String>,
    error_code: Option<String>,
    resources: String,
    main_resource: i64,
    /// Those of `data_event_resources`.
    data_resources: Option<String>,
    actor: Option<String>,
    role_name: Option<String>,
    actor_type: Option<String>,
    source_ip: Option<String>,
}

/// How far the correction of older events has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CorrectionMark {
    /// The version of the facts that the rows are made with, or are being corrected to.
    pub version: i64,
    /// The key of the last event that has been corrected; `None` when all are.
    pub until: Option<i64>,
}

impl EventToCheck {
    /// Where an event stands that is now read as `event`: whether a trail was logging is known from then only.
    fn listing(&self, event: &Event) -> &'static str {
        match event.listing {
            Listing::Write if self.columns.listing == Listing::Unlogged.name() => Listing::Unlogged.name(),
            listing => listing.name(),
        }
    }

    fn is_right(&self, event: &Event) -> bool {
        self.columns == Columns::of(event, self.listing(event))
    }
}

impl Columns {
    fn of(event: &Event, listing: &str) -> Columns {
        Columns {
            listing: listing.to_owned(),
            read_only: event.read_only,
            username: event.username.clone(),
            access_key_id: event.access_key_id.clone(),
            error_code: event.error_code.clone(),
            resources: lookup_resources(event),
            main_resource: main_resource(event),
            data_resources: (listing == Listing::Data.name() && !event.resources.all().is_empty())
                .then(|| resources_json(&event.resources)),
            actor: event.actor.clone(),
            role_name: event.role_name.clone(),
            actor_type: event.actor_type.clone(),
            source_ip: event.source_ip.clone(),
        }
    }

    fn outcome(&self) -> Outcome {
        Outcome::of(self.error_code.as_deref(), self.read_only)
    }
}

impl<S: Session> Events<'_, S> {
    /// How many events there are up to a key, and in all.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn count_until(&mut self, key: i64) -> StoreResult<(i64, i64)> {
        let count = "SELECT count(*) FILTER (WHERE key <= $1), count(*) FROM events";
        Ok(sqlx::query_as(count).bind(key).fetch_one(self.db()).await?)
    }

    /// How far the correction of older events has come.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn correction_mark(&mut self) -> StoreResult<CorrectionMark> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT name, value FROM counters WHERE name IN ('facts_version', 'facts_corrected_until')",
        )
        .fetch_all(self.db())
        .await?;
        let value = |wanted: &str| rows.iter().find(|(name, _)| name == wanted).map(|(_, value)| *value);
        Ok(CorrectionMark {
            version: value("facts_version").unwrap_or(0),
            until: value("facts_corrected_until"),
        })
    }

    /// The next `limit` events behind a key.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn to_check(&mut self, until: i64, limit: i64) -> StoreResult<Vec<EventToCheck>> {
        let select = "SELECT e.key, e.account, e.region, e.listing, e.read_only, e.username, e.access_key_id, \
                      e.error_code, e.resources, e.main_resource, e.record, d.resources AS data_resources, s.actor, \
                      s.role_name, s.actor_type, s.source_ip \
                      FROM events e JOIN event_summaries s ON s.key = e.key \
                      LEFT JOIN data_event_resources d ON d.key = e.key \
                      WHERE e.key > $1 ORDER BY e.key LIMIT $2";
        let select = sqlx::query_as(select).bind(until).bind(limit);
        Ok(select.fetch_all(self.db()).await?)
    }
}

impl Events<'_, WriteSession> {
    /// Remembers how far the correction has come.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_correction_mark(&mut self, mark: CorrectionMark) -> StoreResult<()> {
        let insert = "INSERT INTO counters (name, value) VALUES ($1, $2) \
                      ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(insert).bind("facts_version").bind(mark.version).execute(self.db()).await?;
        match mark.until {
            Some(key) => {
                sqlx::query(insert).bind("facts_corrected_until").bind(key).execute(self.db()).await?
            }
            None => {
                let delete = "DELETE FROM counters WHERE name = 'facts_corrected_until'";
                sqlx::query(delete).execute(self.db()).await?
            }
        };
        Ok(())
    }

    /// Makes the rows of `stored` as those of `event`, which is the same record read again. Whether there was anything to
    /// correct.
    ///
    /// # Errors
    /// The database cannot be written; then the session must be dropped.
    pub async fn correct(&mut self, stored: &EventToCheck, event: &Event) -> StoreResult<bool> {
        if stored.is_right(event) {
            return Ok(false);
        }
        let listing = stored.listing(event);
        let now = Columns::of(event, listing);
        sqlx::query(
            "UPDATE events SET listing = $1, read_only = $2, username = $3, access_key_id = $4, error_code = $5, \
             resources = $6, main_resource = $7 WHERE key = $8",
        )
        .bind(&now.listing)
        .bind(now.read_only)
        .bind(&now.username)
        .bind(&now.access_key_id)
        .bind(&now.error_code)
        .bind(&now.resources)
        .bind(now.main_resource)
        .bind(stored.key)
        .execute(self.db())
        .await?;
        sqlx::query(
            "UPDATE event_summaries SET actor = $1, role_name = $2, actor_type = $3, access_key_id = $4, \
             read_only = $5, error_code = $6, source_ip = $7 WHERE key = $8",
        )
        .bind(&now.actor)
        .bind(&now.role_name)
        .bind(&now.actor_type)
        .bind(&now.access_key_id)
        .bind(now.read_only)
        .bind(&now.error_code)
        .bind(&now.source_ip)
        .bind(stored.key)
        .execute(self.db())
        .await?;
        for delete in
            ["DELETE FROM event_resources WHERE key = $1", "DELETE FROM data_event_resources WHERE key = $1"]
        {
            sqlx::query(delete).bind(stored.key).execute(self.db()).await?;
        }
        // Whose it is stays as it was stored.
        let EventToCheck { key, account, region, columns, .. } = stored;
        let listed = Listed { key: *key, account, region, listing, resources: &event.resources };
        insert_resources(self.db(), &[listed]).await?;
        if columns.outcome() != now.outcome() {
            self.recount(*key, account, region, (columns.outcome(), now.outcome())).await?;
        }
        Ok(true)
    }
}
