//! What a LookupEvents call asks for: an attribute, a time range, a page size.

use crate::domain::text::{cut, escape_nul};
use crate::domain::timestamp::Timestamp;
use crate::error::{ApiResult, Code};
use chrono::{DateTime, TimeDelta, Utc};

/// What events can be looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are CloudTrail's own")]
pub enum AttributeKey {
    EventId,
    EventName,
    ReadOnly,
    Username,
    ResourceType,
    ResourceName,
    EventSource,
    AccessKeyId,
}

impl AttributeKey {
    /// All eight. The API of 2015 had no `EventSource` (2016), `ReadOnly` and `AccessKeyId` (2018).
    pub const ALL: [(AttributeKey, &'static str); 8] = [
        (AttributeKey::EventId, "EventId"),
        (AttributeKey::EventName, "EventName"),
        (AttributeKey::ReadOnly, "ReadOnly"),
        (AttributeKey::Username, "Username"),
        (AttributeKey::ResourceType, "ResourceType"),
        (AttributeKey::ResourceName, "ResourceName"),
        (AttributeKey::EventSource, "EventSource"),
        (AttributeKey::AccessKeyId, "AccessKeyId"),
    ];

    /// As it is on the wire.
    pub fn name(self) -> &'static str {
        AttributeKey::ALL.iter().find(|(key, _)| *key == self).map_or("", |(_, name)| name)
    }
}

/// Which kind of events is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventCategory {
    /// Management events: when the call does not say.
    Management,
    /// Insights events.
    Insight,
}

impl EventCategory {
    /// # Errors
    /// `InvalidEventCategoryException` for all but `insight`.
    pub fn parse(given: Option<&str>) -> ApiResult<EventCategory> {
        match given {
            None => Ok(EventCategory::Management),
            Some("insight") => Ok(EventCategory::Insight),
            Some(other) => Err(Code::InvalidEventCategoryException.because(format!(
                "Invalid event category {:?}: only insight can be given.",
                cut(other, 100)
            ))),
        }
    }
}

/// One attribute with the value asked for; values are compared whole and case-sensitively.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Which.
    pub key: AttributeKey,
    /// Its value, never empty, as columns hold it ([`escape_nul`]).
    pub value: String,
}

impl Attribute {
    /// Reads the attributes of a call, each a (key, value), of which AWS takes at most one.
    ///
    /// # Errors
    /// `InvalidLookupAttributesException`: more than one, an unknown key, a key that events of the
    /// category do not have, an empty or over-long value (2000, where `_`, blank, comma and newline count twice), or a
    /// `ReadOnly` that is neither `true` nor `false`.
    pub fn parse(
        given: &[(Option<String>, Option<String>)],
        category: EventCategory,
    ) -> ApiResult<Option<Attribute>> {
        let refuse = |why: String| Err(Code::InvalidLookupAttributesException.because(why));
        let (key, value) = match given {
            [] => return Ok(None),
            [(key, value)] => (key.as_deref().unwrap_or_default(), value.as_deref().unwrap_or_default()),
            _ => return refuse("You can specify only one lookup attribute.".into()),
        };
        let Some((key, _)) = AttributeKey::ALL.into_iter().find(|(_, name)| *name == key) else {
            return refuse(format!("Invalid lookup attribute key: {:?}.", cut(key, 100)));
        };
        let of_insights =
            matches!(key, AttributeKey::EventId | AttributeKey::EventName | AttributeKey::EventSource);
        if category == EventCategory::Insight && !of_insights {
            return refuse(format!("Insights events cannot be looked up by {}.", key.name()));
        }
        if value.is_empty() {
            return refuse(format!("The value of {} is empty.", key.name()));
        }
        let weight: usize =
            value.chars().map(|c| if matches!(c, '_' | ' ' | ',' | '\n') { 2 } else { 1 }).sum();
        if weight > 2000 {
            return refuse(format!("The value of {} is longer than 2000 characters.", key.name()));
        }
        if key == AttributeKey::ReadOnly && !matches!(value, "true" | "false") {
            return refuse("The value of ReadOnly must be true or false.".into());
        }
        Ok(Some(Attribute { key, value: escape_nul(value).into_owned() }))
    }
}

/// Whole seconds since 1970, both ends included; empty when `from > to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    /// The first second.
    pub from: i64,
    /// The last second.
    pub to: i64,
}

/// The last second that an event can have, in the year 2242: a key holds 33 bits of seconds, and the second behind the
/// last one must fit as well.
pub const LAST_SECOND: i64 = (1 << 33) - 2;

impl TimeRange {
    /// The range that a call with these bounds sees. A start before the window is moved up to it.
    ///
    /// # Errors
    /// `InvalidTimeRangeException`: the start is after the end, or in the future.
    pub fn parse(
        start: Option<Timestamp>,
        end: Option<Timestamp>,
        now: DateTime<Utc>,
        window: Option<TimeDelta>,
    ) -> ApiResult<TimeRange> {
        let refuse = |why: &str| Err(Code::InvalidTimeRangeException.because(why.to_owned()));
        if start.zip(end).is_some_and(|(start, end)| start > end) {
            return refuse("The start time must be before the end time.");
        }
        if start.is_some_and(|start| start.0 > now) {
            return refuse("The start time must not be in the future.");
        }
        let ceil = |t: DateTime<Utc>| t.timestamp() + i64::from(t.timestamp_subsec_nanos() > 0);
        let floor = window.map_or(0, |window| ceil(now - window));
        Ok(TimeRange {
            from: start.map_or(0, |t| ceil(t.0)).max(floor).max(0),
            to: end.map_or(LAST_SECOND, |t| t.0.timestamp()).clamp(-1, LAST_SECOND),
        })
    }
}

/// The page size of a call.
///
/// # Errors
/// `InvalidMaxResultsException` outside 1 to 50.
pub fn page_size(asked: Option<i64>, default: u32) -> ApiResult<u32> {
    match asked {
        None => Ok(default),
        Some(n @ 1..=50) => Ok(u32::try_from(n).unwrap_or(50)),
        Some(n) => {
            Err(Code::InvalidMaxResultsException
                .because(format!("MaxResults must be between 1 and 50: {n}.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(key: &str, value: &str) -> ApiResult<Option<Attribute>> {
        Attribute::parse(&[(Some(key.into()), Some(value.into()))], EventCategory::Management)
    }

    #[test]
    fn all_eight_keys_are_known_and_others_are_not() {
        for (key, name) in AttributeKey::ALL {
            assert_eq!(asked(name, "true").unwrap().unwrap().key, key);
        }
        let long = "_".repeat(1001);
        for (key, value) in
            [("eventname", "x"), ("", "x"), ("EventName", ""), ("ReadOnly", "True"), ("EventName", &long)]
        {
            assert_eq!(
                asked(key, value).unwrap_err().code,
                Code::InvalidLookupAttributesException,
                "{key} {value}"
            );
        }
        assert!(asked("EventName", &"x".repeat(2000)).is_ok());
        let one = (Some("EventName".to_owned()), Some("x".to_owned()));
        assert_eq!(Attribute::parse(&[], EventCategory::Management).unwrap(), None);
        assert!(Attribute::parse(&[one.clone(), one.clone()], EventCategory::Management).is_err());
        assert!(Attribute::parse(&[one], EventCategory::Insight).is_ok());
        assert!(
            Attribute::parse(&[(Some("Username".into()), Some("x".into()))], EventCategory::Insight).is_err()
        );
    }

    #[test]
    fn a_range_includes_both_ends_and_stays_inside_the_window() {
        let at = |millis| Some(Timestamp::from_millis(millis));
        let now = Timestamp::from_millis(1_000_000_500).0;
        let range = |start, end, window| TimeRange::parse(start, end, now, window).unwrap();
        assert_eq!(range(at(5_000), at(9_999), None), TimeRange { from: 5, to: 9 });
        assert_eq!(range(at(5_001), None, None), TimeRange { from: 6, to: LAST_SECOND });
        assert_eq!(range(at(5_000), None, Some(TimeDelta::seconds(1000))).from, 999_001);
        assert_eq!(range(None, None, Some(TimeDelta::seconds(1000))).from, 999_001);
        assert!(TimeRange::parse(at(9_000), at(8_000), now, None).is_err());
        assert!(TimeRange::parse(at(1_000_001_000), None, now, None).is_err());
        assert!(range(None, at(-5_000), None).to < range(None, None, None).from, "nothing is before 1970");
    }

    #[test]
    fn pages_hold_1_to_50() {
        assert_eq!(page_size(None, 10).unwrap(), 10);
        assert_eq!(page_size(Some(50), 10).unwrap(), 50);
        for bad in [0, 51, -1, i64::MAX] {
            assert_eq!(page_size(Some(bad), 10).unwrap_err().code, Code::InvalidMaxResultsException);
        }
    }
}
