//! Services that work everywhere: in which region their events are recorded, and which of them a trail may leave out.

use crate::domain::region::Region;

/// Services whose calls are recorded in us-east-1, whatever region they were signed for (seen in real records).
const RECORDED_IN_US_EAST_1: [&str; 6] = [
    "account.amazonaws.com",
    "cloudfront.amazonaws.com",
    "health.amazonaws.com",
    "iam.amazonaws.com",
    "organizations.amazonaws.com",
    "route53.amazonaws.com",
];

/// The services that `IncludeGlobalServiceEvents` is about (user guide, "Global service events", since 2021-11-22).
const LEFT_OUT_BY_TRAILS: [&str; 3] = ["cloudfront.amazonaws.com", "iam.amazonaws.com", "sts.amazonaws.com"];

/// The region in which a call is recorded that was signed for `signed_for`; unsigned ones are in us-east-1.
pub fn recorded_in(event_source: &str, signed_for: Option<Region>) -> Region {
    let signed_for = signed_for.filter(|_| !RECORDED_IN_US_EAST_1.contains(&event_source));
    signed_for.unwrap_or_else(Region::us_east_1)
}

/// Whether an event is one of those that trails without global services do not take. Calls of STS at the endpoint of
/// another region are not among them.
pub fn is_global(event_source: &str, region: &str) -> bool {
    region == "us-east-1" && LEFT_OUT_BY_TRAILS.contains(&event_source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_global_services_are_recorded_in_us_east_1() {
        let region = |source: &str| recorded_in(source, Region::parse("eu-west-1")).to_string();
        assert_eq!(region("iam.amazonaws.com"), "us-east-1");
        assert_eq!(region("sts.amazonaws.com"), "eu-west-1", "it has endpoints in all regions");
        assert_eq!(recorded_in("sqs.amazonaws.com", None).to_string(), "us-east-1");
    }

    #[test]
    fn a_regional_endpoint_of_sts_is_not_global() {
        assert!(is_global("sts.amazonaws.com", "us-east-1"));
        assert!(!is_global("sts.amazonaws.com", "eu-west-1"));
        assert!(!is_global("route53.amazonaws.com", "us-east-1"), "trails cannot leave it out");
    }
}
