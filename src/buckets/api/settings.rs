//! What can be set on a bucket and is kept; and of what cannot be set, the answer of a bucket on which it never was.

use super::{S3Api, canned, grants, owner, unsupported};
use crate::buckets::bucket::Setting;
use crate::domain::policy::resource::ResourcePolicy;
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

/// Answers of a bucket on which something was never set; there is no way to set it.
macro_rules! never_set {
    ($($name:ident: $input:ident => $output:ident, $answer:expr;)*) => {
        impl S3Api {
            $(pub(super) async fn $name(&self, input: $input) -> S3Result<$output> {
                self.0.bucket(&input.bucket).await?;
                $answer
            })*
        }
    };
}

never_set! {
    get_bucket_accelerate_configuration: GetBucketAccelerateConfigurationInput => GetBucketAccelerateConfigurationOutput,
        Ok(Default::default());
    get_bucket_cors: GetBucketCorsInput => GetBucketCorsOutput,
        Err(s3_error!(NoSuchCORSConfiguration, "The CORS configuration does not exist"));
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput,
        Err(s3_error!(NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist"));
    get_bucket_logging: GetBucketLoggingInput => GetBucketLoggingOutput,
        Ok(Default::default());
    get_bucket_notification_configuration:
        GetBucketNotificationConfigurationInput => GetBucketNotificationConfigurationOutput,
        Ok(Default::default());
    get_bucket_replication: GetBucketReplicationInput => GetBucketReplicationOutput,
        Err(s3_error!(ReplicationConfigurationNotFoundError, "The replication configuration was not found"));
    get_bucket_request_payment: GetBucketRequestPaymentInput => GetBucketRequestPaymentOutput,
        Ok(GetBucketRequestPaymentOutput { payer: Some(Payer::from_static(Payer::BUCKET_OWNER)) });
    get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput,
        Ok(Default::default());
    get_bucket_website: GetBucketWebsiteInput => GetBucketWebsiteOutput,
        Err(s3_error!(NoSuchWebsiteConfiguration, "The specified bucket does not have a website configuration"));
    get_object_lock_configuration: GetObjectLockConfigurationInput => GetObjectLockConfigurationOutput,
        Err(s3_error!(ObjectLockConfigurationNotFoundError, "Object Lock configuration does not exist for this bucket"));
}

impl S3Api {
    pub(super) async fn put_bucket_policy(
        &self,
        input: PutBucketPolicyInput,
    ) -> S3Result<PutBucketPolicyOutput> {
        // One that cannot be read could deny nothing.
        if ResourcePolicy::parse(&input.policy).is_none() {
            return Err(s3_error!(
                MalformedPolicy,
                "Policies must be valid JSON with a Statement, each with an Effect and a Principal"
            ));
        }
        self.0.put_setting_text(&input.bucket, Setting::Policy, &input.policy).await?;
        Ok(PutBucketPolicyOutput {})
    }

    pub(super) async fn get_bucket_policy(
        &self,
        input: GetBucketPolicyInput,
    ) -> S3Result<GetBucketPolicyOutput> {
        let policy = self.0.setting(&input.bucket, Setting::Policy).await?;
        let policy =
            policy.ok_or_else(|| s3_error!(NoSuchBucketPolicy, "The bucket policy does not exist"))?;
        Ok(GetBucketPolicyOutput { policy: Some(policy) })
    }

    pub(super) async fn delete_bucket_policy(
        &self,
        input: DeleteBucketPolicyInput,
    ) -> S3Result<DeleteBucketPolicyOutput> {
        self.0.delete_setting(&input.bucket, Setting::Policy).await?;
        Ok(DeleteBucketPolicyOutput {})
    }

    pub(super) async fn put_public_access_block(
        &self,
        input: PutPublicAccessBlockInput,
    ) -> S3Result<PutPublicAccessBlockOutput> {
        let mut block = input.public_access_block_configuration;
        for setting in [
            &mut block.block_public_acls,
            &mut block.block_public_policy,
            &mut block.ignore_public_acls,
            &mut block.restrict_public_buckets,
        ] {
            setting.get_or_insert(false);
        }
        self.0.put_setting(&input.bucket, Setting::PublicAccessBlock, &block).await?;
        Ok(PutPublicAccessBlockOutput {})
    }

    pub(super) async fn get_public_access_block(
        &self,
        input: GetPublicAccessBlockInput,
    ) -> S3Result<GetPublicAccessBlockOutput> {
        let block = self.0.read_setting(&input.bucket, Setting::PublicAccessBlock).await?;
        let block: PublicAccessBlockConfiguration = block.ok_or_else(|| {
            let code = S3ErrorCode::Custom("NoSuchPublicAccessBlockConfiguration".into());
            let mut error =
                S3Error::with_message(code, "The public access block configuration was not found");
            error.set_status_code(http::StatusCode::NOT_FOUND);
            error
        })?;
        Ok(GetPublicAccessBlockOutput { public_access_block_configuration: Some(block) })
    }

    pub(super) async fn delete_public_access_block(
        &self,
        input: DeletePublicAccessBlockInput,
    ) -> S3Result<DeletePublicAccessBlockOutput> {
        self.0.delete_setting(&input.bucket, Setting::PublicAccessBlock).await?;
        Ok(DeletePublicAccessBlockOutput {})
    }

    pub(super) async fn put_bucket_encryption(
        &self,
        input: PutBucketEncryptionInput,
    ) -> S3Result<PutBucketEncryptionOutput> {
        let rules = &input.server_side_encryption_configuration;
        self.0.put_setting(&input.bucket, Setting::Encryption, rules).await?;
        Ok(PutBucketEncryptionOutput {})
    }

    /// The rules that are set, or the one that every bucket has.
    pub(super) async fn encryption(&self, bucket: &str) -> S3Result<ServerSideEncryptionConfiguration> {
        let set = self.0.read_setting(bucket, Setting::Encryption).await?;
        Ok(set.unwrap_or_else(|| ServerSideEncryptionConfiguration {
            rules: vec![ServerSideEncryptionRule {
                apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                    kms_master_key_id: None,
                    sse_algorithm: ServerSideEncryption::from_static(ServerSideEncryption::AES256),
                }),
                bucket_key_enabled: Some(false),
            }],
        }))
    }

    pub(super) async fn get_bucket_encryption(
        &self,
        input: GetBucketEncryptionInput,
    ) -> S3Result<GetBucketEncryptionOutput> {
        let rules = self.encryption(&input.bucket).await?;
        Ok(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(rules) })
    }

    pub(super) async fn delete_bucket_encryption(
        &self,
        input: DeleteBucketEncryptionInput,
    ) -> S3Result<DeleteBucketEncryptionOutput> {
        self.0.delete_setting(&input.bucket, Setting::Encryption).await?;
        Ok(DeleteBucketEncryptionOutput {})
    }

    pub(super) async fn put_bucket_ownership_controls(
        &self,
        input: PutBucketOwnershipControlsInput,
    ) -> S3Result<PutBucketOwnershipControlsOutput> {
        let [rule] = input.ownership_controls.rules.as_slice() else {
            return Err(s3_error!(MalformedXML, "There must be one rule"));
        };
        let ownership = rule.object_ownership.as_str();
        self.0.put_setting_text(&input.bucket, Setting::OwnershipControls, ownership).await?;
        Ok(PutBucketOwnershipControlsOutput {})
    }

    pub(super) async fn get_bucket_ownership_controls(
        &self,
        input: GetBucketOwnershipControlsInput,
    ) -> S3Result<GetBucketOwnershipControlsOutput> {
        let ownership = self.0.setting(&input.bucket, Setting::OwnershipControls).await?;
        let ownership = ownership.unwrap_or_else(|| ObjectOwnership::BUCKET_OWNER_ENFORCED.to_owned());
        let rules = vec![OwnershipControlsRule { object_ownership: ownership.into() }];
        Ok(GetBucketOwnershipControlsOutput { ownership_controls: Some(OwnershipControls { rules }) })
    }

    pub(super) async fn delete_bucket_ownership_controls(
        &self,
        input: DeleteBucketOwnershipControlsInput,
    ) -> S3Result<DeleteBucketOwnershipControlsOutput> {
        self.0.delete_setting(&input.bucket, Setting::OwnershipControls).await?;
        Ok(DeleteBucketOwnershipControlsOutput {})
    }

    pub(super) async fn put_bucket_tagging(
        &self,
        input: PutBucketTaggingInput,
    ) -> S3Result<PutBucketTaggingOutput> {
        self.0.put_setting(&input.bucket, Setting::Tags, &input.tagging).await?;
        Ok(PutBucketTaggingOutput {})
    }

    pub(super) async fn get_bucket_tagging(
        &self,
        input: GetBucketTaggingInput,
    ) -> S3Result<GetBucketTaggingOutput> {
        let tagging: Option<Tagging> = self.0.read_setting(&input.bucket, Setting::Tags).await?;
        let tagging = tagging.ok_or_else(|| s3_error!(NoSuchTagSet, "The TagSet does not exist"))?;
        Ok(GetBucketTaggingOutput { tag_set: tagging.tag_set })
    }

    pub(super) async fn delete_bucket_tagging(
        &self,
        input: DeleteBucketTaggingInput,
    ) -> S3Result<DeleteBucketTaggingOutput> {
        self.0.delete_setting(&input.bucket, Setting::Tags).await?;
        Ok(DeleteBucketTaggingOutput {})
    }

    pub(super) async fn put_bucket_acl(&self, input: PutBucketAclInput) -> S3Result<PutBucketAclOutput> {
        // Grants one by one are taken when they say what a canned ACL says as well.
        if let Some(policy) = &input.access_control_policy {
            let asked = policy.grants.clone().unwrap_or_default();
            unsupported(asked != grants(None), "ACLs but the canned ones")?;
        }
        let single = [
            &input.grant_full_control,
            &input.grant_read,
            &input.grant_read_acp,
            &input.grant_write,
            &input.grant_write_acp,
        ];
        unsupported(single.iter().any(|grant| grant.is_some()), "ACLs but the canned ones")?;
        let acl = input.acl.map_or(Ok("private".to_owned()), |acl| canned(acl.as_str()))?;
        self.0.put_setting_text(&input.bucket, Setting::Acl, &acl).await?;
        Ok(PutBucketAclOutput {})
    }

    pub(super) async fn get_bucket_acl(&self, input: GetBucketAclInput) -> S3Result<GetBucketAclOutput> {
        let acl = self.0.setting(&input.bucket, Setting::Acl).await?;
        Ok(GetBucketAclOutput { owner: Some(owner()), grants: Some(grants(acl.as_deref())) })
    }
}
