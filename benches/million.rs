//! A million events: taking them in, looking them up, starting on them, memory and size, and removing them.
//!
//! `cargo bench --bench million [-- EVENTS]`. Each figure stands beside its baseline from the same run: intake beside the
//! same rows put in with SQLite's plain driver (in turns, a tenth each), lookups beside a call that does nothing.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod support;

use contrail::domain::account_id::AccountId;
use contrail::domain::event::Event;
use contrail::domain::event_facts::NamesOnly;
use std::path::Path;
use std::time::Instant;
use support::baseline::{Baseline, thread_cpu};
use support::records::{BEGIN, Chance, RESOURCES, Records, SPAN, USERS, access_key, resource, user};
use support::{Connection, Server, call, import, line, nothing, part};

/// Records in a request.
const BATCH: usize = 5000;
/// Calls of each kind.
const CALLS: usize = 300;
/// Starts of each kind.
const STARTS: usize = 5;

fn main() {
    let events = support::events(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    println!("\n{events} events, {} cores\n", std::thread::available_parallelism().map_or(0, usize::from));
    let empty = starts(|i| Server::start(&folder.path().join(format!("empty-{i}")), "2015"));

    let data = folder.path().join("data");
    let server = Server::start(&data, "2015");
    let mut memory = vec![("idle", server.memory())];
    let ids = intake(&server, events, folder.path());
    memory.push(("after the intake", server.memory()));
    let size = |name: &str| std::fs::metadata(data.join(name)).map_or(0.0, |m| m.len() as f64 / 1048576.0);
    let sizes = format!(
        "{:.0} MiB ({:.0} bytes an event) and {:.0} MiB of write-ahead log",
        size("contrail.db"),
        size("contrail.db") * 1048576.0 / events as f64,
        size("contrail.db-wal")
    );
    lookups(&server, "2015", &ids);
    memory.push(("after lookups", server.memory()));
    drop(server);
    let killed = starts(|_| Server::start(&data, "2015"));
    let server = Server::start(&data, "today");
    lookups(&server, "today", &ids);
    memory.push(("after lookups of today's era", server.memory()));
    server.stop();
    let mut filled: Vec<f64> = Vec::new();
    for _ in 0..STARTS {
        let server = Server::start(&data, "2015");
        filled.push(server.started_in.as_secs_f64() * 1000.0);
        server.stop();
    }

    let server = Server::start(&data, "2015");
    reset(&server);
    server.stop();

    line(&["start to first answer, median of 5", "ms"]);
    line(&["  empty folder", &format!("{empty:.1}")]);
    line(&["  these events", &format!("{:.1}", part(&mut filled, 0.5))]);
    line(&["  these events, after SIGKILL", &format!("{killed:.1}")]);
    println!("\ndatabase: {sizes}\nmemory (VmRSS, VmHWM)");
    for (when, figures) in memory {
        println!("  {when}: {figures}");
    }
}

/// The median time to the first answer, in milliseconds; each server is killed.
fn starts(start: impl Fn(usize) -> Server) -> f64 {
    let mut times: Vec<f64> = (0..STARTS).map(|i| start(i).started_in.as_secs_f64() * 1000.0).collect();
    part(&mut times, 0.5)
}

/// Puts `events` in, a tenth here and the same tenth into the baseline, and prints how fast. Returns the ids of some
/// that change something.
fn intake(server: &Server, events: usize, folder: &Path) -> Vec<String> {
    let account = AccountId::parse("000000000000").expect("12 digits");
    let mut baseline = Baseline::open(folder);
    let mut records = Records::new(events);
    let (mut ids, mut bytes) = (Vec::new(), 0);
    let (mut cpu, mut wall, mut reading) = (0.0, 0.0, 0.0);
    let mut left = events;
    while left > 0 {
        let tenth = left.min(events.div_ceil(10).next_multiple_of(BATCH));
        left -= tenth;
        let (mut requests, mut rows) = (Vec::new(), Vec::with_capacity(tenth));
        for first in (0..tenth).step_by(BATCH) {
            let mut text = String::new();
            for _ in first..tenth.min(first + BATCH) {
                let begin = text.len();
                records.push(&mut text);
                let before = thread_cpu_rarely(rows.len());
                rows.push(Event::from_record(&text[begin..], &account, 0, &NamesOnly).expect("a record"));
                reading += thread_cpu_rarely(rows.len() - 1) - before;
                text.push('\n');
            }
            bytes += text.len();
            requests.push(import(text.as_bytes()));
        }
        ids.extend(rows.iter().filter(|e| !e.read_only).step_by(100).map(|e| e.event_id.clone()));
        let (cpu_before, began) = (server.cpu(), Instant::now());
        std::thread::scope(|scope| {
            for half in 0..2 {
                let (mut connection, requests) = (server.connect(), &requests);
                scope.spawn(move || {
                    for request in requests.iter().skip(half).step_by(2) {
                        let answer = connection.send(request, 200);
                        assert!(answer.ends_with(b"\"duplicates\":0,\"rejected\":[],\"rejected_count\":0}"));
                    }
                });
            }
        });
        wall += began.elapsed().as_secs_f64();
        cpu += server.cpu() - cpu_before;
        drop(requests);
        baseline.insert(&rows, 1000);
    }
    let (base_rate, base_cpu) = baseline.figures();
    let cpu = cpu / events as f64;
    line(&["intake", "events/s", "CPU us/event", "x baseline"]);
    let mean = bytes / events;
    line(&[
        &format!("  NDJSON, 2 connections, {mean} bytes each"),
        &format!("{:.0}", events as f64 / wall),
        &format!("{cpu:.1}"),
        &format!("{:.2}", cpu / base_cpu),
    ]);
    line(&["  baseline: plain driver, the same rows", &format!("{base_rate:.0}"), &format!("{base_cpu:.1}")]);
    let reading = reading / events.div_ceil(SAMPLE) as f64;
    line(&["  (reading a record into its columns)", "", &format!("{reading:.1}")]);
    println!();
    ids
}

/// Removes everything while another client writes, one event a request, and prints how long it had to wait; beside it
/// the same writes when nothing else happens.
fn reset(server: &Server) {
    let mut writer = server.connect();
    let mut records = Records::seeded(7, 1_000_000);
    let mut write = || {
        let mut record = String::new();
        records.push(&mut record);
        let began = Instant::now();
        writer.send(&import(record.as_bytes()), 200);
        began.elapsed().as_secs_f64() * 1000.0
    };
    let mut alone: Vec<f64> = (0..CALLS).map(|_| write()).collect();
    let began = Instant::now();
    let mut during = Vec::new();
    std::thread::scope(|scope| {
        let reset = scope.spawn(|| {
            let request = support::request("POST /_contrail/reset?everything=yes", b"");
            String::from_utf8_lossy(server.connect().send(&request, 200)).into_owned()
        });
        while !reset.is_finished() {
            during.push(write());
        }
        println!("reset: {} in {:.1} s", reset.join().expect("an answer"), began.elapsed().as_secs_f64());
    });
    line(&["writes of one event", "p50 ms", "p99 ms", "longest ms"]);
    for (what, times) in [("  nothing else happens", &mut alone), ("  during the reset", &mut during)] {
        let at = |times: &mut Vec<f64>, p: f64| format!("{:.1}", part(times, p));
        line(&[what, &at(times, 0.5), &at(times, 0.99), &at(times, 1.0)]);
    }
    println!();
}

/// Looking at the clock for every record would cost more than reading it.
const SAMPLE: usize = 16;

fn thread_cpu_rarely(row: usize) -> f64 {
    if row.is_multiple_of(SAMPLE) { thread_cpu() } else { 0.0 }
}

/// Prints the cost of a page of 50 by each attribute, newest and oldest.
fn lookups(server: &Server, era: &str, ids: &[String]) {
    let mut connection = server.connect();
    line(&[
        &format!("lookups, era {era}, pages of 50"),
        "rows",
        "nothing p50 us",
        "p50 us",
        "p99 us",
        "CPU us",
    ]);
    let short = era == "2015";
    let name = if short {
        ["CreateInstances", "PutStackResource"]
    } else {
        ["DescribeInstances", "ListStackResource"]
    };
    let kind = if short { ["Instance", "Topic"] } else { ["AWS::EC2::Instance", "AWS::SNS::Topic"] };
    let one = |value: &str| vec![value.to_owned()];
    // A rare value is another one for each call, so that no call finds the pages of the one before.
    let mut chance = Chance::new(7);
    let mut rare = |n: usize, make: &dyn Fn(usize) -> String| -> Vec<String> {
        (0..CALLS).map(|_| make(n / 2 + chance.below(n / 2))).collect()
    };
    let cases = [
        ("", "all", one("")),
        ("EventName", "common", one(name[0])),
        ("EventName", "rare", one(name[1])),
        ("EventSource", "common", one("ec2.amazonaws.com")),
        ("EventSource", "rare", one("cloudformation.amazonaws.com")),
        ("Username", "common", one(&user(0))),
        ("Username", "rare", rare(USERS, &user)),
        ("AccessKeyId", "common", one(&access_key(0))),
        ("AccessKeyId", "rare", rare(USERS, &access_key)),
        ("ReadOnly", "common", one(if short { "false" } else { "true" })),
        ("ResourceType", "common", one(kind[0])),
        ("ResourceType", "rare", one(kind[1])),
        ("ResourceName", "common", one(&resource("ec2", 0))),
        ("ResourceName", "rare", rare(RESOURCES, &|n| resource("ec2", n))),
        ("ResourceName", "absent", one("no-such-resource")),
        ("EventId", "each", rare(ids.len(), &|n| ids[n].clone())),
    ];
    for (attribute, which, values) in cases {
        for oldest in [false, true] {
            let bodies: Vec<String> = values
                .iter()
                .map(|value| {
                    let attribute = match attribute {
                        "" => String::new(),
                        key => format!(
                            r#","LookupAttributes":[{{"AttributeKey":"{key}","AttributeValue":"{value}"}}]"#
                        ),
                    };
                    let end =
                        if oldest { format!(r#","EndTime":{}"#, BEGIN + SPAN / 20) } else { String::new() };
                    format!(r#"{{"MaxResults":50{attribute}{end}}}"#)
                })
                .collect();
            let page = if oldest { "oldest" } else { "newest" };
            measure(server, &mut connection, &format!("  {attribute} {which}, {page}"), &bodies);
        }
    }
    println!();
}

/// Calls in turn, and prints a line: what is left of the round trip without that of a call that does nothing.
fn measure(server: &Server, connection: &mut Connection, what: &str, bodies: &[String]) {
    let mut trips = |requests: &[Vec<u8>], status: u16| -> (Vec<f64>, usize) {
        let mut rows = 0;
        let trips = requests.iter().cycle().take(CALLS).map(|request| {
            let began = Instant::now();
            let answer = connection.send(request, status);
            let took = began.elapsed().as_secs_f64() * 1e6;
            rows += answer.windows(11).filter(|w| w == b"{\"EventId\":").count();
            took
        });
        (trips.collect(), rows)
    };
    let (mut base, _) = trips(&[nothing()], 400);
    let requests: Vec<_> = bodies.iter().map(|body| call("LookupEvents", body)).collect();
    let cpu = server.cpu();
    let (mut times, rows) = trips(&requests, 200);
    let cpu = (server.cpu() - cpu) / CALLS as f64;
    let base = part(&mut base, 0.5);
    line(&[
        what,
        &format!("{:.1}", rows as f64 / CALLS as f64),
        &format!("{base:.0}"),
        &format!("{:.0}", part(&mut times, 0.5) - base),
        &format!("{:.0}", part(&mut times, 0.99) - base),
        &format!("{cpu:.0}"),
    ]);
}
