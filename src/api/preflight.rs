//! What CloudTrail tries before it takes a trail: it writes to the bucket, publishes at the topic and makes the log
//! stream. Runs while no database connection is held, and for a bounded time.

use crate::api::Service;
use crate::domain::object_key::folder;
use crate::error::{ApiError, ApiResult, Code};
use crate::outbound::{Failure, Object, Sent, UNREACHABLE};
use crate::store::Trail;
use std::time::Duration;

/// How long the checks of the bucket may take, that of the topic, and that of the log group. An emulator that has just
/// started, or is busy, needs seconds for its first answer; all three stay below what clients wait for theirs (60 s).
const LONGEST_CHECK: Duration = Duration::from_secs(15);

/// The text that a topic gets (observed); readers of the topic know it by heart.
const VALIDATION: &str = "CloudTrail validation message.";

/// Tries where `trail` is to deliver, as far as it differs from what it was `before`: the bucket first, then the topic,
/// then the log group (the order observed). What was written stays when a later check fails.
///
/// # Errors
/// `S3BucketDoesNotExistException`, `InsufficientS3BucketPolicyException`, `InsufficientEncryptionPolicyException`,
/// `InsufficientSnsTopicPolicyException`, `InvalidCloudWatchLogsLogGroupArnException`.
pub(super) async fn check(service: &Service, before: Option<&Trail>, trail: &Trail) -> ApiResult<()> {
    if differs(before, trail, |t| (&t.s3_bucket_name, &t.s3_key_prefix, &t.kms_key_id))
        || trail.log_file_validation_enabled && before.is_none_or(|b| !b.log_file_validation_enabled)
    {
        within(LONGEST_CHECK, check_bucket(service, trail)).await.map_err(|failure| {
            log_refusal(trail, &trail.s3_bucket_name, &failure);
            bucket_error(service, trail, failure)
        })?;
    }
    if service.outbound.has_topics()
        && let Some(topic) = &trail.sns_topic_arn
        && differs(before, trail, |t| &t.sns_topic_arn)
    {
        let sent = service.outbound.publish(&trail.account, topic, VALIDATION);
        within(LONGEST_CHECK, sent).await.map_err(|failure| {
            log_refusal(trail, topic, &failure);
            Code::InsufficientSnsTopicPolicyException
                .because("SNS Topic does not exist or the topic policy is incorrect!")
        })?;
    }
    if service.outbound.has_logs()
        && let Some(group) = &trail.cloud_watch_logs_log_group_arn
        && differs(before, trail, |t| (&t.cloud_watch_logs_log_group_arn, &t.cloud_watch_logs_role_arn))
    {
        let stream = format!("{}_CloudTrail_{}", trail.account, trail.home_region);
        let made = service.outbound.create_log_stream(&trail.account, group, &stream);
        within(LONGEST_CHECK, made).await.map_err(|failure| {
            log_refusal(trail, group, &failure);
            Code::InvalidCloudWatchLogsLogGroupArnException
                .because("Access denied. Check the permissions for your role.")
        })?;
    }
    Ok(())
}

/// Whether `part` of a trail is new or has changed.
fn differs<'a, T: PartialEq>(
    before: Option<&'a Trail>,
    trail: &'a Trail,
    part: impl Fn(&'a Trail) -> T,
) -> bool {
    before.is_none_or(|before| part(before) != part(trail))
}

/// Looks at the bucket, and leaves an empty object where log files will be, and one where digests will be.
async fn check_bucket(service: &Service, trail: &Trail) -> Sent {
    let (outbound, account) = (&service.outbound, &trail.account);
    outbound.check_bucket(account, &trail.home_region, &trail.s3_bucket_name).await?;
    let digests = trail.log_file_validation_enabled.then_some("CloudTrail-Digest");
    for kind in ["CloudTrail"].into_iter().chain(digests) {
        let marker = Object {
            bucket: trail.s3_bucket_name.clone(),
            key: folder(trail.s3_key_prefix.as_deref(), account, kind),
            body: Vec::new(),
            metadata: Vec::new(),
            kms_key_id: trail.kms_key_id.clone(),
        };
        outbound.put_object(account, marker).await?;
    }
    Ok(())
}

fn bucket_error(service: &Service, trail: &Trail, failure: Failure) -> ApiError {
    let (bucket, code) = (&trail.s3_bucket_name, failure.code.as_str());
    let policy = format!("Incorrect S3 bucket policy is detected for bucket: {bucket}");
    match &trail.kms_key_id {
        _ if code == "NoSuchBucket" => {
            Code::S3BucketDoesNotExistException.because(format!("S3 bucket {bucket} does not exist!"))
        }
        // The embedded bucket store has no policies that could be wrong.
        _ if service.settings.delivery.s3_endpoint.is_none() => ApiError::internal(failure),
        // The last two are how an S3 without a KMS refuses a key.
        Some(key) if code.starts_with("KMS") || matches!(code, "NotImplemented" | "InvalidArgument") => {
            Code::InsufficientEncryptionPolicyException
                .because(format!("Insufficient permissions to access S3 bucket {bucket} or KMS key {key}."))
        }
        _ if code == UNREACHABLE => Code::InsufficientS3BucketPolicyException
            .because(format!("{policy} (the S3 endpoint cannot be reached)")),
        _ => Code::InsufficientS3BucketPolicyException.because(policy),
    }
}

async fn within(limit: Duration, check: impl Future<Output = Sent>) -> Sent {
    let late = |_| {
        let message = format!("no answer within {} s", limit.as_secs());
        Err(Failure { code: UNREACHABLE.to_owned(), message })
    };
    tokio::time::timeout(limit, check).await.unwrap_or_else(late)
}

/// The caller learns what AWS says; why it is so stands in the log.
fn log_refusal(trail: &Trail, destination: &str, failure: &Failure) {
    tracing::warn!(
        account = %trail.account,
        trail = trail.name,
        destination,
        code = failure.code,
        cause = failure.message,
        "a trail cannot deliver where it should, and is refused"
    );
}
