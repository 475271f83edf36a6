//! The commands that ask a running server: health, events, tail, flush, reset.

use super::{Contrail, Outcome, contrail, event, event_id, ndjson, run};
use crate::support::record;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

/// A command about the server that holds a folder.
fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = contrail(args);
    command.args(["--data-dir", folder.to_str().unwrap()]);
    command
}

/// What a command printed that succeeded.
fn printed(folder: &Path, args: &[&str]) -> String {
    let outcome = run(command(folder, args));
    assert_eq!(outcome.code, Some(0), "{args:?}: {outcome:?}");
    outcome.stdout
}

/// The one line on stderr of a command that failed.
fn refused(outcome: Outcome) -> String {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    outcome.stderr.trim_end().to_owned()
}

/// A server whose demo trail is logging.
async fn with_trail(folder: &Path) -> Contrail {
    let server = Contrail::start(folder);
    server.call("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"})).await;
    server.call("StartLogging", json!({"Name": "demo"})).await;
    server
}

#[test]
fn health_finds_the_server_of_the_folder_and_says_when_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let line = refused(run(command(folder.path(), &["health", "--port", &port])));
    let start = format!("contrail: cannot reach http://127.0.0.1:{port}: ");
    assert!(line.starts_with(&start) && line.contains("no server uses the data folder"), "{line}");
    let server = Contrail::start_with(folder.path(), &["--era", "today"]);
    let version = env!("CARGO_PKG_VERSION");
    let url = &server.url;
    let answer = format!("available: Contrail {version} at {url}, era today\n");
    assert_eq!(printed(folder.path(), &["health"]), answer);
    assert_eq!(printed(Path::new("/nowhere"), &["health", "--url", url]), answer);
}

#[test]
fn health_waits_for_a_server_that_is_about_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let health = super::Process::spawn(command(folder.path(), &["health", "--wait", "60s"]), b"");
    let server = Contrail::start(folder.path());
    let outcome = health.ended();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains(&server.url), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_fails_while_something_else_answers() {
    let other = crate::support::upstream::Upstream::start().await;
    let line = refused(run(contrail(&["health", "--url", &other.url])));
    assert!(line.contains("which is not an answer of Contrail"), "{line}");
}

#[tokio::test]
async fn events_are_a_table_for_people_and_records_or_csv_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_trail(folder.path()).await;
    server.call("UpdateTrail", json!({"Name": "demo", "S3KeyPrefix": "audit"})).await;
    server.call("DeleteTrail", json!({"Name": "nothing"})).await;
    let table = printed(folder.path(), &["events", "--read-only=false"]);
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["TIME", "ACCOUNT", "REGION", "SERVICE", "EVENT", "USER", "RESULT", "RESOURCES"]);
    assert_eq!(
        lines[1][1..],
        [
            "000000000000",
            "us-east-1",
            "cloudtrail",
            "DeleteTrail",
            "root",
            "TrailNotFoundException",
            "nothing"
        ]
    );
    assert_eq!(lines[2][4..7], ["UpdateTrail", "root", "ok"]);
    assert!(!table.contains('\u{1b}'), "no colours where nobody looks");
    let records = printed(folder.path(), &["events", "--format", "ndjson", "--error"]);
    let [record]: [Value; 1] = records
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert_eq!(record["requestParameters"], json!({"name": "nothing"}));
    let csv = printed(
        folder.path(),
        &["events", "--format", "csv", "--event-name", "!DeleteTrail", "--order", "oldest"],
    );
    assert!(
        csv.starts_with("time,event_name,") && csv.contains(",UpdateTrail,") && !csv.contains("DeleteTrail,"),
        "{csv}"
    );
}

#[tokio::test]
async fn a_table_ends_at_its_limit_and_says_that_there_are_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson(1..=60)).await.status, 200);
    let outcome = run(command(folder.path(), &["events"]));
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 51), "{outcome:?}");
    assert_eq!(outcome.stderr, "there are more: --limit 500\n");
    let outcome = run(command(folder.path(), &["events", "--limit", "60"]));
    assert_eq!((outcome.stdout.lines().count(), outcome.stderr.as_str()), (61, ""));
    let outcome = run(command(folder.path(), &["events", "--event-name", "Nothing"]));
    assert_eq!(
        (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
        (Some(0), "", "no event was found\n")
    );
    assert_eq!(printed(folder.path(), &["events", "--format", "ndjson"]).lines().count(), 60);
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let _server = Contrail::start(folder.path());
    for verb in ["events", "tail"] {
        let line = refused(run(command(folder.path(), &[verb, "--from", "yesterday"])));
        assert_eq!(line, "contrail: from: \"yesterday\" is neither an ISO 8601 time nor epoch seconds");
    }
}

#[tokio::test]
async fn tail_prints_what_is_stored_from_now_on_also_behind_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson([1])).await.status, 200);
    let args = ["tail", "--json", "--event-name", "RunInstances"];
    let tail = super::Process::spawn(command(folder.path(), &args), b"");
    // The stream begins when the server knows of it.
    while !server.get("/_contrail/metrics").await.text.contains("contrail_connections 2") {
        tokio::task::yield_now().await;
    }
    let mut last = 2;
    let id =
        |line: String| serde_json::from_str::<Value>(&line).unwrap()["eventID"].as_str().unwrap().to_owned();
    // Until one that is stored behind the beginning of the stream is there.
    let first = loop {
        let other = record(1000 + last, "2026-11-30T00:00:00Z", "Other");
        let body = other.to_string() + "\n" + &event(last).to_string();
        assert_eq!(server.import(body).await.status, 200);
        match tail.stdout.recv_timeout(std::time::Duration::from_secs(1)) {
            Ok(line) => break id(line),
            Err(_) => last += 1,
        }
    };
    assert!((2..=last).any(|n| event_id(n) == first), "{first} is not one of those that came behind");
    server.stop();
    let server = Contrail::start(folder.path());
    let mut tail = tail;
    tail.logged("trying again");
    tail.logged("events may be missing here");
    assert_eq!(server.import(ndjson([500])).await.status, 200);
    loop {
        let line = tail.stdout.recv_timeout(super::DEADLINE).unwrap();
        if id(line) == event_id(500) {
            break;
        }
    }
}

#[tokio::test]
async fn flush_prints_what_was_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_trail(folder.path()).await;
    server.call("UpdateTrail", json!({"Name": "demo", "S3KeyPrefix": "audit"})).await;
    let keys = printed(folder.path(), &["flush"]);
    assert!(keys.starts_with("s3://my-bucket/audit/AWSLogs/000000000000/CloudTrail/us-east-1/"), "{keys}");
    assert_eq!(keys.lines().count(), 1);
    let outcome = run(command(folder.path(), &["flush"]));
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", "nothing waited to be delivered\n"));
}

#[tokio::test]
async fn reset_asks_first_and_removes_what_was_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_trail(folder.path()).await;
    assert_eq!(server.import(ndjson([1])).await.status, 200);
    let bare = run(command(folder.path(), &["reset"]));
    assert_eq!(bare.code, Some(2), "{bare:?}");
    let line = refused(run(command(folder.path(), &["reset", "--everything"])));
    assert_eq!(line, "contrail: there is nobody to ask: say --yes");
    let answer = printed(folder.path(), &["reset", "--account", "111122223333", "--yes"]);
    assert_eq!(answer, "0 trails and 0 events of account 111122223333 were removed\n");
    let mut with_other_account = command(folder.path(), &["reset", "--everything", "--yes"]);
    with_other_account.env("CONTRAIL_ACCOUNT", "111122223333");
    let outcome = run(with_other_account);
    assert_eq!(outcome.stdout, "1 trail and 3 events of all accounts were removed\n", "{outcome:?}");
}

/// Beyond loopback a token is asked for, which lies beside the data.
#[tokio::test]
async fn commands_find_token_and_certificate_beside_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut start =
        contrail(&["--host", "0.0.0.0", "--port", "0", "--data-dir", folder.path().to_str().unwrap()]);
    start.env("CONTRAIL__TLS__ENABLED", "true");
    let server = Contrail::spawn(start);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let with_tls = |args: &[&str]| {
        let mut command = command(folder.path(), args);
        command.env("CONTRAIL__TLS__ENABLED", "true");
        run(command)
    };
    let health = with_tls(&["health"]);
    assert_eq!(health.code, Some(0), "{health:?}");
    let events = with_tls(&["events"]);
    assert_eq!((events.code, events.stderr.as_str()), (Some(0), "no event was found\n"));
    // Reading needs no more than the token for reading.
    std::fs::remove_file(folder.path().join("admin.token")).unwrap();
    assert_eq!(with_tls(&["events"]).code, Some(0));
    let line = refused(with_tls(&["flush"]));
    assert!(line.ends_with("wants its admin token: set CONTRAIL_ADMIN_TOKEN"), "{line}");
}

/// As in `contrail events | head`.
#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson(1..=2000)).await.status, 200);
    for format in ["table", "ndjson", "csv"] {
        let mut events = command(folder.path(), &["events", "--limit", "2000", "--format", format]);
        let mut child = events.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let outcome = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        assert_eq!((outcome.status.code(), stderr.as_ref()), (Some(0), ""), "{format}");
    }
}

#[test]
fn a_flag_wins_over_the_environment_before_and_behind_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    for args in [&["--era", "today", "serve"][..], &["serve", "--era", "today"], &["--era", "today"]] {
        let mut command = contrail(&[args, &["--port", "0", "--data-dir", data_dir]].concat());
        command.env("CONTRAIL_ERA", "2015");
        let server = Contrail::spawn(command);
        assert!(server.banner.contains("era     today"), "{args:?}: {}", server.banner);
    }
    let outcome = run(contrail(&["--era", "2016"]));
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("[possible values: 2015, today]"), "{outcome:?}");
}
