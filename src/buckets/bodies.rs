//! The bytes of objects and parts: written in pieces as they come, read in pieces as they go.
//!
//! A body never changes, and lives as long as an object or a part points to it or somebody reads or writes it. So a
//! download goes on undisturbed while its object is overwritten, and an upload that breaks off leaves nothing.

use crate::buckets::{Buckets, internal};
use futures_util::stream::{self, StreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use md5::{Digest, Md5};
use s3s::dto::StreamingBlob;
use s3s::{Body, S3Error, S3ErrorCode, S3Result, s3_error};
use sqlx::SqliteConnection;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a piece. A body that is no longer has one piece at most.
pub(super) const PIECE: usize = 1024 * 1024;

/// The largest body that S3 takes in one piece: 5 GiB.
const MAX_BODY: i64 = 5 * 1024 * 1024 * 1024;

/// Why the body of a request could not be taken, as its stream says it: with the code for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BodyFault {
    /// `IncompleteBody`, `BadDigest`, `RequestTimeout` …
    pub code: S3ErrorCode,
    /// For the caller.
    pub message: String,
}

impl BodyFault {
    /// As S3 answers it.
    pub fn answer(&self) -> S3Error {
        let mut error = S3Error::with_message(self.code.clone(), self.message.clone());
        if self.code.status_code().is_none() {
            // A code that s3s does not know.
            error.set_status_code(http::StatusCode::BAD_REQUEST);
        }
        error
    }
}

/// The bodies that somebody is reading or writing, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct InUse(Arc<Mutex<HashMap<i64, Uses>>>);

#[derive(Debug, Default)]
struct Uses {
    count: usize,
    /// Nothing may point to it any more, or not yet.
    doubtful: bool,
}

impl InUse {
    fn map(&self) -> MutexGuard<'_, HashMap<i64, Uses>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body in use: as long as this lives, its pieces stay.
#[derive(Debug)]
pub(super) struct Hold {
    buckets: Buckets,
    body: i64,
}

impl Hold {
    pub(super) fn is_of(&self, body: i64) -> bool {
        self.body == body
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut map = self.buckets.in_use.map();
        let Some(uses) = map.get_mut(&self.body) else { return };
        uses.count -= 1;
        if uses.count == 0 {
            let doubtful = uses.doubtful;
            map.remove(&self.body);
            drop(map);
            // Without a runtime the process is ending; the next start sweeps.
            if doubtful && let Ok(runtime) = tokio::runtime::Handle::try_current() {
                let (buckets, body) = (self.buckets.clone(), self.body);
                runtime.spawn(async move {
                    // A failure is in the log; the next start sweeps.
                    let _ = buckets.sweep(body).await;
                });
            }
        }
    }
}

impl Buckets {
    pub(super) fn hold(&self, body: i64) -> Hold {
        self.in_use.map().entry(body).or_default().count += 1;
        Hold { buckets: self.clone(), body }
    }

    /// Removes a body that something has just stopped pointing to, unless something else does; when it is in use, as soon
    /// as it is not. To be called after the commit.
    pub(super) async fn let_go(&self, body: i64) -> S3Result<()> {
        if let Some(uses) = self.in_use.map().get_mut(&body) {
            uses.doubtful = true;
            return Ok(());
        }
        self.sweep(body).await
    }

    async fn sweep(&self, body: i64) -> S3Result<()> {
        let mut tx = self.begin().await?;
        remove_unused(&mut tx, body).await?;
        tx.commit().await.map_err(internal)
    }

    /// Removes all bodies that nothing points to. Only while nobody uses any.
    pub(super) async fn sweep_all(&self) -> S3Result<()> {
        let lost: Vec<i64> = sqlx::query_scalar(
            "SELECT id FROM bodies WHERE id NOT IN (SELECT body FROM objects) AND id NOT IN (SELECT body FROM parts)",
        )
        .fetch_all(&self.read)
        .await
        .map_err(internal)?;
        for body in lost {
            self.sweep(body).await?;
        }
        Ok(())
    }

    /// A part of a body as a stream; `hold` keeps its pieces until the stream is gone.
    pub(super) fn stream(&self, hold: Hold, range: Range<u64>) -> StreamingBlob {
        let pieces = stream::unfold((self.clone(), hold, range), |(buckets, hold, range)| async move {
            if range.is_empty() {
                return None;
            }
            match buckets.piece(hold.body, &range).await {
                Ok(bytes) => {
                    let rest = range.start + bytes.len() as u64..range.end;
                    Some((Ok(Frame::data(bytes.into())), (buckets, hold, rest)))
                }
                Err(error) => {
                    // The stream breaks here, so that nobody takes half an object for a whole one.
                    Some((Err(s3s::StdError::from(Box::new(error))), (buckets, hold, 0..0)))
                }
            }
        });
        StreamingBlob::from(Body::http_body_unsync(StreamBody::new(pieces)))
    }

    /// Bytes from the start of `range`, as far as one piece goes.
    async fn piece(&self, body: i64, range: &Range<u64>) -> S3Result<Vec<u8>> {
        let (start, mut data): (i64, Vec<u8>) = sqlx::query_as(
            "SELECT p.start, b.data FROM pieces p JOIN piece_bytes b ON b.id = p.bytes
             WHERE p.body = $1 AND p.start <= $2 ORDER BY p.start DESC LIMIT 1",
        )
        .bind(body)
        .bind(i64::try_from(range.start).map_err(internal)?)
        .fetch_one(&self.read)
        .await
        .map_err(internal)?;
        let start = u64::try_from(start).map_err(internal)?;
        data.truncate(usize::try_from(range.end.saturating_sub(start)).unwrap_or(usize::MAX));
        data.drain(..usize::try_from(range.start - start).map_err(internal)?.min(data.len()));
        if data.is_empty() {
            tracing::error!(body, at = range.start, "a body in the bucket store has a gap");
            return Err(s3_error!(InternalError));
        }
        Ok(data)
    }
}

/// Removes a body and its pieces, if nothing points to it.
pub(super) async fn remove_unused(db: &mut SqliteConnection, body: i64) -> S3Result<()> {
    let removed = sqlx::query(
        "DELETE FROM bodies WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM objects WHERE body = $1)
         AND NOT EXISTS (SELECT 1 FROM parts WHERE body = $1)",
    )
    .bind(body)
    .execute(&mut *db)
    .await
    .map_err(internal)?;
    if removed.rows_affected() == 1 {
        for sql in [
            "DELETE FROM piece_bytes WHERE id IN (SELECT bytes FROM pieces WHERE body = $1)",
            "DELETE FROM pieces WHERE body = $1",
        ] {
            sqlx::query(sql).bind(body).execute(&mut *db).await.map_err(internal)?;
        }
    }
    Ok(())
}

/// A new body without pieces.
pub(super) async fn new_body(db: &mut SqliteConnection) -> S3Result<i64> {
    sqlx::query_scalar("INSERT INTO bodies (size) VALUES (0) RETURNING id")
        .fetch_one(db)
        .await
        .map_err(internal)
}

/// A body on its way in. What does not fit into one piece is written as it comes; nothing points to it before
/// [`Upload::finish`] is committed.
pub(super) struct Upload {
    buckets: Buckets,
    /// The body, once a piece of it is written.
    hold: Option<Hold>,
    written: i64,
    piece: Vec<u8>,
    hash: Md5,
}

impl Upload {
    pub(super) fn begin(buckets: &Buckets) -> Upload {
        Upload { buckets: buckets.clone(), hold: None, written: 0, piece: Vec::new(), hash: Md5::new() }
    }

    /// Takes a whole request body.
    pub(super) async fn receive(buckets: &Buckets, body: Option<StreamingBlob>) -> S3Result<Upload> {
        let mut upload = Upload::begin(buckets);
        if let Some(mut body) = body {
            while let Some(bytes) = body.next().await {
                upload.push(&bytes.map_err(fault)?).await?;
            }
        }
        Ok(upload)
    }

    pub(super) async fn push(&mut self, mut bytes: &[u8]) -> S3Result<()> {
        self.hash.update(bytes);
        while !bytes.is_empty() {
            if self.piece.len() == PIECE {
                self.write_out().await?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// Bytes so far.
    pub(super) fn size(&self) -> i64 {
        self.written + i64::try_from(self.piece.len()).unwrap_or(i64::MAX)
    }

    /// The MD5 of the bytes so far.
    pub(super) fn md5(&self) -> [u8; 16] {
        self.hash.clone().finalize().into()
    }

    async fn write_out(&mut self) -> S3Result<()> {
        if self.size() >= MAX_BODY {
            return Err(s3_error!(
                EntityTooLarge,
                "Your proposed upload exceeds the maximum allowed object size."
            ));
        }
        let mut tx = self.buckets.begin().await?;
        let body = match &self.hold {
            Some(hold) => hold.body,
            None => new_body(&mut tx).await?,
        };
        insert_piece(&mut tx, body, self.written, &self.piece).await?;
        tx.commit().await.map_err(internal)?;
        if self.hold.is_none() {
            let hold = self.buckets.hold(body);
            if let Some(uses) = self.buckets.in_use.map().get_mut(&body) {
                uses.doubtful = true;
            }
            self.hold = Some(hold);
        }
        self.written = self.size();
        self.piece.clear();
        Ok(())
    }

    /// Writes what is left into the transaction that makes something point to the body; its id.
    pub(super) async fn finish(&mut self, db: &mut SqliteConnection) -> S3Result<i64> {
        let body = match &self.hold {
            Some(hold) => hold.body,
            None => new_body(db).await?,
        };
        if !self.piece.is_empty() {
            insert_piece(db, body, self.written, &self.piece).await?;
        }
        sqlx::query("UPDATE bodies SET size = $2 WHERE id = $1")
            .bind(body)
            .bind(self.size())
            .execute(db)
            .await
            .map_err(internal)?;
        Ok(body)
    }
}

async fn insert_piece(db: &mut SqliteConnection, body: i64, start: i64, data: &[u8]) -> S3Result<()> {
    let bytes: i64 = sqlx::query_scalar("INSERT INTO piece_bytes (data) VALUES ($1) RETURNING id")
        .bind(data)
        .fetch_one(&mut *db)
        .await
        .map_err(internal)?;
    sqlx::query("INSERT INTO pieces (body, start, bytes) VALUES ($1, $2, $3)")
        .bind(body)
        .bind(start)
        .bind(bytes)
        .execute(db)
        .await
        .map_err(internal)?;
    Ok(())
}

/// Why a request body broke off.
fn fault(error: s3s::StdError) -> S3Error {
    // A body of our own that is copied breaks with an answer already made.
    let error = match error.downcast::<S3Error>() {
        Ok(answer) => return *answer,
        Err(error) => error,
    };
    match error.downcast_ref::<BodyFault>() {
        Some(fault) => fault.answer(),
        None => s3_error!(IncompleteBody, "The request body broke off."),
    }
}
