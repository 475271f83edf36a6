//! Keys of the objects that a trail puts into its bucket.
//! User guide, "Finding your CloudTrail log files"; digest names as seen on real AWS.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// Length of the unique part of a log file's name.
pub const UNIQUE: usize = 16;

/// Log files carry the time of a five-minute slot.
const SLOT: TimeDelta = TimeDelta::minutes(5);

/// The key, without a prefix, of a log file delivered at `time`:
/// `AWSLogs/<account>/CloudTrail/<region>/<yyyy>/<mm>/<dd>/<name>`.
/// Its name carries the slot that `time` falls in, rounded up (observed), and 16 letters and digits without meaning.
pub fn log_file(account: &str, region: &str, time: DateTime<Utc>, unique: &str) -> String {
    let slot = time.duration_trunc(SLOT).unwrap_or(time);
    let slot = if slot < time { slot + SLOT } else { slot };
    let folder = folder(None, account, "CloudTrail");
    format!(
        "{folder}{region}/{}/{account}_CloudTrail_{region}_{}_{unique}.json.gz",
        slot.format("%Y/%m/%d"),
        slot.format("%Y%m%dT%H%MZ")
    )
}

/// The key of the digest that ends at `end`, of the trail `name` at home in `home_region`, for events of `region`.
pub fn digest(
    prefix: Option<&str>,
    account: &str,
    region: &str,
    (name, home_region): (&str, &str),
    end: DateTime<Utc>,
) -> String {
    let folder = folder(prefix, account, "CloudTrail-Digest");
    format!(
        "{folder}{region}/{}/{account}_CloudTrail-Digest_{region}_{name}_{home_region}_{}.json.gz",
        end.format("%Y/%m/%d"),
        end.format("%Y%m%dT%H%M%SZ")
    )
}

/// `[prefix/]AWSLogs/<account>/<kind>/`: also the key of the empty object that marks a checked bucket. `kind` is
/// `CloudTrail` or `CloudTrail-Digest`.
pub fn folder(prefix: Option<&str>, account: &str, kind: &str) -> String {
    with_prefix(prefix, &format!("AWSLogs/{account}/{kind}/"))
}

/// A key behind a trail's prefix.
pub fn with_prefix(prefix: Option<&str>, key: &str) -> String {
    match prefix {
        Some(prefix) => format!("{prefix}/{key}"),
        None => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> DateTime<Utc> {
        time.parse().unwrap()
    }

    #[test]
    fn a_log_file_is_named_after_the_slot_it_is_delivered_in_rounded_up() {
        let key = |time| log_file("111122223333", "eu-west-1", at(time), "0123456789abcdEF");
        assert_eq!(
            key("2026-11-22T17:24:16Z"),
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/22/\
             111122223333_CloudTrail_eu-west-1_20261122T1725Z_0123456789abcdEF.json.gz"
        );
        assert!(key("2026-11-22T17:25:00Z").contains("_20261122T1725Z_"));
        // The folder is the slot's day, not the delivery's.
        assert!(
            key("2026-11-22T23:59:00Z")
                .contains("/2026/11/23/111122223333_CloudTrail_eu-west-1_20261123T0000Z_")
        );
    }

    #[test]
    fn a_prefix_stands_in_front() {
        assert_eq!(with_prefix(Some("audit/x"), "AWSLogs/a"), "audit/x/AWSLogs/a");
        assert_eq!(folder(None, "111122223333", "CloudTrail"), "AWSLogs/111122223333/CloudTrail/");
    }

    #[test]
    fn a_digest_is_named_after_trail_home_and_end() {
        assert_eq!(
            digest(None, "111122223333", "eu-west-1", ("demo", "us-east-1"), at("2026-11-22T05:00:31Z")),
            "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/11/22/\
             111122223333_CloudTrail-Digest_eu-west-1_demo_us-east-1_20261122T050031Z.json.gz"
        );
    }
}
