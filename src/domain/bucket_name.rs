//! S3 bucket names as CloudTrail takes them. Rules: CloudTrail user guide, "Amazon S3 bucket naming requirements".

use crate::error::{ApiResult, Code};

/// 3 to 63 lower-case letters, digits, `.`, `-`; every label begins and ends with a letter or digit; not an IPv4
/// address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketName(String);

impl BucketName {
    /// # Errors
    /// `InvalidS3BucketNameException` with the broken rule (texts are ours: AWS's are not known).
    pub fn parse(text: &str) -> ApiResult<BucketName> {
        let refuse = |why: &str| Err(Code::InvalidS3BucketNameException.because(why.to_owned()));
        if text.trim().is_empty() {
            return refuse("Bucket name cannot be blank!");
        }
        if !(3..=63).contains(&text.chars().count()) {
            return refuse("Bucket name must be between 3 and 63 characters long.");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-') {
            return refuse(
                "Bucket name can only contain lowercase letters, numbers, periods (.), and hyphens (-).",
            );
        }
        let alphanumeric = |c: char| c.is_ascii_alphanumeric();
        if !text.split('.').all(|label| label.starts_with(alphanumeric) && label.ends_with(alphanumeric)) {
            return refuse(
                "Each label of the bucket name must start and end with a lowercase letter or number.",
            );
        }
        if text.parse::<std::net::Ipv4Addr>().is_ok() {
            return refuse("Bucket name cannot be in IP address format.");
        }
        Ok(BucketName(text.to_owned()))
    }

    /// The name as text.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_s3_refuses_are_refused() {
        for bad in [
            "",
            "ab",
            "My-Bucket",
            "my_bucket",
            "-bucket",
            "bucket-",
            "my..bucket",
            "my.-bucket",
            "my-.bucket",
            "192.168.5.4",
            "bücket",
            "a b c",
        ] {
            assert_eq!(BucketName::parse(bad).unwrap_err().code, Code::InvalidS3BucketNameException, "{bad}");
        }
        assert!(BucketName::parse(&"a".repeat(64)).is_err());
        for good in ["abc", "my.bucket-1", "1-2", &"a".repeat(63)] {
            assert_eq!(BucketName::parse(good).unwrap().into_string(), good);
        }
    }
}
