//! ListTags: the tags of trails at home in the region.

use crate::api::tags::{find, no_arn};
use crate::api::{Context, Operation, OperationInput};
use crate::domain::tags::Tag;
use crate::error::{ApiResult, Code};
use crate::store::{ReadSession, Session};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListTags.html>
#[derive(Debug)]
pub struct ListTags;

/// ARNs in one call (API reference).
const LIMIT: usize = 20;

/// What is asked. The token is reserved for future use: it is read and means nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_id_list: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        self.resource_id_list.iter().flatten().map(String::as_str).collect()
    }
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    resource_tag_list: Vec<ResourceTag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceTag {
    resource_id: String,
    tags_list: Vec<Tag>,
}

impl Operation for ListTags {
    const NAME: &'static str = "ListTags";
    type Session = ReadSession;
    type Input = Input;
    type Output = Output;

    async fn call(input: Input, context: &mut Context<'_, ReadSession>) -> ApiResult<Output> {
        let asked = input.resource_id_list.filter(|list| !list.is_empty()).ok_or_else(no_arn)?;
        if asked.len() > LIMIT {
            return Err(Code::InvalidParameterException.because(format!(
                "ResourceIdList can hold at most {LIMIT} ARNs, and {} were given.",
                asked.len()
            )));
        }
        let mut resource_tag_list: Vec<ResourceTag> = Vec::new();
        for resource_id in asked {
            if resource_tag_list.iter().any(|there| there.resource_id == resource_id) {
                continue;
            }
            let trail = find(context, &resource_id).await?;
            let tags_list = context.db.trails().tags(trail.id).await?;
            resource_tag_list.push(ResourceTag { resource_id, tags_list });
        }
        Ok(Output { resource_tag_list })
    }
}
