//! UpdateTrail: changes the settings given and leaves the others; with a name alone it reads them back.

use crate::api::trails::{Purpose, SettingsInput, SettingsOutput, check_room, find};
use crate::api::{Context, Operation};
use crate::error::ApiResult;
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html>
#[derive(Debug)]
pub struct UpdateTrail;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    settings: SettingsInput,
}

impl Operation for UpdateTrail {
    const NAME: &'static str = "UpdateTrail";
    const READ_ONLY: bool = false;
    type Input = Input;
    type Output = SettingsOutput;

    async fn call(input: Input, context: &mut Context<'_>) -> ApiResult<SettingsOutput> {
        let before = find(context, input.name.as_deref(), Purpose::Change).await?;
        let mut trail = before.clone();
        input.settings.apply(&mut trail)?;
        if trail.is_multi_region_trail && !before.is_multi_region_trail {
            let mut others = context.db.trails(&trail.account).await?;
            others.retain(|t| *t != before);
            check_room(&trail, &others)?;
        }
        if trail != before {
            trail.updated_at = context.service.clock.now().timestamp_millis();
            context.db.save_trail(&trail).await?;
        }
        Ok(SettingsOutput::from(trail).with_cleared(&input.settings))
    }
}
