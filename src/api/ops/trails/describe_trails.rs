//! DescribeTrails: the trails of an account as seen from a region.

use crate::api::trails::Description;
use crate::api::{Context, Operation, OperationInput};
use crate::domain::trail_ref::TrailRef;
use crate::error::ApiResult;
use crate::store::{ReadSession, Session, Trail};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html>
#[derive(Debug)]
pub struct DescribeTrails;

/// What is asked. This operation alone spells its members in lower case.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trail_name_list: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    include_shadow_trails: Option<bool>,
}

impl OperationInput for Input {
    /// Policies cannot be about single trails here (IAM's service authorization reference).
    fn resources(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    trail_list: Vec<Description>,
}

impl Operation for DescribeTrails {
    const NAME: &'static str = "DescribeTrails";
    type Session = ReadSession;
    type Input = Input;
    type Output = Output;

    async fn call(input: Input, context: &mut Context<'_, ReadSession>) -> ApiResult<Output> {
        let (account, region) = (&context.caller.account, &context.caller.region);
        let names = input.trail_name_list.unwrap_or_default();
        let asked: Vec<_> =
            names.iter().map(|name| TrailRef::parse(Some(name), account)).collect::<ApiResult<_>>()?;
        let shadows = input.include_shadow_trails.unwrap_or(true);
        let mut trails = context.db.trails().of(account).await?;
        if asked.is_empty() {
            trails.retain(|t| t.home_region == *region || shadows && t.is_multi_region_trail);
        } else {
            // A bare name means a trail at home here; one of another region needs its ARN. Unknown ones are left out.
            let names =
                |r: &TrailRef, t: &Trail| r.name().as_str() == t.name && *r.region(region) == t.home_region;
            trails.retain(|t| asked.iter().any(|r| names(r, t)));
        }
        Ok(Output { trail_list: trails.into_iter().map(Description::from).collect() })
    }
}
