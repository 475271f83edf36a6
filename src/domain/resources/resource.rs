//! A resource by which lookups find an event.

use serde::{Deserialize, Serialize};

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
