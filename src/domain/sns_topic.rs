//! The SNS topic of a trail, by name or by ARN.

use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::region::Region;
use crate::error::{ApiResult, Code};

/// A topic as the caller gave it, and its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnsTopic {
    /// What was given: a name or an ARN. Answers echo it (observed).
    pub given: String,
    /// The ARN; a bare name is taken to be a topic of the trail's region and account.
    pub arn: String,
}

impl SnsTopic {
    /// # Errors
    /// `InvalidSnsTopicNameException`: longer than 256 characters, characters that SNS does not allow, or an ARN
    /// that is no topic's.
    pub fn parse(text: &str, region: &Region, account: &AccountId) -> ApiResult<SnsTopic> {
        let refuse = |why: &str| Err(Code::InvalidSnsTopicNameException.because(why.to_owned()));
        let name_is_good = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if text.chars().count() > 256 {
            return refuse("SNS topic name is too long. Maximum allowed length: 256 characters.");
        }
        if text.starts_with("arn:") {
            return match ArnParts::split(text) {
                Some(arn)
                    if arn.service == "sns"
                        && Region::is(arn.region)
                        && AccountId::is(arn.account)
                        && name_is_good(arn.resource) =>
                {
                    Ok(SnsTopic { given: text.to_owned(), arn: text.to_owned() })
                }
                _ => refuse("SNS topic ARN is not valid."),
            };
        }
        if !name_is_good(text) {
            return refuse(
                "SNS topic name can only contain letters, numbers, hyphens (-), and underscores (_).",
            );
        }
        let arn = format!("arn:{}:sns:{region}:{account}:{text}", region.partition());
        Ok(SnsTopic { given: text.to_owned(), arn })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ApiResult<SnsTopic> {
        let account = AccountId::parse("111122223333").unwrap();
        SnsTopic::parse(text, &Region::parse("eu-west-1").unwrap(), &account)
    }

    #[test]
    fn a_name_becomes_an_arn_of_the_trails_own_region_and_account() {
        let topic = parse("alerts").unwrap();
        assert_eq!(
            (topic.given.as_str(), topic.arn.as_str()),
            ("alerts", "arn:aws:sns:eu-west-1:111122223333:alerts")
        );
    }

    #[test]
    fn an_arn_stays_as_it_is_and_what_sns_cannot_name_is_refused() {
        let arn = "arn:aws:sns:us-east-1:444455556666:alerts";
        assert_eq!(parse(arn).unwrap().arn, arn);
        for bad in [
            "a b",
            "a.fifo",
            "arn:aws:sqs:us-east-1:444455556666:alerts",
            "arn:aws:sns:us-east-1:abcdefghijkl:alerts",
            "arn:aws:sns",
            &"t".repeat(257),
        ] {
            let refused = parse(bad).unwrap_err();
            assert_eq!(refused.code, Code::InvalidSnsTopicNameException, "{bad}");
        }
    }
}
