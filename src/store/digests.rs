//! Digests: their chains, the log files that they name, and what is still to be put.

use crate::domain::digest::{Delivered, Previous};
use crate::store::{Digests, Session, StoreResult, TrailRegion, WriteSession};
use sqlx::FromRow;

/// A trail and region for which digests are to be written.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are those of the trail's settings")]
pub struct Wanted {
    #[sqlx(flatten)]
    pub whose: TrailRegion,
    pub s3_bucket_name: String,
    pub s3_key_prefix: Option<String>,
    pub kms_key_id: Option<String>,
}

/// A chain of digests that goes on, or is to be closed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Chain {
    /// `digest_chains.id`
    pub id: i64,
    /// Its trail and region, and where digests go.
    #[sqlx(flatten)]
    pub wanted: Wanted,
    /// Whether only its last digest is to come.
    pub closing: bool,
    /// Until when digests are there, seconds since 1970.
    pub last_end: i64,
    /// Failures since the last success ...
    pub failures: i64,
    /// ... and when to try again.
    pub retry_at: Option<i64>,
}

/// A digest whose object is still to be put.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct WaitingDigest {
    pub id: i64,
    pub s3_bucket_name: String,
    pub s3_object_key: String,
    pub kms_key_id: Option<String>,
    pub signature: String,
    pub content: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// A digest to be stored; see the table for its parts.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct NewDigest<'a> {
    pub s3_object_key: &'a str,
    pub start_time: i64,
    pub end_time: i64,
    pub fingerprint: &'a str,
    pub sha256: &'a str,
    pub signature: &'a str,
    pub content: &'a str,
}

const OF_CHAIN: &str = "trail_account = $1 AND home_region = $2 AND trail_name = $3 AND trail_created_at = $4 \
     AND region = $5";

impl<S: Session> Digests<'_, S> {
    /// For which trails and regions digests are to be written: trails that are logging with validation, in their home
    /// region, and multi-region trails wherever they captured something.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn wanted_chains(&mut self) -> StoreResult<Vec<Wanted>> {
        let wanted = sqlx::query_as(
            "WITH logging AS (SELECT t.* FROM trails t JOIN trail_status s ON s.account = t.account \
             AND s.home_region = t.home_region AND s.name = t.name AND s.region = t.home_region \
             WHERE s.is_logging AND t.log_file_validation_enabled) \
             SELECT account AS trail_account, home_region, name AS trail_name, created_at AS trail_created_at, \
             home_region AS region, s3_bucket_name, s3_key_prefix, kms_key_id FROM logging \
             UNION SELECT t.account, t.home_region, t.name, t.created_at, d.region, t.s3_bucket_name, \
             t.s3_key_prefix, t.kms_key_id FROM logging t JOIN destinations d ON d.kind = 'log_file' \
             AND d.trail_account = t.account AND d.home_region = t.home_region AND d.trail_name = t.name \
             AND d.trail_created_at = t.created_at WHERE t.is_multi_region_trail",
        );
        Ok(wanted.fetch_all(self.db()).await?)
    }

    /// The chains that are not closed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn chains(&mut self) -> StoreResult<Vec<Chain>> {
        let chains = sqlx::query_as(
            "SELECT *, state = 'closing' AS closing FROM digest_chains WHERE state IN ('open', 'closing') ORDER BY id",
        );
        Ok(chains.fetch_all(self.db()).await?)
    }

    /// The stored log files of a chain that no digest names yet, with their ids, in the order of delivery.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn undigested(&mut self, whose: &TrailRegion) -> StoreResult<Vec<(i64, Delivered)>> {
        let select = format!(
            "SELECT id, s3_bucket_name, s3_object_key, sha256, oldest_event_time, newest_event_time FROM log_files \
             WHERE validated = TRUE AND digest IS NULL AND state = 'stored' AND {OF_CHAIN} ORDER BY id"
        );
        let files = sqlx::query_as(sqlx::AssertSqlSafe(select)).bind(&whose.trail_account);
        let files = files.bind(&whose.home_region).bind(&whose.trail_name).bind(whose.trail_created_at);
        let files: Vec<(i64, String, String, String, i64, i64)> =
            files.bind(&whose.region).fetch_all(self.db()).await?;
        let file = |(id, bucket, key, sha256, oldest, newest)| {
            (id, Delivered { bucket, key, sha256, oldest, newest })
        };
        Ok(files.into_iter().map(file).collect())
    }

    /// Whether a trail has captured something in a region that is not in its bucket yet.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn is_delivering(&mut self, whose: &TrailRegion) -> StoreResult<bool> {
        let select = format!(
            "SELECT EXISTS (SELECT 1 FROM destinations d WHERE kind = 'log_file' AND {OF_CHAIN} \
             AND EXISTS (SELECT 1 FROM pending_events p WHERE p.destination = d.id))"
        );
        let busy = sqlx::query_scalar(sqlx::AssertSqlSafe(select)).bind(&whose.trail_account);
        let busy = busy.bind(&whose.home_region).bind(&whose.trail_name).bind(whose.trail_created_at);
        Ok(busy.bind(&whose.region).fetch_one(self.db()).await?)
    }

    /// The latest digest of a chain.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn last(&mut self, chain: i64) -> StoreResult<Option<Previous>> {
        let last = sqlx::query_as(
            "SELECT s3_bucket_name, s3_object_key, sha256, signature FROM digests WHERE chain = $1 \
             ORDER BY id DESC LIMIT 1",
        );
        let last: Option<(String, String, String, String)> =
            last.bind(chain).fetch_optional(self.db()).await?;
        Ok(last.map(|(bucket, key, sha256, signature)| Previous { bucket, key, sha256, signature }))
    }

    /// The chains, closed ones too, that have digests still to be put.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn waiting_chains(&mut self) -> StoreResult<Vec<Chain>> {
        let chains = sqlx::query_as(
            "SELECT *, state = 'closing' AS closing FROM digest_chains \
             WHERE id IN (SELECT chain FROM digests WHERE state = 'waiting') ORDER BY id",
        );
        Ok(chains.fetch_all(self.db()).await?)
    }

    /// The next digest of a chain that is to be put, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn next_waiting(&mut self, chain: i64) -> StoreResult<Option<WaitingDigest>> {
        let next = sqlx::query_as(
            "SELECT * FROM digests WHERE state = 'waiting' AND chain = $1 ORDER BY id LIMIT 1",
        );
        Ok(next.bind(chain).fetch_optional(self.db()).await?)
    }
}

impl Digests<'_, WriteSession> {
    /// Begins a chain at `start`, seconds since 1970, or behind the last end of an earlier chain of this trail's name:
    /// the end stands in the names of digests, and no name may be used twice.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn start_chain(&mut self, wanted: &Wanted, start: i64) -> StoreResult<()> {
        let insert = sqlx::query(
            "INSERT INTO digest_chains (trail_account, home_region, trail_name, trail_created_at, region, \
             s3_bucket_name, s3_key_prefix, kms_key_id, state, last_end) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', max($9, (SELECT coalesce(max(last_end) + 1, 0) \
             FROM digest_chains WHERE trail_account = $1 AND home_region = $2 AND trail_name = $3 AND region = $5)))",
        );
        let whose = &wanted.whose;
        let insert = insert.bind(&whose.trail_account).bind(&whose.home_region).bind(&whose.trail_name);
        let insert = insert.bind(whose.trail_created_at).bind(&whose.region).bind(&wanted.s3_bucket_name);
        let insert = insert.bind(&wanted.s3_key_prefix).bind(&wanted.kms_key_id).bind(start);
        insert.execute(self.db()).await?;
        Ok(())
    }

    /// Takes a trail's settings over into its chain, which goes on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn continue_chain(&mut self, id: i64, wanted: &Wanted) -> StoreResult<()> {
        let update = sqlx::query(
            "UPDATE digest_chains SET state = 'open', s3_bucket_name = $2, s3_key_prefix = $3, kms_key_id = $4 \
             WHERE id = $1",
        );
        let update = update.bind(id).bind(&wanted.s3_bucket_name).bind(&wanted.s3_key_prefix);
        update.bind(&wanted.kms_key_id).execute(self.db()).await?;
        Ok(())
    }

    /// Says that only the last digest of a chain is to come (`closed` false), or that it is there.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn end_chain(&mut self, id: i64, closed: bool) -> StoreResult<()> {
        let state = if closed { "closed" } else { "closing" };
        let update = sqlx::query("UPDATE digest_chains SET state = $2 WHERE id = $1");
        update.bind(id).bind(state).execute(self.db()).await?;
        Ok(())
    }

    /// Stores a digest of these log files (by id), to be put, and moves its chain on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn insert(
        &mut self,
        chain: &Chain,
        digest: &NewDigest<'_>,
        files: &[i64],
        now: i64,
    ) -> StoreResult<()> {
        let insert = sqlx::query_scalar(
            "INSERT INTO digests (chain, s3_bucket_name, s3_object_key, kms_key_id, start_time, end_time, log_files, \
             fingerprint, sha256, signature, content, created_at, state) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'waiting') RETURNING id",
        );
        let count = i64::try_from(files.len()).unwrap_or(i64::MAX);
        let insert = insert.bind(chain.id).bind(&chain.wanted.s3_bucket_name).bind(digest.s3_object_key);
        let insert = insert.bind(&chain.wanted.kms_key_id).bind(digest.start_time).bind(digest.end_time);
        let insert = insert.bind(count).bind(digest.fingerprint).bind(digest.sha256).bind(digest.signature);
        let id: i64 = insert.bind(digest.content).bind(now).fetch_one(self.db()).await?;
        for file in files {
            let update = sqlx::query("UPDATE log_files SET digest = $2 WHERE id = $1").bind(file).bind(id);
            update.execute(self.db()).await?;
        }
        let update = sqlx::query("UPDATE digest_chains SET last_end = $2 WHERE id = $1").bind(chain.id);
        update.bind(digest.end_time).execute(self.db()).await?;
        Ok(())
    }

    /// Notes that a digest's object is there (at a time), or that it is given up; its content is kept no longer.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn settle(&mut self, id: i64, stored_at: Option<i64>) -> StoreResult<()> {
        let state = if stored_at.is_some() { "stored" } else { "abandoned" };
        let update =
            sqlx::query("UPDATE digests SET state = $2, stored_at = $3, content = NULL WHERE id = $1");
        update.bind(id).bind(state).bind(stored_at).execute(self.db()).await?;
        Ok(())
    }

    /// Counts a failure of a chain and says when to try again, or none after a success.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_retry(&mut self, id: i64, failures: i64, retry_at: Option<i64>) -> StoreResult<()> {
        let update = sqlx::query("UPDATE digest_chains SET failures = $2, retry_at = $3 WHERE id = $1");
        update.bind(id).bind(failures).bind(retry_at).execute(self.db()).await?;
        Ok(())
    }
}
