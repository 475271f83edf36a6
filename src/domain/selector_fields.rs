//! What selectors of trails look at beside what lookups look at.

/// Fields of a record that only selectors look at. `None` where the record has no such member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelectorFields {
    /// `eventType`
    pub event_type: Option<String>,
    /// `userIdentity.arn`
    pub user_arn: Option<String>,
    /// `sessionCredentialFromConsole`: `true`, where the record has it.
    pub session_credential_from_console: Option<String>,
    /// `vpcEndpointId`
    pub vpc_endpoint_id: Option<String>,
    /// Those of `resources` that have a type.
    pub resources: Vec<TypedResource>,
}

/// An entry of a record's `resources`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedResource {
    /// `AWS::S3::Object`, …
    pub resource_type: String,
    /// Its `ARN`; of calls that list objects their `ARNPrefix`. One that is not known is none that a selector asks for.
    pub arn: Option<String>,
}
