//! GetResourcePolicy: the policy of a resource.

use crate::api::policies::{NoPolicy, ResourceInput, missing};
use crate::api::{Context, Operation};
use crate::error::ApiResult;
use crate::store::ReadSession;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetResourcePolicy.html>
#[derive(Debug)]
pub struct GetResourcePolicy;

impl Operation for GetResourcePolicy {
    const NAME: &'static str = "GetResourcePolicy";
    type Session = ReadSession;
    type Input = ResourceInput;
    type Output = NoPolicy;

    async fn call(input: ResourceInput, context: &mut Context<'_, ReadSession>) -> ApiResult<NoPolicy> {
        Err(missing(input.resource_arn.as_deref(), context.caller))
    }
}
