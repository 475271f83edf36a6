//! What CloudTrail tries before it takes a trail: it writes to the bucket, publishes at the topic and makes the log
//! stream. Runs while no database connection is held, and for a bounded time.

use crate::api::Service;
use crate::config::BucketPolicies;
use crate::domain::object_key::folder;
use crate::domain::policy::Decision;
use crate::domain::policy::service::PolicyForServices;
use crate::domain::policy::service_request::ServiceRequest;
use crate::error::{ApiError, ApiResult, Code};
use crate::outbound::{Failure, Object, Sent, UNREACHABLE};
use crate::store::Trail;
use std::time::Duration;

/// How long the checks of the bucket may take, that of the topic, and that of the log group. An emulator that has just
/// started, or is busy, needs seconds for its first answer; all three stay below what clients wait for theirs (60 s).
const LONGEST_CHECK: Duration = Duration::from_secs(15);

/// Who writes to the bucket, for its policy.
const PRINCIPAL: &str = "cloudtrail.amazonaws.com";

/// What S3 calls it if that is not allowed.
const DENIED: &str = "AccessDenied";

/// The object that is left in a folder, where none can stand for the folder itself.
const IN_FOLDER: &str = ".folder";

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
    let checked = outbound.check_bucket(account, &trail.home_region, &trail.s3_bucket_name).await;
    let is_elsewhere = service.settings.delivery.s3_endpoint.is_some();
    checked.or_else(|failure| match failure.code.as_str() {
        // An S3 without ACLs says that it has none, or anything else. Whether it takes objects is seen below.
        code if is_elsewhere && !matches!(code, "NoSuchBucket" | DENIED | UNREACHABLE) => Ok(()),
        _ => Err(failure),
    })?;
    let digests = trail.log_file_validation_enabled.then_some("CloudTrail-Digest");
    let kinds = ["CloudTrail"].into_iter().chain(digests);
    let folders = kinds.map(|kind| folder(trail.s3_key_prefix.as_deref(), account, kind)).collect::<Vec<_>>();
    check_policy(service, trail, &folders).await?;
    let empty = |key| Object {
        bucket: trail.s3_bucket_name.clone(),
        key,
        body: Vec::new(),
        metadata: Vec::new(),
        kms_key_id: trail.kms_key_id.clone(),
    };
    for folder in folders {
        match outbound.put_object(account, empty(folder.clone())).await {
            // An S3 that keeps each object as a file may have none for a folder itself.
            Err(failure)
                if is_elsewhere && matches!(failure.code.as_str(), "InvalidArgument" | "NotImplemented") =>
            {
                outbound.put_object(account, empty(folder + IN_FOLDER)).await?;
            }
            put => put?,
        }
    }
    Ok(())
}

/// Whether the bucket's policy lets CloudTrail read its ACL and write into these folders.
async fn check_policy(service: &Service, trail: &Trail, folders: &[String]) -> Sent {
    let mode = service.settings.delivery.bucket_policies;
    if mode == BucketPolicies::Ignored {
        return Ok(());
    }
    let (account, bucket) = (&trail.account, &trail.s3_bucket_name);
    let policy = match service.outbound.bucket_policy(account, bucket).await {
        Ok(Some(policy)) => policy,
        Ok(None) if mode == BucketPolicies::Required => return Err(denied("the bucket has no policy")),
        // An S3 that keeps no policies, or shows them to others only, judges by itself.
        Ok(None) | Err(_) => return Ok(()),
    };
    let policy =
        PolicyForServices::parse(&policy).ok_or_else(|| denied("the bucket's policy cannot be read"))?;
    let trail_arn = trail.arn();
    let request = ServiceRequest {
        service: PRINCIPAL,
        source_arn: &trail_arn,
        source_account: account,
        acl: None,
        encryption: None,
        encryption_key: None,
    };
    let put = ServiceRequest {
        acl: Some("bucket-owner-full-control"),
        encryption: Some(if trail.kms_key_id.is_some() { "aws:kms" } else { "AES256" }),
        encryption_key: trail.kms_key_id.as_deref(),
        ..request
    };
    let arn = format!("arn:{}:s3:::{bucket}", trail.home_region.partition());
    let asked = |action: &'static str, arn: String, request| {
        let now = service.clock.now();
        match policy.decide(request, (action, &arn), &trail.home_region, now) {
            Decision::Allowed => Ok(()),
            Decision::NotAllowed => {
                Err(denied(&format!("the bucket's policy does not allow {action} on {arn}")))
            }
            Decision::Denied => Err(denied(&format!("the bucket's policy denies {action} on {arn}"))),
        }
    };
    asked("s3:GetBucketAcl", arn.clone(), &request)?;
    folders.iter().try_for_each(|folder| asked("s3:PutObject", format!("{arn}/{folder}"), &put))
}

fn denied(why: &str) -> Failure {
    Failure { code: DENIED.to_owned(), message: why.to_owned() }
}

fn bucket_error(service: &Service, trail: &Trail, failure: Failure) -> ApiError {
    let (bucket, code) = (&trail.s3_bucket_name, failure.code.as_str());
    let policy = format!("Incorrect S3 bucket policy is detected for bucket: {bucket}");
    match &trail.kms_key_id {
        _ if code == "NoSuchBucket" => {
            Code::S3BucketDoesNotExistException.because(format!("S3 bucket {bucket} does not exist!"))
        }
        // All else that the embedded bucket store refuses is its own fault.
        _ if code != DENIED && service.settings.delivery.s3_endpoint.is_none() => ApiError::internal(failure),
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
