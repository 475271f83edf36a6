//! UpdateTrail: changes the settings given and leaves the others; with a name alone it reads them back.

use crate::api::trails::{Purpose, SettingsInput, SettingsOutput, check_room, find};
use crate::api::{Context, Operation, OperationInput, Service, preflight};
use crate::domain::caller::Caller;
use crate::error::ApiResult;
use crate::store::{Session, Trail, WriteSession};
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

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        self.name.as_deref().into_iter().collect()
    }
}

impl Operation for UpdateTrail {
    const NAME: &'static str = "UpdateTrail";
    type Session = WriteSession;
    type Input = Input;
    type Output = SettingsOutput;

    async fn prepare(input: &Input, caller: &Caller, service: &Service) -> ApiResult<()> {
        let mut db = service.store.read().await?;
        let (before, trail) = input.draft(&mut Context { caller, service, db: &mut db }).await?;
        drop(db);
        preflight::check(service, Some(&before), &trail).await
    }

    async fn call(input: Input, context: &mut Context<'_, WriteSession>) -> ApiResult<SettingsOutput> {
        let (before, mut trail) = input.draft(context).await?;
        if trail != before {
            trail.updated_at = context.service.clock.now().timestamp_millis();
            context.db.trails().update(&before, &trail).await?;
            if trail.sns_topic_arn != before.sns_topic_arn {
                context.db.trails().forget_notifications(trail.id).await?;
            }
            if trail.cloud_watch_logs_log_group_arn.is_none() {
                context.db.trails().forget_cloud_watch_logs(trail.id).await?;
            }
        }
        Ok(SettingsOutput::from(trail).with_cleared(&input.settings))
    }
}

impl Input {
    /// The trail as it is, and as it is asked for, if there is room for it.
    async fn draft<S: Session>(&self, context: &mut Context<'_, S>) -> ApiResult<(Trail, Trail)> {
        let before = find(context, self.name.as_deref(), Purpose::Change).await?;
        let mut trail = before.clone();
        self.settings.apply(&mut trail)?;
        if trail.is_multi_region_trail && !before.is_multi_region_trail {
            let mut others = context.db.trails().of(&trail.account).await?;
            others.retain(|t| *t != before);
            check_room(&trail, &others)?;
        }
        Ok((before, trail))
    }
}
