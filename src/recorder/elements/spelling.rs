//! How records spell the names of members, and write points in time: each service has its way.

use crate::aws::catalog::Kinds;
use crate::aws::identify::Identified;
use crate::aws::protocol::Protocol;
use crate::domain::record::first_letter_small;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// Services, by their signing names, whose records keep the names of the model.
const AS_IN_THE_MODEL: &[&str] = &[
    "account",
    "ce",
    "cloudshell",
    "geo-maps",
    "geo-places",
    "geo-routes",
    "resource-explorer-2",
    "securityhub",
];

/// How a service writes points in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    /// `Nov 22, 2026 5:30:00 AM`
    Text,
    /// `Nov 22, 2026, 5:30:00 AM`
    TextWithComma,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// The members of a request, with what records have also when it was not sent.
pub(super) fn of_request(call: &Identified, members: Map<String, Value>) -> Map<String, Value> {
    let defaults: &[(&str, Value)] = match (call.service.key.as_str(), call.operation.as_str()) {
        ("kms", "Decrypt" | "Encrypt") => &[("encryptionAlgorithm", "SYMMETRIC_DEFAULT".into())],
        ("rds", "DescribeDBClusterSnapshots" | "DescribeDBSnapshots") => {
            &[("includePublic", Value::Bool(false)), ("includeShared", Value::Bool(false))]
        }
        ("ssm", "SendCommand") => &[("interactive", Value::Bool(false))],
        _ => &[],
    };
    let mut members = Spelling::of(call).members(members);
    for (name, value) in defaults {
        members.entry(*name).or_insert_with(|| value.clone());
    }
    members
}

/// The spelling of a service.
pub(super) struct Spelling<'a> {
    kinds: &'a Kinds,
    keeps_names: bool,
    times: Times,
    /// Whether times are text on the wire. In JSON they are numbers, and text is left as it is.
    reads_text: bool,
}

impl<'a> Spelling<'a> {
    pub(super) fn of(call: &'a Identified) -> Spelling<'a> {
        let service = &call.service;
        let is_xml = matches!(call.protocol, Protocol::Query | Protocol::RestXml | Protocol::Ec2);
        Spelling {
            kinds: service.kinds(),
            keeps_names: AS_IN_THE_MODEL.contains(&service.signing_name.as_str()),
            times: match call.protocol {
                Protocol::Ec2 => Times::Milliseconds,
                _ if is_xml && service.key != "sts" => Times::Text,
                _ => Times::TextWithComma,
            },
            reads_text: is_xml,
        }
    }

    /// Members as a record has them.
    pub(super) fn members(&self, members: Map<String, Value>) -> Map<String, Value> {
        members
            .into_iter()
            .map(|(name, value)| {
                let value = self.value(&name, value);
                (if self.keeps_names { name } else { first_letter_small(&name) }, value)
            })
            .collect()
    }

    /// The value of a member of this name.
    fn value(&self, name: &str, value: Value) -> Value {
        match value {
            // The names in a map are data.
            Value::Object(entries) if self.kinds.maps.contains(name) => {
                let spelt = |(key, value)| (key, self.value("", value));
                Value::Object(entries.into_iter().map(spelt).collect())
            }
            Value::Object(members) => Value::Object(self.members(members)),
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.value(name, item)).collect())
            }
            other if self.is_time(name) => self.time(other),
            other => other,
        }
    }

    fn is_time(&self, name: &str) -> bool {
        // In some places of EC2's answers it is text.
        self.kinds.times.contains(name)
            || (self.times == Times::Milliseconds && ["startTime", "expirationTime"].contains(&name))
    }

    /// A point in time; a value that is none stays what it is.
    fn time(&self, value: Value) -> Value {
        let at = match &value {
            Value::Number(seconds) => seconds
                .as_f64()
                .and_then(|seconds| DateTime::from_timestamp_millis((seconds * 1000.0).round() as i64)),
            Value::String(text) if self.reads_text => text.parse::<DateTime<Utc>>().ok(),
            _ => None,
        };
        let Some(at) = at else { return value };
        match self.times {
            Times::Text => at.format("%b %-d, %Y %-I:%M:%S %p").to_string().into(),
            Times::TextWithComma => at.format("%b %-d, %Y, %-I:%M:%S %p").to_string().into(),
            Times::Milliseconds => at.timestamp_millis().into(),
        }
    }
}
