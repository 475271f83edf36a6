//! Buckets and what has been set on them.

use crate::buckets::bodies::remove_unused;
use crate::buckets::{Buckets, check_name, internal};
use crate::domain::account_id::AccountId;
use s3s::dto::PublicAccessBlockConfiguration;
use s3s::{S3Error, S3Result, s3_error};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{FromRow, SqliteConnection};

/// A bucket.
#[derive(Debug, FromRow)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) region: String,
    /// Milliseconds since 1970.
    pub(super) created_at: i64,
    /// `None` for everybody's.
    pub(super) account: Option<AccountId>,
}

/// What can be set on a bucket, by its name in `bucket_settings`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Setting {
    /// As it was put.
    Policy,
    PublicAccessBlock,
    Encryption,
    OwnershipControls,
    Tags,
    /// A canned ACL.
    Acl,
}

impl Setting {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Setting::Policy => "policy",
            Setting::PublicAccessBlock => "public_access_block",
            Setting::Encryption => "encryption",
            Setting::OwnershipControls => "ownership_controls",
            Setting::Tags => "tags",
            Setting::Acl => "acl",
        }
    }
}

pub(super) fn no_such_bucket() -> S3Error {
    s3_error!(NoSuchBucket, "The specified bucket does not exist")
}

/// Refuses when there is no such bucket.
pub(super) async fn need_bucket(db: &mut SqliteConnection, name: &str) -> S3Result<()> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM buckets WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await
        .map_err(internal)?;
    found.map(|_| ()).ok_or_else(no_such_bucket)
}

impl Buckets {
    /// Makes a bucket of an account; one that is there already is left as it is and returned.
    pub(super) async fn create_bucket(
        &self,
        name: &str,
        region: &str,
        account: &AccountId,
        acl: Option<&str>,
    ) -> S3Result<Option<Bucket>> {
        // Most calls find the bucket there; those need no turn at writing.
        if let Some(there) = self.find_bucket(name).await? {
            return Ok(Some(there));
        }
        check_name(name)?;
        let mut tx = self.begin().await?;
        let made = sqlx::query(
            "INSERT INTO buckets (name, region, created_at, account) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(region)
        .bind(self.now())
        .bind(account)
        .execute(&mut *tx)
        .await
        .map_err(internal)?;
        // What a new bucket has at AWS since April 2023.
        let blocked = PublicAccessBlockConfiguration {
            block_public_acls: Some(true),
            ignore_public_acls: Some(true),
            block_public_policy: Some(true),
            restrict_public_buckets: Some(true),
        };
        let blocked = serde_json::to_string(&blocked).map_err(internal)?;
        if made.rows_affected() == 1 {
            write_setting(&mut tx, name, Setting::PublicAccessBlock, &blocked).await?;
            if let Some(acl) = acl {
                write_setting(&mut tx, name, Setting::Acl, acl).await?;
            }
        }
        tx.commit().await.map_err(internal)?;
        if made.rows_affected() == 1 { Ok(None) } else { self.find_bucket(name).await }
    }

    pub(super) async fn find_bucket(&self, name: &str) -> S3Result<Option<Bucket>> {
        sqlx::query_as("SELECT name, region, created_at, account FROM buckets WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.read)
            .await
            .map_err(internal)
    }

    /// The bucket, or `NoSuchBucket`.
    pub(super) async fn bucket(&self, name: &str) -> S3Result<Bucket> {
        self.find_bucket(name).await?.ok_or_else(no_such_bucket)
    }

    /// Buckets by name, after `after`, at most `limit`; only those of an account, and everybody's, if one is given.
    pub(super) async fn buckets(
        &self,
        account: Option<&AccountId>,
        prefix: &str,
        after: &str,
        limit: i64,
    ) -> S3Result<Vec<Bucket>> {
        sqlx::query_as(
            "SELECT name, region, created_at, account FROM buckets WHERE name > $1 AND substr(name, 1, length($2)) = $2
             AND ($4 IS NULL OR account IS NULL OR account = $4) ORDER BY name LIMIT $3",
        )
        .bind(after)
        .bind(prefix)
        .bind(limit)
        .bind(account)
        .fetch_all(&self.read)
        .await
        .map_err(internal)
    }

    /// Removes an empty bucket, with its settings and the uploads begun in it.
    pub(super) async fn delete_bucket(&self, name: &str) -> S3Result<()> {
        let mut tx = self.begin().await?;
        need_bucket(&mut tx, name).await?;
        let full: Option<i64> = sqlx::query_scalar("SELECT 1 FROM objects WHERE bucket = $1 LIMIT 1")
            .bind(name)
            .fetch_optional(&mut *tx)
            .await
            .map_err(internal)?;
        if full.is_some() {
            return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
        }
        let parts: Vec<i64> = sqlx::query_scalar(
            "SELECT p.body FROM parts p JOIN uploads u ON u.id = p.upload WHERE u.bucket = $1",
        )
        .bind(name)
        .fetch_all(&mut *tx)
        .await
        .map_err(internal)?;
        sqlx::query("DELETE FROM buckets WHERE name = $1")
            .bind(name)
            .execute(&mut *tx)
            .await
            .map_err(internal)?;
        for body in parts {
            remove_unused(&mut tx, body).await?;
        }
        tx.commit().await.map_err(internal)
    }

    /// What is set on a bucket, as text. `NoSuchBucket` if there is none.
    pub(super) async fn setting(&self, bucket: &str, setting: Setting) -> S3Result<Option<String>> {
        let row: Option<(Option<String>,)> = sqlx::query_as(
            "SELECT s.value FROM buckets b LEFT JOIN bucket_settings s ON s.bucket = b.name AND s.name = $2
             WHERE b.name = $1",
        )
        .bind(bucket)
        .bind(setting.name())
        .fetch_optional(&self.read)
        .await
        .map_err(internal)?;
        row.map(|(value,)| value).ok_or_else(no_such_bucket)
    }

    /// What is set on a bucket, read from JSON.
    pub(super) async fn read_setting<T: DeserializeOwned>(
        &self,
        bucket: &str,
        setting: Setting,
    ) -> S3Result<Option<T>> {
        let text = self.setting(bucket, setting).await?;
        text.map(|text| serde_json::from_str(&text).map_err(internal)).transpose()
    }

    /// Sets something on a bucket, as JSON.
    pub(super) async fn put_setting<T: Serialize + Sync>(
        &self,
        bucket: &str,
        setting: Setting,
        value: &T,
    ) -> S3Result<()> {
        self.put_setting_text(bucket, setting, &serde_json::to_string(value).map_err(internal)?).await
    }

    /// Sets something on a bucket.
    pub(super) async fn put_setting_text(&self, bucket: &str, setting: Setting, value: &str) -> S3Result<()> {
        let mut tx = self.begin().await?;
        need_bucket(&mut tx, bucket).await?;
        write_setting(&mut tx, bucket, setting, value).await?;
        tx.commit().await.map_err(internal)
    }

    /// Takes a setting away; fine when it is not there.
    pub(super) async fn delete_setting(&self, bucket: &str, setting: Setting) -> S3Result<()> {
        let mut tx = self.begin().await?;
        need_bucket(&mut tx, bucket).await?;
        sqlx::query("DELETE FROM bucket_settings WHERE bucket = $1 AND name = $2")
            .bind(bucket)
            .bind(setting.name())
            .execute(&mut *tx)
            .await
            .map_err(internal)?;
        tx.commit().await.map_err(internal)
    }
}

async fn write_setting(
    db: &mut SqliteConnection,
    bucket: &str,
    setting: Setting,
    value: &str,
) -> S3Result<()> {
    sqlx::query(
        "INSERT INTO bucket_settings (bucket, name, value) VALUES ($1, $2, $3)
         ON CONFLICT (bucket, name) DO UPDATE SET value = excluded.value",
    )
    .bind(bucket)
    .bind(setting.name())
    .bind(value)
    .execute(db)
    .await
    .map_err(internal)?;
    Ok(())
}
