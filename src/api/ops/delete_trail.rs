//! DeleteTrail: removes a trail. What it delivered, and its events, stay.

use crate::api::trails::{NameInput, Nothing, Purpose, find};
use crate::api::{Context, Operation};
use crate::error::ApiResult;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteTrail.html>
#[derive(Debug)]
pub struct DeleteTrail;

impl Operation for DeleteTrail {
    const NAME: &'static str = "DeleteTrail";
    const READ_ONLY: bool = false;
    type Input = NameInput;
    type Output = Nothing;

    async fn call(input: NameInput, context: &mut Context<'_>) -> ApiResult<Nothing> {
        let trail = find(context, input.name.as_deref(), Purpose::Change).await?;
        context.db.delete_trail(&trail).await?;
        Ok(Nothing {})
    }
}
