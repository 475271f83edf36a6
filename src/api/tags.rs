//! What the tag operations share: finding what an ARN names, and tags in.

use crate::api::{Context, OperationInput};
use crate::domain::arn::{CloudTrailArn, wrong_account, wrong_region};
use crate::domain::tags::{self, Tag};
use crate::domain::trail_name::TrailName;
use crate::error::{ApiError, ApiResult, Code};
use crate::store::{Session, Trail};
use serde::{Deserialize, Serialize};

/// The tags of one resource, to be added or removed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagsInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags_list: Option<Vec<Tag>>,
}

impl OperationInput for TagsInput {
    fn resources(&self) -> Vec<&str> {
        self.resource_id.as_deref().into_iter().collect()
    }
}

impl TagsInput {
    /// The trail that is named, and the tags, which keep the rules.
    ///
    /// # Errors
    /// Those of [`find`]; `InvalidTagParameterException` for bad tags, and when there is no list of them.
    pub(super) async fn resolve<S: Session>(
        &self,
        context: &mut Context<'_, S>,
    ) -> ApiResult<(Trail, &[Tag])> {
        let trail = find(context, self.resource_id.as_deref().ok_or_else(no_arn)?).await?;
        let missing = || Code::InvalidTagParameterException.because("TagsList is missing.");
        let tags = self.tags_list.as_deref().ok_or_else(missing)?;
        tags::check(tags)?;
        Ok((trail, tags))
    }
}

/// The trail whose tags a call names. Unlike elsewhere it must be an ARN, and the trail at home in the call's region.
///
/// # Errors
/// `CloudTrailARNInvalidException` for what is no ARN of CloudTrail or one of another account or region,
/// `InvalidTrailNameException` for a bad name in it, `ResourceNotFoundException` where nothing is,
/// `ResourceTypeNotSupportedException` for what cannot have tags.
pub(super) async fn find<S: Session>(context: &mut Context<'_, S>, resource_id: &str) -> ApiResult<Trail> {
    let (account, region) = (&context.caller.account, &context.caller.region);
    let arn = CloudTrailArn::parse(resource_id)?;
    if arn.account != *account {
        return Err(wrong_account(account));
    }
    if arn.region != *region {
        return Err(wrong_region(region));
    }
    match arn.kind {
        "trail" => {
            let name = TrailName::parse(arn.name)?;
            let trails = context.db.trails().of(account).await?;
            let named = |t: &Trail| t.home_region == *region && t.name == name.as_str();
            trails.into_iter().find(named).ok_or_else(|| not_found(resource_id))
        }
        // They can have tags, but there are none here yet.
        "eventdatastore" | "channel" | "dashboard" => Err(not_found(resource_id)),
        _ => Err(Code::ResourceTypeNotSupportedException
            .because(format!("Resources of this type cannot have tags: {resource_id}"))),
    }
}

/// What is no ARN because it was left out.
pub(super) fn no_arn() -> ApiError {
    Code::CloudTrailARNInvalidException.because("No ARN was given.")
}

fn not_found(resource_id: &str) -> ApiError {
    Code::ResourceNotFoundException.because(format!("Resource not found: {resource_id}"))
}
