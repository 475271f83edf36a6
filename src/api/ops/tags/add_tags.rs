//! AddTags: gives a trail tags, or new values to those it has.

use crate::api::tags::TagsInput;
use crate::api::trails::Nothing;
use crate::api::{Context, Operation};
use crate::domain::tags;
use crate::error::ApiResult;
use crate::store::{Session, WriteSession};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AddTags.html>
#[derive(Debug)]
pub struct AddTags;

impl Operation for AddTags {
    const NAME: &'static str = "AddTags";
    type Session = WriteSession;
    type Input = TagsInput;
    type Output = Nothing;

    async fn call(input: TagsInput, context: &mut Context<'_, WriteSession>) -> ApiResult<Nothing> {
        let (trail, tags) = input.resolve(context).await?;
        let mut all = context.db.trails().tags(trail.id).await?;
        all.retain(|old| !tags.iter().any(|new| new.key == old.key));
        tags::check_count(all.len() + tags.len())?;
        context.db.trails().add_tags(trail.id, tags).await?;
        Ok(Nothing {})
    }
}
