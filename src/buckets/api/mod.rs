//! S3's operations on the store: what they take and answer, by s3s's trait. The table of operations is here, what they
//! do in the files beside. An operation that is not in the table is answered with `NotImplemented`.

mod buckets;
mod conditions;
mod lists;
mod multipart;
mod objects;
mod settings;

use crate::buckets::{BucketCaller, Buckets};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use std::time::{Duration, SystemTime};

/// The store as S3's operations. Whether a caller may ask for one is asked before.
#[derive(Debug, Clone)]
pub struct S3Api(pub(super) Buckets);

macro_rules! operations {
    ($($name:ident: $input:ident => $output:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for S3Api {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                Ok(reply(self.$name(request.input).await?))
            })*

            async fn create_bucket(&self, request: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
                let caller = caller(&request.extensions)?;
                Ok(reply(self.create_bucket(caller, request.input).await?))
            }

            async fn list_buckets(&self, request: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
                let caller = caller(&request.extensions)?;
                Ok(reply(self.list_buckets(caller, request.input).await?))
            }

            async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
                self.read_object(request).await
            }

            async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
                let mut response = reply(self.head(request.input).await?);
                if response.output.content_range.is_some() {
                    response.status = Some(http::StatusCode::PARTIAL_CONTENT);
                }
                Ok(response)
            }
        }
    };
}

operations! {
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput;
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput;
    copy_object: CopyObjectInput => CopyObjectOutput;
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput;
    delete_bucket: DeleteBucketInput => DeleteBucketOutput;
    delete_bucket_encryption: DeleteBucketEncryptionInput => DeleteBucketEncryptionOutput;
    delete_bucket_ownership_controls: DeleteBucketOwnershipControlsInput => DeleteBucketOwnershipControlsOutput;
    delete_bucket_policy: DeleteBucketPolicyInput => DeleteBucketPolicyOutput;
    delete_bucket_tagging: DeleteBucketTaggingInput => DeleteBucketTaggingOutput;
    delete_object: DeleteObjectInput => DeleteObjectOutput;
    delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput;
    delete_objects: DeleteObjectsInput => DeleteObjectsOutput;
    delete_public_access_block: DeletePublicAccessBlockInput => DeletePublicAccessBlockOutput;
    get_bucket_accelerate_configuration: GetBucketAccelerateConfigurationInput => GetBucketAccelerateConfigurationOutput;
    get_bucket_acl: GetBucketAclInput => GetBucketAclOutput;
    get_bucket_cors: GetBucketCorsInput => GetBucketCorsOutput;
    get_bucket_encryption: GetBucketEncryptionInput => GetBucketEncryptionOutput;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput;
    get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput;
    get_bucket_logging: GetBucketLoggingInput => GetBucketLoggingOutput;
    get_bucket_notification_configuration: GetBucketNotificationConfigurationInput => GetBucketNotificationConfigurationOutput;
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput => GetBucketOwnershipControlsOutput;
    get_bucket_policy: GetBucketPolicyInput => GetBucketPolicyOutput;
    get_bucket_replication: GetBucketReplicationInput => GetBucketReplicationOutput;
    get_bucket_request_payment: GetBucketRequestPaymentInput => GetBucketRequestPaymentOutput;
    get_bucket_tagging: GetBucketTaggingInput => GetBucketTaggingOutput;
    get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput;
    get_bucket_website: GetBucketWebsiteInput => GetBucketWebsiteOutput;
    get_object_acl: GetObjectAclInput => GetObjectAclOutput;
    get_object_attributes: GetObjectAttributesInput => GetObjectAttributesOutput;
    get_object_lock_configuration: GetObjectLockConfigurationInput => GetObjectLockConfigurationOutput;
    get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput;
    get_public_access_block: GetPublicAccessBlockInput => GetPublicAccessBlockOutput;
    head_bucket: HeadBucketInput => HeadBucketOutput;
    list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput;
    list_object_versions: ListObjectVersionsInput => ListObjectVersionsOutput;
    list_objects: ListObjectsInput => ListObjectsOutput;
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output;
    list_parts: ListPartsInput => ListPartsOutput;
    put_bucket_acl: PutBucketAclInput => PutBucketAclOutput;
    put_bucket_encryption: PutBucketEncryptionInput => PutBucketEncryptionOutput;
    put_bucket_ownership_controls: PutBucketOwnershipControlsInput => PutBucketOwnershipControlsOutput;
    put_bucket_policy: PutBucketPolicyInput => PutBucketPolicyOutput;
    put_bucket_tagging: PutBucketTaggingInput => PutBucketTaggingOutput;
    put_object: PutObjectInput => PutObjectOutput;
    put_object_acl: PutObjectAclInput => PutObjectAclOutput;
    put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput;
    put_public_access_block: PutPublicAccessBlockInput => PutPublicAccessBlockOutput;
    upload_part: UploadPartInput => UploadPartOutput;
    upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput;
}

/// Who calls. The door puts it in.
fn caller(extensions: &http::Extensions) -> S3Result<&BucketCaller> {
    extensions.get().ok_or_else(|| s3_error!(AccessDenied, "Access Denied"))
}

fn reply<T>(output: T) -> S3Response<T> {
    S3Response::new(output)
}

/// Milliseconds since 1970 as S3 has them: whole seconds.
fn time(millis: i64) -> Timestamp {
    let seconds = u64::try_from(millis / 1000).unwrap_or_default();
    (SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).into()
}

/// The one owner of everything.
fn owner() -> Owner {
    Owner { display_name: None, id: Some("0".repeat(64)) }
}

/// The grants that a canned ACL stands for.
fn grants(acl: Option<&str>) -> Vec<Grant> {
    let grant = |grantee, permission| Grant { grantee: Some(grantee), permission: Some(permission) };
    let grantee = |type_: &'static str, id, uri: Option<&str>| Grantee {
        display_name: None,
        email_address: None,
        id,
        type_: Type::from_static(type_),
        uri: uri.map(str::to_owned),
    };
    let group = |name: &str| {
        let uri = format!("http://acs.amazonaws.com/groups/{name}");
        grantee("Group", None, Some(&uri))
    };
    let permission = |name: &'static str| Permission::from_static(name);
    let mut grants = vec![grant(grantee("CanonicalUser", owner().id, None), permission("FULL_CONTROL"))];
    let more: &[(&str, &'static str)] = match acl {
        Some("public-read") => &[("global/AllUsers", "READ")],
        Some("public-read-write") => &[("global/AllUsers", "READ"), ("global/AllUsers", "WRITE")],
        Some("authenticated-read") => &[("global/AuthenticatedUsers", "READ")],
        Some("log-delivery-write") => &[("s3/LogDelivery", "WRITE"), ("s3/LogDelivery", "READ_ACP")],
        _ => &[],
    };
    grants.extend(more.iter().map(|(name, right)| grant(group(name), permission(right))));
    grants
}

/// A canned ACL, if it is one of those that S3 has.
fn canned(acl: &str) -> S3Result<String> {
    const CANNED: [&str; 8] = [
        "private",
        "public-read",
        "public-read-write",
        "authenticated-read",
        "aws-exec-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
        "log-delivery-write",
    ];
    if CANNED.contains(&acl) {
        Ok(acl.to_owned())
    } else {
        Err(s3_error!(InvalidArgument, "Unknown canned ACL"))
    }
}

/// Refuses what is asked for and would not be done.
fn unsupported(asked: bool, what: &str) -> S3Result<()> {
    if asked {
        return Err(s3_error!(NotImplemented, "The bucket store of Contrail has no {what}."));
    }
    Ok(())
}

/// Objects have one version, `null`.
fn check_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null" | "") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion, "The specified version does not exist.")),
    }
}
