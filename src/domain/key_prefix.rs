//! The prefix that a trail puts before `AWSLogs/` in the bucket.

use crate::error::{ApiResult, Code};

/// At most 200 characters (API reference, CreateTrail), no slash at either end, no control characters.
///
/// # Errors
/// `InvalidS3PrefixException`.
pub fn parse(text: &str) -> ApiResult<String> {
    let refuse = |why: &str| Err(Code::InvalidS3PrefixException.because(why.to_owned()));
    if text.chars().count() > 200 {
        return refuse("S3 key prefix is too long. Maximum allowed length: 200 characters.");
    }
    if text.starts_with('/') || text.ends_with('/') {
        return refuse("S3 key prefix cannot start or end with a slash (/).");
    }
    if text.chars().any(char::is_control) {
        return refuse("S3 key prefix cannot contain control characters.");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_at_most_200_characters_and_no_slash_at_its_ends() {
        assert_eq!(parse("a/b c/ü").unwrap(), "a/b c/ü");
        assert!(parse(&"p".repeat(200)).is_ok());
        for bad in [&"p".repeat(201), "/a", "a/", "a\nb"] {
            assert_eq!(parse(bad).unwrap_err().code, Code::InvalidS3PrefixException, "{bad}");
        }
    }
}
