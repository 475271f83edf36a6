//! RemoveTags: takes tags from a trail. The keys count; values may be given, and need not be right.

use crate::api::tags::TagsInput;
use crate::api::trails::Nothing;
use crate::api::{Context, Operation};
use crate::error::ApiResult;
use crate::store::{Session, WriteSession};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_RemoveTags.html>
#[derive(Debug)]
pub struct RemoveTags;

impl Operation for RemoveTags {
    const NAME: &'static str = "RemoveTags";
    type Session = WriteSession;
    type Input = TagsInput;
    type Output = Nothing;

    async fn call(input: TagsInput, context: &mut Context<'_, WriteSession>) -> ApiResult<Nothing> {
        let (trail, tags) = input.resolve(context).await?;
        let keys: Vec<_> = tags.iter().map(|tag| tag.key.as_str()).collect();
        context.db.trails().remove_tags(trail.id, &keys).await?;
        Ok(Nothing {})
    }
}
