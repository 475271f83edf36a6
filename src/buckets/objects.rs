//! Objects: the rows that point to bodies.

use crate::buckets::bodies::{Hold, PIECE, Upload, remove_unused};
use crate::buckets::bucket::{need_bucket, no_such_bucket};
use crate::buckets::{Buckets, internal};
use crate::domain::text::hex;
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, SqliteConnection};
use std::collections::BTreeMap;

/// What an object's readers get back as headers, kept as JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) website_redirect_location: Option<String>,
    /// Without one: `STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) storage_class: Option<String>,
    /// Without one: `AES256`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) encryption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kms_key_id: Option<String>,
    /// A canned ACL. Without one: `private`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) acl: Option<String>,
    /// User metadata.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<String, String>,
}

/// An object without its bytes.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Object {
    pub(super) size: i64,
    pub(super) etag: String,
    pub(super) last_modified: i64,
    attributes: String,
    body: i64,
}

impl Object {
    pub(super) fn attributes(&self) -> S3Result<Attributes> {
        serde_json::from_str(&self.attributes).map_err(internal)
    }
}

/// An object to be read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) object: Object,
    pub(super) bytes: Bytes,
}

/// The bytes of an object: at hand when they are few, or held.
#[derive(Debug)]
pub(super) enum Bytes {
    Here(Vec<u8>),
    Held(Hold),
}

/// What must be true of the object that is there for another one to be put in its place.
#[derive(Debug, Default)]
pub(super) struct PutCondition {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

/// Whether an ETag condition names `etag`.
pub(super) fn names(condition: &ETagCondition, etag: &str) -> bool {
    condition.is_any() || condition.as_etag().is_some_and(|e| e.value() == etag)
}

pub(super) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

pub(super) fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

impl PutCondition {
    fn check(&self, there: Option<&Object>) -> S3Result<()> {
        match (&self.if_match, there) {
            (Some(_), None) => return Err(no_such_key()),
            (Some(condition), Some(there)) if !names(condition, &there.etag) => {
                return Err(precondition_failed());
            }
            _ => {}
        }
        match (&self.if_none_match, there) {
            (Some(condition), Some(there)) if names(condition, &there.etag) => Err(precondition_failed()),
            _ => Ok(()),
        }
    }
}

/// The object of a key, if there is one.
async fn find(db: &mut SqliteConnection, bucket: &str, key: &str) -> S3Result<Option<Object>> {
    sqlx::query_as(
        "SELECT size, etag, last_modified, attributes, body FROM objects WHERE bucket = $1 AND key = $2",
    )
    .bind(bucket)
    .bind(key)
    .fetch_optional(db)
    .await
    .map_err(internal)
}

/// Lets a key point to a body. The body that it pointed to before, to be let go after the commit.
pub(super) async fn point(
    db: &mut SqliteConnection,
    (bucket, key): (&str, &str),
    new: &Object,
    condition: &PutCondition,
) -> S3Result<Option<i64>> {
    need_bucket(db, bucket).await?;
    let there = find(db, bucket, key).await?;
    condition.check(there.as_ref())?;
    sqlx::query(
        "INSERT INTO objects (bucket, key, size, etag, last_modified, attributes, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (bucket, key) DO UPDATE SET size = excluded.size, etag = excluded.etag,
           last_modified = excluded.last_modified, attributes = excluded.attributes, body = excluded.body",
    )
    .bind(bucket)
    .bind(key)
    .bind(new.size)
    .bind(&new.etag)
    .bind(new.last_modified)
    .bind(&new.attributes)
    .bind(new.body)
    .execute(&mut *db)
    .await
    .map_err(internal)?;
    match there {
        Some(there) => freed(db, &there).await,
        None => Ok(None),
    }
}

/// A body that an object no longer points to: a short one, which is read in one go, goes at once.
async fn freed(db: &mut SqliteConnection, gone: &Object) -> S3Result<Option<i64>> {
    if gone.size > PIECE as i64 {
        return Ok(Some(gone.body));
    }
    remove_unused(db, gone.body).await?;
    Ok(None)
}

impl Object {
    pub(super) fn new(
        size: i64,
        etag: String,
        last_modified: i64,
        attributes: &Attributes,
        body: i64,
    ) -> S3Result<Object> {
        let attributes = serde_json::to_string(attributes).map_err(internal)?;
        Ok(Object { size, etag, last_modified, attributes, body })
    }
}

impl Buckets {
    /// Puts an uploaded body at a key; the object as it is now.
    pub(super) async fn put(
        &self,
        bucket: &str,
        key: &str,
        mut upload: Upload,
        attributes: Attributes,
        condition: &PutCondition,
    ) -> S3Result<Object> {
        let mut tx = self.begin().await?;
        let body = upload.finish(&mut tx).await?;
        let object = Object::new(upload.size(), hex(&upload.md5()), self.now(), &attributes, body)?;
        let freed = point(&mut tx, (bucket, key), &object, condition).await?;
        tx.commit().await.map_err(internal)?;
        if let Some(body) = freed {
            self.let_go(body).await?;
        }
        Ok(object)
    }

    /// Puts the body of another object at a key, without moving a byte.
    pub(super) async fn copy(
        &self,
        (bucket, key): (&str, &str),
        source: &Object,
        attributes: &Attributes,
    ) -> S3Result<Object> {
        let new = Object::new(source.size, source.etag.clone(), self.now(), attributes, source.body)?;
        let mut tx = self.begin().await?;
        // The source may have gone in the meantime, and its body with it.
        let there: Option<i64> = sqlx::query_scalar("SELECT 1 FROM bodies WHERE id = $1")
            .bind(source.body)
            .fetch_optional(&mut *tx)
            .await
            .map_err(internal)?;
        there.ok_or_else(no_such_key)?;
        let freed = point(&mut tx, (bucket, key), &new, &PutCondition::default()).await?;
        tx.commit().await.map_err(internal)?;
        if let Some(body) = freed {
            self.let_go(body).await?;
        }
        Ok(new)
    }

    /// Gives an object other attributes.
    pub(super) async fn set_attributes(
        &self,
        bucket: &str,
        key: &str,
        change: impl FnOnce(&mut Attributes) + Send,
    ) -> S3Result<()> {
        let mut tx = self.begin().await?;
        need_bucket(&mut tx, bucket).await?;
        let object = find(&mut tx, bucket, key).await?.ok_or_else(no_such_key)?;
        let mut attributes = object.attributes()?;
        change(&mut attributes);
        sqlx::query("UPDATE objects SET attributes = $3 WHERE bucket = $1 AND key = $2")
            .bind(bucket)
            .bind(key)
            .bind(serde_json::to_string(&attributes).map_err(internal)?)
            .execute(&mut *tx)
            .await
            .map_err(internal)?;
        tx.commit().await.map_err(internal)
    }

    /// Removes objects, all or none; keys that are not there are fine.
    pub(super) async fn remove(&self, bucket: &str, keys: &[&str]) -> S3Result<()> {
        let mut tx = self.begin().await?;
        need_bucket(&mut tx, bucket).await?;
        let mut bodies = Vec::new();
        for key in keys {
            let Some(object) = find(&mut tx, bucket, key).await? else { continue };
            sqlx::query("DELETE FROM objects WHERE bucket = $1 AND key = $2")
                .bind(bucket)
                .bind(key)
                .execute(&mut *tx)
                .await
                .map_err(internal)?;
            bodies.extend(freed(&mut tx, &object).await?);
        }
        tx.commit().await.map_err(internal)?;
        for body in bodies {
            self.let_go(body).await?;
        }
        Ok(())
    }

    /// An object without its bytes. `NoSuchBucket`, `NoSuchKey`.
    pub(super) async fn object(&self, bucket: &str, key: &str) -> S3Result<Object> {
        let mut db = self.read.acquire().await.map_err(internal)?;
        match find(&mut db, bucket, key).await? {
            Some(object) => Ok(object),
            None => {
                need_bucket(&mut db, bucket).await?;
                Err(no_such_key())
            }
        }
    }

    /// An object with its bytes, which stay as they are while they are read.
    pub(super) async fn open_object(&self, bucket: &str, key: &str) -> S3Result<Opened> {
        #[derive(FromRow)]
        struct Row {
            #[sqlx(flatten)]
            object: Object,
            /// The only piece of a short body, out of the same snapshot.
            data: Option<Vec<u8>>,
        }
        let row = async || -> S3Result<Option<Row>> {
            sqlx::query_as(
                "SELECT o.size, o.etag, o.last_modified, o.attributes, o.body,
                   CASE WHEN o.size <= $3 THEN (SELECT b.data FROM pieces p JOIN piece_bytes b ON b.id = p.bytes
                     WHERE p.body = o.body AND p.start = 0) END AS data
                 FROM objects o WHERE o.bucket = $1 AND o.key = $2",
            )
            .bind(bucket)
            .bind(key)
            .bind(PIECE as i64)
            .fetch_optional(&self.read)
            .await
            .map_err(internal)
        };
        let mut held: Option<Hold> = None;
        loop {
            let Some(Row { object, data }) = row().await? else {
                return Err(match self.find_bucket(bucket).await? {
                    Some(_) => no_such_key(),
                    None => no_such_bucket(),
                });
            };
            if object.size <= PIECE as i64 {
                return Ok(Opened { object, bytes: Bytes::Here(data.unwrap_or_default()) });
            }
            // Held first and seen again after that: nobody can have let go of it in between.
            match held {
                Some(hold) if hold.is_of(object.body) => {
                    return Ok(Opened { object, bytes: Bytes::Held(hold) });
                }
                _ => held = Some(self.hold(object.body)),
            }
        }
    }
}

/// An ETag as headers and lists show it.
pub(super) fn strong(etag: &str) -> ETag {
    ETag::Strong(etag.to_owned())
}
