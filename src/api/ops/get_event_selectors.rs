//! GetEventSelectors: which events a trail takes.

use crate::api::trails::{Purpose, find};
use crate::api::{Context, Operation};
use crate::domain::arn::trail_arn;
use crate::error::ApiResult;
use crate::store::ReadSession;
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetEventSelectors.html>
#[derive(Debug)]
pub struct GetEventSelectors;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trail_name: Option<String>,
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(rename = "TrailARN")]
    trail_arn: String,
    event_selectors: Vec<EventSelector>,
}

/// A basic selector. AWS sends all four members (observed).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventSelector {
    read_write_type: &'static str,
    include_management_events: bool,
    data_resources: Vec<String>,
    exclude_management_event_sources: Vec<String>,
}

impl Default for EventSelector {
    /// What a trail has to which nobody gave selectors: all management events.
    fn default() -> EventSelector {
        EventSelector {
            read_write_type: "All",
            include_management_events: true,
            data_resources: Vec::new(),
            exclude_management_event_sources: Vec::new(),
        }
    }
}

impl Operation for GetEventSelectors {
    const NAME: &'static str = "GetEventSelectors";
    type Session = ReadSession;
    type Input = Input;
    type Output = Output;

    async fn call(input: Input, context: &mut Context<'_, ReadSession>) -> ApiResult<Output> {
        let trail = find(context, input.trail_name.as_deref(), Purpose::Read).await?;
        Ok(Output {
            trail_arn: trail_arn(&trail.home_region, &trail.account, &trail.name),
            // Selectors cannot be set yet, so every trail has the default one.
            event_selectors: vec![EventSelector::default()],
        })
    }
}
