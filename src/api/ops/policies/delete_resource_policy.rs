//! DeleteResourcePolicy: takes a resource its policy.

use crate::api::policies::{NoPolicy, ResourceInput, missing};
use crate::api::{Context, Operation};
use crate::error::ApiResult;
use crate::store::WriteSession;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteResourcePolicy.html>
#[derive(Debug)]
pub struct DeleteResourcePolicy;

impl Operation for DeleteResourcePolicy {
    const NAME: &'static str = "DeleteResourcePolicy";
    type Session = WriteSession;
    type Input = ResourceInput;
    type Output = NoPolicy;

    async fn call(input: ResourceInput, context: &mut Context<'_, WriteSession>) -> ApiResult<NoPolicy> {
        Err(missing(input.resource_arn.as_deref(), context.caller))
    }
}
