//! How a call names a trail: by name (in the region of the call) or by ARN.

use crate::domain::account_id::AccountId;
use crate::domain::arn::{TrailArn, trail_arn, wrong_account};
use crate::domain::region::Region;
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
    pub fn parse(text: Option<&str>, account: &AccountId) -> ApiResult<TrailRef> {
        let text = text.ok_or_else(blank)?;
        if !text.starts_with("arn:") {
            return TrailName::parse(text).map(TrailRef::Name);
        }
        let arn = TrailArn::parse(text)?;
        if arn.account != *account {
            return Err(wrong_account(account));
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
    pub fn region<'a>(&'a self, caller_region: &'a Region) -> &'a Region {
        match self {
            TrailRef::Name(_) => caller_region,
            TrailRef::Arn(arn) => &arn.region,
        }
    }

    /// `TrailNotFoundException`, which spells the trail as an ARN of the call's region and account (observed).
    pub fn not_found(&self, region: &Region, account: &AccountId) -> ApiError {
        let arn = trail_arn(self.region(region), account, self.name().as_str());
        Code::TrailNotFoundException.because(format!("Unknown trail: {arn} for the user: {account}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_named_by_name_or_by_arn_of_ones_own_account() {
        let (ours, here) = (AccountId::parse("111122223333").unwrap(), Region::parse("eu-west-1").unwrap());
        let by_name = TrailRef::parse(Some("demo"), &ours).unwrap();
        assert_eq!(*by_name.region(&here), "eu-west-1");
        assert_eq!(
            by_name.not_found(&here, &ours).message,
            "Unknown trail: arn:aws:cloudtrail:eu-west-1:111122223333:trail/demo for the user: 111122223333"
        );
        let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/demo";
        let by_arn = TrailRef::parse(Some(arn), &ours).unwrap();
        assert_eq!((by_arn.name().as_str(), by_arn.region(&here).as_str()), ("demo", "us-east-1"));
        let foreign = TrailRef::parse(Some(arn), &AccountId::parse("444455556666").unwrap()).unwrap_err();
        assert_eq!(foreign.code, Code::CloudTrailARNInvalidException);
        assert!(foreign.message.starts_with("AccountID in ARN is wrong"));
        assert_eq!(TrailRef::parse(None, &ours).unwrap_err().message, "Trail name cannot be blank!");
    }
}
