//! Records from outside: bytes in, events stored, and a report of what became of each record.
//!
//! Bytes go through three stages, each in bounded memory: unpacked ([`unpack`](super::unpack)), cut into records
//! ([`splitter`](super::splitter)), read into events. Events are stored in batches; while one is being written, the
//! next one is read. What was stored stays stored, also when the rest turns out to be unusable.

use crate::aws::catalog::Catalog;
use crate::domain::account_id::AccountId;
use crate::domain::event::Event;
use crate::metrics::Metrics;
use crate::recorder::other_json::{looks_like, record_inside};
use crate::recorder::splitter::{Piece, Splitter};
use crate::recorder::unpack::{UnpackError, Unpacker};
use crate::recorder::writer::{NotStored, Pending, Writer};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Events in a batch: larger ones write fewer pages an event, and hold more memory (two of them at a time, some 12 MB).
const BATCH: usize = 4000;

/// Reasons that a report holds; more records can be rejected.
pub const MAX_REASONS: usize = 100;

/// What became of the records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeReport {
    /// Stored now.
    pub accepted: u64,
    /// Known already and ignored.
    pub duplicates: u64,
    /// The first [`MAX_REASONS`] records that were refused.
    pub rejected: Vec<Rejection>,
    /// How many were refused in all.
    pub rejected_count: u64,
}

/// A record that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Its place among the records, from 0.
    pub index: u64,
    /// Why.
    pub reason: String,
}

/// Why intake ended early. What was stored before that is in the report.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The packed data is not to be used.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    /// The database does not take events.
    #[error(transparent)]
    NotStored(#[from] NotStored),
}

/// How records are read.
#[derive(Debug, Clone)]
pub struct IntakeOptions {
    /// The account of records that name none.
    pub account: AccountId,
    /// Seconds added to the time of every record.
    pub shift: i64,
    /// Bytes that gzip may unpack to.
    pub max_unpacked_bytes: u64,
    /// Says what records do not say of themselves.
    pub catalog: Arc<Catalog>,
}

/// One stream of records on its way into the store.
#[derive(Debug)]
pub struct Intake {
    writer: Writer,
    metrics: Metrics,
    options: IntakeOptions,
    unpacker: Option<Unpacker>,
    splitter: Splitter,
    pieces: Vec<Piece>,
    events: Vec<Event>,
    on_its_way: Option<Pending>,
    next_index: u64,
    report: IntakeReport,
}

impl Intake {
    /// An intake that stores through `writer`.
    pub fn new(writer: Writer, metrics: Metrics, options: IntakeOptions) -> Intake {
        Intake {
            writer,
            metrics,
            unpacker: Some(Unpacker::new(options.max_unpacked_bytes)),
            options,
            splitter: Splitter::default(),
            pieces: Vec::new(),
            events: Vec::new(),
            on_its_way: None,
            next_index: 0,
            report: IntakeReport::default(),
        }
    }

    /// What has become of the records so far.
    pub fn report(&self) -> &IntakeReport {
        &self.report
    }

    /// Takes the next bytes. Returns when they are read and all full batches but the last are durable.
    ///
    /// # Errors
    /// [`IntakeError`]; then call [`Intake::finish`] for the report of what was stored.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), IntakeError> {
        // In steps, so that a body that grows on unpacking is stored while it grows.
        for step in bytes.chunks(64 * 1024) {
            if let Some(unpacker) = &mut self.unpacker {
                let (splitter, pieces) = (&mut self.splitter, &mut self.pieces);
                let result = unpacker.push(step, |out| splitter.push(out, pieces));
                if let Err(error) = result {
                    self.unpacker = None;
                    self.read_pieces();
                    return Err(error.into());
                }
            }
            self.read_pieces();
            while self.events.len() >= BATCH {
                self.submit().await?;
            }
        }
        Ok(())
    }

    /// The end of the bytes: stores what is left, waits for it, and reports.
    ///
    /// # Errors
    /// [`IntakeError`], with the report of what was stored before.
    pub async fn finish(mut self) -> (IntakeReport, Result<(), IntakeError>) {
        let mut result = Ok(());
        if let Some(unpacker) = self.unpacker.take() {
            let (splitter, pieces) = (&mut self.splitter, &mut self.pieces);
            result = unpacker.finish(|out| splitter.push(out, pieces)).map_err(IntakeError::from);
            self.splitter.finish(&mut self.pieces);
        }
        self.read_pieces();
        while !self.events.is_empty() && !matches!(result, Err(IntakeError::NotStored(_))) {
            if let Err(error) = self.submit().await {
                result = Err(error);
            }
        }
        if let Err(error) = self.settle().await {
            result = Err(error);
        }
        (self.report, result)
    }

    /// Reads the pieces that were cut off into events or rejections.
    fn read_pieces(&mut self) {
        for piece in std::mem::take(&mut self.pieces) {
            let index = self.next_index;
            self.next_index += 1;
            match read(piece, &self.options) {
                Ok(event) => self.events.push(event),
                Err(reason) => {
                    self.metrics.events_rejected.inc();
                    self.report.rejected_count += 1;
                    if self.report.rejected.len() < MAX_REASONS {
                        self.report.rejected.push(Rejection { index, reason });
                    }
                }
            }
        }
    }

    /// Hands the next batch to the writer, after the one before it has been stored.
    async fn submit(&mut self) -> Result<(), IntakeError> {
        let rest = self.events.split_off(BATCH.min(self.events.len()));
        let batch = std::mem::replace(&mut self.events, rest);
        let pending = self.writer.submit_imported(batch).await;
        let before = self.on_its_way.replace(pending);
        self.count(before).await
    }

    async fn settle(&mut self) -> Result<(), IntakeError> {
        let last = self.on_its_way.take();
        self.count(last).await
    }

    async fn count(&mut self, pending: Option<Pending>) -> Result<(), IntakeError> {
        if let Some(pending) = pending {
            let stored = pending.wait().await?;
            self.report.accepted += stored.new as u64;
            self.report.duplicates += stored.duplicates as u64;
        }
        Ok(())
    }
}

fn read(piece: Piece, options: &IntakeOptions) -> Result<Event, String> {
    match piece {
        Piece::Bad(why) => Err(why.to_owned()),
        Piece::Record(bytes) => {
            let text = std::str::from_utf8(&bytes).map_err(|_| "not UTF-8")?;
            // Only what is no record is looked at closer: records must be read fast.
            event(text, options).or_else(|reason| {
                if let Some(record) = record_inside(text) {
                    return read_inside(&record, options);
                }
                let is_other = reason.ends_with(" is missing");
                Err(match is_other.then(|| looks_like(text)).flatten() {
                    Some(what) => format!("{reason}: this looks like {what}"),
                    None => reason,
                })
            })
        }
    }
}

fn event(record: &str, options: &IntakeOptions) -> Result<Event, String> {
    Event::from_record(record, &options.account, options.shift, &*options.catalog)
}

/// The record inside an event of LookupEvents: cut like any other, so that it is kept compact.
fn read_inside(record: &str, options: &IntakeOptions) -> Result<Event, String> {
    let (mut splitter, mut pieces) = (Splitter::default(), Vec::new());
    splitter.push(record.as_bytes(), &mut pieces);
    splitter.finish(&mut pieces);
    match (pieces.pop(), pieces.is_empty()) {
        (Some(Piece::Record(bytes)), true) => {
            event(std::str::from_utf8(&bytes).map_err(|_| "not UTF-8")?, options)
        }
        _ => Err("its CloudTrailEvent is not a JSON object".to_owned()),
    }
}

/// The newest `eventTime` (seconds since 1970) of the records in a stream of bytes, for moving them all to now.
#[derive(Debug)]
pub struct Newest {
    options: IntakeOptions,
    unpacker: Option<Unpacker>,
    splitter: Splitter,
    pieces: Vec<Piece>,
    newest: Option<i64>,
}

impl Newest {
    /// A search that reads records as an intake with these options does.
    pub fn new(options: &IntakeOptions) -> Newest {
        Newest {
            options: IntakeOptions { shift: 0, ..options.clone() },
            unpacker: Some(Unpacker::new(options.max_unpacked_bytes)),
            splitter: Splitter::default(),
            pieces: Vec::new(),
            newest: None,
        }
    }

    /// Takes the next bytes. Damaged data ends the search: the intake itself will tell.
    pub fn push(&mut self, bytes: &[u8]) {
        if let Some(unpacker) = &mut self.unpacker {
            let (splitter, pieces) = (&mut self.splitter, &mut self.pieces);
            if unpacker.push(bytes, |out| splitter.push(out, pieces)).is_err() {
                self.unpacker = None;
            }
        }
        self.look();
    }

    /// The newest time, if there was any record with one.
    pub fn finish(mut self) -> Option<i64> {
        if let Some(unpacker) = self.unpacker.take() {
            let (splitter, pieces) = (&mut self.splitter, &mut self.pieces);
            // As above: damage is the intake's to tell.
            let _ = unpacker.finish(|out| splitter.push(out, pieces));
            splitter.finish(pieces);
        }
        self.look();
        self.newest
    }

    fn look(&mut self) {
        for piece in self.pieces.drain(..) {
            if let Ok(event) = read(piece, &self.options) {
                self.newest = self.newest.max(Some(event.event_time));
            }
        }
    }
}
