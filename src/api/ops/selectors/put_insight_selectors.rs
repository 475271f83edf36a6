//! PutInsightSelectors: chooses which unusual activity a trail looks for, or none.

use crate::api::selectors::{InsightSelectorsOutput, TrailOrEventDataStore};
use crate::api::trails::{Purpose, find};
use crate::api::{Context, Operation, OperationInput};
use crate::domain::insight_selectors::{InsightSelectorInput, InsightSelectors};
use crate::domain::selectors::Selection;
use crate::error::{ApiResult, Code};
use crate::store::{Session, WriteSession};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutInsightSelectors.html>
#[derive(Debug)]
pub struct PutInsightSelectors;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(flatten)]
    of: TrailOrEventDataStore,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    insight_selectors: Option<Vec<InsightSelectorInput>>,
    /// Of an event data store only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    insights_destination: Option<String>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        self.of.resources()
    }
}

impl Operation for PutInsightSelectors {
    const NAME: &'static str = "PutInsightSelectors";
    type Session = WriteSession;
    type Input = Input;
    type Output = InsightSelectorsOutput;

    async fn call(
        input: Input,
        context: &mut Context<'_, WriteSession>,
    ) -> ApiResult<InsightSelectorsOutput> {
        let name = input.of.trail_name()?;
        if input.insights_destination.is_some() {
            return Err(Code::InvalidParameterCombinationException
                .because("InsightsDestination can be specified with EventDataStore only."));
        }
        let mut trail = find(context, Some(name), Purpose::Change).await?;
        let selection = Selection::from(&trail.event_selectors);
        trail.insight_selectors = InsightSelectors::parse(input.insight_selectors, &selection)?;
        trail.updated_at = context.service.clock.now().timestamp_millis();
        context.db.trails().update_selectors(&trail).await?;
        Ok(trail.into())
    }
}
