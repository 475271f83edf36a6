//! Trails.

use crate::domain::account_id::AccountId;
use crate::domain::aggregation::AggregationConfigurations;
use crate::domain::arn::trail_arn;
use crate::domain::insight_selectors::InsightSelectors;
use crate::domain::region::Region;
use crate::domain::selectors::EventSelectors;
use crate::domain::tags::Tag;
use crate::store::{DestinationKind, Session, StoreResult, Trails, WriteSession};
use sqlx::FromRow;

/// A trail as it is stored. Times: milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are CloudTrail's own")]
pub struct Trail {
    /// Given by [`Trails::insert`], and never to another trail; 0 before.
    pub id: i64,
    pub account: AccountId,
    pub home_region: Region,
    pub name: String,
    pub s3_bucket_name: String,
    pub s3_key_prefix: Option<String>,
    /// As it was given: a name or an ARN.
    pub sns_topic_name: Option<String>,
    pub sns_topic_arn: Option<String>,
    pub include_global_service_events: bool,
    pub is_multi_region_trail: bool,
    pub log_file_validation_enabled: bool,
    pub cloud_watch_logs_log_group_arn: Option<String>,
    pub cloud_watch_logs_role_arn: Option<String>,
    pub kms_key_id: Option<String>,
    pub is_organization_trail: bool,
    pub recursive_logging: bool,
    pub event_selectors: EventSelectors,
    pub insight_selectors: InsightSelectors,
    pub aggregation_configurations: AggregationConfigurations,
    pub created_at: i64,
    pub updated_at: i64,
}

impl Trail {
    /// Its ARN.
    pub fn arn(&self) -> String {
        trail_arn(&self.home_region, &self.account, &self.name)
    }

    /// Whether the trail is to be seen in `region`: at home, or everywhere for a multi-region trail.
    pub fn covers(&self, region: &str) -> bool {
        self.is_multi_region_trail || self.home_region == region
    }

    /// The kinds of destinations that go to another place than those of `before`.
    fn moved(&self, before: &Trail) -> Vec<DestinationKind> {
        let mut moved = Vec::new();
        if (&self.s3_bucket_name, &self.s3_key_prefix) != (&before.s3_bucket_name, &before.s3_key_prefix) {
            moved.extend([DestinationKind::LogFile, DestinationKind::Digest]);
        }
        if self.sns_topic_arn != before.sns_topic_arn {
            moved.push(DestinationKind::Topic);
        }
        if self.cloud_watch_logs_log_group_arn != before.cloud_watch_logs_log_group_arn {
            moved.push(DestinationKind::LogStream);
        }
        moved
    }
}

impl<S: Session> Trails<'_, S> {
    /// All trails of an account, in all regions, by home region and name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn of(&mut self, account: &AccountId) -> StoreResult<Vec<Trail>> {
        let trails = sqlx::query_as(
            "SELECT * FROM trails WHERE account = $1 AND deleted_at IS NULL ORDER BY home_region, name",
        );
        Ok(trails.bind(account).fetch_all(self.db()).await?)
    }

    /// All trails of all accounts, by account, home region and name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn all(&mut self) -> StoreResult<Vec<Trail>> {
        let trails = sqlx::query_as(
            "SELECT * FROM trails WHERE deleted_at IS NULL ORDER BY account, home_region, name",
        );
        Ok(trails.fetch_all(self.db()).await?)
    }

    /// A trail, also a deleted one from which something is still to be delivered.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn by_id(&mut self, id: i64) -> StoreResult<Option<Trail>> {
        let trail = sqlx::query_as("SELECT * FROM trails WHERE id = $1");
        Ok(trail.bind(id).fetch_optional(self.db()).await?)
    }
}

impl Trails<'_, WriteSession> {
    /// Stores a new trail with its tags, not logging; its id.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn insert(&mut self, trail: &Trail, tags: &[Tag]) -> StoreResult<i64> {
        let id = sqlx::query_scalar(
            "INSERT INTO counters (name, value) VALUES ('trails', 1) \
             ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
        );
        let id: i64 = id.fetch_one(self.db()).await?;
        let insert = sqlx::query(
            "INSERT INTO trails (id, account, home_region, name, s3_bucket_name, s3_key_prefix, sns_topic_name, \
             sns_topic_arn, include_global_service_events, is_multi_region_trail, log_file_validation_enabled, \
             cloud_watch_logs_log_group_arn, cloud_watch_logs_role_arn, kms_key_id, is_organization_trail, \
             recursive_logging, event_selectors, insight_selectors, aggregation_configurations, created_at, \
             updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, \
             $21)",
        );
        let insert = insert.bind(id).bind(&trail.account).bind(&trail.home_region).bind(&trail.name);
        let insert = insert
            .bind(&trail.s3_bucket_name)
            .bind(&trail.s3_key_prefix)
            .bind(&trail.sns_topic_name)
            .bind(&trail.sns_topic_arn)
            .bind(trail.include_global_service_events)
            .bind(trail.is_multi_region_trail)
            .bind(trail.log_file_validation_enabled)
            .bind(&trail.cloud_watch_logs_log_group_arn)
            .bind(&trail.cloud_watch_logs_role_arn)
            .bind(&trail.kms_key_id)
            .bind(trail.is_organization_trail)
            .bind(trail.recursive_logging)
            .bind(&trail.event_selectors)
            .bind(&trail.insight_selectors)
            .bind(&trail.aggregation_configurations);
        insert.bind(trail.created_at).bind(trail.updated_at).execute(self.db()).await?;
        let status = sqlx::query("INSERT INTO trail_status (trail_id, region) VALUES ($1, $2)");
        status.bind(id).bind(&trail.home_region).execute(self.db()).await?;
        self.add_tags(id, tags).await?;
        Ok(id)
    }

    /// Stores the settings of a trail that is there. What waits goes where they say from now on, at once if that is
    /// another place than `before`.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn update(&mut self, before: &Trail, trail: &Trail) -> StoreResult<()> {
        let update = sqlx::query(
            "UPDATE trails SET s3_bucket_name = $2, s3_key_prefix = $3, sns_topic_name = $4, sns_topic_arn = $5, \
             include_global_service_events = $6, is_multi_region_trail = $7, log_file_validation_enabled = $8, \
             cloud_watch_logs_log_group_arn = $9, cloud_watch_logs_role_arn = $10, kms_key_id = $11, \
             is_organization_trail = $12, recursive_logging = $13, updated_at = $14 WHERE id = $1",
        );
        update
            .bind(trail.id)
            .bind(&trail.s3_bucket_name)
            .bind(&trail.s3_key_prefix)
            .bind(&trail.sns_topic_name)
            .bind(&trail.sns_topic_arn)
            .bind(trail.include_global_service_events)
            .bind(trail.is_multi_region_trail)
            .bind(trail.log_file_validation_enabled)
            .bind(&trail.cloud_watch_logs_log_group_arn)
            .bind(&trail.cloud_watch_logs_role_arn)
            .bind(&trail.kms_key_id)
            .bind(trail.is_organization_trail)
            .bind(trail.recursive_logging)
            .bind(trail.updated_at)
            .execute(self.db())
            .await?;
        self.0.has_changed_trails_of(&trail.account);
        self.0.deliveries().try_again(trail.id, &trail.moved(before)).await
    }

    /// Stores the selectors of a trail that is there, and how it sums its events up. What it has taken already is delivered
    /// all the same.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn update_selectors(&mut self, trail: &Trail) -> StoreResult<()> {
        let update = sqlx::query(
            "UPDATE trails SET event_selectors = $2, insight_selectors = $3, aggregation_configurations = $4, \
             updated_at = $5 WHERE id = $1",
        );
        update
            .bind(trail.id)
            .bind(&trail.event_selectors)
            .bind(&trail.insight_selectors)
            .bind(&trail.aggregation_configurations)
            .bind(trail.updated_at)
            .execute(self.db())
            .await?;
        self.0.has_changed_trails_of(&trail.account);
        Ok(())
    }

    /// Deletes a trail, at `now`. Events stay, and what it captured is delivered at once; until then the trail's row stays
    /// as well.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn delete(&mut self, trail: &Trail, now: i64) -> StoreResult<()> {
        self.stop_logging(trail, now).await?;
        let delete = sqlx::query("UPDATE trails SET deleted_at = $2 WHERE id = $1");
        delete.bind(trail.id).bind(now).execute(self.db()).await?;
        Ok(())
    }

    /// Removes deleted trails, with their status and tags, for which nothing is noted any more.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_deleted(&mut self) -> StoreResult<()> {
        let remove = "DELETE FROM trails WHERE deleted_at IS NOT NULL \
                      AND NOT EXISTS (SELECT 1 FROM destinations d WHERE d.trail_id = trails.id)";
        sqlx::query(remove).execute(self.db()).await?;
        Ok(())
    }
}
