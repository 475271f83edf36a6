//! Trails.

use crate::domain::account_id::AccountId;
use crate::domain::region::Region;
use crate::domain::tags::Tag;
use crate::store::{Session, StoreResult, Trails, WriteSession};
use sqlx::FromRow;

/// A trail as it is stored. Times: milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are CloudTrail's own")]
pub struct Trail {
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
    pub created_at: i64,
    pub updated_at: i64,
}

impl Trail {
    /// Whether the trail is to be seen in `region`: at home, or everywhere for a multi-region trail.
    pub fn covers(&self, region: &str) -> bool {
        self.is_multi_region_trail || self.home_region == region
    }
}

impl<S: Session> Trails<'_, S> {
    /// All trails of an account, in all regions, by home region and name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn of(&mut self, account: &AccountId) -> StoreResult<Vec<Trail>> {
        let trails = sqlx::query_as("SELECT * FROM trails WHERE account = $1 ORDER BY home_region, name");
        Ok(trails.bind(account).fetch_all(self.db()).await?)
    }
}

impl Trails<'_, WriteSession> {
    /// Stores a new trail with its tags, not logging.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn insert(&mut self, trail: &Trail, tags: &[Tag]) -> StoreResult<()> {
        self.save(trail).await?;
        sqlx::query("INSERT INTO trail_status (account, home_region, name, region) VALUES ($1, $2, $3, $2)")
            .bind(&trail.account)
            .bind(&trail.home_region)
            .bind(&trail.name)
            .execute(self.db())
            .await?;
        self.add_tags(trail, tags).await
    }

    /// Stores all settings of a trail, new or known.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn save(&mut self, trail: &Trail) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO trails (account, home_region, name, s3_bucket_name, s3_key_prefix, sns_topic_name, \
             sns_topic_arn, include_global_service_events, is_multi_region_trail, log_file_validation_enabled, \
             cloud_watch_logs_log_group_arn, cloud_watch_logs_role_arn, kms_key_id, is_organization_trail, \
             recursive_logging, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
             ON CONFLICT (account, home_region, name) DO UPDATE SET s3_bucket_name = $4, s3_key_prefix = $5, \
             sns_topic_name = $6, sns_topic_arn = $7, include_global_service_events = $8, is_multi_region_trail = $9, \
             log_file_validation_enabled = $10, cloud_watch_logs_log_group_arn = $11, \
             cloud_watch_logs_role_arn = $12, kms_key_id = $13, is_organization_trail = $14, recursive_logging = $15, \
             updated_at = $17",
        )
        .bind(&trail.account)
        .bind(&trail.home_region)
        .bind(&trail.name)
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
        .bind(trail.created_at)
        .bind(trail.updated_at)
        .execute(self.db())
        .await?;
        self.0.deliveries().follow_trail(trail).await
    }

    /// Removes a trail with its status and tags. Events stay, and what it captured is delivered at once.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn delete(&mut self, trail: &Trail) -> StoreResult<()> {
        self.0.deliveries().set_due(trail, true).await?;
        sqlx::query("DELETE FROM trails WHERE account = $1 AND home_region = $2 AND name = $3")
            .bind(&trail.account)
            .bind(&trail.home_region)
            .bind(&trail.name)
            .execute(self.db())
            .await?;
        Ok(())
    }
}
