//! What callers may do in the bucket store: which of S3's permissions a request needs, by the caller's policy.
//!
//! Source: IAM's service authorization reference, "Actions, resources, and condition keys for Amazon S3", and S3's user
//! guide, "Required permissions for Amazon S3 API operations".

use crate::aws::pairs::pairs;
use crate::clock::Clock;
use crate::domain::caller::Caller;
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

/// Asks the policy of the caller, who is among a request's extensions.
pub(super) struct Access {
    pub(super) clock: Clock,
}

impl Access {
    fn authorize(&self, caller: Option<&Arc<Caller>>, permission: &str, on: Target<'_>) -> S3Result<()> {
        let caller = caller.ok_or_else(|| s3_error!(AccessDenied, "Access Denied"))?;
        let authorized = caller.authorize(permission, on, self.clock.now());
        authorized.map_err(|why| s3_error!(AccessDenied, "{why}"))
    }

    fn authorize_source(&self, caller: Option<&Arc<Caller>>, source: &CopySource) -> S3Result<()> {
        match source {
            CopySource::Bucket { bucket, key, version_id } => {
                let permission = if version_id.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
                self.authorize(caller, permission, Target::Arn(&object_arn(bucket, key)))
            }
            // Other sources are no part of the store.
            _ => Ok(()),
        }
    }
}

fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let caller = cx.extensions_mut().get::<Arc<Caller>>().cloned();
        let operation = cx.s3_op().name();
        let resource = match cx.s3_path() {
            S3Path::Root => None,
            S3Path::Bucket { bucket } => Some(format!("arn:aws:s3:::{bucket}")),
            S3Path::Object { bucket, key } => Some(object_arn(bucket, key)),
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
        let on = resource.as_deref().map_or(Target::Nothing, Target::Arn);
        let headers: Vec<_> = cx.headers().keys().map(|name| name.as_str()).collect();
        let parameters = pairs(cx.uri().query().unwrap_or_default());
        let asked = AskedFor {
            event_source: "s3.amazonaws.com",
            operation,
            method: cx.method().as_str(),
            parameters: &parameters,
            headers: &headers,
        };
        for permission in permissions(&asked) {
            self.authorize(caller.as_ref(), &permission, on)?;
        }
        Ok(())
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        self.authorize_source(request.extensions.get(), &request.input.copy_source)
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        self.authorize_source(request.extensions.get(), &request.input.copy_source)
    }

    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        let caller = request.extensions.get();
        for object in &request.input.delete.objects {
            let permission =
                if object.version_id.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
            self.authorize(caller, permission, Target::Arn(&object_arn(&request.input.bucket, &object.key)))?;
        }
        Ok(())
    }
}
