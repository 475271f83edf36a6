//! What standing in front of an upstream costs: time added to a call, memory while bodies pass, and what 500 data events a
//! second do to memory and lookups.
//!
//! `cargo bench --bench proxy [-- CALLS]`; `CONTRAIL_BENCH_SECONDS=600` for a longer flood. The upstream is a small server
//! in this process. Calls through Contrail and to the upstream itself are made in turns, over 8 connections each.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(dead_code, reason = "the other benchmarks use more of what they share")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use support::{Connection, Server, call, connect};

/// Calls at a time.
const CONNECTIONS: usize = 8;
/// Data events a second.
const FLOOD: u32 = 500;
/// The longest body that is collected, in bytes.
const COLLECTED: usize = 80 * 1024 * 1024;
/// The body that goes up and down, in bytes.
const LARGE: usize = 60_000_000;

fn main() {
    let calls = support::events(40_000);
    let seconds = std::env::var("CONTRAIL_BENCH_SECONDS").ok().and_then(|text| text.parse().ok());
    let seconds: u64 = seconds.unwrap_or(if calls > 2000 { 20 } else { 1 });
    let upstream = upstream();
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("http://127.0.0.1:{upstream}");
    let settings =
        [("CONTRAIL__ERA", "today"), ("CONTRAIL_UPSTREAM", url.as_str()), ("CONTRAIL_DATA_EVENTS", "true")];
    let server = Server::start_with(folder.path(), &settings);
    println!("\n{calls} calls, {} cores\n", std::thread::available_parallelism().map_or(0, usize::from));
    latency(upstream, &server, calls);
    large_bodies(&server);
    collected_bodies(&url);
    flood(&server, seconds);
    let health = server.connect().send(&support::request("GET /_contrail/health", b""), 200).to_vec();
    let health: serde_json::Value = serde_json::from_slice(&health).expect("JSON");
    println!("{}", health["forwarded_calls"]);
}

fn line(what: &str, figures: &str) {
    println!("{what:<44}  {figures}");
}

/// A server that answers every call with a few bytes, and GetObject with many; its port.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

/// Answers on one connection until it is closed.
fn answer(stream: TcpStream) {
    stream.set_nodelay(true).expect("nodelay");
    let mut stream = BufReader::with_capacity(256 * 1024, stream);
    let mut body = vec![0; 64 * 1024];
    loop {
        let (mut line, mut first, mut left) = (String::new(), String::new(), 0u64);
        loop {
            line.clear();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    left = value.parse().expect("a length");
                }
                Some(_) => {}
                None if first.is_empty() => first.clone_from(&line),
                None => break,
            }
        }
        while left > 0 {
            let part = left.min(body.len() as u64) as usize;
            if stream.read_exact(&mut body[..part]).is_err() {
                return;
            }
            left -= part as u64;
        }
        let length = if first.starts_with("GET /large") { LARGE } else { 2 };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-RequestId: r\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        let answered = stream.get_mut().write_all(head.as_bytes()).and_then(|()| {
            if length == 2 {
                return stream.get_mut().write_all(b"{}");
            }
            (0..length / 60_000).try_for_each(|_| stream.get_mut().write_all(&body[..60_000]))
        });
        if answered.is_err() {
            return;
        }
    }
}

/// A call signed for a service, as SDKs send it.
fn signed(method_and_target: &str, service: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method_and_target} HTTP/1.1\r\nHost: 127.0.0.1:4566\r\nUser-Agent: aws-sdk-rust/1.3\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0\r\nX-Amz-Date: 20261122T053000Z\r\n{more}\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn json(service: &str, target: &str, body: &[u8]) -> Vec<u8> {
    let more = format!("X-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.0\r\n");
    signed("POST /", service, &more, body)
}

/// Calls in turns, to the upstream and through Contrail.
fn latency(upstream: u16, server: &Server, calls: usize) {
    let contrail = server.port;
    let cpu = server.cpu();
    let put =
        json("dynamodb", "DynamoDB_20120810.PutItem", br#"{"TableName":"t-1","Item":{"id":{"S":"1"}}}"#);
    let timed = |connection: &mut Connection| {
        let began = Instant::now();
        connection.send(&put, 200);
        began.elapsed()
    };
    let (mut direct, mut through) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let (mut to_upstream, mut to_contrail) = (connect(upstream), connect(contrail));
                    let pairs = (0..calls / CONNECTIONS / 2)
                        .map(|_| (timed(&mut to_upstream), timed(&mut to_contrail)));
                    pairs.unzip::<_, _, Vec<_>, Vec<_>>()
                })
            })
            .collect();
        for caller in callers {
            let (first, second) = caller.join().expect("its calls");
            direct.extend(first);
            through.extend(second);
        }
    });
    let show = |what: &str, times: &mut Vec<Duration>| {
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
        line(what, &format!("median {:.3} ms, 99 % {:.3} ms", at(0.5), at(0.99)));
        at(0.5)
    };
    let without = show("PutItem, to the upstream itself", &mut direct);
    let with = show("PutItem, through Contrail", &mut through);
    line("added, at the median", &format!("{:.3} ms", with - without));
    // Answered when all of them are stored.
    server.connect().send(&support::request("GET /_contrail/events?limit=1", b""), 200);
    let each = (server.cpu() - cpu) / (calls / CONNECTIONS / 2 * CONNECTIONS) as f64;
    line("CPU of a call through Contrail, with its record", &format!("{each:.0} us"));
}

/// Bodies that are collected before they are forwarded, four at once, as long as they may be.
fn collected_bodies(upstream: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("contrail.toml");
    let text = "[auth]\nmode = \"known\"\nproxy = true\n[[identities]]\naccess_key = \"test\"\naccount = \"111122223333\"\nuser = \"ana\"\n";
    std::fs::write(&config, text).expect("a file");
    let config = config.display().to_string();
    let server = Server::start_with(
        folder.path(),
        &[("CONTRAIL_UPSTREAM", upstream), ("CONTRAIL_CONFIG", config.as_str())],
    );
    let body = [br#"{"ZipFile":""#.as_slice(), &vec![b'A'; COLLECTED - 14], br#""}"#].concat();
    let put =
        signed("PUT /2015-03-31/functions/f/code", "lambda", "Content-Type: application/json\r\n", &body);
    let before = server.memory();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                server.connect().send(&put, 200);
            });
        }
    });
    line("memory, four bodies of 80 MiB collected", &format!("{} (before: {before})", server.memory()));
}

fn large_bodies(server: &Server) {
    line("memory, before large bodies", &server.memory());
    let mut connection = server.connect();
    let body = vec![7; LARGE];
    let began = Instant::now();
    connection.send(&signed("PUT /large/up", "s3", "", &body), 200);
    let up = began.elapsed().as_secs_f64();
    line("60 MB up", &format!("{:.0} MB/s, memory {}", LARGE as f64 / 1e6 / up, server.memory()));
    let began = Instant::now();
    connection.send(&signed("GET /large/down", "s3", "", b""), 200);
    let down = began.elapsed().as_secs_f64();
    line("60 MB down", &format!("{:.0} MB/s, memory {}", LARGE as f64 / 1e6 / down, server.memory()));
}

/// Data events at a steady pace, with lookups beside them.
fn flood(server: &Server, seconds: u64) {
    let send = json(
        "sqs",
        "AmazonSQS.SendMessage",
        br#"{"QueueUrl":"http://q/000000000000/q-1","MessageBody":"m"}"#,
    );
    let lookup = call("LookupEvents", "{}");
    let (mut events, mut lookups) = (server.connect(), server.connect());
    let mut times = Vec::new();
    let began = Instant::now();
    for second in 1..=seconds {
        for number in 0..FLOOD {
            events.send(&send, 200);
            if number % 50 == 0 {
                let asked = Instant::now();
                lookups.send(&lookup, 200);
                times.push(asked.elapsed().as_secs_f64() * 1000.0);
            }
            let due = Duration::from_secs(second - 1) + Duration::from_secs(1) * (number + 1) / FLOOD;
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
        if second == 1 || second == seconds || second % 60 == 0 {
            times.sort_by(f64::total_cmp);
            let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
            let figures =
                format!("memory {}; lookups {:.2} ms, 99 % {:.2} ms", server.memory(), at(0.5), at(0.99));
            line(&format!("{FLOOD} data events/s, after {second} s"), &figures);
            times.clear();
        }
    }
}
