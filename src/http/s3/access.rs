//! What callers may do in the bucket store: which of S3's permissions a request needs, by the caller's policy and the
//! bucket's.
//!
//! Source: IAM's service authorization reference, "Actions, resources, and condition keys for Amazon S3", and S3's user
//! guide, "Required permissions for Amazon S3 API operations".

use crate::aws::pairs::pairs;
use crate::buckets::{BucketRules, Buckets};
use crate::clock::Clock;
use crate::domain::caller::{Caller, OwnedResource};
use crate::domain::identity::Principal;
use crate::domain::policy::Target;
use crate::domain::policy::permissions::{AskedFor, permissions};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::{CopyObjectInput, CopySource, DeleteObjectsInput, UploadPartCopyInput};
use s3s::path::S3Path;
use s3s::{S3Request, S3Result, s3_error};
use std::sync::Arc;

/// Signatures have been checked and taken off; s3s asks for access only where it is told of signatures, too.
pub(super) struct NoKeys;

#[async_trait::async_trait]
impl S3Auth for NoKeys {
    async fn get_secret_key(&self, _: &str) -> S3Result<SecretKey> {
        Err(s3_error!(AccessDenied, "Access Denied"))
    }
}

/// Asks the policy of the caller, who is among a request's extensions, and that of the bucket.
pub(super) struct Access {
    pub(super) clock: Clock,
    pub(super) buckets: Buckets,
}

/// What a permission is needed on.
#[derive(Clone, Copy)]
enum On<'a> {
    Nothing,
    Bucket(&'a str),
    Object(&'a str, &'a str),
}

impl<'a> On<'a> {
    fn arn(self) -> Option<String> {
        match self {
            On::Nothing => None,
            On::Bucket(bucket) => Some(format!("arn:aws:s3:::{bucket}")),
            On::Object(bucket, key) => Some(format!("arn:aws:s3:::{bucket}/{key}")),
        }
    }

    fn bucket(self) -> Option<&'a str> {
        match self {
            On::Nothing => None,
            On::Bucket(bucket) | On::Object(bucket, _) => Some(bucket),
        }
    }
}

impl Access {
    /// Whether the caller has all permissions on something.
    async fn authorize(
        &self,
        caller: Option<&Arc<Caller>>,
        permissions: &[String],
        on: On<'_>,
    ) -> S3Result<()> {
        let rules = match on.bucket() {
            Some(bucket) => self.buckets.rules(bucket).await?,
            None => None,
        };
        for permission in permissions {
            self.authorize_by(rules.as_ref(), caller, permission, on).await?;
        }
        Ok(())
    }

    /// Whether the caller has a permission in a bucket with these rules, or where there is no bucket.
    async fn authorize_by(
        &self,
        rules: Option<&BucketRules>,
        caller: Option<&Arc<Caller>>,
        permission: &str,
        on: On<'_>,
    ) -> S3Result<()> {
        let caller = caller.ok_or_else(|| s3_error!(AccessDenied, "Access Denied"))?;
        let authorized = match rules {
            Some(rules) if !is_outside_of_rules(caller, rules, permission) => {
                self.authorize_on_bucket(caller, rules, permission, on).await?
            }
            _ => self.authorize_alone(caller, permission, on),
        };
        authorized.map_err(|why| s3_error!(AccessDenied, "{why}"))
    }

    /// By the caller's policy alone.
    fn authorize_alone(&self, caller: &Caller, permission: &str, on: On<'_>) -> Result<(), String> {
        let arn = on.arn();
        let target = arn.as_deref().map_or(Target::Nothing, Target::Arn);
        caller.authorize(permission, target, self.clock.now())
    }

    /// By all that there is: whose the bucket is, both policies, the ACLs.
    async fn authorize_on_bucket(
        &self,
        caller: &Caller,
        rules: &BucketRules,
        permission: &str,
        on: On<'_>,
    ) -> S3Result<Result<(), String>> {
        let is_public_object = match on {
            On::Object(bucket, key) if permission == "s3:GetObject" && rules.has_public_objects => {
                let acl = self.buckets.object_acl(bucket, key).await?;
                acl.is_some_and(|acl| PUBLIC_ACLS.contains(&acl.as_str()))
            }
            _ => false,
        };
        let resource = OwnedResource {
            account: rules.account.as_ref(),
            policy: rules.policy.as_ref(),
            everybody: rules.everybody,
            is_granted: is_public_object || rules.grants(permission),
        };
        let arn = on.arn().unwrap_or_default();
        Ok(caller.authorize_on(permission, &arn, &resource, self.clock.now()))
    }

    async fn authorize_source(&self, caller: Option<&Arc<Caller>>, source: &CopySource) -> S3Result<()> {
        match source {
            CopySource::Bucket { bucket, key, version_id } => {
                let permission = if version_id.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
                self.authorize(caller, &[permission.to_owned()], On::Object(bucket, key)).await
            }
            // Other sources are no part of the store.
            _ => Ok(()),
        }
    }
}

/// Canned ACLs that let all who sign read an object.
const PUBLIC_ACLS: [&str; 3] = ["public-read", "public-read-write", "authenticated-read"];

/// Whether the bucket has no say: the owner's root user can always take away a policy that denies everything, and making a
/// bucket that is there is no use of it.
fn is_outside_of_rules(caller: &Caller, rules: &BucketRules, permission: &str) -> bool {
    let is_root = caller.identity.principal == Principal::Root
        && rules.account.as_ref().is_none_or(|account| *account == caller.account);
    let is_about_policy =
        matches!(permission, "s3:DeleteBucketPolicy" | "s3:GetBucketPolicy" | "s3:PutBucketPolicy");
    permission == "s3:CreateBucket" || is_root && is_about_policy
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let caller = cx.extensions_mut().get::<Arc<Caller>>().cloned();
        let operation = cx.s3_op().name();
        let path = cx.s3_path();
        let on = match &path {
            S3Path::Root => On::Nothing,
            S3Path::Bucket { bucket } => On::Bucket(bucket),
            S3Path::Object { bucket, key } => On::Object(bucket, key),
        };
        match operation {
            // Its keys are in its body; below.
            "DeleteObjects" => return Ok(()),
            // So is the key of a form, and nobody asks about that.
            "PostObject" if caller.as_ref().is_none_or(|caller| caller.policy.is_some()) => {
                return Err(s3_error!(AccessDenied, "Forms are not taken from callers with a policy."));
            }
            _ => {}
        }
        let headers: Vec<_> = cx.headers().keys().map(|name| name.as_str()).collect();
        let parameters = pairs(cx.uri().query().unwrap_or_default());
        let asked = AskedFor {
            event_source: "s3.amazonaws.com",
            operation,
            method: cx.method().as_str(),
            parameters: &parameters,
            headers: &headers,
        };
        self.authorize(caller.as_ref(), &permissions(&asked), on).await
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        self.authorize_source(request.extensions.get(), &request.input.copy_source).await
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        self.authorize_source(request.extensions.get(), &request.input.copy_source).await
    }

    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        let caller = request.extensions.get();
        // Up to a thousand keys are in one bucket.
        let rules = self.buckets.rules(&request.input.bucket).await?;
        for object in &request.input.delete.objects {
            let permission =
                if object.version_id.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
            let on = On::Object(&request.input.bucket, &object.key);
            self.authorize_by(rules.as_ref(), caller, permission, on).await?;
        }
        Ok(())
    }
}
