//! How a call names a trail: by name (in the region of the call) or by ARN.

use crate::domain::arn::{TrailArn, trail_arn};
use crate::domain::trail_name::{TrailName, blank};
use crate::error::{ApiError, ApiResult, Code};

/// A name or an ARN of the caller's own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrailRef {
    /// A bare name.
    Name(TrailName),
    /// A full ARN, perhaps of another region.
    Arn(TrailArn),
}

impl TrailRef {
    /// # Errors
    /// `InvalidTrailNameException` for an absent, blank or bad name; `CloudTrailARNInvalidException` for a malformed
    /// ARN or one of another account.
    pub fn parse(text: Option<&str>, account: &str) -> ApiResult<TrailRef> {
        let text = text.ok_or_else(blank)?;
        if !text.starts_with("arn:") {
            return TrailName::parse(text).map(TrailRef::Name);
        }
        let arn = TrailArn::parse(text)?;
        if arn.account != account {
            return Err(Code::CloudTrailARNInvalidException.because(format!(
                "AccountID in ARN is wrong, you can only access resources in account {account}."
            )));
        }
        Ok(TrailRef::Arn(arn))
    }

    /// The name alone.
    pub fn name(&self) -> &TrailName {
        match self {
            TrailRef::Name(name) => name,
            TrailRef::Arn(arn) => &arn.name,
        }
    }

    /// The region meant: the ARN's, else the call's.
    pub fn region<'a>(&'a self, caller_region: &'a str) -> &'a str {
        match self {
            TrailRef::Name(_) => caller_region,
            TrailRef::Arn(arn) => &arn.region,
        }
    }

    /// `TrailNotFoundException`, which spells the trail as an ARN of the call's region and account (observed).
    pub fn not_found(&self, region: &str, account: &str) -> ApiError {
        let arn = trail_arn(self.region(region), account, self.name().as_str());
        Code::TrailNotFoundException.because(format!("Unknown trail: {arn} for the user: {account}"))
    }
}

/// An ARN of a region in which the call finds nothing of that name (text observed).
pub fn wrong_region(region: &str) -> ApiError {
    Code::CloudTrailARNInvalidException
        .because(format!("Region in ARN is wrong, you can only access resources in region {region}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_named_by_name_or_by_arn_of_ones_own_account() {
        let by_name = TrailRef::parse(Some("demo"), "111122223333").unwrap();
        assert_eq!(by_name.region("eu-west-1"), "eu-west-1");
        assert_eq!(
            by_name.not_found("eu-west-1", "111122223333").message,
            "Unknown trail: arn:aws:cloudtrail:eu-west-1:111122223333:trail/demo for the user: 111122223333"
        );
        let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/demo";
        let by_arn = TrailRef::parse(Some(arn), "111122223333").unwrap();
        assert_eq!((by_arn.name().as_str(), by_arn.region("eu-west-1")), ("demo", "us-east-1"));
        let foreign = TrailRef::parse(Some(arn), "444455556666").unwrap_err();
        assert_eq!(foreign.code, Code::CloudTrailARNInvalidException);
        assert!(foreign.message.starts_with("AccountID in ARN is wrong"));
        assert_eq!(TrailRef::parse(None, "1").unwrap_err().message, "Trail name cannot be blank!");
    }
}
