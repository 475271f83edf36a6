//! The keys that sign digests: one RSA pair a region, made when it is first needed and replaced when its time is over.
//!
//! As on AWS there is a key for every region at all times: the first one of a region counts from the day CloudTrail began,
//! each later one from before the end of the one before it.

use crate::clock::Clock;
use crate::config;
use crate::domain::text::hex;
use crate::store::{DigestKey, Session, Store, StoreError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::EncodePrivateKey;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Digests are signed with keys of this size (observed).
const BITS: usize = 2048;

/// Regions of which keys are made because they are listed. AWS has some forty.
const MAX_LISTED_REGIONS: i64 = 64;

/// 2013-11-13, seconds since 1970: CloudTrail began, and nothing that it signed is older.
const BEGINNING: i64 = 1_384_300_800;

/// The keys of all regions, cheap to clone.
#[derive(Clone, Debug)]
pub struct DigestKeys {
    store: Store,
    clock: Clock,
    /// How long a key signs, seconds.
    lifetime: i64,
    /// How far back from now the end of a digest can lie that is signed now, seconds.
    overlap: i64,
    /// Held while a key is made, so that a region gets one.
    making: Arc<Mutex<()>>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum DigestKeyError {
    /// The database cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key could not be made, or one that is kept cannot be read.
    #[error("the digest key of {region}: {cause}")]
    Unusable {
        /// The key's region.
        region: String,
        /// What is wrong, without anything of the key.
        cause: String,
    },
}

impl DigestKeys {
    /// Keys that sign as long as the settings say.
    pub fn new(store: Store, clock: Clock, settings: &config::DeliverySettings) -> DigestKeys {
        DigestKeys {
            store,
            clock,
            lifetime: i64::from(settings.digest_key_days) * 24 * 3600,
            overlap: i64::try_from(settings.digest_period.0.as_secs()).unwrap_or(i64::MAX),
            making: Arc::default(),
        }
    }

    /// Makes a key of a region whose keys are listed, so that there is one as on AWS. Every caller may list them, of any region,
    /// and each key takes half a second of work and a row for good: in more regions than AWS has, keys are made for digests
    /// only.
    ///
    /// # Errors
    /// [`DigestKeyError`]
    pub async fn make_for_listing(&self, region: &str) -> Result<(), DigestKeyError> {
        self.find_or_make(region, MAX_LISTED_REGIONS).await.map(drop)
    }

    /// The key of a region that signs now, made if there is none.
    ///
    /// # Errors
    /// [`DigestKeyError`]
    pub async fn current(&self, region: &str) -> Result<DigestKey, DigestKeyError> {
        let key = self.find_or_make(region, i64::MAX).await?;
        key.ok_or_else(|| unusable(region, "there are too many".to_owned()))
    }

    /// The same; `None` if there is none, and in so many regions there are keys.
    async fn find_or_make(
        &self,
        region: &str,
        most_regions: i64,
    ) -> Result<Option<DigestKey>, DigestKeyError> {
        let now = self.clock.now().timestamp();
        if let Some(key) = self.store.read().await?.digest_keys().current(region, now).await? {
            return Ok(Some(key));
        }
        let _making = self.making.lock().await;
        let mut session = self.store.read().await?;
        if let Some(key) = session.digest_keys().current(region, now).await? {
            return Ok(Some(key));
        }
        if session.digest_keys().regions().await? >= most_regions {
            return Ok(None);
        }
        let last = session.digest_keys().in_use(region, i64::MIN, i64::MAX).await?.pop();
        drop(session);
        // A digest is signed when its period is over: its end can lie before the end of the last key's time.
        let valid_from = last.map_or(BEGINNING, |last| {
            last.valid_to.min(now).saturating_sub(self.overlap).max(last.valid_from)
        });
        let valid_to = now + self.lifetime;
        // Half a second of one core: not where others wait.
        let made = tokio::task::spawn_blocking(move || make(valid_from, valid_to)).await;
        let made = made.map_err(|error| error.to_string()).flatten();
        let key = made.map_err(|cause| unusable(region, cause))?;
        let mut session = self.store.write().await?;
        session.digest_keys().insert(region, &key).await?;
        session.commit().await?;
        tracing::info!(region, fingerprint = key.fingerprint, "made a key for digests");
        Ok(Some(key))
    }
}

fn unusable(region: &str, cause: String) -> DigestKeyError {
    DigestKeyError::Unusable { region: region.to_owned(), cause }
}

fn make(valid_from: i64, valid_to: i64) -> Result<DigestKey, String> {
    // Keys need the machine's own random numbers, in tests too.
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, BITS).map_err(|e| e.to_string())?;
    let private = key.to_pkcs8_der().map_err(|e| e.to_string())?;
    let public = key.to_public_key().to_pkcs1_der().map_err(|e| e.to_string())?;
    Ok(DigestKey {
        // The MD5 of the key as ListPublicKeys gives it out: recomputed from AWS's own examples.
        fingerprint: hex(&Md5::digest(public.as_bytes())),
        private_key: BASE64.encode(private.as_bytes()),
        public_key: BASE64.encode(public.as_bytes()),
        valid_from,
        valid_to,
    })
}

/// The signature over `text`, RSA PKCS #1 v1.5 with SHA-256, lower-case hexadecimal. By ring, and not by the crate that
/// makes keys, whose time to sign tells something of the key (RUSTSEC-2023-0071); ring makes no keys.
///
/// # Errors
/// The key cannot be read; says why, without anything of the key.
pub fn sign(key: &DigestKey, text: &str) -> Result<String, String> {
    let der = BASE64.decode(&key.private_key).map_err(|_| "it is not base64")?;
    let private = RsaKeyPair::from_pkcs8(&der).map_err(|error| format!("it is no PKCS #8 key: {error}"))?;
    let mut bytes = vec![0; private.public().modulus_len()];
    let signed = private.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut bytes);
    signed.map_err(|_| "it cannot sign")?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    #[test]
    fn a_signature_is_good_for_its_text_and_key_only() {
        let (key, other) = (make(0, 1).unwrap(), make(0, 1).unwrap());
        assert_ne!(key.fingerprint, other.fingerprint);
        // PKCS #1, 2048 bits: what validate-logs can load.
        assert!(key.public_key.starts_with("MIIBCgKCAQEA"), "{}", key.public_key);
        let signature = sign(&key, "four\nlines").unwrap();
        assert_eq!(signature.len(), 512);
        let bytes: Vec<u8> =
            (0..512).step_by(2).map(|i| u8::from_str_radix(&signature[i..i + 2], 16).unwrap()).collect();
        let verify = |key: &DigestKey, text: &str| {
            let public = BASE64.decode(&key.public_key).unwrap();
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
                .verify(text.as_bytes(), &bytes)
                .is_ok()
        };
        assert!(verify(&key, "four\nlines"));
        assert!(!verify(&key, "four\nline") && !verify(&other, "four\nlines"));
        assert!(!format!("{key:?}").contains(&key.private_key));
    }
}
