//! GetInsightSelectors: which unusual activity a trail looks for.

use crate::api::selectors::{InsightSelectorsOutput, TrailOrEventDataStore};
use crate::api::trails::{Purpose, find};
use crate::api::{Context, Operation};
use crate::error::{ApiResult, Code};
use crate::store::ReadSession;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetInsightSelectors.html>
#[derive(Debug)]
pub struct GetInsightSelectors;

impl Operation for GetInsightSelectors {
    const NAME: &'static str = "GetInsightSelectors";
    type Session = ReadSession;
    type Input = TrailOrEventDataStore;
    type Output = InsightSelectorsOutput;

    async fn call(
        input: TrailOrEventDataStore,
        context: &mut Context<'_, ReadSession>,
    ) -> ApiResult<InsightSelectorsOutput> {
        let trail = find(context, Some(input.trail_name()?), Purpose::Read).await?;
        if trail.insight_selectors.is_empty() {
            // Observed.
            return Err(Code::InsightNotEnabledException.because(format!(
                "Trail {} does not have Insights enabled. Edit the trail settings to enable Insights, and then try \
                 the operation again.",
                trail.arn()
            )));
        }
        Ok(trail.into())
    }
}
