//! A resource by which events are found, and what of a record names some.

use crate::domain::category::Category;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A resource of an event, spelt as on the wire. The type is in CloudFormation's style and can be unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    /// `AWS::IAM::User`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// A name, id or ARN.
    pub resource_name: String,
}

/// `AWS::CloudTrail::Trail` → `Trail`: how the documentation of 2015 spells types.
pub fn short_type(resource_type: &str) -> &str {
    resource_type.rsplit("::").next().unwrap_or(resource_type)
}

/// What of a finished record names resources.
#[derive(Debug, Clone, Copy)]
pub struct NamingMembers<'a> {
    /// Of the event.
    pub category: Category,
    /// `eventSource`
    pub event_source: &'a str,
    /// `eventName`
    pub event_name: &'a str,
    /// `requestParameters`
    pub request: Option<&'a RawValue>,
    /// `responseElements`
    pub response: Option<&'a RawValue>,
    /// Type and ARN of the entries of `resources` that have an ARN.
    pub own: &'a [(Option<&'a str>, &'a str)],
}
