//! Tags of a trail. Rules: API reference, AddTags; tag restrictions of AWS at large.

use crate::error::{ApiResult, Code};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// One tag as it is on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// 1 to 128 characters; required, and its absence is [`check`]'s to name.
    #[serde(default)]
    pub key: String,
    /// 0 to 256 characters; may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Tags that a resource may carry.
const LIMIT: usize = 50;

/// Whether a resource may carry as many tags as `count`.
///
/// # Errors
/// `TagsLimitExceededException` over 50.
pub fn check_count(count: usize) -> ApiResult<()> {
    if count > LIMIT {
        return Err(
            Code::TagsLimitExceededException.because(format!("A trail can have at most {LIMIT} tags."))
        );
    }
    Ok(())
}

/// Checks the tags of one request.
///
/// # Errors
/// `InvalidTagParameterException` for a key or value that is too long or empty, begins with `aws:`, holds characters
/// that tags do not allow, or occurs twice.
pub fn check(tags: &[Tag]) -> ApiResult<()> {
    let refuse = |why: String| Err(Code::InvalidTagParameterException.because(why));
    let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
    let mut seen = HashSet::new();
    for tag in tags {
        let value = tag.value.as_deref().unwrap_or_default();
        if !(1..=128).contains(&tag.key.chars().count()) {
            return refuse(format!("Tag key must be between 1 and 128 characters long: {:?}", tag.key));
        }
        if value.chars().count() > 256 {
            return refuse(format!("Tag value of {:?} is longer than 256 characters.", tag.key));
        }
        if !tag.key.chars().chain(value.chars()).all(allowed) {
            return refuse(format!("Tag {:?} contains characters that are not allowed.", tag.key));
        }
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return refuse(format!("Tag key {:?} uses the reserved prefix aws:.", tag.key));
        }
        if !seen.insert(&tag.key) {
            return refuse(format!("Tag key {:?} occurs more than once.", tag.key));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.into(), value: Some(value.into()) }
    }

    #[test]
    fn tags_keep_aws_rules() {
        assert!(check(&[tag("team", "a b+c@d"), Tag { key: "bare".into(), value: None }]).is_ok());
        for bad in [
            vec![tag("", "x")],
            vec![tag(&"k".repeat(129), "x")],
            vec![tag("k", &"v".repeat(257))],
            vec![tag("aws:owner", "x")],
            vec![tag("k", "<script>")],
            vec![tag("k", "1"), tag("k", "2")],
        ] {
            assert_eq!(check(&bad).unwrap_err().code, Code::InvalidTagParameterException, "{bad:?}");
        }
        assert_eq!(check_count(51).unwrap_err().code, Code::TagsLimitExceededException);
        assert!(check_count(50).is_ok());
    }
}
