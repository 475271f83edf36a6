//! GetTrailStatus: whether a trail is logging, since when, and what came of its deliveries.

use crate::api::trails::{NameInput, Purpose, find};
use crate::api::{Context, Operation};
use crate::domain::timestamp::Timestamp;
use crate::error::ApiResult;
use crate::store::{ReadSession, Session, TrailStatus};
use serde::Serialize;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html>
#[derive(Debug)]
pub struct GetTrailStatus;

/// What is answered. The last six are of the API's first days and still sent: a time as text, or an empty text (the two
/// that end on `Succeeded` hold a time as well).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    is_logging: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_delivery_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_notification_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_delivery_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_notification_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_logging_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_logging_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_cloud_watch_logs_delivery_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_cloud_watch_logs_delivery_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_digest_delivery_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_digest_delivery_error: Option<String>,
    latest_delivery_attempt_time: String,
    latest_notification_attempt_time: String,
    latest_notification_attempt_succeeded: String,
    latest_delivery_attempt_succeeded: String,
    time_logging_started: String,
    time_logging_stopped: String,
}

impl From<TrailStatus> for Output {
    fn from(status: TrailStatus) -> Output {
        let time = |millis: Option<i64>| millis.map(Timestamp::from_millis);
        let text = |millis: Option<i64>| time(millis).map(Timestamp::iso).unwrap_or_default();
        Output {
            is_logging: status.is_logging,
            latest_delivery_error: status.latest_delivery_error,
            latest_notification_error: status.latest_notification_error,
            latest_delivery_time: time(status.latest_delivery_time),
            latest_notification_time: time(status.latest_notification_time),
            start_logging_time: time(status.start_logging_time),
            stop_logging_time: time(status.stop_logging_time),
            latest_cloud_watch_logs_delivery_error: status.latest_cloud_watch_logs_delivery_error,
            latest_cloud_watch_logs_delivery_time: time(status.latest_cloud_watch_logs_delivery_time),
            latest_digest_delivery_time: time(status.latest_digest_delivery_time),
            latest_digest_delivery_error: status.latest_digest_delivery_error,
            latest_delivery_attempt_time: text(status.latest_delivery_time),
            latest_notification_attempt_time: text(status.latest_notification_time),
            latest_notification_attempt_succeeded: text(status.latest_notification_time),
            latest_delivery_attempt_succeeded: text(status.latest_delivery_time),
            time_logging_started: text(status.start_logging_time),
            time_logging_stopped: text(status.stop_logging_time),
        }
    }
}

impl Operation for GetTrailStatus {
    const NAME: &'static str = "GetTrailStatus";
    type Session = ReadSession;
    type Input = NameInput;
    type Output = Output;

    async fn call(input: NameInput, context: &mut Context<'_, ReadSession>) -> ApiResult<Output> {
        let trail = find(context, input.name.as_deref(), Purpose::Read).await?;
        Ok(context.db.trails().status(&trail, &context.caller.region).await?.into())
    }
}
