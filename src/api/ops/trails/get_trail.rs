//! GetTrail: the settings of one trail.

use crate::api::trails::{Description, NameInput, Purpose, find};
use crate::api::{Context, Operation};
use crate::error::ApiResult;
use crate::store::ReadSession;
use serde::Serialize;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrail.html>
#[derive(Debug)]
pub struct GetTrail;

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    trail: Description,
}

impl Operation for GetTrail {
    const NAME: &'static str = "GetTrail";
    type Session = ReadSession;
    type Input = NameInput;
    type Output = Output;

    async fn call(input: NameInput, context: &mut Context<'_, ReadSession>) -> ApiResult<Output> {
        let trail = find(context, input.name.as_deref(), Purpose::Read).await?;
        Ok(Output { trail: trail.into() })
    }
}
