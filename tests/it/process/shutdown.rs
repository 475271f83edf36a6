//! Asked to stop, the server finishes what it has begun, and is gone within ten seconds.

use super::{Contrail, DEADLINE, contrail, event, event_id, ndjson};
use contrail::clock::Clock;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const TEN_SECONDS: Duration = Duration::from_secs(10);

fn connect(server: &Contrail) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Reads until `end` has been read.
fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let (mut text, mut chunk) = (String::new(), [0; 4096]);
    while !text.contains(end) {
        let n = stream.read(&mut chunk).unwrap();
        assert!(n > 0, "the connection ended after {text:?}");
        text.push_str(&String::from_utf8_lossy(&chunk[..n]));
    }
    text
}

/// A connection that has been used, and is kept for later.
fn idle(server: &Contrail) -> TcpStream {
    let mut stream = connect(server);
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    read_until(&mut stream, "\"era\"");
    stream
}

/// A request whose body is not all there yet; the rest of it.
fn half_sent(server: &Contrail, head: &str, body: &str) -> (TcpStream, String) {
    let (first, rest) = body.split_at(body.len() / 2);
    let mut stream = connect(server);
    let head = format!("{head}\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    (stream, rest.to_owned())
}

const CREATE: &str = "POST / HTTP/1.1\r\ncontent-type: application/x-amz-json-1.1\r\n\
    x-amz-target: CloudTrail_20131101.CreateTrail";

async fn stops_on(signal: &str) {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    // More than fits into the buffers between us: whoever does not read keeps the server waiting.
    let filler = "x".repeat(20_000);
    let mut large = String::new();
    for id in 1..=1000 {
        let mut event = event(id);
        event["requestParameters"] = json!({"userData": filler});
        large += &format!("{event}\n");
    }
    assert_eq!(server.import(large).await.json()["accepted"], 1000);
    let created = server.call("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"})).await;
    assert_eq!(created.status, 200);

    let _idle = idle(&server);
    let _call = half_sent(&server, CREATE, r#"{"Name": "never", "S3BucketName": "my-bucket"}"#);
    let _intake = half_sent(&server, "POST /_contrail/events HTTP/1.1", &ndjson(2001..=2003));
    let mut export = connect(&server);
    export.write_all(b"GET /_contrail/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    read_until(&mut export, "eventVersion");

    let clock = Clock::system();
    server.process.signal(signal);
    let outcome = server.process.ended();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(clock.elapsed() < TEN_SECONDS, "{signal} took {:?}: {}", clock.elapsed(), outcome.stderr);
    assert!(
        outcome.stderr.trim_end().ends_with(r#""message":"stopped","target":"contrail::cli::serve"}"#),
        "{}",
        outcome.stderr
    );
    // The log has been folded into the database, so that one file is all there is to copy.
    assert!(!folder.path().join("contrail.db-wal").exists());

    let server = Contrail::start(folder.path());
    let ids = server.event_ids().await;
    assert!((1..=1000).all(|id| ids.get(&event_id(id)) == Some(&1)), "{} events are left", ids.len());
    let trails = server.call("DescribeTrails", json!({})).await.json();
    assert_eq!(trails["trailList"].as_array().unwrap().len(), 1, "{trails}");
    assert_eq!(trails["trailList"][0]["Name"], "demo");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_stops_it_whoever_is_connected() {
    stops_on("TERM").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_stops_it_whoever_is_connected() {
    stops_on("INT").await;
}

#[tokio::test]
async fn without_clients_it_is_gone_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    let clock = Clock::system();
    server.stop();
    assert!(clock.elapsed() < Duration::from_secs(3), "{:?}", clock.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_have_begun_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = contrail(&["--port", "0", "--data-dir", folder.path().to_str().unwrap()]);
    // One thread takes its connections in their order.
    command.env("CONTRAIL__SERVER__WORKERS", "1");
    let mut server = Contrail::spawn(command);
    let body = r#"{"Name": "last", "S3BucketName": "my-bucket"}"#;
    let (mut call, rest_of_call) = half_sent(&server, CREATE, body);
    let (mut intake, rest_of_intake) = half_sent(&server, "POST /_contrail/events HTTP/1.1", &ndjson(1..=5));
    // Behind these on the same wire: what was sent before has been read.
    drop(idle(&server));
    server.process.signal("TERM");
    server.process.logged("stopping");
    call.write_all(rest_of_call.as_bytes()).unwrap();
    intake.write_all(rest_of_intake.as_bytes()).unwrap();
    assert!(read_until(&mut call, "TrailARN").starts_with("HTTP/1.1 200"));
    let report = read_until(&mut intake, "rejected_count");
    assert!(report.contains(r#""accepted":5"#), "{report}");
    let address = server.address().to_owned();
    assert_eq!(server.process.ended().code, Some(0));
    assert!(TcpStream::connect(address).is_err(), "somebody still listens");

    let server = Contrail::start(folder.path());
    assert_eq!(server.event_ids().await.len(), 6, "five that were imported, and the call");
    let trails = server.call("DescribeTrails", json!({"trailNameList": ["last"]})).await.json();
    assert_eq!(trails["trailList"][0]["Name"], "last", "{trails}");
}
