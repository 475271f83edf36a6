//! Where a trail's records go in CloudWatch Logs: a log group and the role to write with, always together.

use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::region::Region;
use crate::error::{ApiResult, Code};

const BOTH: &str = "You must specify a log group and a role ARN.";

/// What is said of a role that CloudTrail may not assume (observed). Terraform tries again on its first two words.
const DENIED: &str = "Access denied. Verify in IAM that the role has adequate trust relationships.";

/// A log group's ARN (ends with `:*`) and a role's ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudWatchLogs {
    /// `arn:aws:logs:{region}:{account}:log-group:{name}:*`
    pub log_group_arn: String,
    /// `arn:aws:iam::{account}:role/{name}`
    pub role_arn: String,
}

impl CloudWatchLogs {
    /// Reads the pair; two empty strings (or nothing at all) mean none. Both are in the account and the group is in the home
    /// region of the trail (user guide, "Sending events to CloudWatch Logs").
    ///
    /// # Errors
    /// `InvalidCloudWatchLogsLogGroupArnException` / `InvalidCloudWatchLogsRoleArnException`, by the member at fault.
    pub fn parse(
        log_group: Option<&str>,
        role: Option<&str>,
        region: &Region,
        account: &AccountId,
    ) -> ApiResult<Option<CloudWatchLogs>> {
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
        let group = ArnParts::split(&log_group_arn).filter(|arn| {
            let name = arn.resource.strip_prefix("log-group:").and_then(|rest| rest.strip_suffix(":*"));
            let right = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
            arn.service == "logs"
                && Region::is(arn.region)
                && AccountId::is(arn.account)
                && name.is_some_and(|n| (1..=512).contains(&n.len()) && n.chars().all(right))
        });
        let unknown_group = "CloudTrail cannot validate the specified log group ARN.";
        let Some(group) = group else { return group_wrong(unknown_group) };
        if *region != group.region {
            // Observed.
            return group_wrong("You must specify a log group that is in the current region.");
        }
        if *account != group.account {
            return group_wrong(unknown_group);
        }
        let role = ArnParts::split(&role_arn).filter(|arn| {
            arn.service == "iam"
                && AccountId::is(arn.account)
                && arn.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
        });
        let Some(role) = role else {
            return role_wrong("CloudTrail cannot validate the specified role ARN.");
        };
        if *account != role.account {
            return role_wrong(DENIED);
        }
        Ok(Some(CloudWatchLogs { log_group_arn, role_arn }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(log_group: Option<&str>, role: Option<&str>) -> ApiResult<Option<CloudWatchLogs>> {
        let account = AccountId::parse("111122223333").unwrap();
        CloudWatchLogs::parse(log_group, role, &Region::us_east_1(), &account)
    }

    const GROUP: &str = "arn:aws:logs:us-east-1:111122223333:log-group:trail/logs:*";
    const ROLE: &str = "arn:aws:iam::111122223333:role/service/ToLogs";

    #[test]
    fn both_or_none() {
        let both = parse(Some(GROUP), Some(ROLE)).unwrap().unwrap();
        assert_eq!((both.log_group_arn.as_str(), both.role_arn.as_str()), (GROUP, ROLE));
        assert_eq!(parse(Some(""), Some("")).unwrap(), None);
        assert_eq!(parse(None, None).unwrap(), None);
        let alone = parse(Some(GROUP), None).unwrap_err();
        assert_eq!((alone.code, alone.message.as_ref()), (Code::InvalidCloudWatchLogsRoleArnException, BOTH));
        let alone = parse(Some(""), Some(ROLE)).unwrap_err();
        assert_eq!(
            (alone.code, alone.message.as_ref()),
            (Code::InvalidCloudWatchLogsLogGroupArnException, BOTH)
        );
    }

    #[test]
    fn the_group_needs_its_star_and_the_role_must_be_a_role() {
        let no_star = GROUP.trim_end_matches(":*");
        let refused = parse(Some(no_star), Some(ROLE)).unwrap_err();
        assert_eq!(refused.code, Code::InvalidCloudWatchLogsLogGroupArnException);
        for role in ["arn:aws:iam::111122223333:user/ana", "arn:aws:iam::abcdefghijkl:role/ToLogs"] {
            let refused = parse(Some(GROUP), Some(role)).unwrap_err();
            assert_eq!(refused.code, Code::InvalidCloudWatchLogsRoleArnException, "{role}");
        }
        let group = GROUP.replace("111122223333", "abcdefghijkl");
        let refused = parse(Some(&group), Some(ROLE)).unwrap_err();
        assert_eq!(refused.code, Code::InvalidCloudWatchLogsLogGroupArnException);
    }

    #[test]
    fn both_are_the_trails_own_and_the_group_is_in_its_region() {
        let refused = |group: &str, role: &str| {
            let error = parse(Some(group), Some(role)).unwrap_err();
            (error.code, error.message.into_owned())
        };
        let elsewhere = "You must specify a log group that is in the current region.";
        assert_eq!(
            refused(&GROUP.replace("us-east-1", "eu-west-1"), ROLE),
            (Code::InvalidCloudWatchLogsLogGroupArnException, elsewhere.to_owned())
        );
        let theirs = refused(&GROUP.replace("111122223333", "444455556666"), ROLE);
        assert_eq!(theirs.0, Code::InvalidCloudWatchLogsLogGroupArnException);
        let theirs = refused(GROUP, &ROLE.replace("111122223333", "444455556666"));
        assert_eq!(theirs, (Code::InvalidCloudWatchLogsRoleArnException, DENIED.to_owned()));
    }
}
