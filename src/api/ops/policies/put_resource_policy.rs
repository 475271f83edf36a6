//! PutResourcePolicy: gives a resource a policy.

use crate::api::policies::{NoPolicy, ResourceInput, missing};
use crate::api::{Context, Operation, OperationInput};
use crate::error::{ApiResult, Code};
use crate::store::WriteSession;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest policy, in characters (API reference).
const MAX_POLICY: usize = 8192;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutResourcePolicy.html>
#[derive(Debug)]
pub struct PutResourcePolicy;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(flatten)]
    resource: ResourceInput,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_policy: Option<String>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        self.resource.resources()
    }
}

impl Operation for PutResourcePolicy {
    const NAME: &'static str = "PutResourcePolicy";
    type Session = WriteSession;
    type Input = Input;
    type Output = NoPolicy;

    async fn call(input: Input, context: &mut Context<'_, WriteSession>) -> ApiResult<NoPolicy> {
        let missing = missing(input.resource.resource_arn.as_deref(), context.caller);
        if missing.code != Code::ResourceNotFoundException {
            return Err(missing);
        }
        let policy = input.resource_policy.unwrap_or_default();
        let is_json = serde_json::from_str::<Map<String, Value>>(&policy).is_ok();
        if !is_json || policy.chars().count() > MAX_POLICY {
            return Err(Code::ResourcePolicyNotValidException.because(format!(
                "The resource policy must be a JSON object of 1 to {MAX_POLICY} characters."
            )));
        }
        Err(missing)
    }
}
