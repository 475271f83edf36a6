//! EventBridge: each management event once, however many trails take it, as soon as it is stored.

use crate::delivery::{AT_ONCE, Delivery, DeliveryReport, Flush};
use crate::outbound::BusEvent;
use crate::store::{PendingEvent, Session, StoreResult, Uncut};
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;
use std::borrow::Cow;

/// Entries in one PutEvents, and their bytes together (its documentation).
const MAX_ENTRIES: u32 = 10;
const MAX_BYTES: usize = 256 * 1024;

/// What a detail may leave for the rest of its entry.
const ENVELOPE: usize = 512;

pub(super) async fn step(delivery: &Delivery, flush: Flush, report: &mut DeliveryReport) -> StoreResult<()> {
    let waiting = delivery.store.read().await?.deliveries().uncut("event_bus").await?;
    let ready = waiting.into_iter().filter(|u| delivery.may_try(u.destination.retry_at, flush));
    let reports = futures_util::stream::iter(ready)
        .map(|uncut| serve(delivery, uncut))
        .buffered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    report.failures.extend(reports.into_iter().flat_map(|part| part.failures));
    Ok(())
}

async fn serve(delivery: &Delivery, uncut: Uncut) -> StoreResult<DeliveryReport> {
    let mut report = DeliveryReport::default();
    let mut destination = uncut.destination;
    let mut first = uncut.first_number;
    let last = delivery.store.read().await?.deliveries().last_pending(destination.id).await?;
    let Some(last) = last else { return Ok(report) };
    while first <= last {
        let mut session = delivery.store.read().await?;
        let pending = session.deliveries().pending_events(destination.id, (first, last), MAX_ENTRIES).await?;
        drop(session);
        let (events, upto) = batch(pending).unwrap_or((Vec::new(), last));
        let sent = if events.is_empty() {
            Ok(())
        } else {
            delivery.outbound.put_events(&destination.account, &destination.region, events).await
        };
        let mut session = delivery.store.write().await?;
        match sent {
            Ok(()) => {
                session.deliveries().no_longer_pending(destination.id, (first, upto)).await?;
                if destination.failures > 0 {
                    session.deliveries().set_retry(destination.id, false, 0, None).await?;
                    destination.failures = 0;
                }
                session.commit().await?;
                first = upto + 1;
            }
            Err(failure) => {
                let failures = destination.failures + 1;
                if failures == 1 {
                    tracing::warn!(
                        account = destination.account,
                        region = destination.region,
                        code = failure.code,
                        message = failure.message,
                        "the event bus failed; it will be tried again"
                    );
                }
                delivery.metrics.delivery_failed("events");
                session
                    .deliveries()
                    .set_retry(destination.id, false, failures, Some(delivery.next_try(failures)))
                    .await?;
                if first == uncut.first_number && delivery.is_too_old(uncut.first_stored_at) {
                    session.deliveries().no_longer_pending(destination.id, (first, upto)).await?;
                    tracing::error!(
                        region = destination.region,
                        "events for the bus were given up after 30 days"
                    );
                }
                session.commit().await?;
                report.failures.push(format!("event bus of {}: {failure}", destination.region));
                return Ok(report);
            }
        }
    }
    Ok(report)
}

/// As many events as fit into one call, and the number of arrival of the last one settled with it. `None` when there is
/// none.
fn batch(pending: Vec<PendingEvent>) -> Option<(Vec<BusEvent>, i64)> {
    let (mut events, mut bytes, mut upto) = (Vec::new(), 0, None);
    for event in pending {
        // Events over the limit are not sent: user guide.
        if event.record.len() + ENVELOPE <= MAX_BYTES {
            if bytes + event.record.len() + ENVELOPE > MAX_BYTES {
                break;
            }
            bytes += event.record.len() + ENVELOPE;
            upto = Some(event.number);
            events.push(entry(event));
        } else {
            upto = Some(event.number);
        }
    }
    Some((events, upto?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind<'a> {
    #[serde(borrow, default)]
    event_type: Cow<'a, str>,
}

/// EventBridge's envelope for a record (EventBridge user guide, "Events delivered via CloudTrail").
fn entry(event: PendingEvent) -> BusEvent {
    let kind = serde_json::from_str::<Kind<'_>>(&event.record).map(|k| k.event_type.into_owned());
    let detail_type = match kind.as_deref() {
        Ok("AwsConsoleSignIn") => "AWS Console Sign In via CloudTrail",
        Ok("AwsServiceEvent") => "AWS Service Event via CloudTrail",
        Ok("AwsConsoleAction") => "AWS Console Action via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    let service = event.event_source.strip_suffix(".amazonaws.com").unwrap_or(&event.event_source);
    BusEvent {
        source: format!("aws.{service}"),
        detail_type: detail_type.to_owned(),
        time: event.event_time,
        detail: event.record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_which_service_and_what_kind_of_event() {
        let event = |record: &str| PendingEvent {
            number: 1,
            event_time: 7,
            event_source: "signin.amazonaws.com".into(),
            record: record.into(),
        };
        let sign_in = entry(event(r#"{"eventType":"AwsConsoleSignIn"}"#));
        assert_eq!((sign_in.source.as_str(), sign_in.time), ("aws.signin", 7));
        assert_eq!(sign_in.detail_type, "AWS Console Sign In via CloudTrail");
        assert_eq!(entry(event("{}")).detail_type, "AWS API Call via CloudTrail");
    }
}
