//! Group commit: many callers that each wait for the commit of one event, beside a transaction for each event; and the
//! calls that read trails.
//!
//! `cargo bench --bench group_commit [-- EVENTS]`
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod support;

use contrail::domain::account_id::AccountId;
use contrail::domain::event::Event;
use contrail::domain::event_facts::NamesOnly;
use std::time::Instant;
use support::baseline::{Baseline, thread_cpu};
use support::records::Records;
use support::{Server, call, import, line, nothing, part};

fn main() {
    let events = support::events(40_000);
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"), "2015");
    println!(
        "\n{events} events, {} cores, started in {:.1} ms, memory {}\n",
        std::thread::available_parallelism().map_or(0, usize::from),
        server.started_in.as_secs_f64() * 1000.0,
        server.memory()
    );
    let mut records = Records::new(events * 2);
    let mut next = || {
        let mut text = String::new();
        records.push(&mut text);
        text
    };
    let alone = events.div_ceil(10);
    line(&[
        "one event a request, after its commit",
        "events/s",
        "p50 us",
        "p99 us",
        "CPU us/event",
        "x speed",
    ]);
    let requests: Vec<_> = (0..alone).map(|_| import(next().as_bytes())).collect();
    let slow = load(&server, 1, &requests, 200);
    slow.print("  1 connection: a transaction each", None);
    let requests: Vec<_> = (0..events).map(|_| import(next().as_bytes())).collect();
    load(&server, 64, &requests, 200).print("  64 connections: shared transactions", Some(&slow));
    let account = AccountId::parse("000000000000").expect("12 digits");
    let rows: Vec<_> =
        (0..alone).map(|_| Event::from_record(&next(), &account, 0, &NamesOnly).expect("a record")).collect();
    let (mut baseline, cpu) = (Baseline::open(folder.path()), thread_cpu());
    baseline.insert(&rows, 1);
    let (rate, _) = baseline.figures();
    let cpu = (thread_cpu() - cpu) / alone as f64;
    let speed = format!("{:.2}", rate / slow.rate);
    let cells = [&format!("{rate:.0}"), "", "", &format!("{cpu:.1}"), speed.as_str()];
    line(&[&["  plain driver, a transaction each"], &cells[..]].concat());

    println!();
    line(&["calls that read, 8 connections", "requests/s", "p50 us", "p99 us", "CPU us/call", "x speed"]);
    server.connect().send(&call("CreateTrail", r#"{"Name":"bench","S3BucketName":"bench-bucket"}"#), 200);
    let calls = |operation: &str, body: &str| vec![call(operation, body); events];
    let least = load(&server, 8, &vec![nothing(); events], 400);
    least.print("  a refused call that does nothing", None);
    load(&server, 8, &calls("DescribeTrails", "{}"), 200).print("  DescribeTrails", Some(&least));
    load(&server, 8, &calls("GetTrailStatus", r#"{"Name":"bench"}"#), 200)
        .print("  GetTrailStatus", Some(&least));
    println!("\nmemory {}", server.memory());
    server.stop();
}

struct Load {
    rate: f64,
    cpu: f64,
    times: Vec<f64>,
}

/// Sends the requests over so many connections, each waiting for its answer before the next.
fn load(server: &Server, connections: usize, requests: &[Vec<u8>], status: u16) -> Load {
    let (cpu, began) = (server.cpu(), Instant::now());
    let times: Vec<f64> = std::thread::scope(|scope| {
        let loads: Vec<_> = (0..connections)
            .map(|first| {
                let mut connection = server.connect();
                scope.spawn(move || {
                    let mut times = Vec::new();
                    for request in requests.iter().skip(first).step_by(connections) {
                        let began = Instant::now();
                        connection.send(request, status);
                        times.push(began.elapsed().as_secs_f64() * 1e6);
                    }
                    times
                })
            })
            .collect();
        loads.into_iter().flat_map(|load| load.join().expect("a load")).collect()
    });
    let wall = began.elapsed().as_secs_f64();
    let cpu = (server.cpu() - cpu) / requests.len() as f64;
    Load { rate: requests.len() as f64 / wall, cpu, times }
}

impl Load {
    fn print(&self, what: &str, beside: Option<&Load>) {
        let mut times = self.times.clone();
        line(&[
            what,
            &format!("{:.0}", self.rate),
            &format!("{:.0}", part(&mut times, 0.5)),
            &format!("{:.0}", part(&mut times, 0.99)),
            &format!("{:.1}", self.cpu),
            &beside.map_or(String::new(), |other| format!("{:.2}", self.rate / other.rate)),
        ]);
    }
}
