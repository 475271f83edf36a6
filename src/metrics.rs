//! What the server counts about itself. A value, not a global: every server in a test process has its own.

mod forwarded;
mod machine;
mod plain;

pub use forwarded::{Fate, Fates, ForwardedCallCounts};
use machine::ProcessCollector;
pub use machine::free_bytes;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Labels of [`Figures::calls`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CallLabels {
    /// The operation's name, or `unknown`.
    pub operation: &'static str,
    /// `OK` or the AWS error code.
    pub code: &'static str,
}

/// Labels of [`Figures::events_stored`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceLabels {
    /// `call` (recorded here) or `intake` (imported).
    pub source: &'static str,
}

/// Labels of [`ForwardedCallCounts`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ServiceLabels {
    /// `sqs.amazonaws.com`, `unsigned`, `unknown`.
    pub service: String,
}

/// Labels of [`Figures::delivery_failures`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TargetLabels {
    /// `s3`, `sns`, `logs`, `events`, `webhook` or `digest`.
    pub target: &'static str,
}

/// Labels of [`Figures::build_info`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BuildLabels {
    /// Contrail's version.
    pub version: &'static str,
    /// `2015` or `today`.
    pub era: &'static str,
}

/// The text forms that Prometheus reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// Prometheus' own, version 0.0.4.
    Plain,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl TextFormat {
    /// What an `Accept` header asks for; plain text unless it names the other one.
    pub fn accepted(accept: &str) -> TextFormat {
        match accept.contains("application/openmetrics-text") {
            true => TextFormat::OpenMetrics,
            false => TextFormat::Plain,
        }
    }

    /// Its `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            TextFormat::Plain => "text/plain; version=0.0.4; charset=utf-8",
            TextFormat::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// All figures, cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Figures>);

impl std::ops::Deref for Metrics {
    type Target = Figures;
    fn deref(&self) -> &Figures {
        &self.0
    }
}

/// The figures themselves.
#[derive(Debug)]
pub struct Figures {
    registry: Registry,
    /// Those of the process, whose names have no prefix.
    process: Registry,
    /// 1, with what runs as labels.
    build_info: Family<BuildLabels, Gauge>,
    start_time: Gauge,
    /// AWS API calls answered.
    pub calls: Family<CallLabels, Counter>,
    /// Events stored.
    pub events_stored: Family<SourceLabels, Counter>,
    /// Imported events that were there already.
    pub events_duplicate: Counter,
    /// Imported records that were refused.
    pub events_rejected: Counter,
    /// Events waiting to be written.
    pub queue: Gauge,
    /// Seconds from a batch's begin to its commit.
    pub commit_seconds: Histogram,
    /// Events in a commit.
    pub commit_events: Histogram,
    /// Commits that failed.
    pub commit_failures: Counter,
    /// Transactions tried again because the database was busy.
    pub commit_retries: Counter,
    /// The size of the database file, as of the last look.
    pub database_bytes: Gauge,
    /// The size of the embedded bucket store's file, as of the last look.
    buckets_bytes: Gauge,
    /// What can still be written to the data folder's disk, as of the last look; NaN where that is not known.
    disk_free_bytes: Gauge<f64, AtomicU64>,
    /// What became of forwarded calls.
    pub forwarded_calls: ForwardedCallCounts,
    /// Log files put into buckets.
    pub log_files_delivered: Counter,
    /// Events in them, counted once for each trail.
    pub events_delivered: Counter,
    /// Bytes of them.
    pub bytes_delivered: Counter,
    /// Deliveries that failed and are tried again.
    pub delivery_failures: Family<TargetLabels, Counter>,
    /// Events that wait to be delivered, counted once for each destination, as of the last look.
    pub events_pending: Gauge,
    /// Destinations whose last try failed, as of the last look.
    pub destinations_failing: Gauge,
    /// Connections of callers that are open.
    pub connections: Gauge,
    /// Connections that were refused, as there were too many.
    pub connections_refused: Counter,
}

impl Default for Figures {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("contrail");
        let calls = Family::default();
        let events_stored = Family::default();
        let (events_duplicate, events_rejected) = (Counter::default(), Counter::default());
        let (queue, commit_failures) = (Gauge::default(), Counter::default());
        let commit_retries = Counter::default();
        let commit_seconds = Histogram::new(exponential_buckets(0.0005, 2.0, 14));
        let commit_events = Histogram::new(exponential_buckets(1.0, 4.0, 7));
        registry.register("api_calls", "AWS API calls answered, by operation and error code", calls.clone());
        registry.register("events_stored", "Events stored, by where they came from", events_stored.clone());
        registry.register(
            "events_duplicate",
            "Imported events that were there already",
            events_duplicate.clone(),
        );
        registry.register("events_rejected", "Imported records that were refused", events_rejected.clone());
        registry.register("write_queue", "Events waiting to be written", queue.clone());
        registry.register_with_unit(
            "commit",
            "From a batch's begin to its commit",
            Unit::Seconds,
            commit_seconds.clone(),
        );
        registry.register("commit_events", "Events in a commit", commit_events.clone());
        registry.register("commit_failures", "Commits that failed", commit_failures.clone());
        let retries = "Commits tried again because the database was busy";
        registry.register("commit_retries", retries, commit_retries.clone());
        let database_bytes = Gauge::default();
        registry.register("database_bytes", "The size of the database file", database_bytes.clone());
        let (buckets_bytes, disk_free_bytes) = (Gauge::default(), Gauge::<f64, AtomicU64>::default());
        let of_buckets = "The size of the embedded bucket store's file";
        registry.register("buckets_bytes", of_buckets, buckets_bytes.clone());
        let free = "Bytes that can still be written to the data folder's disk";
        registry.register("disk_free_bytes", free, disk_free_bytes.clone());
        let build_info = Family::default();
        registry.register("build_info", "1, with what runs as labels", build_info.clone());
        let (mut process, start_time) = (Registry::default(), Gauge::default());
        let started = "When the server was started, seconds since 1970";
        process.register("process_start_time_seconds", started, start_time.clone());
        process.register_collector(Box::new(ProcessCollector));
        let (connections, connections_refused) = (Gauge::default(), Counter::default());
        registry.register("connections", "Connections of callers that are open", connections.clone());
        let refused = "Connections that were refused, as there were too many";
        registry.register("connections_refused", refused, connections_refused.clone());
        let (log_files_delivered, events_delivered) = (Counter::default(), Counter::default());
        let (bytes_delivered, delivery_failures) = (Counter::default(), Family::default());
        let (events_pending, destinations_failing) = (Gauge::default(), Gauge::default());
        registry.register("log_files_delivered", "Log files put into buckets", log_files_delivered.clone());
        registry.register("events_delivered", "Events in delivered log files", events_delivered.clone());
        registry.register("bytes_delivered", "Bytes of delivered log files", bytes_delivered.clone());
        registry.register(
            "delivery_failures",
            "Deliveries that failed, by target",
            delivery_failures.clone(),
        );
        registry.register("events_pending", "Events that wait to be delivered", events_pending.clone());
        let failing = "Destinations whose last try failed";
        registry.register("destinations_failing", failing, destinations_failing.clone());
        let forwarded_calls = ForwardedCallCounts::new(&mut registry);
        Figures {
            registry,
            process,
            build_info,
            start_time,
            forwarded_calls,
            calls,
            events_stored,
            events_duplicate,
            events_rejected,
            queue,
            commit_seconds,
            commit_events,
            commit_failures,
            commit_retries,
            database_bytes,
            buckets_bytes,
            disk_free_bytes,
            log_files_delivered,
            events_delivered,
            bytes_delivered,
            delivery_failures,
            events_pending,
            destinations_failing,
            connections,
            connections_refused,
        }
    }
}

impl Figures {
    /// Counts events that have been stored, from `call` or `intake`.
    pub fn stored(&self, source: &'static str, events: u64) {
        self.events_stored.get_or_create(&SourceLabels { source }).inc_by(events);
    }

    /// Counts a log file that has been put, with its events and bytes.
    pub fn file_delivered(&self, events: i64, bytes: i64) {
        self.log_files_delivered.inc();
        self.events_delivered.inc_by(events.unsigned_abs());
        self.bytes_delivered.inc_by(bytes.unsigned_abs());
    }

    /// Counts a failed delivery to `s3`, `sns`, `logs`, `events`, `webhook` or `digest`.
    pub fn delivery_failed(&self, target: &'static str) {
        self.delivery_failures.get_or_create(&TargetLabels { target }).inc();
    }

    /// Keeps the sizes of a data folder's embedded bucket store and of the free space on its disk.
    pub fn look_at_disk(&self, folder: &Path, buckets: &Path) {
        let size = std::fs::metadata(buckets).map_or(0, |file| file.len());
        self.buckets_bytes.set(i64::try_from(size).unwrap_or(i64::MAX));
        self.disk_free_bytes.set(free_bytes(folder).map_or(f64::NAN, |free| free as f64));
    }

    /// Says which server this is. `started`: seconds since 1970.
    pub fn describe(&self, version: &'static str, era: &'static str, started: i64) {
        self.build_info.get_or_create(&BuildLabels { version, era }).set(1);
        self.start_time.set(started);
    }

    /// Everything in a text form that Prometheus reads.
    ///
    /// # Errors
    /// None in practice: writing to a string does not fail.
    pub fn render(&self, format: TextFormat) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &self.process)?;
        encode_eof(&mut text)?;
        Ok(match format {
            TextFormat::Plain => plain::from_open_metrics(&text),
            TextFormat::OpenMetrics => text,
        })
    }
}
