//! `[delivery]`: when and where trails deliver.

use super::{Period, one_of};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `[delivery]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliverySettings {
    /// The time between log files of a trail.
    pub period: Period,
    /// The time between digests of a trail.
    pub digest_period: Period,
    /// How long a digest key is used before the next one is made.
    pub digest_key_days: u32,
    /// The largest log file, in bytes of the object.
    pub max_file_bytes: u64,
    /// Where buckets are; `aws` for AWS itself. Without one, in the embedded bucket store.
    pub s3_endpoint: Option<Endpoint>,
    /// Whether a bucket that is missing at `s3_endpoint` is made.
    pub create_buckets: bool,
    /// What counts of the policy of a trail's bucket.
    pub bucket_policies: BucketPolicies,
    /// Where topics are.
    pub sns_endpoint: Option<Endpoint>,
    /// Where log groups are.
    pub logs_endpoint: Option<Endpoint>,
    /// Where the event bus is; never `aws`.
    pub events_endpoint: Option<Endpoint>,
    /// Whether events that only read go to the event bus too.
    pub events_read_only: bool,
    /// A URL that is posted to for every log file.
    pub webhook: Option<Endpoint>,
}

/// What counts of the policy of a trail's bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", rename_all = "kebab-case")]
pub enum BucketPolicies {
    /// One that is there has to let CloudTrail in.
    Checked,
    /// There has to be one, too, as at AWS.
    Required,
    /// Nothing.
    Ignored,
}

impl TryFrom<String> for BucketPolicies {
    type Error = String;
    fn try_from(text: String) -> Result<BucketPolicies, String> {
        let known = [
            ("checked", BucketPolicies::Checked),
            ("required", BucketPolicies::Required),
            ("ignored", BucketPolicies::Ignored),
        ];
        one_of(&text, &known)
    }
}

/// Where another service is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Endpoint {
    /// AWS itself, in the region concerned.
    Aws,
    /// A base URL.
    Url(String),
}

impl TryFrom<String> for Endpoint {
    type Error = String;
    fn try_from(text: String) -> Result<Endpoint, String> {
        match text.parse::<http::Uri>() {
            _ if text == "aws" => Ok(Endpoint::Aws),
            Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() => {
                Ok(Endpoint::Url(text))
            }
            _ => Err(format!("{text:?} is neither a URL like \"http://127.0.0.1:9000\" nor \"aws\"")),
        }
    }
}

impl DeliverySettings {
    /// Refuses what cannot work.
    ///
    /// # Errors
    /// The key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, period) in [("period", self.period), ("digest_period", self.digest_period)] {
            if period.0 < Duration::from_secs(1) {
                return Err(format!("{key}: must be at least \"1s\""));
            }
        }
        if self.digest_key_days == 0 {
            return Err("digest_key_days: must be at least 1".to_owned());
        }
        if self.create_buckets && self.s3_endpoint == Some(Endpoint::Aws) {
            return Err("create_buckets: no bucket is made at AWS".to_owned());
        }
        let is_http =
            |webhook: &Endpoint| matches!(webhook, Endpoint::Url(url) if url.starts_with("http://"));
        if self.webhook.as_ref().is_some_and(|webhook| !is_http(webhook)) {
            return Err("webhook: must be an http:// URL".to_owned());
        }
        if self.events_endpoint == Some(Endpoint::Aws) {
            return Err(
                "events_endpoint: EventBridge at AWS takes no events whose source begins with \"aws.\" from \
                        others; name an emulator's URL"
                    .to_owned(),
            );
        }
        Ok(())
    }
}
