//! GetEventConfiguration: how a trail sums its events up.

use crate::api::selectors::{EventConfigurationOutput, TrailOrEventDataStore};
use crate::api::trails::{Purpose, find};
use crate::api::{Context, Operation};
use crate::error::ApiResult;
use crate::store::ReadSession;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventConfiguration.html>
#[derive(Debug)]
pub struct GetEventConfiguration;

impl Operation for GetEventConfiguration {
    const NAME: &'static str = "GetEventConfiguration";
    type Session = ReadSession;
    type Input = TrailOrEventDataStore;
    type Output = EventConfigurationOutput;

    async fn call(
        input: TrailOrEventDataStore,
        context: &mut Context<'_, ReadSession>,
    ) -> ApiResult<EventConfigurationOutput> {
        Ok(find(context, Some(input.trail_name()?), Purpose::Read).await?.into())
    }
}
