//! JSON objects that are no records themselves: those that hold one, and what the others look like.

use crate::domain::text::cut;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Members that are named when nothing better can be said of an object.
const NAMED: usize = 5;

/// The record in an event of LookupEvents: its `CloudTrailEvent`, as text. `None` for every other object.
pub fn record_inside(object: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct LookupEvent<'a> {
        #[serde(borrow)]
        cloud_trail_event: Cow<'a, str>,
    }
    Some(serde_json::from_str::<LookupEvent<'_>>(object).ok()?.cloud_trail_event)
}

/// (members, what an object that has them all is)
const KNOWN: &[(&[&str], &str)] = &[
    (&["digestStartTime", "logFiles"], "a digest file, which names log files and holds no records"),
    (&["EventId", "EventName"], "an event of LookupEvents without its CloudTrailEvent"),
    (&["trailList"], "an answer of DescribeTrails"),
    (&["detail-type", "detail"], "an event of EventBridge, which holds the record in its detail"),
    (&["messageType", "logEvents"], "data of a CloudWatch Logs subscription"),
    (&["TopicArn", "Message"], "a message of SNS"),
    (&["s3Bucket", "s3ObjectKey"], "the announcement of a log file"),
];

/// What an object that is no record looks like, for the person who put it in.
pub fn looks_like(object: &str) -> Option<String> {
    let members: BTreeMap<Cow<'_, str>, IgnoredAny> = serde_json::from_str(object).ok()?;
    let known = KNOWN.iter().find(|(names, _)| names.iter().all(|name| members.contains_key(*name)));
    if let Some((_, what)) = known {
        return Some((*what).to_owned());
    }
    if members.contains_key("eventVersion") || members.contains_key("eventName") {
        return None;
    }
    let names: Vec<_> = members.keys().take(NAMED).map(|name| cut(name, 40)).collect();
    let more = if members.len() > NAMED { " ..." } else { "" };
    Some(match names.as_slice() {
        [] => "an empty object".to_owned(),
        names => format!("an object with the members {}{more}", names.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_a_lookup_is_taken_out() {
        let event = r#"{"EventId":"e","CloudTrailEvent":"{\"eventName\":\"a \\u0000\"}","Resources":[]}"#;
        assert_eq!(record_inside(event).unwrap(), r#"{"eventName":"a \u0000"}"#);
        assert_eq!(record_inside(r#"{"CloudTrailEvent":{"eventName":"a"}}"#), None);
        assert_eq!(record_inside(r#"{"eventName":"a"}"#), None);
    }

    #[test]
    fn what_is_known_is_named_and_the_rest_is_described() {
        let digest = r#"{"awsAccountId":"1","digestStartTime":"t","logFiles":[]}"#;
        assert!(looks_like(digest).unwrap().starts_with("a digest file"));
        assert_eq!(looks_like("{}").unwrap(), "an empty object");
        let many = r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}"#;
        assert_eq!(looks_like(many).unwrap(), "an object with the members a, b, c, d, e ...");
        assert_eq!(looks_like(r#"{"eventName":"a"}"#), None, "a record, but for something");
    }
}
