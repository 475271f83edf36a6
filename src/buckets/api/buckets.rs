//! Making, finding and removing buckets.

use super::{S3Api, canned, owner, time, unsupported};
use crate::buckets::bucket::{Bucket, Setting};
use crate::buckets::{BucketCaller, Seen};
use s3s::dto::*;
use s3s::{S3Result, s3_error};

/// The region of buckets whose maker says nothing.
const DEFAULT_REGION: &str = "us-east-1";

impl S3Api {
    pub(super) async fn create_bucket(
        &self,
        caller: &BucketCaller,
        input: CreateBucketInput,
    ) -> S3Result<CreateBucketOutput> {
        let grants = [
            &input.grant_full_control,
            &input.grant_read,
            &input.grant_read_acp,
            &input.grant_write,
            &input.grant_write_acp,
        ];
        unsupported(grants.iter().any(|grant| grant.is_some()), "ACLs but the canned ones")?;
        unsupported(input.object_lock_enabled_for_bucket == Some(true), "object lock")?;
        let acl = input.acl.map(|acl| canned(acl.as_str())).transpose()?;
        let constraint = input.create_bucket_configuration.and_then(|c| c.location_constraint);
        let region = match constraint.as_ref().map(BucketLocationConstraint::as_str) {
            None | Some("") => DEFAULT_REGION,
            Some(region) if region != DEFAULT_REGION && crate::domain::region::Region::is(region) => region,
            Some("EU") => "eu-west-1",
            Some(_) => {
                return Err(s3_error!(
                    InvalidLocationConstraint,
                    "The specified location-constraint is not valid"
                ));
            }
        };
        let there = self.0.create_bucket(&input.bucket, region, &caller.account, acl.as_deref()).await?;
        let is_other =
            |bucket: &Bucket| bucket.account.as_ref().is_some_and(|account| *account != caller.account);
        if caller.sees == Seen::Own && there.as_ref().is_some_and(is_other) {
            return Err(s3_error!(
                BucketAlreadyExists,
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
                 Please select a different name and try again."
            ));
        }
        // For the sake of old programs S3 says yes to a second CreateBucket, in this one region.
        if there.is_some_and(|bucket| bucket.region != DEFAULT_REGION || region != DEFAULT_REGION) {
            return Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ));
        }
        if let Some(ownership) = input.object_ownership {
            self.0.put_setting_text(&input.bucket, Setting::OwnershipControls, ownership.as_str()).await?;
        }
        Ok(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
    }

    pub(super) async fn head_bucket(&self, input: HeadBucketInput) -> S3Result<HeadBucketOutput> {
        let bucket = self.0.bucket(&input.bucket).await?;
        Ok(HeadBucketOutput { bucket_region: Some(bucket.region), ..Default::default() })
    }

    pub(super) async fn get_bucket_location(
        &self,
        input: GetBucketLocationInput,
    ) -> S3Result<GetBucketLocationOutput> {
        let region = self.0.bucket(&input.bucket).await?.region;
        // us-east-1 has no name here.
        let constraint = (region != DEFAULT_REGION).then(|| BucketLocationConstraint::from(region));
        Ok(GetBucketLocationOutput { location_constraint: constraint })
    }

    pub(super) async fn list_buckets(
        &self,
        caller: &BucketCaller,
        input: ListBucketsInput,
    ) -> S3Result<ListBucketsOutput> {
        let limit = input.max_buckets.unwrap_or(10_000);
        if !(1..=10_000).contains(&limit) {
            return Err(s3_error!(InvalidArgument, "max-buckets must be between 1 and 10000"));
        }
        let account = Some(&caller.account).filter(|_| caller.sees == Seen::Own);
        let prefix = input.prefix.unwrap_or_default();
        let after = input.continuation_token.unwrap_or_default();
        let mut found = self.0.buckets(account, &prefix, &after, i64::from(limit) + 1).await?;
        let more = found.len() > usize::try_from(limit).unwrap_or_default();
        if more {
            found.pop();
        }
        let next = found.last().filter(|_| more).map(|bucket| bucket.name.clone());
        let buckets = found.into_iter().map(|bucket| s3s::dto::Bucket {
            name: Some(bucket.name),
            creation_date: Some(time(bucket.created_at)),
            bucket_region: Some(bucket.region),
        });
        Ok(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            owner: Some(owner()),
            continuation_token: next,
            prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
        })
    }

    pub(super) async fn delete_bucket(&self, input: DeleteBucketInput) -> S3Result<DeleteBucketOutput> {
        self.0.delete_bucket(&input.bucket).await?;
        Ok(DeleteBucketOutput {})
    }
}
