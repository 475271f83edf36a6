//! Uploads in parts: begun, filled part by part, finished as an object or given up. Nobody reads a part, so that its body
//! goes at once when it is not wanted any more.

use crate::buckets::bodies::{Upload, new_body, remove_unused};
use crate::buckets::bucket::need_bucket;
use crate::buckets::objects::{Attributes, Object, PutCondition, point};
use crate::buckets::{Buckets, internal};
use crate::domain::text::hex;
use md5::{Digest, Md5};
use s3s::{S3Error, S3Result, s3_error};
use sqlx::{FromRow, SqliteConnection};
use std::collections::BTreeMap;

/// The least that a part other than the last must have.
const MIN_PART: i64 = 5 * 1024 * 1024;

/// The largest object: 5 TiB.
const MAX_OBJECT: i64 = 5 * 1024 * 1024 * 1024 * 1024;

/// An upload that has been begun.
#[derive(Debug, FromRow)]
pub(super) struct Begun {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) initiated_at: i64,
    attributes: String,
}

impl Begun {
    pub(super) fn attributes(&self) -> S3Result<Attributes> {
        serde_json::from_str(&self.attributes).map_err(internal)
    }
}

/// A part that is there.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Part {
    pub(super) number: i64,
    pub(super) size: i64,
    pub(super) etag: String,
    pub(super) last_modified: i64,
    body: i64,
}

/// Which upload: its bucket, key and id must all fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct UploadRef<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) id: &'a str,
}

fn no_such_upload() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
         completed."
    )
}

async fn need_upload(db: &mut SqliteConnection, upload: UploadRef<'_>) -> S3Result<Begun> {
    need_bucket(db, upload.bucket).await?;
    let begun = sqlx::query_as(
        "SELECT id, key, initiated_at, attributes FROM uploads WHERE id = $1 AND bucket = $2 AND key = $3",
    )
    .bind(upload.id)
    .bind(upload.bucket)
    .bind(upload.key)
    .fetch_optional(db)
    .await
    .map_err(internal)?;
    begun.ok_or_else(no_such_upload)
}

async fn parts_of(db: &mut SqliteConnection, id: &str, after: i64, limit: i64) -> S3Result<Vec<Part>> {
    sqlx::query_as(
        "SELECT number, size, etag, last_modified, body FROM parts WHERE upload = $1 AND number > $2
         ORDER BY number LIMIT $3",
    )
    .bind(id)
    .bind(after)
    .bind(limit)
    .fetch_all(db)
    .await
    .map_err(internal)
}

impl Buckets {
    /// Begins an upload; its id.
    pub(super) async fn begin_upload(
        &self,
        bucket: &str,
        key: &str,
        attributes: &Attributes,
    ) -> S3Result<String> {
        let id = self.ids.uuid().simple().to_string();
        let mut tx = self.begin().await?;
        need_bucket(&mut tx, bucket).await?;
        sqlx::query(
            "INSERT INTO uploads (id, bucket, key, initiated_at, attributes) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&id)
        .bind(bucket)
        .bind(key)
        .bind(self.now())
        .bind(serde_json::to_string(attributes).map_err(internal)?)
        .execute(&mut *tx)
        .await
        .map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        Ok(id)
    }

    /// The upload, or `NoSuchUpload`.
    pub(super) async fn upload(&self, upload: UploadRef<'_>) -> S3Result<Begun> {
        need_upload(&mut *self.read.acquire().await.map_err(internal)?, upload).await
    }

    /// Puts a part in place of the one of that number; it as it is now.
    pub(super) async fn put_part(
        &self,
        upload: UploadRef<'_>,
        number: i32,
        mut body: Upload,
    ) -> S3Result<Part> {
        let mut tx = self.begin().await?;
        need_upload(&mut tx, upload).await?;
        let before: Option<i64> =
            sqlx::query_scalar("SELECT body FROM parts WHERE upload = $1 AND number = $2")
                .bind(upload.id)
                .bind(number)
                .fetch_optional(&mut *tx)
                .await
                .map_err(internal)?;
        let part = Part {
            number: number.into(),
            size: body.size(),
            etag: hex(&body.md5()),
            last_modified: self.now(),
            body: body.finish(&mut tx).await?,
        };
        sqlx::query(
            "INSERT INTO parts (upload, number, size, etag, last_modified, body) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (upload, number) DO UPDATE SET size = excluded.size, etag = excluded.etag,
               last_modified = excluded.last_modified, body = excluded.body",
        )
        .bind(upload.id)
        .bind(part.number)
        .bind(part.size)
        .bind(&part.etag)
        .bind(part.last_modified)
        .bind(part.body)
        .execute(&mut *tx)
        .await
        .map_err(internal)?;
        if let Some(body) = before {
            remove_unused(&mut tx, body).await?;
        }
        tx.commit().await.map_err(internal)?;
        Ok(part)
    }

    /// The parts of an upload that are there, after a number, at most `limit`.
    pub(super) async fn parts(&self, upload: UploadRef<'_>, after: i64, limit: i64) -> S3Result<Vec<Part>> {
        let mut db = self.read.acquire().await.map_err(internal)?;
        need_upload(&mut db, upload).await?;
        parts_of(&mut db, upload.id, after, limit).await
    }

    /// The uploads begun in a bucket whose keys begin with `prefix`, after a key and id, at most `limit`.
    pub(super) async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        (after_key, after_id): (&str, &str),
        limit: i64,
    ) -> S3Result<Vec<Begun>> {
        let mut db = self.read.acquire().await.map_err(internal)?;
        need_bucket(&mut db, bucket).await?;
        sqlx::query_as(
            "SELECT id, key, initiated_at, attributes FROM uploads
             WHERE bucket = $1 AND (key, id) > ($2, $3) AND substr(key, 1, length($4)) = $4
             ORDER BY key, id LIMIT $5",
        )
        .bind(bucket)
        .bind(after_key)
        .bind(after_id)
        .bind(prefix)
        .bind(limit)
        .fetch_all(&mut *db)
        .await
        .map_err(internal)
    }

    /// Gives an upload up, with all its parts.
    pub(super) async fn abort(&self, upload: UploadRef<'_>) -> S3Result<()> {
        let mut tx = self.begin().await?;
        need_upload(&mut tx, upload).await?;
        let parts = parts_of(&mut tx, upload.id, 0, i64::MAX).await?;
        delete_upload(&mut tx, upload.id).await?;
        for part in parts {
            remove_unused(&mut tx, part.body).await?;
        }
        tx.commit().await.map_err(internal)
    }

    /// Makes an object of the parts listed as (number, ETag); other parts are dropped.
    ///
    /// Refusals: `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall`, `EntityTooLarge`.
    pub(super) async fn complete(
        &self,
        upload: UploadRef<'_>,
        listed: &[(i64, Option<String>)],
        condition: &PutCondition,
    ) -> S3Result<Object> {
        if listed.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number."
            ));
        }
        let mut tx = self.begin().await?;
        let begun = need_upload(&mut tx, upload).await?;
        let there = parts_of(&mut tx, upload.id, 0, i64::MAX).await?;
        let chosen = choose(&there, listed)?;
        let (mut size, mut hashes) = (0, Md5::new());
        let body = new_body(&mut tx).await?;
        for part in &chosen {
            // The body takes over the part's pieces, moved by what came before.
            sqlx::query("UPDATE pieces SET body = $2, start = start + $3 WHERE body = $1")
                .bind(part.body)
                .bind(body)
                .bind(size)
                .execute(&mut *tx)
                .await
                .map_err(internal)?;
            size += part.size;
            hashes.update(unhex(&part.etag));
        }
        if size > MAX_OBJECT {
            return Err(s3_error!(
                EntityTooLarge,
                "Your proposed upload exceeds the maximum allowed object size."
            ));
        }
        sqlx::query("UPDATE bodies SET size = $2 WHERE id = $1")
            .bind(body)
            .bind(size)
            .execute(&mut *tx)
            .await
            .map_err(internal)?;
        let etag = format!("{}-{}", hex(&hashes.finalize()), chosen.len());
        let object = Object::new(size, etag, self.now(), &begun.attributes()?, body)?;
        let freed = point(&mut tx, (upload.bucket, upload.key), &object, condition).await?;
        delete_upload(&mut tx, upload.id).await?;
        for part in &there {
            remove_unused(&mut tx, part.body).await?;
        }
        tx.commit().await.map_err(internal)?;
        if let Some(body) = freed {
            self.let_go(body).await?;
        }
        Ok(object)
    }
}

/// The parts that a list names.
fn choose<'a>(there: &'a [Part], listed: &[(i64, Option<String>)]) -> S3Result<Vec<&'a Part>> {
    let by_number: BTreeMap<i64, &Part> = there.iter().map(|part| (part.number, part)).collect();
    let mut chosen = Vec::with_capacity(listed.len());
    for (i, (number, etag)) in listed.iter().enumerate() {
        let part = by_number.get(number).filter(|part| etag.as_ref().is_none_or(|etag| *etag == part.etag));
        let part = part.ok_or_else(|| {
            s3_error!(
                InvalidPart,
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
                 specified entity tag may not match the part's entity tag."
            )
        })?;
        if part.size < MIN_PART && i + 1 < listed.len() {
            return Err(s3_error!(
                EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed size"
            ));
        }
        chosen.push(*part);
    }
    Ok(chosen)
}

async fn delete_upload(db: &mut SqliteConnection, id: &str) -> S3Result<()> {
    // Its parts go with it.
    sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id).execute(db).await.map_err(internal)?;
    Ok(())
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    text.as_bytes().chunks(2).filter_map(byte).collect()
}
