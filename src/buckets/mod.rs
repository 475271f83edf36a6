//! The embedded bucket store: an S3 of its own in `buckets.db`, for those who have no other. Knows nothing of trails, nor of the
//! port on which it is served: [`Buckets`] is what the server itself puts objects with, [`Buckets::s3`] speaks S3.
//!
//! What is acknowledged is durable (`synchronous = FULL`). Bodies are kept in pieces of 1 MiB and streamed both ways, so
//! that memory does not grow with an object.

mod api;
mod bodies;
mod bucket;
mod listing;
mod objects;
mod open;
mod parts;
mod rules;
mod templates;

pub use api::S3Api;
pub use bodies::BodyFault;
pub use open::database_kind;
pub use rules::{BucketCaller, BucketRules, Seen};

use crate::clock::{Clock, Ids};
use crate::domain::account_id::AccountId;
use crate::domain::bucket_name::BucketName;
use bodies::{InUse, Upload};
use objects::{Attributes, PutCondition};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::path::Path;

/// The store, cheap to clone.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// One connection: SQLite has one writer, and waiting for this pool is the fair queue for it.
    write: SqlitePool,
    read: SqlitePool,
    clock: Clock,
    ids: Ids,
    in_use: InUse,
}

/// Why an object was not stored, with S3's error code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct BucketError {
    /// `NoSuchBucket`, `InvalidBucketName`, `KeyTooLongError`, `InternalError`
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// An object as it is put.
#[derive(Debug, Clone, Default)]
pub struct NewObject {
    /// The bytes.
    pub body: Vec<u8>,
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `Content-Encoding`
    pub content_encoding: Option<String>,
    /// User metadata: name (lower case) and value.
    pub metadata: Vec<(String, String)>,
    /// `AES256` or `aws:kms`
    pub encryption: Option<String>,
    /// The KMS key.
    pub kms_key_id: Option<String>,
}

impl Buckets {
    /// Opens `buckets.db`, makes it if there is none, and removes what broken-off uploads left in it.
    ///
    /// # Errors
    /// The file cannot be used, or is not ours; then it is left as it is.
    pub async fn open(path: &Path, clock: Clock, ids: Ids) -> Result<Buckets, BucketError> {
        let (write, read) = open::pools(path).await?;
        let buckets = Buckets { write, read, clock, ids, in_use: InUse::default() };
        buckets.sweep_all().await?;
        Ok(buckets)
    }

    /// Makes a bucket of `account` in `region`, unless it is there.
    ///
    /// # Errors
    /// `InvalidBucketName`, or the database cannot be written.
    pub async fn ensure_bucket(
        &self,
        account: &AccountId,
        name: &str,
        region: &str,
    ) -> Result<(), BucketError> {
        self.create_bucket(name, region, account, None).await?;
        Ok(())
    }

    /// The policy of a bucket; `None` if it has none.
    ///
    /// # Errors
    /// `NoSuchBucket`, or the database cannot be read.
    pub async fn policy(&self, bucket: &str) -> Result<Option<String>, BucketError> {
        Ok(self.setting(bucket, bucket::Setting::Policy).await?)
    }

    /// Puts an object, durable when this returns.
    ///
    /// # Errors
    /// `NoSuchBucket`, or the database cannot be written.
    pub async fn put_object(&self, bucket: &str, key: &str, object: NewObject) -> Result<(), BucketError> {
        if key.is_empty() || !s3s::path::check_key(key) {
            return Err(s3_error!(KeyTooLongError, "A key has 1 to 1024 bytes.").into());
        }
        let mut upload = Upload::begin(self);
        upload.push(&object.body).await?;
        let attributes = Attributes {
            content_type: object.content_type,
            content_encoding: object.content_encoding,
            encryption: object.encryption,
            kms_key_id: object.kms_key_id,
            metadata: object.metadata.into_iter().collect(),
            ..Attributes::default()
        };
        self.put(bucket, key, upload, attributes, &PutCondition::default()).await?;
        Ok(())
    }

    /// The store as S3's operations.
    pub fn s3(&self) -> S3Api {
        S3Api(self.clone())
    }

    /// Closes the database, after folding the write-ahead log into it.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// Milliseconds since 1970.
    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    /// A transaction that writes, after all others that asked before. Undone unless it is committed.
    async fn begin(&self) -> S3Result<Transaction<'static, Sqlite>> {
        self.write.begin_with("BEGIN IMMEDIATE").await.map_err(internal)
    }
}

impl From<S3Error> for BucketError {
    fn from(error: S3Error) -> Self {
        let code = match error.code() {
            S3ErrorCode::NoSuchBucket => "NoSuchBucket",
            S3ErrorCode::InvalidBucketName => "InvalidBucketName",
            S3ErrorCode::KeyTooLongError => "KeyTooLongError",
            S3ErrorCode::EntityTooLarge => "EntityTooLarge",
            _ => "InternalError",
        };
        BucketError { code, message: error.message().unwrap_or_default().to_owned() }
    }
}

/// A fault of the database: its cause goes to the log, the caller learns nothing but the code.
fn internal(error: impl std::error::Error) -> S3Error {
    tracing::error!(error = %error, "the bucket store failed");
    S3Error::with_message(S3ErrorCode::InternalError, "We encountered an internal error. Please try again.")
}

/// Whether S3 takes this as the name of a new bucket.
fn check_name(name: &str) -> S3Result<()> {
    match BucketName::parse(name) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(s3_error!(InvalidBucketName, "The specified bucket is not valid. {}", error.message))
        }
    }
}
