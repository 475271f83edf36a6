//! Correcting what is stored of events beside their records, when more is known of AWS's operations than before.

use crate::domain::account_id::AccountId;
use crate::domain::event::{Event, Listing};
use crate::domain::region::Region;
use crate::store::events::{Listed, insert_resources, resources_json};
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
    listing: String,
    read_only: bool,
    error_code: Option<String>,
    resources: String,
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
            Listing::Write if self.listing == Listing::Unlogged.name() => Listing::Unlogged.name(),
            listing => listing.name(),
        }
    }

    fn is_right(&self, event: &Event) -> bool {
        self.listing == self.listing(event)
            && self.read_only == event.read_only
            && self.error_code == event.error_code
            && self.resources == resources_json(&event.resources)
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
        let select = "SELECT key, account, region, listing, read_only, error_code, resources, record \
                      FROM events WHERE key > $1 ORDER BY key LIMIT $2";
        Ok(sqlx::query_as(select).bind(until).bind(limit).fetch_all(self.db()).await?)
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
        sqlx::query(
            "UPDATE events SET listing = $1, read_only = $2, error_code = $3, resources = $4 WHERE key = $5",
        )
        .bind(listing)
        .bind(event.read_only)
        .bind(&event.error_code)
        .bind(resources_json(&event.resources))
        .bind(stored.key)
        .execute(self.db())
        .await?;
        let delete = "DELETE FROM event_resources WHERE key = $1";
        sqlx::query(delete).bind(stored.key).execute(self.db()).await?;
        // Whose it is stays as it was stored.
        let EventToCheck { key, account, region, .. } = stored;
        let listed = Listed { key: *key, account, region, listing, resources: &event.resources };
        insert_resources(self.db(), &[listed]).await?;
        if stored.read_only != event.read_only || stored.error_code != event.error_code {
            let update = "UPDATE event_summaries SET read_only = $1, error_code = $2 WHERE key = $3";
            let update = sqlx::query(update).bind(event.read_only).bind(&event.error_code).bind(stored.key);
            update.execute(self.db()).await?;
            let before = Outcome::of(stored.error_code.as_deref(), stored.read_only);
            let now = Outcome::of(event.error_code.as_deref(), event.read_only);
            self.recount(stored.key, &stored.account, &stored.region, (before, now)).await?;
        }
        Ok(true)
    }
}
