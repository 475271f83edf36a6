//! Log files: cut at the marks of the period, put in order, one destination after the other in each.

use crate::delivery::{AT_ONCE, Delivery, DeliveryReport, Flush};
use crate::domain::object_key;
use crate::outbound::Object;
use crate::store::{self, Destination, PutFile, Session, StoreResult, WaitingFile};
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use std::io::Write;

/// Events read at a time.
const PIECE: u32 = 200;

pub(super) async fn step(delivery: &Delivery, flush: Flush, report: &mut DeliveryReport) -> StoreResult<()> {
    cut(delivery, flush).await?;
    let waiting = delivery.store.read().await?.deliveries().waiting_destinations().await?;
    let ready = waiting.into_iter().filter(|d| delivery.may_try(d.retry_at, flush));
    let reports = futures_util::stream::iter(ready)
        .map(|destination| serve(delivery, destination))
        .buffered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    for part in reports {
        report.log_files.extend(part.log_files);
        report.failures.extend(part.failures);
    }
    Ok(())
}

/// Makes files of the pending events that are due. Their keys are fixed with that.
async fn cut(delivery: &Delivery, flush: Flush) -> StoreResult<()> {
    let due = |uncut: Vec<store::Uncut>| uncut.into_iter().filter(|u| delivery.is_due(u, flush)).collect();
    let uncut: Vec<_> = due(delivery.store.read().await?.deliveries().uncut("log_file").await?);
    if uncut.is_empty() {
        return Ok(());
    }
    let (now, mark) = (delivery.now_millis(), delivery.last_mark());
    let mut session = delivery.store.write().await?;
    // Looked up again: meanwhile more may have come, or a trail's bucket may have changed.
    let uncut: Vec<_> = due(session.deliveries().uncut("log_file").await?);
    for uncut in uncut {
        let destination = uncut.destination;
        let Some(last) = session.deliveries().last_pending(destination.id).await? else { continue };
        // A file on time carries the mark's time, one before its time the slot to come.
        let on_time = flush == Flush::No && !uncut.due;
        let time = if on_time { mark } else { delivery.clock.now() };
        let key = key(delivery, &destination, time);
        let webhook = delivery.outbound.has_webhook();
        session.deliveries().cut_file(&destination, (uncut.first_number, last), &key, webhook, now).await?;
    }
    session.commit().await
}

fn key(delivery: &Delivery, destination: &Destination, time: DateTime<Utc>) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digits = delivery.ids.secret();
    let unique = digits.iter().rev().take(object_key::UNIQUE);
    let unique: String =
        unique.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
    let prefix = destination.s3_key_prefix.as_deref();
    object_key::log_file(prefix, &destination.account, &destination.region, time, &unique)
}

/// Puts the waiting files of a destination, in order, until none is left or one fails.
async fn serve(delivery: &Delivery, mut destination: Destination) -> StoreResult<DeliveryReport> {
    let mut report = DeliveryReport::default();
    loop {
        let file = delivery.store.read().await?.deliveries().next_waiting_file(destination.id).await?;
        let Some(mut file) = file else { return Ok(report) };
        let Some((body, put)) = build(delivery, &destination, &mut file).await? else {
            let mut session = delivery.store.write().await?;
            session.deliveries().drop_file(destination.id, &file).await?;
            session.commit().await?;
            continue;
        };
        let object = Object {
            bucket: file.s3_bucket_name.clone(),
            key: file.s3_object_key.clone(),
            body,
            metadata: Vec::new(),
            kms_key_id: file.kms_key_id.clone(),
        };
        let sent = delivery.outbound.put_object(&destination.trail_account, object).await;
        let now = delivery.now_millis();
        match sent {
            Ok(()) => {
                let mut session = delivery.store.write().await?;
                if session.deliveries().file_stored(destination.id, &file, &put, now).await? {
                    session
                        .trails()
                        .record_delivery(&destination.whose(), store::DeliveryKind::LogFile, Ok(now))
                        .await?;
                    if destination.log_group_arn.is_some() && !delivery.outbound.has_logs() {
                        let missing = Err("NotConfigured: no [delivery] logs_endpoint is set");
                        session
                            .trails()
                            .record_delivery(
                                &destination.whose(),
                                store::DeliveryKind::CloudWatchLogs,
                                missing,
                            )
                            .await?;
                    }
                    if destination.failures > 0 {
                        session.deliveries().set_retry(destination.id, false, 0, None).await?;
                        destination.failures = 0;
                        tracing::info!(
                            trail = destination.trail_name,
                            region = destination.region,
                            "log files are delivered again"
                        );
                    }
                    report.log_files.push((file.s3_bucket_name, file.s3_object_key));
                    delivery.metrics.file_delivered(put.events, put.bytes);
                }
                session.commit().await?;
            }
            Err(failure) => {
                delivery.failed(&destination, store::DeliveryKind::LogFile, &failure, &mut report).await?;
                if delivery.is_too_old(file.created_at) {
                    let mut session = delivery.store.write().await?;
                    session.deliveries().abandon_file(destination.id, &file).await?;
                    session.commit().await?;
                    tracing::error!(
                        bucket = file.s3_bucket_name,
                        key = file.s3_object_key,
                        events = put.events,
                        "a log file was given up after 30 days"
                    );
                }
                return Ok(report);
            }
        }
    }
}

/// The object of a file: `{"Records":[…]}` as one gzip member, and what is noted about it. `None` when none of its
/// events is left. A file that would grow too large is shortened; the same events always make the same object.
async fn build(
    delivery: &Delivery,
    destination: &Destination,
    file: &mut WaitingFile,
) -> StoreResult<Option<(Vec<u8>, PutFile)>> {
    let limit = usize::try_from(delivery.settings.max_file_bytes).unwrap_or(usize::MAX);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    let mut hash = Sha256::new();
    let (mut events, mut oldest, mut newest) = (0, i64::MAX, i64::MIN);
    let mut next = file.first_number;
    'pieces: loop {
        let mut session = delivery.store.read().await?;
        let piece =
            session.deliveries().pending_events(destination.id, (next, file.last_number), PIECE).await?;
        drop(session);
        if piece.is_empty() {
            break;
        }
        for event in piece {
            add(&mut gzip, &mut hash, if events == 0 { r#"{"Records":["# } else { "," });
            add(&mut gzip, &mut hash, &event.record);
            events += 1;
            oldest = oldest.min(event.event_time);
            newest = newest.max(event.event_time);
            next = event.number + 1;
            if gzip.get_ref().len() >= limit && next <= file.last_number {
                split(delivery, destination, file, event.number).await?;
                break 'pieces;
            }
        }
    }
    if events == 0 {
        return Ok(None);
    }
    add(&mut gzip, &mut hash, "]}");
    // Writing into memory does not fail.
    let body = gzip.finish().unwrap_or_default();
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
    Ok(Some((body, PutFile { events, bytes, sha256, oldest_event_time: oldest, newest_event_time: newest })))
}

/// Ends a file that has grown large enough at `last`; what is behind becomes a file of its own.
async fn split(
    delivery: &Delivery,
    destination: &Destination,
    file: &mut WaitingFile,
    last: i64,
) -> StoreResult<()> {
    let (key, now) = (key(delivery, destination, delivery.clock.now()), delivery.now_millis());
    let behind = (last + 1, file.last_number);
    let mut session = delivery.store.write().await?;
    session.deliveries().shorten_file(file.id, last).await?;
    session.deliveries().cut_file(destination, behind, &key, delivery.outbound.has_webhook(), now).await?;
    session.commit().await?;
    file.last_number = last;
    Ok(())
}

fn add(gzip: &mut GzEncoder<Vec<u8>>, hash: &mut Sha256, text: &str) {
    hash.update(text);
    // Writing into memory does not fail.
    let _ = gzip.write_all(text.as_bytes());
}
