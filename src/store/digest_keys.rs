//! The keys that sign digests.

use crate::store::{DigestKeys, Session, StoreResult, WriteSession};
use sqlx::FromRow;

/// A key pair of a region. Shown without its private half.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct DigestKey {
    /// MD5 of the public key's DER, lower-case hexadecimal.
    pub fingerprint: String,
    /// PKCS#8 DER, base64.
    pub private_key: String,
    /// PKCS#1 DER, base64.
    pub public_key: String,
    /// Used from here, seconds since 1970, ...
    pub valid_from: i64,
    /// ... to here.
    pub valid_to: i64,
}

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DigestKey").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl<S: Session> DigestKeys<'_, S> {
    /// The keys of a region that were in use at some time from `from` to `to` (seconds since 1970), oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn in_use(&mut self, region: &str, from: i64, to: i64) -> StoreResult<Vec<DigestKey>> {
        let keys = sqlx::query_as(
            "SELECT * FROM digest_keys WHERE region = $1 AND valid_to >= $2 AND valid_from <= $3 ORDER BY valid_from",
        );
        Ok(keys.bind(region).bind(from).bind(to).fetch_all(self.db()).await?)
    }

    /// The key of a region that signs at `now` (seconds since 1970).
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn current(&mut self, region: &str, now: i64) -> StoreResult<Option<DigestKey>> {
        let key = sqlx::query_as(
            "SELECT * FROM digest_keys WHERE region = $1 AND valid_to > $2 ORDER BY valid_from DESC LIMIT 1",
        );
        Ok(key.bind(region).bind(now).fetch_optional(self.db()).await?)
    }

    /// How many regions have keys.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn regions(&mut self) -> StoreResult<i64> {
        let regions = sqlx::query_scalar("SELECT count(DISTINCT region) FROM digest_keys");
        Ok(regions.fetch_one(self.db()).await?)
    }

    /// The key of a region with this fingerprint.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn by_fingerprint(
        &mut self,
        region: &str,
        fingerprint: &str,
    ) -> StoreResult<Option<DigestKey>> {
        let key = sqlx::query_as("SELECT * FROM digest_keys WHERE region = $1 AND fingerprint = $2");
        Ok(key.bind(region).bind(fingerprint).fetch_optional(self.db()).await?)
    }
}

impl DigestKeys<'_, WriteSession> {
    /// Keeps a new key of a region.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn insert(&mut self, region: &str, key: &DigestKey) -> StoreResult<()> {
        let insert = sqlx::query(
            "INSERT INTO digest_keys (region, fingerprint, private_key, public_key, valid_from, valid_to) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        );
        let insert = insert.bind(region).bind(&key.fingerprint).bind(&key.private_key).bind(&key.public_key);
        insert.bind(key.valid_from).bind(key.valid_to).execute(self.db()).await?;
        Ok(())
    }
}
