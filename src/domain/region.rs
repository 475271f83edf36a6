//! A region of AWS.

use crate::domain::text_value::text_value;

text_value! {
    /// A region's name. Any well-formed one is served, known to AWS or not: 1 to 32 lower-case letters, digits and
    /// hyphens, no hyphen at either end.
    pub struct Region(is_region);
    /// What was given cannot be a region's name.
    pub struct NotARegion("{:?} is not a region's name");
}

fn is_region(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl Region {
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
