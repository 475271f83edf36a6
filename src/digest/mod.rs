//! Digests: signed lists of what was delivered, chained to each other, for trails with log file validation.
//!
//! [`Digesting::step`] compares the chains with the trails, writes the digests that are due into the database, signed,
//! and puts those that are not in their bucket yet. Like delivery it keeps nothing in memory: it may be dropped at any
//! point and run again, and a digest once written is put with the same bytes each time.

mod chains;

use crate::clock::{Clock, Ids};
use crate::config;
use crate::digest_keys::{DigestKeyError, DigestKeys};
use crate::domain::digest::SIGNATURE_ALGORITHM;
use crate::metrics::Metrics;
use crate::outbound::{Object, Outbound, retry};
use crate::store::{Chain, DeliveryKind, Session, Store, StoreResult, WaitingDigest};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// What a step put.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DigestReport {
    /// Digests stored, as bucket and key.
    pub digests: Vec<(String, String)>,
    /// What failed, in words: it will be tried again.
    pub failures: Vec<String>,
}

/// What digests need, cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Digesting {
    pub settings: config::DeliverySettings,
    pub store: Store,
    pub keys: DigestKeys,
    pub outbound: Outbound,
    pub clock: Clock,
    pub ids: Ids,
    pub metrics: Metrics,
}

impl Digesting {
    /// Writes and puts the digests that are due; with `flush` also those that have something to name, and without
    /// waiting for the pause after failures.
    ///
    /// # Errors
    /// The database cannot be read or written, or no key could be made. What S3 refuses is no error: it stands in the
    /// report and in the trail's status, and is tried again.
    pub async fn step(&self, flush: bool) -> Result<DigestReport, DigestError> {
        chains::reconcile(self).await?;
        chains::write_due(self, flush).await?;
        let mut report = DigestReport::default();
        let waiting = self.store.read().await?.digests().waiting_chains().await?;
        let now = self.clock.now().timestamp_millis();
        for chain in waiting.iter().filter(|c| flush || c.retry_at.is_none_or(|at| at <= now)) {
            self.put(chain, &mut report).await?;
        }
        Ok(report)
    }

    /// Puts the waiting digests of a chain, in order, until none is left or one fails.
    async fn put(&self, chain: &Chain, report: &mut DigestReport) -> StoreResult<()> {
        let mut failures = chain.failures;
        loop {
            let digest = self.store.read().await?.digests().next_waiting(chain.id).await?;
            let Some(digest) = digest else { return Ok(()) };
            let sent = self.outbound.put_object(&chain.wanted.whose.trail_account, object(&digest)).await;
            let now = self.clock.now().timestamp_millis();
            let mut session = self.store.write().await?;
            match sent {
                Ok(()) => {
                    session.digests().settle(digest.id, Some(now)).await?;
                    session
                        .trails()
                        .record_delivery(&chain.wanted.whose, DeliveryKind::Digest, Ok(now))
                        .await?;
                    if failures > 0 {
                        session.digests().set_retry(chain.id, 0, None).await?;
                        failures = 0;
                    }
                    session.commit().await?;
                    report.digests.push((digest.s3_bucket_name, digest.s3_object_key));
                }
                Err(failure) => {
                    failures += 1;
                    self.metrics.delivery_failed("digest");
                    if failures == 1 {
                        tracing::warn!(
                            trail = chain.wanted.whose.trail_name,
                            region = chain.wanted.whose.region,
                            code = failure.code,
                            message = failure.message,
                            "a digest could not be put; it will be tried again"
                        );
                    }
                    let whose = &chain.wanted.whose;
                    let next_try = retry::next_try(&self.clock, &self.ids, failures);
                    session.trails().record_delivery(whose, DeliveryKind::Digest, Err(&failure.code)).await?;
                    session.digests().set_retry(chain.id, failures, Some(next_try)).await?;
                    if retry::is_too_old(&self.clock, digest.created_at) {
                        session.digests().settle(digest.id, None).await?;
                        tracing::error!(key = digest.s3_object_key, "a digest was given up after 30 days");
                    }
                    session.commit().await?;
                    report.failures.push(format!("digest of {}: {failure}", whose.trail_name));
                    return Ok(());
                }
            }
        }
    }
}

/// Why a step ended early.
#[derive(Debug, thiserror::Error)]
pub enum DigestError {
    /// The database cannot be read or written.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// There is no key to sign with.
    #[error(transparent)]
    Key(#[from] DigestKeyError),
}

/// A digest as S3 gets it: one gzip member, the signature in the metadata.
fn object(digest: &WaitingDigest) -> Object {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail.
    let _ = gzip.write_all(digest.content.as_bytes());
    Object {
        bucket: digest.s3_bucket_name.clone(),
        key: digest.s3_object_key.clone(),
        body: gzip.finish().unwrap_or_default(),
        metadata: vec![
            ("signature", digest.signature.clone()),
            ("signature-algorithm", SIGNATURE_ALGORITHM.to_owned()),
        ],
        kms_key_id: digest.kms_key_id.clone(),
    }
}
