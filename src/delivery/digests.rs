//! Digests: written, signed and put one after the other, each naming the one before it.

use crate::delivery::engine::{Item, Kind, Outcome, Part, Recipient};
use crate::delivery::{Delivery, DeliveryReport};
use crate::digest_keys;
use crate::domain::digest::{Cover, Delivered, Digest, Previous, SIGNATURE_ALGORITHM, sha256};
use crate::domain::object_key;
use crate::outbound::{Failure, Object};
use crate::store::{DigestKey, Session, StoreResult, Trail, WaitingDigest, WriteSession};
use chrono::DateTime;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

/// The digests of trails.
pub(super) struct Digests<'a>(pub(super) &'a Delivery);

/// A digest and what goes into it.
pub(super) struct DigestToPut {
    digest: WaitingDigest,
    previous: Option<Previous>,
    files: Vec<Delivered>,
    key: Option<DigestKey>,
    /// Where it was put, once it is.
    put: Option<Previous>,
}

/// What is put: its content, and how the next digest of the chain will name it.
struct Written {
    content: String,
    put: Previous,
}

impl Kind for Digests<'_> {
    type Item = DigestToPut;

    const TARGET: &'static str = "digest";

    async fn next(&self, recipient: &Recipient, _: Part) -> StoreResult<Option<DigestToPut>> {
        let mut db = self.0.store.read().await?;
        let Some(digest) = db.digests().next_waiting(recipient.destination.id).await? else {
            return Ok(None);
        };
        let previous = db.digests().last_stored(digest.chain).await?;
        let files = db.digests().files(digest.id).await?;
        let region = &recipient.destination.region;
        let key = db.digest_keys().by_fingerprint(region, &digest.fingerprint).await?;
        Ok(Some(DigestToPut { digest, previous, files, key, put: None }))
    }

    async fn send(&self, recipient: &Recipient, item: &mut DigestToPut) -> Result<Outcome, Failure> {
        // A digest's trail is there until its chain is closed.
        let Some(trail) = &recipient.trail else { return Ok(Outcome::Unwanted) };
        let written = item.write(trail, &recipient.destination.region).map_err(unusable)?;
        let object = Object {
            bucket: written.put.bucket.clone(),
            key: written.put.key.clone(),
            body: packed(&written.content),
            metadata: vec![
                ("signature", written.put.signature.clone()),
                ("signature-algorithm", SIGNATURE_ALGORITHM.to_owned()),
            ],
            kms_key_id: trail.kms_key_id.clone(),
        };
        self.0.outbound.put_object(&trail.account, object).await?;
        item.put = Some(written.put);
        Ok(Outcome::Taken)
    }
}

impl Item for DigestToPut {
    fn waits_since(&self) -> i64 {
        self.digest.created_at
    }

    async fn settle(
        &self,
        db: &mut WriteSession,
        recipient: &Recipient,
        delivery: &Delivery,
    ) -> StoreResult<()> {
        match &self.put {
            Some(put) => db.digests().stored(self.digest.id, put, delivery.now_millis()).await,
            None => db.digests().abandon(recipient.destination.id, i64::MAX).await.map(drop),
        }
    }

    async fn give_up(db: &mut WriteSession, destination: i64, before: i64) -> StoreResult<u64> {
        db.digests().abandon(destination, before).await
    }

    fn report(self, report: &mut DeliveryReport) {
        report.digests.extend(self.put.map(|put| (put.bucket, put.key)));
    }
}

impl DigestToPut {
    /// The same each time, as long as the trail delivers to the same place.
    fn write(&self, trail: &Trail, region: &str) -> Result<Written, String> {
        let key = self.key.as_ref().ok_or("the key is not there")?;
        let moment = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        let object_key = object_key::digest(
            trail.s3_key_prefix.as_deref(),
            &trail.account,
            region,
            (&trail.name, &trail.home_region),
            moment(self.digest.end_time),
        );
        let cover = Cover {
            account: &trail.account,
            bucket: &trail.s3_bucket_name,
            key: &object_key,
            fingerprint: &key.fingerprint,
            start: moment(self.digest.start_time),
            end: moment(self.digest.end_time),
        };
        let digest = Digest::new(cover, self.previous.as_ref(), &self.files);
        let content = serde_json::to_string(&digest).map_err(|error| error.to_string())?;
        let hash = sha256(content.as_bytes());
        let signature = digest_keys::sign(key, &digest.string_to_sign(&hash))?;
        let put = Previous {
            bucket: trail.s3_bucket_name.clone(),
            key: object_key.clone(),
            sha256: hash,
            signature,
        };
        Ok(Written { content, put })
    }
}

/// The key that is to sign a digest is damaged, or was removed from the database.
fn unusable(cause: String) -> Failure {
    Failure { code: "DigestKeyUnusable".to_owned(), message: cause }
}

/// As S3 gets it: one gzip member.
fn packed(content: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail.
    let _ = gzip.write_all(content.as_bytes());
    gzip.finish().unwrap_or_default()
}
