//! PutEventSelectors: chooses which events a trail takes.

use crate::api::selectors::EventSelectorsOutput;
use crate::api::trails::{Purpose, find};
use crate::api::{Context, Operation, OperationInput};
use crate::domain::selectors::EventSelectors;
use crate::domain::selectors::advanced::AdvancedEventSelector;
use crate::domain::selectors::basic::EventSelectorInput;
use crate::error::ApiResult;
use crate::store::{Session, WriteSession};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html>
#[derive(Debug)]
pub struct PutEventSelectors;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trail_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_selectors: Option<Vec<EventSelectorInput>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    advanced_event_selectors: Option<Vec<AdvancedEventSelector>>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        self.trail_name.as_deref().into_iter().collect()
    }
}

impl Operation for PutEventSelectors {
    const NAME: &'static str = "PutEventSelectors";
    type Session = WriteSession;
    type Input = Input;
    type Output = EventSelectorsOutput;

    async fn call(input: Input, context: &mut Context<'_, WriteSession>) -> ApiResult<EventSelectorsOutput> {
        let mut trail = find(context, input.trail_name.as_deref(), Purpose::Change).await?;
        trail.event_selectors = EventSelectors::parse(
            input.event_selectors,
            input.advanced_event_selectors,
            &context.service.settings.trails.data_types,
        )?;
        trail.updated_at = context.service.clock.now().timestamp_millis();
        context.db.trails().update_selectors(&trail).await?;
        Ok(trail.into())
    }
}
