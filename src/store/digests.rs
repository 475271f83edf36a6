//! Digests: their chains, the log files that they name, and what is still to be put.

use crate::domain::account_id::AccountId;
use crate::domain::digest::{Delivered, Previous};
use crate::domain::region::Region;
use crate::store::{DestinationKind, Digests, Session, StoreResult, WriteSession};
use sqlx::FromRow;
use std::collections::BTreeMap;

/// A trail and region for which digests are to be written.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct WantedChain {
    /// `trails.id`
    pub trail_id: i64,
    /// The trail's account.
    pub account: AccountId,
    /// The region of the events.
    pub region: Region,
}

/// A chain of digests that goes on, or is to be closed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Chain {
    /// `digest_chains.id`
    pub id: i64,
    /// Its trail and region.
    #[sqlx(flatten)]
    pub of: WantedChain,
    /// Whether only its last digest is to come.
    pub closing: bool,
    /// Until when digests are there, seconds since 1970.
    pub last_end: i64,
}

/// What a digest covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewDigest<'a> {
    /// Seconds since 1970.
    pub start_time: i64,
    /// Seconds since 1970.
    pub end_time: i64,
    /// The key that is to sign it.
    pub fingerprint: &'a str,
    /// Whether it is the last one of its chain.
    pub is_last: bool,
}

/// A digest whose object is still to be put.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct WaitingDigest {
    /// `digests.id`
    pub id: i64,
    /// `digest_chains.id`
    pub chain: i64,
    /// Seconds since 1970.
    pub start_time: i64,
    /// Seconds since 1970.
    pub end_time: i64,
    /// The key that signs it.
    pub fingerprint: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

/// Log files that no digest names, of a trail (`$1`) and region (`$2`).
const UNDIGESTED: &str = "digest IS NULL AND validated = TRUE AND state = 'stored' AND destination IN \
     (SELECT id FROM destinations WHERE kind = 'log_file' AND trail_id = $1 AND region = $2)";

impl<S: Session> Digests<'_, S> {
    /// For which trails and regions digests are to be written: trails that are logging with validation, in their home
    /// region, and multi-region trails wherever they captured something.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn wanted_chains(&mut self) -> StoreResult<Vec<WantedChain>> {
        let wanted = sqlx::query_as(
            "WITH logging AS (SELECT t.* FROM trails t JOIN trail_status s ON s.trail_id = t.id \
             AND s.region = t.home_region \
             WHERE s.is_logging AND t.log_file_validation_enabled AND t.deleted_at IS NULL) \
             SELECT id AS trail_id, account, home_region AS region FROM logging \
             UNION SELECT t.id, t.account, d.region FROM logging t JOIN destinations d ON d.kind = 'log_file' \
             AND d.trail_id = t.id AND d.wiped = 0 WHERE t.is_multi_region_trail",
        );
        Ok(wanted.fetch_all(self.db()).await?)
    }

    /// The chains that are not closed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn chains(&mut self) -> StoreResult<Vec<Chain>> {
        let chains = sqlx::query_as(
            "SELECT c.id, d.trail_id, d.account, d.region, c.state = 'closing' AS closing, c.last_end \
             FROM digest_chains c JOIN destinations d ON d.id = c.destination AND d.wiped = 0 \
             WHERE c.state IN ('open', 'closing') ORDER BY c.id",
        );
        Ok(chains.fetch_all(self.db()).await?)
    }

    /// Whether a chain has a digest, put or not.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_any(&mut self, chain: i64) -> StoreResult<bool> {
        let any = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM digests WHERE chain = $1)");
        Ok(any.bind(chain).fetch_one(self.db()).await?)
    }

    /// Whether a trail has put log files in a region that no digest names yet.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_undigested(&mut self, of: &WantedChain) -> StoreResult<bool> {
        let any = format!("SELECT EXISTS (SELECT 1 FROM log_files WHERE {UNDIGESTED})");
        let any = sqlx::query_scalar(sqlx::AssertSqlSafe(any)).bind(of.trail_id).bind(&of.region);
        Ok(any.fetch_one(self.db()).await?)
    }

    /// Whether log files are still to come that a trail's digests of a region have to name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn is_delivering(&mut self, of: &WantedChain) -> StoreResult<bool> {
        let delivering = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM destinations d JOIN trails t ON t.id = d.trail_id \
             WHERE d.kind = 'log_file' AND d.trail_id = $1 AND d.region = $2 AND d.pending_events > 0 \
             AND t.log_file_validation_enabled)",
        );
        Ok(delivering.bind(of.trail_id).bind(&of.region).fetch_one(self.db()).await?)
    }

    /// The next digest of a destination that is to be put, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn next_waiting(&mut self, destination: i64) -> StoreResult<Option<WaitingDigest>> {
        let next = sqlx::query_as(
            "SELECT g.* FROM digest_chains c JOIN digests g ON g.chain = c.id AND g.state = 'waiting' \
             WHERE c.destination = $1 ORDER BY g.id LIMIT 1",
        );
        Ok(next.bind(destination).fetch_optional(self.db()).await?)
    }

    /// The latest digest of a chain that is in its bucket.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn last_stored(&mut self, chain: i64) -> StoreResult<Option<Previous>> {
        let last = sqlx::query_as(
            "SELECT s3_bucket_name, s3_object_key, sha256, signature FROM digests \
             WHERE chain = $1 AND state = 'stored' ORDER BY id DESC LIMIT 1",
        );
        let last: Option<(String, String, String, String)> =
            last.bind(chain).fetch_optional(self.db()).await?;
        Ok(last.map(|(bucket, key, sha256, signature)| Previous { bucket, key, sha256, signature }))
    }

    /// The log files that a digest names, in the order of delivery.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn files(&mut self, digest: i64) -> StoreResult<Vec<Delivered>> {
        let files = sqlx::query_as(
            "SELECT s3_bucket_name, s3_object_key, sha256, oldest_event_time, newest_event_time FROM log_files \
             WHERE digest = $1 ORDER BY id",
        );
        let files: Vec<(String, String, String, i64, i64)> = files.bind(digest).fetch_all(self.db()).await?;
        let file = |(bucket, key, sha256, oldest, newest)| Delivered { bucket, key, sha256, oldest, newest };
        Ok(files.into_iter().map(file).collect())
    }
}

impl Digests<'_, WriteSession> {
    /// Begins a chain at `start`, seconds since 1970, or behind the last end of an earlier chain of this trail's name:
    /// the end stands in the names of digests, and no name may be used twice.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn start_chain(&mut self, of: &WantedChain, start: i64) -> StoreResult<()> {
        let mut deliveries = self.0.deliveries();
        let destination =
            deliveries.destination(DestinationKind::Digest, of.trail_id, &of.account, &of.region).await?;
        let insert = sqlx::query(
            "INSERT INTO digest_chains (destination, state, last_end) VALUES ($1, 'open', \
             max($2, (SELECT coalesce(max(c.last_end) + 1, 0) FROM digest_chains c \
             JOIN destinations d ON d.id = c.destination AND d.region = $4 JOIN trails t ON t.id = d.trail_id \
             JOIN trails own ON own.id = $3 AND own.account = t.account AND own.home_region = t.home_region \
             AND own.name = t.name)))",
        );
        // A trail that is logging is there, and so is its destination.
        let insert = insert.bind(destination.unwrap_or_default()).bind(start).bind(of.trail_id);
        insert.bind(&of.region).execute(self.db()).await?;
        Ok(())
    }

    /// Lets a chain that was to be closed go on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn reopen_chain(&mut self, id: i64) -> StoreResult<()> {
        sqlx::query("UPDATE digest_chains SET state = 'open' WHERE id = $1")
            .bind(id)
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Says that only the last digest of a chain is to come.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn end_chain(&mut self, id: i64) -> StoreResult<()> {
        let end = sqlx::query("UPDATE digest_chains SET state = 'closing' WHERE id = $1");
        end.bind(id).execute(self.db()).await?;
        Ok(())
    }

    /// Stores a digest of all log files that none names yet, to be put, and moves its chain on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn insert(&mut self, chain: &Chain, digest: &NewDigest<'_>, now: i64) -> StoreResult<()> {
        let insert = sqlx::query_scalar(
            "INSERT INTO digests (chain, start_time, end_time, log_files, fingerprint, created_at, state) \
             VALUES ($1, $2, $3, 0, $4, $5, 'waiting') RETURNING id",
        );
        let insert = insert.bind(chain.id).bind(digest.start_time).bind(digest.end_time);
        let id: i64 = insert.bind(digest.fingerprint).bind(now).fetch_one(self.db()).await?;
        let name = format!("UPDATE log_files SET digest = $3 WHERE {UNDIGESTED}");
        let name = sqlx::query(sqlx::AssertSqlSafe(name)).bind(chain.of.trail_id).bind(&chain.of.region);
        let files =
            i64::try_from(name.bind(id).execute(self.db()).await?.rows_affected()).unwrap_or(i64::MAX);
        let count = sqlx::query("UPDATE digests SET log_files = $2 WHERE id = $1");
        count.bind(id).bind(files).execute(self.db()).await?;
        let state = if digest.is_last {
            "closed"
        } else if chain.closing {
            "closing"
        } else {
            "open"
        };
        let update = sqlx::query("UPDATE digest_chains SET last_end = $2, state = $3 WHERE id = $1");
        update.bind(chain.id).bind(digest.end_time).bind(state).execute(self.db()).await?;
        Ok(())
    }

    /// Notes that a digest's object is there, and where, at `now`.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn stored(&mut self, id: i64, put: &Previous, now: i64) -> StoreResult<()> {
        let update = sqlx::query(
            "UPDATE digests SET state = 'stored', stored_at = $2, s3_bucket_name = $3, s3_object_key = $4, \
             sha256 = $5, signature = $6 WHERE id = $1 AND state = 'waiting'",
        );
        let update = update.bind(id).bind(now).bind(&put.bucket).bind(&put.key);
        update.bind(&put.sha256).bind(&put.signature).execute(self.db()).await?;
        Ok(())
    }

    /// Gives up the digests of a destination that were due before `before` (milliseconds since 1970): the next one covers
    /// their time as well, and one that is still to be made names their log files. How many.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn abandon(&mut self, destination: i64, before: i64) -> StoreResult<u64> {
        let abandon = sqlx::query_as(
            "UPDATE digests SET state = 'abandoned' WHERE state = 'waiting' AND created_at < $2 \
             AND chain IN (SELECT id FROM digest_chains WHERE destination = $1) RETURNING id, chain, start_time",
        );
        let abandoned: Vec<(i64, i64, i64)> =
            abandon.bind(destination).bind(before).fetch_all(self.db()).await?;
        for (id, ..) in &abandoned {
            let release = sqlx::query("UPDATE log_files SET digest = NULL WHERE digest = $1");
            release.bind(id).execute(self.db()).await?;
        }
        let mut starts: BTreeMap<i64, i64> = BTreeMap::new();
        for (_, chain, start) in &abandoned {
            starts.entry(*chain).and_modify(|first| *first = (*first).min(*start)).or_insert(*start);
        }
        for (chain, start) in starts {
            let next = sqlx::query(
                "UPDATE digests SET start_time = $2 \
                 WHERE id = (SELECT min(id) FROM digests WHERE chain = $1 AND state = 'waiting')",
            );
            let next = next.bind(chain).bind(start).execute(self.db()).await?.rows_affected();
            if next == 0 {
                let back = sqlx::query("UPDATE digest_chains SET last_end = $2 WHERE id = $1");
                back.bind(chain).bind(start).execute(self.db()).await?;
            }
        }
        Ok(abandoned.len() as u64)
    }
}
