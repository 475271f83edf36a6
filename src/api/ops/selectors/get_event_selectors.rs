//! GetEventSelectors: which events a trail takes.

use crate::api::selectors::EventSelectorsOutput;
use crate::api::trails::{Purpose, find};
use crate::api::{Context, Operation, OperationInput};
use crate::error::ApiResult;
use crate::store::ReadSession;
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html>
#[derive(Debug)]
pub struct GetEventSelectors;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trail_name: Option<String>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        self.trail_name.as_deref().into_iter().collect()
    }
}

impl Operation for GetEventSelectors {
    const NAME: &'static str = "GetEventSelectors";
    type Session = ReadSession;
    type Input = Input;
    type Output = EventSelectorsOutput;

    async fn call(input: Input, context: &mut Context<'_, ReadSession>) -> ApiResult<EventSelectorsOutput> {
        Ok(find(context, input.trail_name.as_deref(), Purpose::Read).await?.into())
    }
}
