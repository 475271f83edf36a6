//! StopLogging: ends recording and delivery; the trail's settings stay. On a stopped trail it changes nothing.

use crate::api::trails::{NameInput, Nothing, Purpose, find};
use crate::api::{Context, Operation};
use crate::error::ApiResult;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html>
#[derive(Debug)]
pub struct StopLogging;

impl Operation for StopLogging {
    const NAME: &'static str = "StopLogging";
    const READ_ONLY: bool = false;
    type Input = NameInput;
    type Output = Nothing;

    async fn call(input: NameInput, context: &mut Context<'_>) -> ApiResult<Nothing> {
        let trail = find(context, input.name.as_deref(), Purpose::Change).await?;
        let now = context.service.clock.now().timestamp_millis();
        context.db.stop_logging(&trail, now).await?;
        Ok(Nothing {})
    }
}
