//! Delivery: what three trails cost the intake, while they only capture and while they also deliver; then a flush of what
//! waits, beside gzip and SHA-256 alone over the same records.
//!
//! `cargo bench --bench delivery [-- EVENTS]`
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

#[expect(dead_code, reason = "the other benchmarks use the rest")]
mod support;

use sha2::{Digest, Sha256};
use std::io::Write;
use std::time::Instant;
use support::baseline::thread_cpu;
use support::records::Records;
use support::{Server, call, import, line, request};

const TRAILS: usize = 3;

/// Records in a request.
const BATCH: usize = 1000;

fn main() {
    let events = support::events(100_000);
    let mut records = Records::new(events);
    let batches: Vec<String> = (0..events.div_ceil(BATCH))
        .map(|batch| {
            let mut text = String::new();
            for _ in 0..BATCH.min(events - batch * BATCH) {
                records.push(&mut text);
                if !text.ends_with('\n') {
                    text.push('\n');
                }
            }
            text
        })
        .collect();
    let bytes: usize = batches.iter().map(String::len).sum();
    println!(
        "\n{events} events of {} bytes, {TRAILS} trails, {} cores\n",
        bytes / events,
        std::thread::available_parallelism().map_or(0, usize::from)
    );
    line(&["intake", "events/s", "x speed", "CPU us/event", "memory at most"]);
    let alone = intake("without trails", &batches, events, 0, "1h", None);
    let captured = intake("3 trails capture", &batches, events, TRAILS, "1h", Some(&alone));
    intake("3 trails deliver every second", &batches, events, TRAILS, "1s", Some(&alone));

    println!();
    line(&["delivery", "records/s", "MB/s", "CPU us/record", "memory at most"]);
    let delivered = (events * TRAILS) as f64;
    let (cpu, began) = (captured.server.cpu(), Instant::now());
    let mut connection = captured.server.connect();
    let answer =
        String::from_utf8_lossy(connection.send(&request("POST /_contrail/flush", b""), 200)).into_owned();
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), captured.server.cpu() - cpu);
    assert!(answer.contains("\"failures\":[]") && answer.matches("json.gz").count() >= TRAILS, "{answer}");
    print(
        "  a flush into the embedded bucket store",
        delivered,
        bytes * TRAILS,
        seconds,
        cpu,
        &captured.server.memory(),
    );

    let (cpu, began) = (thread_cpu(), Instant::now());
    for _ in 0..TRAILS {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let mut hash = Sha256::new();
        for batch in &batches {
            hash.update(batch);
            gzip.write_all(batch.as_bytes()).expect("memory");
        }
        assert!(gzip.finish().expect("memory").len() > 100 && hash.finalize()[..].len() == 32);
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), thread_cpu() - cpu);
    print("  gzip and SHA-256 alone", delivered, bytes * TRAILS, seconds, cpu, "");
    captured.server.stop();
}

struct Run {
    server: Server,
    rate: f64,
    _folder: tempfile::TempDir,
}

fn intake(
    name: &str,
    batches: &[String],
    events: usize,
    trails: usize,
    period: &str,
    alone: Option<&Run>,
) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = [("CONTRAIL__DELIVERY__PERIOD", period)];
    let server = Server::start_with(&folder.path().join("data"), &settings);
    let mut connection = server.connect();
    for trail in 0..trails {
        let create = format!(r#"{{"Name":"trail-{trail}","S3BucketName":"bench-bucket-{trail}"}}"#);
        connection.send(&call("CreateTrail", &create), 200);
        connection.send(&call("StartLogging", &format!(r#"{{"Name":"trail-{trail}"}}"#)), 200);
    }
    let requests: Vec<_> = batches.iter().map(|batch| import(batch.as_bytes())).collect();
    let (cpu, began) = (server.cpu(), Instant::now());
    for request in &requests {
        connection.send(request, 200);
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), server.cpu() - cpu);
    let rate = events as f64 / seconds;
    let speed = alone.map(|alone| format!("{:.2}", rate / alone.rate)).unwrap_or_default();
    let cpu = format!("{:.1}", cpu / events as f64);
    line(&[&format!("  {name}"), &format!("{rate:.0}"), &speed, &cpu, &format!("  {}", server.memory())]);
    Run { server, rate, _folder: folder }
}

fn print(name: &str, records: f64, bytes: usize, seconds: f64, cpu: f64, memory: &str) {
    let megabytes = format!("{:.0}", bytes as f64 / seconds / 1e6);
    line(&[
        name,
        &format!("{:.0}", records / seconds),
        &megabytes,
        &format!("{:.1}", cpu / records),
        &format!("  {memory}"),
    ]);
}
