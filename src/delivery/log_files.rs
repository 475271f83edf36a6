//! Log files: cut at the marks of the period, put in order.

use crate::delivery::engine::{self, Item, Kind, Outcome, Part, Recipient};
use crate::delivery::{Delivery, DeliveryReport, Flush};
use crate::domain::object_key;
use crate::domain::text::hex;
use crate::outbound::{Failure, Object};
use crate::store::{
    Destination, DestinationKind, PieceBounds, PutFile, Session, StoreResult, Uncut, WaitingFile,
    WriteSession,
};
use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write;

/// What is read at a time.
const PIECE: PieceBounds = PieceBounds { events: 200, bytes: 4 * 1024 * 1024 };

/// Makes files of the pending events that are due. Their names are fixed with that.
pub(super) async fn cut(delivery: &Delivery, flush: Flush) -> StoreResult<()> {
    let is_due = |u: &Uncut| flush == Flush::Yes || u.destination.due || delivery.is_due(u.first_stored_at);
    if !delivery.store.read().await?.deliveries().uncut().await?.iter().any(is_due) {
        return Ok(());
    }
    let mut db = delivery.store.write().await?;
    // Looked up again: meanwhile more may have come.
    for uncut in db.deliveries().uncut().await?.iter().filter(|u| is_due(u)) {
        let destination = &uncut.destination;
        let Some(last) = db.deliveries().last_pending(destination.id).await? else { continue };
        // A file on time carries the mark's time, one before its time the slot to come.
        let is_on_time = flush == Flush::No && !destination.due;
        let time = if is_on_time { delivery.last_mark() } else { delivery.clock.now() };
        let name = name(delivery, destination, time);
        let numbers = (uncut.first_number, last);
        db.deliveries().cut_file(destination.id, numbers, &name, delivery.now_millis()).await?;
    }
    db.commit().await
}

fn name(delivery: &Delivery, destination: &Destination, time: DateTime<Utc>) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digits = delivery.ids.secret();
    let unique = digits.iter().rev().take(object_key::UNIQUE);
    let unique: String =
        unique.map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
    object_key::log_file(&destination.account, &destination.region, time, &unique)
}

/// The log files of trails.
pub(super) struct LogFiles<'a>(pub(super) &'a Delivery);

/// A file with its object: `{"Records":[…]}` as one gzip member.
pub(super) struct LogFile {
    file: WaitingFile,
    body: Vec<u8>,
    put: PutFile,
}

impl Kind for LogFiles<'_> {
    type Item = LogFile;

    const TARGET: &'static str = "s3";

    async fn next(&self, recipient: &Recipient, part: Part) -> StoreResult<Option<LogFile>> {
        let id = recipient.destination.id;
        loop {
            let file = self.0.store.read().await?.deliveries().next_waiting_file(id).await?;
            let Some(file) = file.filter(|file| file.first_number <= part.until) else { return Ok(None) };
            match self.build(recipient, file).await? {
                Built::File(file) => return Ok(Some(*file)),
                Built::Nothing(file) => {
                    let mut db = self.0.store.write().await?;
                    db.deliveries().drop_file(id, &file).await?;
                    db.commit().await?;
                }
            }
        }
    }

    async fn send(&self, recipient: &Recipient, item: &mut LogFile) -> Result<Outcome, Failure> {
        // A log file's trail is there until it is delivered.
        let Some(trail) = &recipient.trail else { return Ok(Outcome::Unwanted) };
        item.put.s3_bucket_name = trail.s3_bucket_name.clone();
        item.put.s3_object_key =
            object_key::with_prefix(trail.s3_key_prefix.as_deref(), &item.file.object_name);
        item.put.validated = trail.log_file_validation_enabled;
        let object = Object {
            bucket: item.put.s3_bucket_name.clone(),
            key: item.put.s3_object_key.clone(),
            body: std::mem::take(&mut item.body),
            metadata: Vec::new(),
            kms_key_id: trail.kms_key_id.clone(),
        };
        self.0.outbound.put_object(&trail.account, object).await?;
        Ok(Outcome::Taken)
    }
}

impl Item for LogFile {
    fn waits_since(&self) -> i64 {
        self.file.created_at
    }

    async fn settle(
        &self,
        db: &mut WriteSession,
        Recipient { destination, trail }: &Recipient,
        delivery: &Delivery,
    ) -> StoreResult<()> {
        // Its trail is there until everything that it took is delivered.
        let Some(trail) = trail else { return db.deliveries().drop_file(destination.id, &self.file).await };
        let topic = trail.sns_topic_arn.as_ref().map(|_| DestinationKind::Topic);
        let webhook = delivery.outbound.has_webhook().then_some(DestinationKind::Webhook);
        let announce: Vec<_> = topic.into_iter().chain(webhook).collect();
        let now = delivery.now_millis();
        db.deliveries().file_stored(destination, &self.file, &self.put, &announce, now).await?;
        delivery.metrics.file_delivered(self.put.events, self.put.bytes);
        Ok(())
    }

    async fn give_up(db: &mut WriteSession, destination: i64, before: i64) -> StoreResult<u64> {
        db.deliveries().abandon_files(destination, before, engine::PIECE).await
    }

    fn report(self, report: &mut DeliveryReport) {
        report.log_files.push((self.put.s3_bucket_name, self.put.s3_object_key));
    }
}

/// What became of making an object.
enum Built {
    File(Box<LogFile>),
    /// None of the file's events is left.
    Nothing(WaitingFile),
}

impl LogFiles<'_> {
    /// Makes the object of a file. One that would grow too large is shortened; the same events always make the same
    /// object.
    async fn build(&self, recipient: &Recipient, mut file: WaitingFile) -> StoreResult<Built> {
        let (delivery, id) = (self.0, recipient.destination.id);
        let _packing = delivery.serving.packing().await;
        let limit = usize::try_from(delivery.settings.max_file_bytes).unwrap_or(usize::MAX);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut hash = Sha256::new();
        let (mut events, mut oldest, mut newest) = (0, i64::MAX, i64::MIN);
        let mut next = file.first_number;
        'pieces: loop {
            let mut db = delivery.store.read().await?;
            let piece = db.deliveries().pending_events(id, (next, file.last_number), PIECE).await?;
            drop(db);
            if piece.events.is_empty() {
                break;
            }
            for event in piece.events {
                add(&mut gzip, &mut hash, if events == 0 { r#"{"Records":["# } else { "," });
                add(&mut gzip, &mut hash, &event.record);
                events += 1;
                oldest = oldest.min(event.event_time);
                newest = newest.max(event.event_time);
                next = event.number + 1;
                if gzip.get_ref().len() >= limit && next <= file.last_number {
                    self.split(&recipient.destination, &mut file, event.number).await?;
                    break 'pieces;
                }
            }
        }
        if events == 0 {
            return Ok(Built::Nothing(file));
        }
        add(&mut gzip, &mut hash, "]}");
        // Writing into memory does not fail.
        let body = gzip.finish().unwrap_or_default();
        let put = PutFile {
            s3_bucket_name: String::new(),
            s3_object_key: String::new(),
            events,
            bytes: i64::try_from(body.len()).unwrap_or(i64::MAX),
            sha256: hex(&hash.finalize()),
            oldest_event_time: oldest,
            newest_event_time: newest,
            validated: false,
        };
        Ok(Built::File(Box::new(LogFile { file, body, put })))
    }

    /// Ends a file that has grown large enough at `last`; what is behind becomes a file of its own.
    async fn split(&self, destination: &Destination, file: &mut WaitingFile, last: i64) -> StoreResult<()> {
        let name = name(self.0, destination, self.0.clock.now());
        let behind = (last + 1, file.last_number);
        let mut db = self.0.store.write().await?;
        db.deliveries().shorten_file(file.id, last).await?;
        db.deliveries().cut_file(destination.id, behind, &name, self.0.now_millis()).await?;
        db.commit().await?;
        file.last_number = last;
        Ok(())
    }
}

fn add(gzip: &mut GzEncoder<Vec<u8>>, hash: &mut Sha256, text: &str) {
    hash.update(text);
    // Writing into memory does not fail.
    let _ = gzip.write_all(text.as_bytes());
}
