//! The KMS key of a trail: an id, an alias, or the ARN of either; answers always show an ARN.

use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::region::Region;
use crate::domain::text::cut;
use crate::error::{ApiResult, Code};

/// The ARN for what was given. An alias stays an alias: only KMS itself knows the key behind it.
///
/// # Errors
/// `InvalidKmsKeyIdException` for what is none of the four forms, `KmsKeyNotFoundException` for an ARN of another
/// region than the trail's (API reference: the key must be in the bucket's region; a trail's are taken to agree).
pub fn parse(text: &str, region: &Region, account: &AccountId) -> ApiResult<String> {
    let invalid =
        || Code::InvalidKmsKeyIdException.because(format!("The KMS key ID is not valid: {}", cut(text, 350)));
    if text.starts_with("arn:") {
        let arn = ArnParts::split(text).ok_or_else(invalid)?;
        let good = match arn.resource.split_once('/') {
            Some(("key", id)) => is_key_id(id),
            Some(("alias", name)) => is_alias_name(name),
            _ => false,
        };
        if arn.service != "kms" || !AccountId::is(arn.account) || !good {
            return Err(invalid());
        }
        if *region != arn.region {
            return Err(Code::KmsKeyNotFoundException
                .because(format!("The KMS key {text} is not in the trail's region {region}.")));
        }
        return Ok(text.to_owned());
    }
    let resource = match text.strip_prefix("alias/") {
        Some(name) if is_alias_name(name) => text.to_owned(),
        None if is_key_id(text) => format!("key/{text}"),
        _ => return Err(invalid()),
    };
    Ok(format!("arn:{}:kms:{region}:{account}:{resource}", region.partition()))
}

fn is_alias_name(name: &str) -> bool {
    (1..=250).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "/_-".contains(c))
}

/// A UUID, or `mrk-` and 32 hexadecimal digits (a multi-region key).
fn is_key_id(id: &str) -> bool {
    match id.strip_prefix("mrk-") {
        Some(digits) => digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => id.len() == 36 && uuid::Uuid::try_parse(id).is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const ID: &str = "12345678-1234-1234-1234-123456789012";

    fn parse(text: &str) -> ApiResult<String> {
        super::parse(text, &Region::us_east_1(), &AccountId::parse("111122223333").unwrap())
    }

    #[test]
    fn all_four_forms_end_as_an_arn() {
        let arn = |text| parse(text).unwrap();
        let key = format!("arn:aws:kms:us-east-1:111122223333:key/{ID}");
        assert_eq!(arn(ID), key);
        assert_eq!(arn(&key), key);
        assert_eq!(arn("alias/logs"), "arn:aws:kms:us-east-1:111122223333:alias/logs");
        assert_eq!(
            arn("arn:aws:kms:us-east-1:444455556666:alias/logs"),
            "arn:aws:kms:us-east-1:444455556666:alias/logs"
        );
        assert!(
            arn("mrk-0123456789abcdef0123456789abcdef").ends_with("key/mrk-0123456789abcdef0123456789abcdef")
        );
    }

    #[test]
    fn other_things_are_refused_and_other_regions_not_found() {
        for bad in [
            "my-key",
            "alias/",
            "key/1",
            "arn:aws:kms:us-east-1:111122223333:grant/x",
            "arn:aws:kms:us-east-1:abcdefghijkl:alias/x",
            "arn:aws:s3:::b",
        ] {
            let refused = parse(bad).unwrap_err();
            assert_eq!(refused.code, Code::InvalidKmsKeyIdException, "{bad}");
        }
        let elsewhere = format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}");
        let refused = parse(&elsewhere).unwrap_err();
        assert_eq!(refused.code, Code::KmsKeyNotFoundException);
    }
}
