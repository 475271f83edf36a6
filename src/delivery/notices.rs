//! Announcements of stored log files: at the trail's topic, and at the webhook.

use crate::delivery::{AT_ONCE, Delivery, DeliveryReport, Flush};
use crate::store::{self, Destination, Session, StoreResult, Unannounced};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;

pub(super) async fn step(delivery: &Delivery, flush: Flush, report: &mut DeliveryReport) -> StoreResult<()> {
    let waiting = delivery.store.read().await?.deliveries().unannounced_destinations().await?;
    let ready = waiting.into_iter().filter(|d| delivery.may_try(d.notice_retry_at, flush));
    let reports = futures_util::stream::iter(ready)
        .map(|destination| serve(delivery, destination))
        .buffered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    report.failures.extend(reports.into_iter().flat_map(|part| part.failures));
    Ok(())
}

/// Announces the files of a destination, in order, until none is left or one fails.
async fn serve(delivery: &Delivery, mut destination: Destination) -> StoreResult<DeliveryReport> {
    let mut report = DeliveryReport::default();
    loop {
        let files = delivery.store.read().await?.deliveries().unannounced_files(destination.id).await?;
        if files.is_empty() {
            return Ok(report);
        }
        for file in files {
            if !announce(delivery, &mut destination, &file, &mut report).await? {
                return Ok(report);
            }
        }
    }
}

/// Announces one file; whether it is settled.
async fn announce(
    delivery: &Delivery,
    destination: &mut Destination,
    file: &Unannounced,
    report: &mut DeliveryReport,
) -> StoreResult<bool> {
    // One key a message: observed.
    let message = json!({"s3Bucket": file.s3_bucket_name, "s3ObjectKey": [file.s3_object_key]}).to_string();
    let mut failed = None;
    let mut told = (!file.notify, !file.webhook);
    if let Some(topic) = file.sns_topic_arn.as_deref().filter(|_| file.notify) {
        match delivery.outbound.publish(&destination.trail_account, topic, &message).await {
            Ok(()) => told.0 = true,
            Err(failure) if failure.code == "NotConfigured" => {
                // There is nobody to tell, now or later: the status says so, and the file is settled.
                told.0 = true;
                let mut session = delivery.store.write().await?;
                let what = store::DeliveryKind::Notification;
                session.trails().record_delivery(&destination.whose(), what, Err(&failure.message)).await?;
                session.deliveries().file_announced(file.id, true, false).await?;
                session.commit().await?;
                return Ok(told.1 || webhook(delivery, destination, file, &message, report).await?);
            }
            Err(failure) => failed = Some(failure),
        }
    }
    if told.0 {
        let now = delivery.now_millis();
        let mut session = delivery.store.write().await?;
        session.deliveries().file_announced(file.id, true, false).await?;
        if file.notify {
            session
                .trails()
                .record_delivery(&destination.whose(), store::DeliveryKind::Notification, Ok(now))
                .await?;
        }
        if told.1 && destination.notice_failures > 0 {
            session.deliveries().set_retry(destination.id, true, 0, None).await?;
            destination.notice_failures = 0;
        }
        session.commit().await?;
    }
    if let Some(failure) = failed {
        delivery.failed(destination, store::DeliveryKind::Notification, &failure, report).await?;
        give_up_if_old(delivery, file).await?;
        return Ok(false);
    }
    Ok(told.1 || webhook(delivery, destination, file, &message, report).await?)
}

/// Tells the webhook; whether it took it.
async fn webhook(
    delivery: &Delivery,
    destination: &mut Destination,
    file: &Unannounced,
    message: &str,
    report: &mut DeliveryReport,
) -> StoreResult<bool> {
    match delivery.outbound.post_webhook(message).await {
        Err(failure) if failure.code != "NotConfigured" => {
            let failures = destination.notice_failures + 1;
            if failures == 1 {
                tracing::warn!(
                    code = failure.code,
                    message = failure.message,
                    "the webhook failed; it will be tried again"
                );
            }
            delivery.metrics.delivery_failed("webhook");
            report.failures.push(format!("webhook of {}: {failure}", destination.trail_name));
            let mut session = delivery.store.write().await?;
            session
                .deliveries()
                .set_retry(destination.id, true, failures, Some(delivery.next_try(failures)))
                .await?;
            session.commit().await?;
            give_up_if_old(delivery, file).await?;
            Ok(false)
        }
        // Without a webhook any more there is nobody to tell.
        _ => {
            let mut session = delivery.store.write().await?;
            session.deliveries().file_announced(file.id, false, true).await?;
            if destination.notice_failures > 0 {
                session.deliveries().set_retry(destination.id, true, 0, None).await?;
                destination.notice_failures = 0;
            }
            session.commit().await?;
            Ok(true)
        }
    }
}

async fn give_up_if_old(delivery: &Delivery, file: &Unannounced) -> StoreResult<()> {
    if delivery.is_too_old(file.created_at) {
        let mut session = delivery.store.write().await?;
        session.deliveries().file_announced(file.id, true, true).await?;
        session.commit().await?;
        tracing::error!(key = file.s3_object_key, "a notification was given up after 30 days");
    }
    Ok(())
}
