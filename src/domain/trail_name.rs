//! Trail names. Rules: CloudTrail user guide, "Naming requirements"; texts and their order as AWS gives them
//! where they have been observed.

use crate::error::{ApiError, ApiResult, Code};

const CHARSET: &str = "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), \
                       hyphens (-), and underscores (_).";

/// 3 to 128 ASCII letters, digits, `.`, `_`, `-`; begins and ends with a letter or digit, no two of the others side
/// by side, not an IPv4 address. Case matters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrailName(String);

impl TrailName {
    /// # Errors
    /// `InvalidTrailNameException`, with the text for the first broken rule.
    pub fn parse(text: &str) -> ApiResult<TrailName> {
        let refuse = |why: String| Err(Code::InvalidTrailNameException.because(why));
        let length = text.chars().count();
        if text.trim().is_empty() {
            return Err(blank());
        }
        if length < 3 {
            return refuse(format!(
                "Trail name too short. Minimum allowed length: 3 characters. Specified name length: {length} characters."
            ));
        }
        if length > 128 {
            return refuse(format!(
                "Trail name too long. Maximum allowed length: 128 characters. Specified name length: {length} characters."
            ));
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return refuse("Trail name must starts with a letter or number.".into());
        }
        if !text.ends_with(|c: char| c.is_ascii_alphanumeric()) {
            return refuse("Trail name must ends with a letter or number.".into());
        }
        let separator = |b: u8| matches!(b, b'.' | b'_' | b'-');
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || separator(b)) {
            return refuse(CHARSET.into());
        }
        if text.as_bytes().windows(2).any(|pair| separator(pair[0]) && separator(pair[1])) {
            return refuse(
                "Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_)".into(),
            );
        }
        if text.parse::<std::net::Ipv4Addr>().is_ok() {
            return refuse("Trail names must not be formatted as an IP address".into());
        }
        Ok(TrailName(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an absent or blank name gets.
pub fn blank() -> ApiError {
    Code::InvalidTrailNameException.because("Trail name cannot be blank!")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_rule_has_its_text() {
        for (name, text) in [
            ("", "Trail name cannot be blank!"),
            ("  ", "Trail name cannot be blank!"),
            (
                "ab",
                "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters.",
            ),
            ("-abc", "Trail name must starts with a letter or number."),
            ("trail!", "Trail name must ends with a letter or number."),
            ("my#trail", CHARSET),
            (
                "my--trail",
                "Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_)",
            ),
            (
                "my-_trail",
                "Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_)",
            ),
            ("192.168.5.4", "Trail names must not be formatted as an IP address"),
        ] {
            let refused = TrailName::parse(name).unwrap_err();
            assert_eq!(
                (refused.code, refused.message.as_ref()),
                (Code::InvalidTrailNameException, text),
                "{name}"
            );
        }
        assert!(
            TrailName::parse(&"a".repeat(129)).unwrap_err().message.contains("Maximum allowed length: 128")
        );
        for good in ["abc", "A.b_c-9", &"a".repeat(128), "1.2.3", "256.1.1.1"] {
            assert_eq!(TrailName::parse(good).unwrap().as_str(), good);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_keeps_the_rules(text in ".{0,140}") {
            if let Ok(name) = TrailName::parse(&text) {
                prop_assert!((3..=128).contains(&name.as_str().len()));
                prop_assert!(name.as_str().is_ascii());
            }
        }
    }
}
