//! Which events a reader wants: the filters that all reading paths under `/_contrail` share.
//!
//! Several values of a field are alternatives, fields restrict each other. A value that begins with `!` is left out, one
//! that ends with `*` is a beginning; a backslash before either takes the character as it is. Everything is compared
//! exactly, with upper and lower case as it stands.

use crate::domain::account_id::AccountId;
use crate::domain::lookup::LAST_SECOND;
use crate::domain::region::Region;
use crate::domain::text::{cut, escape_nul};
use chrono::DateTime;

/// The most values that a field can be filtered by.
const MAX_VALUES: usize = 20;

/// What is filtered by, other than time: each is a column of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the parameters' names say it")]
pub enum Field {
    EventName,
    EventSource,
    Username,
    ErrorCode,
    AccessKey,
    SourceIp,
    Region,
    Account,
    ActorType,
}

impl Field {
    /// All of them with the names of their parameters.
    pub const ALL: [(Field, &'static str); 9] = [
        (Field::EventName, "event_name"),
        (Field::EventSource, "event_source"),
        (Field::Username, "username"),
        (Field::ErrorCode, "error_code"),
        (Field::AccessKey, "access_key"),
        (Field::SourceIp, "source_ip"),
        (Field::Region, "region"),
        (Field::Account, "account"),
        (Field::ActorType, "actor_type"),
    ];

    /// The field of a parameter.
    pub fn of(parameter: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|(_, name)| *name == parameter).map(|(field, _)| field)
    }
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// This.
    Is(String),
    /// Something that begins like this.
    StartsWith(String),
}

/// The patterns for a field. An event passes if one of `keep` fits, or there is none, and none of `leave_out` does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the type says it")]
pub struct Patterns {
    pub keep: Vec<Pattern>,
    pub leave_out: Vec<Pattern>,
}

impl Patterns {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.keep.is_empty() && self.leave_out.is_empty()
    }

    fn push(&mut self, value: &str, prefixes: Prefixes) -> Result<(), String> {
        if self.keep.len() + self.leave_out.len() == MAX_VALUES {
            return Err(format!("at most {MAX_VALUES} values"));
        }
        match value.strip_prefix('!') {
            Some(value) => self.leave_out.push(pattern(value, prefixes)?),
            None => self.keep.push(pattern(
                value.strip_prefix('\\').filter(|v| v.starts_with('!')).unwrap_or(value),
                prefixes,
            )?),
        }
        Ok(())
    }
}

/// Whether a `*` at the end stands for anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefixes {
    Yes,
    No,
}

fn pattern(value: &str, prefixes: Prefixes) -> Result<Pattern, String> {
    let stored = |text: &str| escape_nul(text).into_owned();
    if value.is_empty() {
        return Err("a value is empty".to_owned());
    }
    Ok(match value.strip_suffix('*').filter(|_| prefixes == Prefixes::Yes) {
        None => Pattern::Is(stored(value)),
        Some(start) => match start.strip_suffix('\\') {
            Some(start) => Pattern::Is(stored(start) + "*"),
            None => Pattern::StartsWith(stored(start)),
        },
    })
}

/// Which events are wanted. Without anything said: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// The first second, since 1970.
    pub from: Option<i64>,
    /// The last second, since 1970.
    pub to: Option<i64>,
    /// By column.
    pub fields: Vec<(Field, Patterns)>,
    /// By the name of a resource, without beginnings: ARNs may end in `*`.
    pub resource: Patterns,
    /// Only events that read, or only those that do not.
    pub read_only: Option<bool>,
    /// Only calls that failed, or only those that did not.
    pub failed: Option<bool>,
    /// A text that stands somewhere in the record.
    pub text: Option<String>,
}

impl EventFilter {
    /// Whether it asks for anything but a time: then there may be many events between two that pass.
    pub fn has_conditions(&self) -> bool {
        let EventFilter { from: _, to: _, fields, resource, read_only, failed, text } = self;
        !fields.is_empty()
            || !resource.is_empty()
            || read_only.is_some()
            || failed.is_some()
            || text.is_some()
    }

    /// Takes a parameter of a query; whether it is one of a filter.
    ///
    /// # Errors
    /// Why the value makes no sense, without the parameter's name.
    pub fn take(&mut self, parameter: &str, value: &str) -> Result<bool, String> {
        match parameter {
            "from" => self.from = Some(seconds(value)?),
            "to" => self.to = Some(seconds(value)?),
            "read_only" => self.read_only = Some(yes_or_no(value)?),
            "resource" => self.resource.push(value, Prefixes::No)?,
            "q" => self.text = (!value.is_empty()).then(|| value.to_owned()),
            // Codes can be given here as well.
            "error" => match yes_or_no(value) {
                Ok(failed) => self.failed = Some(failed),
                Err(_) => self.patterns(Field::ErrorCode).push(value, Prefixes::Yes)?,
            },
            _ => match Field::of(parameter) {
                Some(field) => {
                    self.patterns(field).push(value, Prefixes::Yes)?;
                    check_scope(field, value.trim_start_matches('!'))?;
                }
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn patterns(&mut self, field: Field) -> &mut Patterns {
        let at = self.fields.iter().position(|(known, _)| *known == field).unwrap_or_else(|| {
            self.fields.push((field, Patterns::default()));
            self.fields.len() - 1
        });
        &mut self.fields[at].1
    }

    /// The same filter without what it says of `field`.
    #[must_use]
    pub fn without(&self, field: Field) -> EventFilter {
        let mut filter = self.clone();
        filter.fields.retain(|(known, _)| *known != field);
        filter
    }

    /// Whether it says something of `field`.
    pub fn has(&self, field: Field) -> bool {
        self.fields.iter().any(|(known, _)| *known == field)
    }

    /// Whether nothing but time, account and region decides.
    pub fn is_by_scope(&self) -> bool {
        let scope = |field: &Field| matches!(field, Field::Account | Field::Region);
        self.fields.iter().all(|(field, _)| scope(field))
            && self.resource.is_empty()
            && self.read_only.is_none()
            && self.failed.is_none()
            && self.text.is_none()
    }
}

/// Accounts and regions are no words of any kind: a whole one that cannot be is a slip.
fn check_scope(field: Field, value: &str) -> Result<(), String> {
    match field {
        _ if value.ends_with('*') => Ok(()),
        Field::Account if AccountId::parse(value).is_none() => {
            Err(format!("{:?} is not 12 digits", cut(value, 100)))
        }
        Field::Region if Region::parse(value).is_none() => {
            Err(format!("{:?} is not a region's name", cut(value, 100)))
        }
        _ => Ok(()),
    }
}

fn yes_or_no(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("{:?} is neither true nor false", cut(value, 100)))
}

/// A time: ISO 8601 or epoch seconds, kept within what events can have.
fn seconds(value: &str) -> Result<i64, String> {
    let seconds = match value.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => DateTime::parse_from_rfc3339(value)
            .map_err(|_| format!("{:?} is neither an ISO 8601 time nor epoch seconds", cut(value, 100)))?
            .timestamp(),
    };
    Ok(seconds.clamp(0, LAST_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(values: &[&str]) -> Patterns {
        let mut filter = EventFilter::default();
        for value in values {
            assert_eq!(filter.take("event_name", value), Ok(true), "{value}");
        }
        filter.fields.pop().unwrap().1
    }

    #[test]
    fn values_are_kept_left_out_or_beginnings() {
        let is = |text: &str| Pattern::Is(text.to_owned());
        let starts = |text: &str| Pattern::StartsWith(text.to_owned());
        for (value, want) in [
            ("Get", is("Get")),
            ("Get*", starts("Get")),
            ("*", starts("")),
            ("G*t", is("G*t")),
            ("x\\*", is("x*")),
            ("\\!x", is("!x")),
            ("\\!x*", starts("!x")),
            ("\\x", is("\\x")),
            ("a\0b", is("a\\u0000b")),
        ] {
            assert_eq!(names(&[value]), Patterns { keep: vec![want], leave_out: vec![] }, "{value}");
        }
        assert_eq!(
            names(&["!a", "b", "!c*"]),
            Patterns { keep: vec![is("b")], leave_out: vec![is("a"), starts("c")] }
        );
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let mut filter = EventFilter::default();
        for (parameter, value) in [
            ("from", "yesterday"),
            ("read_only", "maybe"),
            ("event_name", ""),
            ("event_name", "!"),
            ("account", "1"),
            ("region", "!US East"),
        ] {
            assert!(filter.take(parameter, value).is_err(), "{parameter}={value}");
        }
        assert_eq!(filter.take("form", "1"), Ok(false));
        for _ in 0..20 {
            assert_eq!(filter.take("resource", "x"), Ok(true));
        }
        assert_eq!(filter.take("resource", "x"), Err("at most 20 values".to_owned()));
    }

    #[test]
    fn an_error_is_whether_there_is_one_or_its_code() {
        let mut filter = EventFilter::default();
        filter.take("error", "true").unwrap();
        assert_eq!((filter.failed, filter.has(Field::ErrorCode)), (Some(true), false));
        filter.take("error", "AccessDenied*").unwrap();
        assert!(filter.has(Field::ErrorCode));
        assert!(!filter.without(Field::ErrorCode).has(Field::ErrorCode));
    }
}
