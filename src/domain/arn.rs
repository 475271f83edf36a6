//! Amazon Resource Names: their parts, those of CloudTrail, and those of trails.

use crate::domain::account_id::AccountId;
use crate::domain::region::Region;
use crate::domain::text::cut;
use crate::domain::trail_name::TrailName;
use crate::error::{ApiError, ApiResult, Code};

/// The six parts of an ARN: `arn:partition:service:region:account:resource` (the resource may hold colons).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArnParts<'a> {
    /// `aws`, `aws-cn`, …
    pub partition: &'a str,
    /// `cloudtrail`, `sns`, …
    pub service: &'a str,
    /// Empty for global services.
    pub region: &'a str,
    /// 12 digits; empty for S3.
    pub account: &'a str,
    /// All behind the fifth colon.
    pub resource: &'a str,
}

impl<'a> ArnParts<'a> {
    /// Splits an ARN; `None` if it has fewer than six parts or does not begin with `arn:aws`.
    pub fn split(text: &'a str) -> Option<ArnParts<'a>> {
        let mut parts = text.splitn(6, ':');
        let (arn, partition, service, region, account, resource) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        (arn == "arn" && partition.starts_with("aws") && !resource.is_empty()).then_some(ArnParts {
            partition,
            service,
            region,
            account,
            resource,
        })
    }
}

/// An ARN of CloudTrail: `arn:{partition}:cloudtrail:{region}:{account}:{kind}/{name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudTrailArn<'a> {
    /// The region that it is at home in.
    pub region: Region,
    /// The account that owns it.
    pub account: AccountId,
    /// `trail`, `eventdatastore`, `channel`, `dashboard`, or something that CloudTrail does not have.
    pub kind: &'a str,
    /// Its name or id.
    pub name: &'a str,
}

impl<'a> CloudTrailArn<'a> {
    /// # Errors
    /// `CloudTrailARNInvalidException` for what is not an ARN of CloudTrail.
    pub fn parse(text: &'a str) -> ApiResult<CloudTrailArn<'a>> {
        let read = || {
            let parts = ArnParts::split(text)?;
            let (kind, name) = parts.resource.split_once('/')?;
            let region = Region::parse(parts.region)?;
            let account = AccountId::parse(parts.account)?;
            (parts.service == "cloudtrail" && region.partition() == parts.partition)
                .then_some(CloudTrailArn { region, account, kind, name })
        };
        read().ok_or_else(|| malformed(text))
    }
}

/// An ARN of another account than the caller's (text observed).
pub fn wrong_account(account: &AccountId) -> ApiError {
    Code::CloudTrailARNInvalidException.because(format!(
        "AccountID in ARN is wrong, you can only access resources with AccountID {account}."
    ))
}

/// An ARN of a region in which the call finds nothing of that name (text observed).
pub fn wrong_region(region: &Region) -> ApiError {
    Code::CloudTrailARNInvalidException
        .because(format!("Region in ARN is wrong, you can only access resources in region {region}."))
}

fn malformed(text: &str) -> ApiError {
    Code::CloudTrailARNInvalidException.because(format!("Trail ARN is not valid: {}", cut(text, 300)))
}

/// A trail's ARN: `arn:{partition}:cloudtrail:{home region}:{account}:trail/{name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailArn {
    /// The region that the trail was created in.
    pub region: Region,
    /// The account that owns it.
    pub account: AccountId,
    /// Its name.
    pub name: TrailName,
}

impl TrailArn {
    /// # Errors
    /// `CloudTrailARNInvalidException` for what is not a trail's ARN, `InvalidTrailNameException` for a bad name in it.
    pub fn parse(text: &str) -> ApiResult<TrailArn> {
        let arn = CloudTrailArn::parse(text)?;
        if arn.kind != "trail" {
            return Err(malformed(text));
        }
        Ok(TrailArn { name: TrailName::parse(arn.name)?, region: arn.region, account: arn.account })
    }
}

impl std::fmt::Display for TrailArn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&trail_arn(&self.region, &self.account, self.name.as_str()))
    }
}

/// The ARN of the trail `name` at home in `region`.
pub fn trail_arn(region: &Region, account: &AccountId, name: &str) -> String {
    format!("arn:{}:cloudtrail:{region}:{account}:trail/{name}", region.partition())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_arn_reads_back_as_it_is_written() {
        for (region, partition) in
            [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
        {
            let account = AccountId::parse("111122223333").unwrap();
            let text = trail_arn(&Region::parse(region).unwrap(), &account, "Management_Events.1");
            assert!(text.starts_with(&format!("arn:{partition}:cloudtrail:{region}:")));
            assert_eq!(TrailArn::parse(&text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_trail_arn_is_refused() {
        for text in [
            "arn:aws:cloudtrail:us-east-1:111122223333:channel/abc",
            "arn:aws:s3:us-east-1:111122223333:trail/abc",
            "arn:aws:cloudtrail:us-east-1:1111:trail/abc",
            "arn:aws-cn:cloudtrail:us-east-1:111122223333:trail/abc",
            "arn:aws:cloudtrail:US:111122223333:trail/abc",
            "arn:aws:cloudtrail",
            "arn:",
        ] {
            assert_eq!(
                TrailArn::parse(text).unwrap_err().code,
                Code::CloudTrailARNInvalidException,
                "{text}"
            );
        }
        let bad_name = TrailArn::parse("arn:aws:cloudtrail:us-east-1:111122223333:trail/a").unwrap_err();
        assert_eq!(bad_name.code, Code::InvalidTrailNameException);
    }
}
