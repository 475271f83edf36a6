//! StopLogging: ends recording and delivery; the trail's settings stay. On a stopped trail it changes nothing.

use crate::api::trails::{NameInput, Nothing, Purpose, find};
use crate::api::{Context, Operation};
use crate::error::ApiResult;
use crate::store::{Session, WriteSession};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html>
#[derive(Debug)]
pub struct StopLogging;

impl Operation for StopLogging {
    const NAME: &'static str = "StopLogging";
    type Session = WriteSession;
    type Input = NameInput;
    type Output = Nothing;

    async fn call(input: NameInput, context: &mut Context<'_, WriteSession>) -> ApiResult<Nothing> {
        let trail = find(context, input.name.as_deref(), Purpose::Change).await?;
        let now = context.service.clock.now().timestamp_millis();
        context.db.trails().stop_logging(&trail, now).await?;
        Ok(Nothing {})
    }
}
