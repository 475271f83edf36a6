//! Where trails deliver to: S3 (an endpoint, or the embedded bucket store), SNS, CloudWatch Logs, EventBridge, a webhook.
//! Knows addresses and credentials; nothing of trails.

mod aws;
mod events;
pub mod http;
mod logs;
pub mod retry;
mod s3;
mod sns;
mod upload;
mod webhook;

use crate::buckets::{BucketError, Buckets, NewObject};
use crate::config::{self, Endpoint};
use crate::domain::account_id::AccountId;
use aws::{Clients, Environment, Shared};
use logs::Group;
use s3::S3;
use std::sync::Arc;
use webhook::Webhook;

/// Everything that can be delivered to, cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    buckets: Option<Buckets>,
    s3: Option<Arc<S3>>,
    sns: Option<Arc<Clients<aws_sdk_sns::Client>>>,
    logs: Option<Arc<Clients<aws_sdk_cloudwatchlogs::Client>>>,
    events: Option<Arc<Clients<aws_sdk_eventbridge::Client>>>,
    webhook: Option<Webhook>,
    creates_buckets: bool,
}

/// Why something was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Failure {
    /// The service's error code (`NoSuchBucket`, `AccessDenied`, `AuthorizationError`, …), or one of ours when no
    /// answer came: `ServiceUnreachable`, `NotConfigured`.
    pub code: String,
    /// What the service says. Holds no secret.
    pub message: String,
}

impl Failure {
    fn new(code: &str, message: impl Into<String>) -> Failure {
        Failure { code: code.to_owned(), message: message.into() }
    }

    /// No answer came.
    fn unreachable(cause: impl Into<String>) -> Failure {
        Failure::new(UNREACHABLE, cause)
    }

    fn not_configured(setting: &str) -> Failure {
        Failure::new(NOT_CONFIGURED, format!("no [delivery] {setting} is set"))
    }
}

impl From<BucketError> for Failure {
    fn from(error: BucketError) -> Failure {
        Failure::new(error.code, error.message)
    }
}

/// [`Failure::code`] when no answer came.
pub const UNREACHABLE: &str = "ServiceUnreachable";

/// [`Failure::code`] when the setting that says where the service is is missing.
pub const NOT_CONFIGURED: &str = "NotConfigured";

/// Entries that an event bus has refused, while it has taken the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEntries {
    /// Their places in the call.
    pub entries: Vec<usize>,
    /// Why the first of them was.
    pub failure: Failure,
}

/// What calls on other services return.
pub type Sent = Result<(), Failure>;

/// An object for a bucket: gzip of JSON (or empty), put with `Content-Type: application/json`,
/// `Content-Encoding: gzip`, the ACL `bucket-owner-full-control`, and encryption by S3 or with the key given.
#[derive(Debug, Clone)]
pub struct Object {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The bytes.
    pub body: Vec<u8>,
    /// User metadata: name (lower case) and value.
    pub metadata: Vec<(&'static str, String)>,
    /// The KMS key (ARN) for `aws:kms`; without one `AES256`.
    pub kms_key_id: Option<String>,
}

/// One event for PutEvents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusEvent {
    /// `aws.s3`, …
    pub source: String,
    /// `AWS API Call via CloudTrail`, …
    pub detail_type: String,
    /// Seconds since 1970.
    pub time: i64,
    /// The record, JSON.
    pub detail: String,
}

impl Outbound {
    /// What the settings name. `buckets`: the embedded bucket store, used when no `s3_endpoint` is set. Nothing is read or
    /// connected before the first call. Credentials at an endpoint of one's own: the environment's, else the profile's,
    /// and they serve all accounts; without any, each account's id is its access key. At AWS: its usual chain.
    pub fn new(settings: &config::Settings, buckets: Option<Buckets>) -> Outbound {
        let shared = Shared::new(Environment::Read, settings.recorder.upstream_ca.as_deref());
        Outbound::with(&settings.delivery, buckets, shared)
    }

    /// The same, but the environment and the profile are not asked for credentials.
    pub fn without_environment(settings: &config::DeliverySettings, buckets: Option<Buckets>) -> Outbound {
        Outbound::with(settings, buckets, Shared::new(Environment::Ignored, None))
    }

    fn with(settings: &config::DeliverySettings, buckets: Option<Buckets>, shared: Shared) -> Outbound {
        fn clients<C: Clone>(endpoint: &Option<Endpoint>, shared: &Shared) -> Option<Arc<Clients<C>>> {
            endpoint.clone().map(|endpoint| Arc::new(Clients::new(endpoint, shared.clone())))
        }
        Outbound {
            buckets,
            s3: settings.s3_endpoint.clone().map(|endpoint| Arc::new(S3::new(endpoint, shared.clone()))),
            sns: clients(&settings.sns_endpoint, &shared),
            logs: clients(&settings.logs_endpoint, &shared),
            events: clients(&settings.events_endpoint, &shared),
            webhook: match &settings.webhook {
                Some(Endpoint::Url(url)) => Some(Webhook::new(url.clone())),
                _ => None,
            },
            creates_buckets: settings.create_buckets,
        }
    }

    /// Whether topics can be reached.
    pub fn has_topics(&self) -> bool {
        self.sns.is_some()
    }

    /// Whether CloudWatch Logs can be reached.
    pub fn has_logs(&self) -> bool {
        self.logs.is_some()
    }

    /// Whether an event bus can be reached.
    pub fn has_events(&self) -> bool {
        self.events.is_some()
    }

    /// Whether a webhook is set.
    pub fn has_webhook(&self) -> bool {
        self.webhook.is_some()
    }

    /// Puts an object, for a trail of `account`.
    ///
    /// # Errors
    /// [`Failure`]; the object may all the same be there, and putting it again is harmless.
    pub async fn put_object(&self, account: &str, mut object: Object) -> Sent {
        let body = std::mem::take(&mut object.body);
        if let Some(s3) = &self.s3 {
            return s3.put(account, &object, body).await;
        }
        let buckets = self.buckets.as_ref().ok_or_else(|| Failure::not_configured("s3_endpoint"))?;
        let metadata = object.metadata.into_iter().map(|(name, value)| (name.to_owned(), value));
        let encryption = if object.kms_key_id.is_some() { "aws:kms" } else { "AES256" };
        let new = NewObject {
            body,
            content_type: Some("application/json".to_owned()),
            content_encoding: Some("gzip".to_owned()),
            metadata: metadata.collect(),
            encryption: Some(encryption.to_owned()),
            kms_key_id: object.kms_key_id,
        };
        Ok(buckets.put_object(&object.bucket, &object.key, new).await?)
    }

    /// Whether `account` may deliver to the bucket from `region`: it is there, and its ACL can be read (what CloudTrail
    /// checks). In the embedded bucket store, and elsewhere if the settings say so, a bucket that is not there is made, in
    /// `region`.
    ///
    /// # Errors
    /// [`Failure`], `NoSuchBucket` when it is not there.
    pub async fn check_bucket(&self, account: &AccountId, region: &str, bucket: &str) -> Sent {
        match (&self.s3, &self.buckets) {
            (Some(s3), _) => match s3.check(account, bucket).await {
                Err(failure) if self.creates_buckets && failure.code == "NoSuchBucket" => {
                    s3.create(account, region, bucket).await
                }
                checked => checked,
            },
            (None, Some(buckets)) => Ok(buckets.ensure_bucket(account, bucket, region).await?),
            (None, None) => Err(Failure::not_configured("s3_endpoint")),
        }
    }

    /// The policy of a bucket; `None` if it has none.
    ///
    /// # Errors
    /// [`Failure`]: it cannot be read.
    pub async fn bucket_policy(&self, account: &str, bucket: &str) -> Result<Option<String>, Failure> {
        match (&self.s3, &self.buckets) {
            (Some(s3), _) => s3.policy(account, bucket).await,
            (None, Some(buckets)) => Ok(buckets.policy(bucket).await?),
            (None, None) => Err(Failure::not_configured("s3_endpoint")),
        }
    }

    /// Publishes a message at a topic (ARN), without a subject.
    ///
    /// # Errors
    /// [`Failure`], `NotConfigured` without an endpoint.
    pub async fn publish(&self, account: &str, topic_arn: &str, message: &str) -> Sent {
        let clients = self.sns.as_ref().ok_or_else(|| Failure::not_configured("sns_endpoint"))?;
        sns::publish(clients, account, topic_arn, message).await
    }

    /// Makes a log stream in a group (ARN, ending in `:*`). One that is there already is fine.
    ///
    /// # Errors
    /// [`Failure`], `NotConfigured` without an endpoint.
    pub async fn create_log_stream(&self, account: &str, log_group_arn: &str, stream: &str) -> Sent {
        let clients = self.logs.as_ref().ok_or_else(|| Failure::not_configured("logs_endpoint"))?;
        logs::create_stream(clients, account, &Group::parse(log_group_arn)?, stream).await
    }

    /// Puts records into a log stream, all at `time` (milliseconds since 1970). A stream that is not there is made.
    /// The caller keeps PutLogEvents' bounds: 10,000 events, 1,048,576 bytes counting 26 more for each event.
    ///
    /// # Errors
    /// [`Failure`], `NotConfigured` without an endpoint.
    pub async fn put_log_events(
        &self,
        account: &str,
        log_group_arn: &str,
        stream: &str,
        time: i64,
        records: Vec<String>,
    ) -> Sent {
        let clients = self.logs.as_ref().ok_or_else(|| Failure::not_configured("logs_endpoint"))?;
        logs::put(clients, account, &Group::parse(log_group_arn)?, stream, (time, records)).await
    }

    /// Puts at most ten events on the default event bus of `account` in `region`; which of them were refused.
    ///
    /// # Errors
    /// [`Failure`] when the call failed as a whole; `NotConfigured` without an endpoint.
    pub async fn put_events(
        &self,
        account: &str,
        region: &str,
        events: Vec<BusEvent>,
    ) -> Result<Option<RefusedEntries>, Failure> {
        let clients = self.events.as_ref().ok_or_else(|| Failure::not_configured("events_endpoint"))?;
        events::put(clients, account, region, events).await
    }

    /// Posts JSON to the webhook.
    ///
    /// # Errors
    /// [`Failure`]: it answered with an error status, or not at all; `NotConfigured` without one.
    pub async fn post_webhook(&self, json: &str) -> Sent {
        let webhook = self.webhook.as_ref().ok_or_else(|| Failure::not_configured("webhook"))?;
        webhook.post(json).await
    }
}

/// Says what is set and not where: a URL can hold a password.
impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound")
            .field("s3", &self.s3.is_some())
            .field("sns", &self.has_topics())
            .field("logs", &self.has_logs())
            .field("events", &self.has_events())
            .field("webhook", &self.has_webhook())
            .finish()
    }
}
