//! What the operations on selectors share: which trail is asked for, and how it is answered.

use crate::api::OperationInput;
use crate::domain::aggregation::AggregationConfigurations;
use crate::domain::insight_selectors::InsightSelectors;
use crate::domain::selectors::EventSelectors;
use crate::error::{ApiResult, Code};
use crate::store::Trail;
use serde::{Deserialize, Serialize};

/// What has the selectors: a trail, or else an event data store.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TrailOrEventDataStore {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trail_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_data_store: Option<String>,
}

impl OperationInput for TrailOrEventDataStore {
    fn resources(&self) -> Vec<&str> {
        [&self.trail_name, &self.event_data_store].into_iter().filter_map(|name| name.as_deref()).collect()
    }
}

impl TrailOrEventDataStore {
    /// The trail's name.
    ///
    /// # Errors
    /// `InvalidParameterCombinationException` unless one of the two is given, `UnsupportedOperationException` for an event
    /// data store.
    pub(super) fn trail_name(&self) -> ApiResult<&str> {
        match (&self.trail_name, &self.event_data_store) {
            (Some(name), None) => Ok(name),
            (None, Some(_)) => Err(Code::UnsupportedOperationException
                .because("Contrail does not support event data stores yet; specify TrailName.")),
            _ => Err(Code::InvalidParameterCombinationException
                .because("Specify either TrailName or EventDataStore.")),
        }
    }
}

/// What a trail takes, as GetEventSelectors and PutEventSelectors answer it.
#[derive(Debug, Serialize)]
pub struct EventSelectorsOutput {
    #[serde(rename = "TrailARN")]
    trail_arn: String,
    #[serde(flatten)]
    event_selectors: EventSelectors,
}

impl From<Trail> for EventSelectorsOutput {
    fn from(trail: Trail) -> EventSelectorsOutput {
        EventSelectorsOutput { trail_arn: trail.arn(), event_selectors: trail.event_selectors }
    }
}

/// What a trail looks for, as GetInsightSelectors and PutInsightSelectors answer it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InsightSelectorsOutput {
    #[serde(rename = "TrailARN")]
    trail_arn: String,
    insight_selectors: InsightSelectors,
}

impl From<Trail> for InsightSelectorsOutput {
    fn from(trail: Trail) -> InsightSelectorsOutput {
        InsightSelectorsOutput { trail_arn: trail.arn(), insight_selectors: trail.insight_selectors }
    }
}

/// How a trail sums its events up, as GetEventConfiguration and PutEventConfiguration answer it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventConfigurationOutput {
    #[serde(rename = "TrailARN")]
    trail_arn: String,
    aggregation_configurations: AggregationConfigurations,
}

impl From<Trail> for EventConfigurationOutput {
    fn from(trail: Trail) -> EventConfigurationOutput {
        EventConfigurationOutput {
            trail_arn: trail.arn(),
            aggregation_configurations: trail.aggregation_configurations,
        }
    }
}
