//! CloudWatch Logs: each record is one log event in the trail's log group.

use crate::delivery::{AT_ONCE, Delivery, DeliveryReport, Flush};
use crate::store::{self, Destination, PendingEvent, Session, StoreResult, Uncut};
use futures_util::{StreamExt, TryStreamExt};

/// Log events in one PutLogEvents (its documentation).
const MAX_EVENTS: u32 = 10_000;

/// Bytes in one PutLogEvents, and what each event counts beside its own (its documentation).
const MAX_BYTES: usize = 1_048_576;
const OVERHEAD: usize = 26;

/// The largest log event; larger records are skipped, as AWS does (user guide: 256 KB).
const MAX_RECORD: usize = 256 * 1024 - OVERHEAD;

pub(super) async fn step(delivery: &Delivery, flush: Flush, report: &mut DeliveryReport) -> StoreResult<()> {
    let uncut = delivery.store.read().await?.deliveries().uncut("log_stream").await?;
    // What a call has refused is tried again when its pause is over, not at the next mark.
    let due = |u: &Uncut| delivery.is_due(u, flush) || u.destination.failures > 0;
    let ready = uncut.into_iter().filter(|u| due(u) && delivery.may_try(u.destination.retry_at, flush));
    let reports = futures_util::stream::iter(ready)
        .map(|uncut| serve(delivery, uncut))
        .buffered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    report.failures.extend(reports.into_iter().flat_map(|part| part.failures));
    Ok(())
}

/// Puts what was pending for a destination when the step began, until one call fails.
async fn serve(delivery: &Delivery, uncut: Uncut) -> StoreResult<DeliveryReport> {
    let mut report = DeliveryReport::default();
    let destination = uncut.destination;
    let mut first = uncut.first_number;
    let last = delivery.store.read().await?.deliveries().last_pending(destination.id).await?;
    let Some(last) = last else { return Ok(report) };
    let Some(group) = destination.log_group_arn.as_deref() else {
        // The trail has no log group any more.
        settle(delivery, &destination, (first, last), None).await?;
        return Ok(report);
    };
    let stream = format!("{}_CloudTrail_{}", destination.account, destination.region);
    while first <= last {
        let mut session = delivery.store.read().await?;
        let pending = session.deliveries().pending_events(destination.id, (first, last), MAX_EVENTS).await?;
        drop(session);
        let Some((records, upto)) = batch(pending) else {
            settle(delivery, &destination, (first, last), None).await?;
            break;
        };
        // The time of delivery, not of the events: observed.
        let now = delivery.now_millis();
        let sent = if records.is_empty() {
            Ok(())
        } else {
            delivery.outbound.put_log_events(&destination.trail_account, group, &stream, now, records).await
        };
        if let Err(failure) = sent {
            delivery.failed(&destination, store::DeliveryKind::CloudWatchLogs, &failure, &mut report).await?;
            if first == uncut.first_number && delivery.is_too_old(uncut.first_stored_at) {
                settle(delivery, &destination, (first, upto), None).await?;
                tracing::error!(group, "records for a log group were given up after 30 days");
            }
            return Ok(report);
        }
        settle(delivery, &destination, (first, upto), Some(now)).await?;
        first = upto + 1;
    }
    Ok(report)
}

/// As many records as fit into one call, and the number of arrival of the last event that is settled with it. `None`
/// when there is no event.
fn batch(pending: Vec<PendingEvent>) -> Option<(Vec<String>, i64)> {
    let (mut records, mut bytes, mut upto) = (Vec::new(), 0, None);
    for event in pending {
        let size = event.record.len() + OVERHEAD;
        if event.record.len() <= MAX_RECORD {
            if bytes + size > MAX_BYTES {
                break;
            }
            bytes += size;
            records.push(event.record);
        }
        upto = Some(event.number);
    }
    Some((records, upto?))
}

/// Notes that events have gone out (at a time), or need not.
async fn settle(
    delivery: &Delivery,
    destination: &Destination,
    numbers: (i64, i64),
    delivered_at: Option<i64>,
) -> StoreResult<()> {
    let mut session = delivery.store.write().await?;
    session.deliveries().no_longer_pending(destination.id, numbers).await?;
    if let Some(at) = delivered_at {
        session
            .trails()
            .record_delivery(&destination.whose(), store::DeliveryKind::CloudWatchLogs, Ok(at))
            .await?;
    }
    if destination.failures > 0 {
        session.deliveries().set_retry(destination.id, false, 0, None).await?;
    }
    session.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(number: i64, bytes: usize) -> PendingEvent {
        let record = "r".repeat(bytes);
        PendingEvent { number, event_time: 0, event_source: String::new(), record }
    }

    #[test]
    fn a_call_takes_no_more_than_a_megabyte() {
        let event = 262_144 - 2 * OVERHEAD;
        let (records, upto) = batch((1..=6).map(|n| pending(n, event)).collect()).unwrap();
        assert_eq!((records.len(), upto), (4, 4));
    }

    #[test]
    fn a_record_too_large_for_a_log_event_is_skipped() {
        let (records, upto) = batch(vec![pending(1, 10), pending(2, 262_144), pending(3, 10)]).unwrap();
        assert_eq!((records.len(), upto), (2, 3));
        let (records, upto) = batch(vec![pending(1, 262_144)]).unwrap();
        assert_eq!((records.len(), upto), (0, 1));
        assert_eq!(batch(vec![]), None);
    }
}
