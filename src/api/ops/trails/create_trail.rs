//! CreateTrail: a new trail, at home in the region of the call, not logging yet.

use crate::api::trails::{SettingsInput, SettingsOutput, check_room};
use crate::api::{Context, Operation, OperationInput, Service, preflight};
use crate::domain::aggregation::AggregationConfigurations;
use crate::domain::bucket_name::BucketName;
use crate::domain::caller::Caller;
use crate::domain::insight_selectors::InsightSelectors;
use crate::domain::selectors::EventSelectors;
use crate::domain::tags::{self, Tag};
use crate::domain::trail_name::{TrailName, blank};
use crate::error::ApiResult;
use crate::store::{Session, Trail, WriteSession};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html>
#[derive(Debug)]
pub struct CreateTrail;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    settings: SettingsInput,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags_list: Option<Vec<Tag>>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        self.name.as_deref().into_iter().collect()
    }
}

impl Operation for CreateTrail {
    const NAME: &'static str = "CreateTrail";
    type Session = WriteSession;
    type Input = Input;
    type Output = SettingsOutput;

    async fn prepare(input: &Input, caller: &Caller, service: &Service) -> ApiResult<()> {
        let mut db = service.store.read().await?;
        let trail = input.draft(&mut Context { caller, service, db: &mut db }).await?;
        drop(db);
        preflight::check(service, None, &trail).await
    }

    async fn call(input: Input, context: &mut Context<'_, WriteSession>) -> ApiResult<SettingsOutput> {
        let trail = input.draft(context).await?;
        context.db.trails().insert(&trail, input.tags_list.as_deref().unwrap_or_default()).await?;
        Ok(trail.into())
    }
}

impl Input {
    /// The trail that is asked for, if there is room for it.
    async fn draft<S: Session>(&self, context: &mut Context<'_, S>) -> ApiResult<Trail> {
        let name = TrailName::parse(self.name.as_deref().ok_or_else(blank)?)?;
        let now = context.service.clock.now().timestamp_millis();
        let mut trail = Trail {
            id: 0,
            account: context.caller.account.clone(),
            home_region: context.caller.region.clone(),
            name: name.as_str().to_owned(),
            // A trail needs a bucket; only here can it be absent.
            s3_bucket_name: BucketName::parse(self.settings.s3_bucket_name.as_deref().unwrap_or_default())?
                .into_string(),
            s3_key_prefix: None,
            sns_topic_name: None,
            sns_topic_arn: None,
            include_global_service_events: true,
            is_multi_region_trail: false,
            log_file_validation_enabled: false,
            cloud_watch_logs_log_group_arn: None,
            cloud_watch_logs_role_arn: None,
            kms_key_id: None,
            is_organization_trail: false,
            recursive_logging: true,
            event_selectors: EventSelectors::default(),
            insight_selectors: InsightSelectors::default(),
            aggregation_configurations: AggregationConfigurations::default(),
            created_at: now,
            updated_at: now,
        };
        self.settings.apply(&mut trail)?;
        let tags = self.tags_list.as_deref().unwrap_or_default();
        tags::check_count(tags.len())?;
        tags::check(tags)?;
        check_room(&trail, &context.db.trails().of(&trail.account).await?)?;
        Ok(trail)
    }
}
