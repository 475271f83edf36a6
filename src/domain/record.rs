//! The CloudTrail record of a call, version 1.11, members in the order in which AWS writes them.

use crate::domain::account_id::AccountId;
use crate::domain::identity::UserIdentity;
use crate::domain::tls::TlsDetails;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What stands in records in place of a secret.
pub const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// A call as CloudTrail records it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// `1.11`
    pub event_version: &'static str,
    /// Who called.
    pub user_identity: UserIdentity,
    /// When the call was complete, whole seconds, ISO.
    pub event_time: String,
    /// `cloudtrail.amazonaws.com`, …
    pub event_source: &'a str,
    /// The operation.
    pub event_name: &'a str,
    /// The region of the call.
    pub aws_region: &'a str,
    /// The caller's address.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: &'a str,
    /// The caller's program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<&'a str>,
    /// Only when the call was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<&'a str>,
    /// Only when the call was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<&'a str>,
    /// What was asked, member names in lower camel case; `null` when nothing was.
    pub request_parameters: Option<Box<RawValue>>,
    /// What was answered to a call that changes something; else `null`.
    pub response_elements: Option<Box<RawValue>>,
    /// What only some services add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_event_data: Option<Value>,
    /// Equals the reply's `x-amzn-RequestId`.
    #[serde(rename = "requestID")]
    pub request_id: String,
    /// A UUID of its own.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// Whether the call could change nothing.
    pub read_only: bool,
    /// What the call was about, for the services that say so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<RecordResource>,
    /// `AwsApiCall`
    pub event_type: &'static str,
    /// Of the service, for the few that say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Whether it is a management event.
    pub management_event: bool,
    /// The account that the record belongs to.
    pub recipient_account_id: &'a str,
    /// `Management`, …
    pub event_category: &'static str,
    /// What TLS has agreed on with the caller; absent for plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_details: Option<&'a TlsDetails>,
}

/// An entry of a record's `resources`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RecordResource {
    /// Whose it is, where the service says so.
    #[serde(rename = "accountId", skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// `AWS::S3::Bucket`, …; some services leave it out.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// Its ARN, if the call names it.
    #[serde(rename = "ARN", skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// How the ARNs of all that it is about begin, where it is about several.
    #[serde(rename = "ARNPrefix", skip_serializing_if = "Option::is_none")]
    pub arn_prefix: Option<String>,
}

/// `S3BucketName` → `s3BucketName`, in every object below: how records spell CloudTrail's own members.
pub fn lower_camel(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| (first_letter_small(&name), lower_camel(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(lower_camel).collect()),
        other => other,
    }
}

/// `DBInstanceIdentifier` → `dBInstanceIdentifier`
pub fn first_letter_small(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_spelt_as_records_spell_them() {
        let asked = json!({"Name": "a", "S3BucketName": "b", "TrailARN": "c", "TagsList": [{"Key": "K"}]});
        let want = json!({"name": "a", "s3BucketName": "b", "trailARN": "c", "tagsList": [{"key": "K"}]});
        assert_eq!(lower_camel(asked), want);
    }
}
