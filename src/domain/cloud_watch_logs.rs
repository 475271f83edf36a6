//! Where a trail's records go in CloudWatch Logs: a log group and the role to write with, always together.

use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::region::Region;
use crate::error::{ApiResult, Code};

const BOTH: &str = "You must specify a log group and a role ARN.";

/// A log group's ARN (ends with `:*`) and a role's ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudWatchLogs {
    /// `arn:aws:logs:{region}:{account}:log-group:{name}:*`
    pub log_group_arn: String,
    /// `arn:aws:iam::{account}:role/{name}`
    pub role_arn: String,
}

impl CloudWatchLogs {
    /// Reads the pair; two empty strings (or nothing at all) mean none.
    ///
    /// # Errors
    /// `InvalidCloudWatchLogsLogGroupArnException` / `InvalidCloudWatchLogsRoleArnException`, by the member at fault.
    pub fn parse(log_group: Option<&str>, role: Option<&str>) -> ApiResult<Option<CloudWatchLogs>> {
        let group_wrong =
            |why: &str| Err(Code::InvalidCloudWatchLogsLogGroupArnException.because(why.to_owned()));
        let role_wrong = |why: &str| Err(Code::InvalidCloudWatchLogsRoleArnException.because(why.to_owned()));
        let given = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
        let (log_group_arn, role_arn) = match (given(log_group), given(role)) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return group_wrong(BOTH),
            (Some(_), None) => return role_wrong(BOTH),
            (Some(group), Some(role)) => (group, role),
        };
        let group_is_good = ArnParts::split(&log_group_arn).is_some_and(|arn| {
            let name = arn.resource.strip_prefix("log-group:").and_then(|rest| rest.strip_suffix(":*"));
            let right = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
            arn.service == "logs"
                && Region::is(arn.region)
                && AccountId::is(arn.account)
                && name.is_some_and(|n| (1..=512).contains(&n.len()) && n.chars().all(right))
        });
        if !group_is_good {
            return group_wrong("CloudTrail cannot validate the specified log group ARN.");
        }
        let role_is_good = ArnParts::split(&role_arn).is_some_and(|arn| {
            arn.service == "iam"
                && AccountId::is(arn.account)
                && arn.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
        });
        if !role_is_good {
            return role_wrong("CloudTrail cannot validate the specified role ARN.");
        }
        Ok(Some(CloudWatchLogs { log_group_arn, role_arn }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const GROUP: &str = "arn:aws:logs:us-east-1:111122223333:log-group:trail/logs:*";
    const ROLE: &str = "arn:aws:iam::111122223333:role/service/ToLogs";

    #[test]
    fn both_or_none() {
        let both = CloudWatchLogs::parse(Some(GROUP), Some(ROLE)).unwrap().unwrap();
        assert_eq!((both.log_group_arn.as_str(), both.role_arn.as_str()), (GROUP, ROLE));
        assert_eq!(CloudWatchLogs::parse(Some(""), Some("")).unwrap(), None);
        assert_eq!(CloudWatchLogs::parse(None, None).unwrap(), None);
        let alone = CloudWatchLogs::parse(Some(GROUP), None).unwrap_err();
        assert_eq!((alone.code, alone.message.as_ref()), (Code::InvalidCloudWatchLogsRoleArnException, BOTH));
        let alone = CloudWatchLogs::parse(Some(""), Some(ROLE)).unwrap_err();
        assert_eq!(
            (alone.code, alone.message.as_ref()),
            (Code::InvalidCloudWatchLogsLogGroupArnException, BOTH)
        );
    }

    #[test]
    fn the_group_needs_its_star_and_the_role_must_be_a_role() {
        let no_star = GROUP.trim_end_matches(":*");
        let refused = CloudWatchLogs::parse(Some(no_star), Some(ROLE)).unwrap_err();
        assert_eq!(refused.code, Code::InvalidCloudWatchLogsLogGroupArnException);
        for role in ["arn:aws:iam::111122223333:user/ana", "arn:aws:iam::abcdefghijkl:role/ToLogs"] {
            let refused = CloudWatchLogs::parse(Some(GROUP), Some(role)).unwrap_err();
            assert_eq!(refused.code, Code::InvalidCloudWatchLogsRoleArnException, "{role}");
        }
        let group = GROUP.replace("111122223333", "abcdefghijkl");
        let refused = CloudWatchLogs::parse(Some(&group), Some(ROLE)).unwrap_err();
        assert_eq!(refused.code, Code::InvalidCloudWatchLogsLogGroupArnException);
    }
}
