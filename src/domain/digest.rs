//! A digest of delivered log files: what stands in it, and what is signed.
//! User guide, "CloudTrail digest file structure" and "Custom implementations of CloudTrail log file integrity
//! validation".

use crate::domain::text::hex;
use crate::domain::timestamp::iso;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// How digests are signed, as they say it themselves.
pub const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";

/// How contents are hashed.
const HASH_ALGORITHM: &str = "SHA-256";

/// A digest's content; members in the order in which AWS writes them, `null` where there is nothing.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest<'a> {
    aws_account_id: &'a str,
    digest_start_time: String,
    digest_end_time: String,
    digest_s3_bucket: &'a str,
    digest_s3_object: &'a str,
    digest_public_key_fingerprint: &'a str,
    digest_signature_algorithm: &'static str,
    newest_event_time: Option<String>,
    oldest_event_time: Option<String>,
    previous_digest_s3_bucket: Option<&'a str>,
    previous_digest_s3_object: Option<&'a str>,
    previous_digest_hash_value: Option<&'a str>,
    previous_digest_hash_algorithm: Option<&'static str>,
    previous_digest_signature: Option<&'a str>,
    log_files: Vec<LogFile<'a>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogFile<'a> {
    s3_bucket: &'a str,
    s3_object: &'a str,
    hash_value: &'a str,
    hash_algorithm: &'static str,
    newest_event_time: String,
    oldest_event_time: String,
}

/// Where a digest goes and what it covers.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names are the digest's own")]
pub struct Cover<'a> {
    pub account: &'a str,
    pub bucket: &'a str,
    pub key: &'a str,
    pub fingerprint: &'a str,
    pub start: DateTime<Utc>,
    pub end: DateTime<Utc>,
}

/// The digest before this one in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the digest's own")]
pub struct Previous {
    pub bucket: String,
    pub key: String,
    /// SHA-256 of its content, lower-case hexadecimal.
    pub sha256: String,
    /// Lower-case hexadecimal.
    pub signature: String,
}

/// A delivered log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Its bucket ...
    pub bucket: String,
    /// ... and key.
    pub key: String,
    /// SHA-256 of its unpacked content, lower-case hexadecimal.
    pub sha256: String,
    /// The time of its oldest event, seconds since 1970 ...
    pub oldest: i64,
    /// ... and of its newest.
    pub newest: i64,
}

impl<'a> Digest<'a> {
    /// A digest of these log files. The first one of a chain has no `previous`.
    pub fn new(cover: Cover<'a>, previous: Option<&'a Previous>, files: &'a [Delivered]) -> Digest<'a> {
        let time = |seconds: i64| iso(DateTime::from_timestamp(seconds, 0).unwrap_or_default());
        Digest {
            aws_account_id: cover.account,
            digest_start_time: iso(cover.start),
            digest_end_time: iso(cover.end),
            digest_s3_bucket: cover.bucket,
            digest_s3_object: cover.key,
            digest_public_key_fingerprint: cover.fingerprint,
            digest_signature_algorithm: SIGNATURE_ALGORITHM,
            newest_event_time: files.iter().map(|file| file.newest).max().map(time),
            oldest_event_time: files.iter().map(|file| file.oldest).min().map(time),
            previous_digest_s3_bucket: previous.map(|p| p.bucket.as_str()),
            previous_digest_s3_object: previous.map(|p| p.key.as_str()),
            previous_digest_hash_value: previous.map(|p| p.sha256.as_str()),
            previous_digest_hash_algorithm: previous.map(|_| HASH_ALGORITHM),
            previous_digest_signature: previous.map(|p| p.signature.as_str()),
            log_files: files
                .iter()
                .map(|file| LogFile {
                    s3_bucket: &file.bucket,
                    s3_object: &file.key,
                    hash_value: &file.sha256,
                    hash_algorithm: HASH_ALGORITHM,
                    newest_event_time: time(file.newest),
                    oldest_event_time: time(file.oldest),
                })
                .collect(),
        }
    }

    /// What is signed for this digest, given the SHA-256 of its content: four lines, no line end behind the last.
    pub fn string_to_sign(&self, sha256: &str) -> String {
        format!(
            "{}\n{}/{}\n{sha256}\n{}",
            self.digest_end_time,
            self.digest_s3_bucket,
            self.digest_s3_object,
            self.previous_digest_signature.unwrap_or("null")
        )
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover() -> Cover<'static> {
        let at = |time: &str| time.parse().unwrap();
        let (start, end) = (at("2026-11-22T04:00:31Z"), at("2026-11-22T05:00:31Z"));
        Cover { account: "111122223333", bucket: "b", key: "k", fingerprint: "f0", start, end }
    }

    #[test]
    fn the_first_digest_of_a_chain_has_nothing_before_it_and_says_so() {
        let digest = Digest::new(cover(), None, &[]);
        assert_eq!(
            serde_json::to_string(&digest).unwrap(),
            r#"{"awsAccountId":"111122223333","digestStartTime":"2026-11-22T04:00:31Z","digestEndTime":"2026-11-22T05:00:31Z","digestS3Bucket":"b","digestS3Object":"k","digestPublicKeyFingerprint":"f0","digestSignatureAlgorithm":"SHA256withRSA","newestEventTime":null,"oldestEventTime":null,"previousDigestS3Bucket":null,"previousDigestS3Object":null,"previousDigestHashValue":null,"previousDigestHashAlgorithm":null,"previousDigestSignature":null,"logFiles":[]}"#
        );
        assert_eq!(digest.string_to_sign("ab"), "2026-11-22T05:00:31Z\nb/k\nab\nnull");
    }

    #[test]
    fn a_later_one_names_the_one_before_and_spans_its_files() {
        let previous =
            Previous { bucket: "b".into(), key: "j".into(), sha256: "aa".into(), signature: "bb".into() };
        let file = |key: &str, oldest, newest| Delivered {
            bucket: "b".into(),
            key: key.into(),
            sha256: "cc".into(),
            oldest,
            newest,
        };
        let files = [file("1", 10, 20), file("2", 5, 15)];
        let digest = Digest::new(cover(), Some(&previous), &files);
        let json = serde_json::to_value(&digest).unwrap();
        assert_eq!(
            (&json["oldestEventTime"], &json["newestEventTime"]),
            (&"1970-01-01T00:00:05Z".into(), &"1970-01-01T00:00:20Z".into())
        );
        assert_eq!(json["previousDigestHashAlgorithm"], "SHA-256");
        assert_eq!(json["logFiles"][1]["s3Object"], "2");
        assert!(digest.string_to_sign("ab").ends_with("\nab\nbb"));
    }
}
