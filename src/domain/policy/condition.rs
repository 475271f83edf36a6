//! Conditions of statements.
//!
//! Source: IAM's user guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or
//! values".

use super::key::{Key, PolicyContext};
use super::pattern::{Pattern, PolicySyntax, Syntax};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use std::cmp::Ordering;
use std::net::IpAddr;

/// One key under one operator: it holds if one of its values fits, or, for an operator with `Not`, if none does.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    key: Key,
    test: Test,
    /// Whether it is the opposite that has to hold (`StringNotEquals`).
    is_negated: bool,
    /// What holds for a request that has no value for the key.
    without_value: bool,
}

#[derive(Debug, Clone)]
enum Test {
    Text(Vec<Pattern>, Case),
    /// As text, but `*` ends at a colon.
    Arn(Vec<Pattern>),
    Number(Vec<(Comparison, f64)>),
    Time(Vec<(Comparison, DateTime<Utc>)>),
    Bool(Vec<bool>),
    Address(Vec<Network>),
    /// Whether there is no value.
    Missing(Vec<bool>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Counts,
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    fn holds(self, ordering: Option<Ordering>) -> bool {
        ordering.is_some_and(|ordering| match self {
            Comparison::Equal => ordering.is_eq(),
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        })
    }

    /// From what stands behind `Numeric` or `Date`.
    fn parse(name: &str) -> Option<Comparison> {
        Some(match name {
            "Equals" | "NotEquals" => Comparison::Equal,
            "LessThan" => Comparison::Less,
            "LessThanEquals" => Comparison::LessOrEqual,
            "GreaterThan" => Comparison::Greater,
            "GreaterThanEquals" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }
}

impl Condition {
    /// Reads `values` of a `key` under an `operator`.
    ///
    /// # Errors
    /// What of it is not understood.
    pub(super) fn parse(
        operator: &str,
        key: &str,
        values: &[String],
        syntax: PolicySyntax,
    ) -> Result<Condition, String> {
        let key = Key::parse(key, syntax.keys)?;
        let (name, if_exists) = match operator.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (operator, false),
        };
        let unknown = || format!("the condition operator {operator:?} is not understood here");
        let has_variables = syntax.patterns == Syntax::Full;
        let exact = if has_variables { Syntax::Variables } else { Syntax::Plain };
        let wild = if has_variables { Syntax::Full } else { Syntax::Wildcards };
        let patterns = |patterns| -> Result<Vec<Pattern>, String> {
            values.iter().map(|value| Pattern::parse(value, syntax.with(patterns))).collect()
        };
        let test = match name {
            "StringEquals" | "StringNotEquals" => Test::Text(patterns(exact)?, Case::Counts),
            "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => {
                Test::Text(patterns(exact)?, Case::Ignored)
            }
            "StringLike" | "StringNotLike" => Test::Text(patterns(wild)?, Case::Counts),
            "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => {
                each(values, |value| (value.split(':').count() >= 6).then_some(()))?;
                Test::Arn(patterns(wild)?)
            }
            "Bool" => Test::Bool(each(values, |value| value.to_ascii_lowercase().parse().ok())?),
            "Null" if !if_exists => {
                Test::Missing(each(values, |value| value.to_ascii_lowercase().parse().ok())?)
            }
            "IpAddress" | "NotIpAddress" => Test::Address(each(values, Network::parse)?),
            _ => {
                if let Some(comparison) = name.strip_prefix("Numeric").and_then(Comparison::parse) {
                    let numbers =
                        each(values, |value| value.parse().ok().filter(|number: &f64| number.is_finite()))?;
                    Test::Number(numbers.into_iter().map(|number| (comparison, number)).collect())
                } else if let Some(comparison) = name.strip_prefix("Date").and_then(Comparison::parse) {
                    Test::Time(each(values, time)?.into_iter().map(|time| (comparison, time)).collect())
                } else {
                    return Err(unknown());
                }
            }
        };
        let is_negated = name.contains("Not");
        Ok(Condition { key, test, is_negated, without_value: if_exists || is_negated })
    }

    /// Whether it holds for a request.
    pub(super) fn holds(&self, context: &PolicyContext<'_>) -> bool {
        let value = self.key.of(context);
        if let Test::Missing(expected) = &self.test {
            return expected.contains(&value.is_none());
        }
        let Some(value) = value else { return self.without_value };
        let fits = match &self.test {
            Test::Text(patterns, Case::Counts) => {
                patterns.iter().any(|pattern| pattern.matches(&value, context))
            }
            Test::Arn(patterns) => patterns.iter().any(|pattern| pattern.matches_arn(&value, context)),
            Test::Text(patterns, Case::Ignored) => {
                let same = |text: String| text.to_lowercase() == value.to_lowercase();
                patterns.iter().filter_map(|pattern| pattern.text(context)).any(same)
            }
            Test::Number(numbers) => {
                let value: Option<f64> = value.parse().ok();
                let holds = |(comparison, number): &(Comparison, f64)| {
                    comparison.holds(value.and_then(|value| value.partial_cmp(number)))
                };
                numbers.iter().any(holds)
            }
            Test::Time(times) => {
                let value = time(&value);
                let holds = |(comparison, time): &(Comparison, DateTime<Utc>)| {
                    comparison.holds(value.map(|value| value.cmp(time)))
                };
                times.iter().any(holds)
            }
            Test::Bool(expected) => expected.iter().any(|expected| *value == *expected.to_string()),
            Test::Address(networks) => {
                let address: Option<IpAddr> = value.parse().ok();
                address.is_some_and(|address| networks.iter().any(|network| network.has(address)))
            }
            Test::Missing(_) => false,
        };
        fits != self.is_negated
    }
}

fn each<T>(values: &[String], parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let parsed =
        |value: &String| parse(value).ok_or_else(|| format!("{value:?} is no value for this operator"));
    values.iter().map(parsed).collect()
}

/// A time as policies write it: ISO 8601 with or without its parts behind the day, or seconds since 1970.
fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(seconds) = text.parse() {
        return DateTime::from_timestamp_secs(seconds);
    }
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).ok();
    let short = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%MZ").map(|time| time.and_utc()).ok();
    let day = || Some(text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?.and_utc());
    zoned.or_else(short).or_else(day)
}

/// Addresses that begin alike: `192.0.2.0/24`, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(all), |bits| bits.parse().ok())?;
        (bits <= all).then_some(Network { address, bits })
    }

    fn has(self, address: IpAddr) -> bool {
        // The bits that count, at the lower end.
        let first = |address: IpAddr| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits().checked_shr(32 - self.bits).unwrap_or(0)),
            IpAddr::V6(v6) => v6.to_bits().checked_shr(128 - self.bits).unwrap_or(0),
        };
        address.is_ipv4() == self.address.is_ipv4() && first(address) == first(self.address)
    }
}
