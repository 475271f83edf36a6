//! A region of AWS.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

/// A region's name. Any well-formed one is served, known to AWS or not: 1 to 32 lower-case letters, digits and hyphens,
/// no hyphen at either end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Region(String);

/// What was given cannot be a region's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a region's name")]
pub struct NotARegion(String);

impl Region {
    /// Reads a region's name; `None` for what is not well-formed.
    pub fn parse(text: &str) -> Option<Region> {
        Region::is(text).then(|| Region(text.to_owned()))
    }

    /// Whether `text` can be a region's name.
    pub fn is(text: &str) -> bool {
        (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
    }

    /// `us-east-1`: the region of calls that name none, and of the events of global services.
    pub fn us_east_1() -> Region {
        Region("us-east-1".to_owned())
    }

    /// The partition that the region belongs to: `aws` but for China, the US government, the isolated regions and the
    /// sovereign cloud.
    pub fn partition(&self) -> &'static str {
        const OTHERS: &[(&str, &str)] = &[
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("us-iso-", "aws-iso"),
            ("us-isob-", "aws-iso-b"),
            ("eu-isoe-", "aws-iso-e"),
            ("us-isof-", "aws-iso-f"),
            ("eusc-", "aws-eusc"),
        ];
        OTHERS.iter().find(|(start, _)| self.0.starts_with(start)).map_or("aws", |(_, partition)| partition)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Region {
    type Error = NotARegion;
    fn try_from(text: String) -> Result<Region, NotARegion> {
        if Region::is(&text) { Ok(Region(text)) } else { Err(NotARegion(text)) }
    }
}

impl Deref for Region {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Region {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for Region {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Region {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_well_formed_and_need_not_be_known() {
        for good in ["us-east-1", "mars-north-1", "local", &"r".repeat(32)] {
            assert_eq!(Region::parse(good).unwrap(), good);
        }
        for bad in ["", "US-EAST-1", "us east", "-us", "us-", "é", &"r".repeat(33)] {
            assert_eq!(Region::parse(bad), None, "{bad:?}");
        }
    }
}
