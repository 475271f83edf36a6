//! What the trail operations share: finding a trail, room for another one, settings in and out.

use crate::api::{Context, OperationInput};
use crate::domain::arn::wrong_region;
use crate::domain::bucket_name::BucketName;
use crate::domain::cloud_watch_logs::CloudWatchLogs;
use crate::domain::region::Region;
use crate::domain::sns_topic::SnsTopic;
use crate::domain::trail_ref::TrailRef;
use crate::domain::{key_prefix, kms_key};
use crate::error::{ApiResult, Code};
use crate::store::{Session, Trail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Trails of an account in a region, those seen from other regions included (user guide, "Quotas"; hard).
const TRAILS_PER_REGION: usize = 5;

/// What a trail is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To look at: a multi-region trail can be seen from every region, by its ARN.
    Read,
    /// To change: only in its home region.
    Change,
}

/// The trail that a call names, in the caller's account.
///
/// # Errors
/// `TrailNotFoundException`, `InvalidHomeRegionException` (a change from another region), `CloudTrailARNInvalidException`
/// (an ARN of another account, or of a region where nothing is to be seen from here), `InvalidTrailNameException`.
pub(super) async fn find<S: Session>(
    context: &mut Context<'_, S>,
    name: Option<&str>,
    purpose: Purpose,
) -> ApiResult<Trail> {
    let (account, region) = (&context.caller.account, &context.caller.region);
    let reference = TrailRef::parse(name, account)?;
    let trails = context.db.trails().of(account).await?;
    let name = reference.name().as_str();
    let named = |t: &&Trail| t.name == name;
    if let Some(trail) = trails.iter().filter(named).find(|t| t.home_region == *reference.region(region)) {
        return match (trail.home_region == *region, trail.is_multi_region_trail, purpose) {
            (true, ..) | (_, true, Purpose::Read) => Ok(trail.clone()),
            (_, true, Purpose::Change) => Err(not_at_home(trail)),
            _ => Err(wrong_region(region)),
        };
    }
    if matches!(reference, TrailRef::Arn(_)) && reference.region(region) != region {
        return Err(wrong_region(region));
    }
    // By bare name a trail of another region is not found, but a change to one that is seen here is named as such.
    match trails.iter().filter(named).find(|t| t.is_multi_region_trail) {
        Some(shadow) if purpose == Purpose::Change => Err(not_at_home(shadow)),
        _ => Err(reference.not_found(region, account)),
    }
}

fn not_at_home(trail: &Trail) -> crate::error::ApiError {
    Code::InvalidHomeRegionException.because(format!(
        "The trail {} can be changed only in its home region {}.",
        trail.arn(),
        trail.home_region
    ))
}

/// Whether `trail` fits beside `others`, all of one account: its name is free and no region gets too many.
///
/// # Errors
/// `TrailAlreadyExistsException`, `MaximumNumberOfTrailsExceededException`.
pub(super) fn check_room(trail: &Trail, others: &[Trail]) -> ApiResult<()> {
    // A multi-region trail takes its name in every region.
    let meets = |t: &&Trail| t.covers(&trail.home_region) || trail.covers(&t.home_region);
    if others.iter().filter(meets).any(|t| t.name == trail.name) {
        return Err(Code::TrailAlreadyExistsException
            .because(format!("Trail {} already exists for customer: {}", trail.name, trail.account)));
    }
    let homes = others.iter().map(|t| t.home_region.as_str()).filter(|region| trail.covers(region));
    for region in homes.chain([trail.home_region.as_str()]).collect::<BTreeSet<_>>() {
        if others.iter().filter(|t| t.covers(region)).count() >= TRAILS_PER_REGION {
            return Err(Code::MaximumNumberOfTrailsExceededException.because(format!(
                "User: {} already has {TRAILS_PER_REGION} trails in {region}.",
                trail.account
            )));
        }
    }
    Ok(())
}

/// Settings as CreateTrail and UpdateTrail take them. An absent member changes nothing, an empty text clears.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SettingsInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) s3_bucket_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    s3_key_prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sns_topic_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    include_global_service_events: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_multi_region_trail: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enable_log_file_validation: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cloud_watch_logs_log_group_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cloud_watch_logs_role_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_organization_trail: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recursive_logging: Option<bool>,
}

impl SettingsInput {
    /// Checks all settings and puts those given into `trail`.
    ///
    /// # Errors
    /// The `Invalid…` code of the first setting at fault; `InvalidParameterCombinationException` for a multi-region
    /// trail without global service events.
    pub(super) fn apply(&self, trail: &mut Trail) -> ApiResult<()> {
        let (region, account) = (trail.home_region.clone(), trail.account.clone());
        if let Some(bucket) = &self.s3_bucket_name {
            trail.s3_bucket_name = BucketName::parse(bucket)?.into_string();
        }
        if let Some(prefix) = &self.s3_key_prefix {
            trail.s3_key_prefix = given(prefix).map(key_prefix::parse).transpose()?;
        }
        if let Some(topic) = &self.sns_topic_name {
            let topic = given(topic).map(|t| SnsTopic::parse(t, &region, &account)).transpose()?;
            (trail.sns_topic_name, trail.sns_topic_arn) = topic.map(|t| (t.given, t.arn)).unzip();
        }
        if self.cloud_watch_logs_log_group_arn.is_some() || self.cloud_watch_logs_role_arn.is_some() {
            let logs = CloudWatchLogs::parse(
                self.cloud_watch_logs_log_group_arn.as_deref(),
                self.cloud_watch_logs_role_arn.as_deref(),
                &region,
                &account,
            )?;
            (trail.cloud_watch_logs_log_group_arn, trail.cloud_watch_logs_role_arn) =
                logs.map(|l| (l.log_group_arn, l.role_arn)).unzip();
        }
        if let Some(key) = &self.kms_key_id {
            trail.kms_key_id = given(key).map(|k| kms_key::parse(k, &region, &account)).transpose()?;
        }
        let set = |to: &mut bool, value: Option<bool>| *to = value.unwrap_or(*to);
        set(&mut trail.include_global_service_events, self.include_global_service_events);
        set(&mut trail.is_multi_region_trail, self.is_multi_region_trail);
        set(&mut trail.log_file_validation_enabled, self.enable_log_file_validation);
        set(&mut trail.is_organization_trail, self.is_organization_trail);
        set(&mut trail.recursive_logging, self.recursive_logging);
        if trail.is_multi_region_trail && !trail.include_global_service_events {
            return Err(Code::InvalidParameterCombinationException
                .because("Multi-Region trail must include global service events."));
        }
        Ok(())
    }
}

/// `None` for an empty text.
fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A trail as CreateTrail and UpdateTrail answer it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SettingsOutput {
    name: String,
    s3_bucket_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_key_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sns_topic_name: Option<String>,
    #[serde(rename = "SnsTopicARN", skip_serializing_if = "Option::is_none")]
    sns_topic_arn: Option<String>,
    include_global_service_events: bool,
    is_multi_region_trail: bool,
    #[serde(rename = "TrailARN")]
    trail_arn: String,
    log_file_validation_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_watch_logs_log_group_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud_watch_logs_role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    is_organization_trail: bool,
    recursive_logging: bool,
}

impl From<Trail> for SettingsOutput {
    fn from(trail: Trail) -> SettingsOutput {
        SettingsOutput {
            trail_arn: trail.arn(),
            name: trail.name,
            s3_bucket_name: trail.s3_bucket_name,
            s3_key_prefix: trail.s3_key_prefix,
            sns_topic_name: trail.sns_topic_name,
            sns_topic_arn: trail.sns_topic_arn,
            include_global_service_events: trail.include_global_service_events,
            is_multi_region_trail: trail.is_multi_region_trail,
            log_file_validation_enabled: trail.log_file_validation_enabled,
            cloud_watch_logs_log_group_arn: trail.cloud_watch_logs_log_group_arn,
            cloud_watch_logs_role_arn: trail.cloud_watch_logs_role_arn,
            kms_key_id: trail.kms_key_id,
            is_organization_trail: trail.is_organization_trail,
            recursive_logging: trail.recursive_logging,
        }
    }
}

impl SettingsOutput {
    /// What a call cleared stands in its answer as an empty text (observed for the topic), and in no later one.
    pub(super) fn with_cleared(mut self, asked: &SettingsInput) -> SettingsOutput {
        let topic = asked.sns_topic_name.clone();
        for (shown, asked) in [
            (&mut self.s3_key_prefix, &asked.s3_key_prefix),
            (&mut self.sns_topic_name, &topic),
            (&mut self.sns_topic_arn, &topic),
            (&mut self.cloud_watch_logs_log_group_arn, &asked.cloud_watch_logs_log_group_arn),
            (&mut self.cloud_watch_logs_role_arn, &asked.cloud_watch_logs_role_arn),
            (&mut self.kms_key_id, &asked.kms_key_id),
        ] {
            if asked.as_deref() == Some("") {
                *shown = Some(String::new());
            }
        }
        self
    }
}

/// A trail as DescribeTrails and GetTrail answer it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Description {
    #[serde(flatten)]
    settings: SettingsOutput,
    home_region: Region,
    has_custom_event_selectors: bool,
    has_insight_selectors: bool,
}

impl From<Trail> for Description {
    fn from(trail: Trail) -> Description {
        Description {
            home_region: trail.home_region.clone(),
            has_custom_event_selectors: !trail.event_selectors.are_default(),
            has_insight_selectors: !trail.insight_selectors.is_empty(),
            settings: trail.into(),
        }
    }
}

/// A call whose only member is the trail's name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NameInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

impl OperationInput for NameInput {
    fn resources(&self) -> Vec<&str> {
        self.name.as_deref().into_iter().collect()
    }
}

/// The answer `{}`.
#[derive(Debug, Serialize)]
pub struct Nothing {}
