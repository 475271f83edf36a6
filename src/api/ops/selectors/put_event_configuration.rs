//! PutEventConfiguration: has a trail sum its events up, or not.

use crate::api::selectors::{EventConfigurationOutput, TrailOrEventDataStore};
use crate::api::trails::{Purpose, find};
use crate::api::{Context, Operation, OperationInput};
use crate::domain::aggregation::{AggregationConfiguration, AggregationConfigurations};
use crate::error::{ApiResult, Code};
use crate::store::{Session, WriteSession};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventConfiguration.html>
#[derive(Debug)]
pub struct PutEventConfiguration;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(flatten)]
    of: TrailOrEventDataStore,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aggregation_configurations: Option<Vec<AggregationConfiguration>>,
    /// Of an event data store only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_event_size: Option<String>,
    /// Of an event data store only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context_key_selectors: Option<Vec<ContextKeySelector>>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        self.of.resources()
    }
}

/// What records of an event data store are enriched with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextKeySelector {
    #[serde(default, rename = "Type", skip_serializing_if = "Option::is_none")]
    context_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    equals: Option<Vec<String>>,
}

impl Operation for PutEventConfiguration {
    const NAME: &'static str = "PutEventConfiguration";
    type Session = WriteSession;
    type Input = Input;
    type Output = EventConfigurationOutput;

    async fn call(
        input: Input,
        context: &mut Context<'_, WriteSession>,
    ) -> ApiResult<EventConfigurationOutput> {
        let name = input.of.trail_name()?;
        let refuse = |why| Err(Code::InvalidParameterCombinationException.because(why));
        if input.max_event_size.is_some() || input.context_key_selectors.is_some() {
            return refuse("MaxEventSize and ContextKeySelectors can be specified with EventDataStore only.");
        }
        let Some(given) = input.aggregation_configurations else {
            return refuse("Specify AggregationConfigurations for a trail.");
        };
        let mut trail = find(context, Some(name), Purpose::Change).await?;
        trail.aggregation_configurations = AggregationConfigurations::parse(given)?;
        trail.updated_at = context.service.clock.now().timestamp_millis();
        context.db.trails().update_selectors(&trail).await?;
        Ok(trail.into())
    }
}
