//! ListTrails: the trails of an account in all regions, whichever region is asked.

use crate::api::{Context, Operation, OperationInput};
use crate::domain::page_token::{self, TokenScope};
use crate::domain::region::Region;
use crate::error::ApiResult;
use crate::store::{ReadSession, Session, Trail};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListTrails.html>
#[derive(Debug)]
pub struct ListTrails;

/// Trails on a page. AWS does not say how many it gives; that of most accounts fit on one page.
const PAGE: usize = 100;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    trails: Vec<TrailInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TrailInfo {
    #[serde(rename = "TrailARN")]
    trail_arn: String,
    name: String,
    home_region: Region,
}

impl From<Trail> for TrailInfo {
    fn from(trail: Trail) -> TrailInfo {
        TrailInfo { trail_arn: trail.arn(), name: trail.name, home_region: trail.home_region }
    }
}

impl Operation for ListTrails {
    const NAME: &'static str = "ListTrails";
    type Session = ReadSession;
    type Input = Input;
    type Output = Output;

    async fn call(input: Input, context: &mut Context<'_, ReadSession>) -> ApiResult<Output> {
        let (account, region) = (&context.caller.account, &context.caller.region);
        let key = &context.service.token_key;
        let scope = TokenScope::new(ListTrails::NAME).with(Some(account)).with(Some(region));
        let token = input.next_token.as_deref();
        let behind: Option<String> = token.map(|token| page_token::open(key, &scope, token)).transpose()?;
        // They come by home region and name. Neither holds a slash.
        let position = |trail: &Trail| format!("{}/{}", trail.home_region, trail.name);
        let mut trails = context.db.trails().of(account).await?;
        if let Some(behind) = behind.as_ref().and_then(|position| position.split_once('/')) {
            trails.retain(|trail| (trail.home_region.as_str(), trail.name.as_str()) > behind);
        }
        let more = trails.len() > PAGE;
        trails.truncate(PAGE);
        let next_token =
            trails.last().filter(|_| more).map(|last| page_token::seal(key, &scope, &position(last)));
        Ok(Output { trails: trails.into_iter().map(TrailInfo::from).collect(), next_token })
    }
}
