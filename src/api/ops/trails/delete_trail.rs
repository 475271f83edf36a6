//! DeleteTrail: removes a trail. What it delivered, and its events, stay.

use crate::api::trails::{NameInput, Nothing, Purpose, find};
use crate::api::{Context, Operation};
use crate::error::ApiResult;
use crate::store::{Session, WriteSession};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeleteTrail.html>
#[derive(Debug)]
pub struct DeleteTrail;

impl Operation for DeleteTrail {
    const NAME: &'static str = "DeleteTrail";
    type Session = WriteSession;
    type Input = NameInput;
    type Output = Nothing;

    async fn call(input: NameInput, context: &mut Context<'_, WriteSession>) -> ApiResult<Nothing> {
        let trail = find(context, input.name.as_deref(), Purpose::Change).await?;
        let now = context.service.clock.now().timestamp_millis();
        context.db.trails().delete(&trail, now).await?;
        Ok(Nothing {})
    }
}
