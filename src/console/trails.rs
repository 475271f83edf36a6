//! Every trail with what became of its deliveries, and which deliveries fail.

use crate::console::Console;
use crate::console::parameters::Parameters;
use crate::console::refusal::Refusal;
use crate::console::selectors;
use crate::console::{bounded_reader, reader};
use crate::guard::Ours;
use crate::store::{FailingDestination, Session, StoreResult, Trail, TrailBacklog, TrailFile};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

/// Log files shown of a trail, unless the call says otherwise.
const FILES: u32 = 50;

/// Periods whose events are shown.
const PERIODS: u32 = 24;

/// Digests shown of a trail.
const DIGESTS: u32 = 48;

/// Answers with all trails of all accounts.
pub(super) async fn trails(
    _: Ours,
    request: HttpRequest,
    console: web::Data<Console>,
) -> Result<HttpResponse, Refusal> {
    let parameters = Parameters::without_filter(request.query_string(), &["files"])?;
    let files = parameters.number("files", 0..=1000)?.unwrap_or(FILES);
    let mut session = reader(&console).await?;
    let mut trails = Vec::new();
    for trail in session.trails().all().await? {
        trails.push(describe(&mut session, &trail, files, &console).await?);
    }
    Ok(HttpResponse::Ok().json(json!({ "trails": trails })))
}

/// `GET /_contrail/failing`: the destinations whose last try failed.
pub(super) async fn failing(
    _: Ours,
    request: HttpRequest,
    console: web::Data<Console>,
) -> Result<HttpResponse, Refusal> {
    Parameters::without_filter(request.query_string(), &[])?;
    let failing = bounded_reader(&console).await?.deliveries().failing().await?;
    let failing: Vec<Value> = failing.iter().map(describe_failing).collect();
    Ok(HttpResponse::Ok().json(json!({ "failing": failing })))
}

fn describe_failing(destination: &FailingDestination) -> Value {
    json!({
        "kind": destination.kind,
        "account": destination.account,
        "region": destination.region,
        "failures": destination.failures,
        "error": destination.error,
        "trail": (!destination.trail.is_empty()).then(|| json!({
            "name": destination.trail,
            "account": destination.trail_account,
            "region": destination.home_region,
            "deleted": destination.trail_deleted,
        })),
    })
}

async fn describe(
    session: &mut impl Session,
    trail: &Trail,
    files: u32,
    console: &Console,
) -> StoreResult<Value> {
    let status = session.trails().status_everywhere(trail.id).await?;
    let backlog = session.deliveries().of_trail(trail.id).await?;
    let per_period = session.deliveries().events_per_period(trail.id, PERIODS).await?;
    let digests = session.digests().of_trail(trail.id, DIGESTS).await?;
    let found = session.deliveries().files_of_trail(trail.id, files.max(1)).await?;
    let last = |time: Option<i64>, error: &Option<String>| match (time, error) {
        (None, None) => Value::Null,
        (time, error) => json!({"time": time.map(seconds), "error": error}),
    };
    let error = status.latest_delivery_error.as_deref();
    Ok(json!({
        "name": trail.name,
        "arn": trail.arn(),
        "account": trail.account.as_str(),
        "region": trail.home_region.as_str(),
        "logging": status.is_logging,
        "started": status.start_logging_time.map(seconds),
        "stopped": status.stop_logging_time.map(seconds),
        "multi_region": trail.is_multi_region_trail,
        "global_events": trail.include_global_service_events,
        "bucket": trail.s3_bucket_name,
        "prefix": trail.s3_key_prefix,
        "topic": trail.sns_topic_arn,
        "log_group": trail.cloud_watch_logs_log_group_arn,
        "validation": trail.log_file_validation_enabled,
        "kms_key": trail.kms_key_id,
        "selectors": selectors::summary(&trail.event_selectors),
        "pending": backlog.pending_events,
        "next": next_try(&backlog, console).map(seconds),
        "last": {
            "s3": last(status.latest_delivery_time, &status.latest_delivery_error),
            "sns": last(status.latest_notification_time, &status.latest_notification_error),
            "logs": last(
                status.latest_cloud_watch_logs_delivery_time,
                &status.latest_cloud_watch_logs_delivery_error,
            ),
            "digest": last(status.latest_digest_delivery_time, &status.latest_digest_delivery_error),
            "webhook": webhook(&found, console),
        },
        "per_period": per_period,
        "files": found.iter().take(files as usize).map(|file| describe_file(file, error)).collect::<Vec<_>>(),
        "digests": digests.iter().map(|digest| json!({
            "region": digest.region,
            "from": digest.start_time,
            "time": digest.end_time,
            "log_files": digest.log_files,
            "state": digest.state,
            "key": digest.s3_object_key,
        })).collect::<Vec<_>>(),
    }))
}

fn describe_file(file: &TrailFile, error: Option<&str>) -> Value {
    let error = match file.state.as_str() {
        "waiting" if file.failures > 0 => error,
        "abandoned" => Some("given up"),
        _ => None,
    };
    json!({
        "time": seconds(file.stored_at.unwrap_or(file.created_at)),
        "key": file.s3_object_key,
        "state": file.state,
        "events": file.events,
        "bytes": file.bytes,
        "error": error,
        "attempts": file.failures,
    })
}

/// When the next log file is put, milliseconds since 1970: after a failure at the end of the pause, else at the end of the
/// period, which all trails share.
fn next_try(backlog: &TrailBacklog, console: &Console) -> Option<i64> {
    if backlog.pending_events == 0 {
        return None;
    }
    let period = i64::try_from(console.settings.delivery.period.0.as_millis()).unwrap_or(i64::MAX).max(1);
    let now = console.clock.now().timestamp_millis();
    let mark = now.saturating_sub(now.rem_euclid(period)).saturating_add(period);
    Some(backlog.retry_at.filter(|_| backlog.failures > 0).unwrap_or(mark))
}

/// What became of the latest log file at the webhook, which has no place in a trail's status.
fn webhook(files: &[TrailFile], console: &Console) -> Value {
    let stored = files.iter().filter(|file| file.state == "stored");
    match (&console.settings.delivery.webhook, stored.clone().next()) {
        (None, _) | (_, None) => Value::Null,
        (Some(_), Some(_)) => {
            let waiting = stored.clone().filter(|file| file.webhook).count();
            let announced = stored.clone().find(|file| !file.webhook).and_then(|file| file.stored_at);
            let error =
                (waiting > 0).then(|| format!("{waiting} of the last log files are still to be announced"));
            json!({"time": announced.map(seconds), "error": error})
        }
    }
}

/// Milliseconds as whole seconds.
fn seconds(millis: i64) -> i64 {
    millis.div_euclid(1000)
}
