//! Calls that wait to be recorded, and what becomes of them when the disk is full or slow.

use super::{call, in_front, json_call, signed_by};
use crate::support::{TestServer, http};
use contrail::aws::request::Request;
use contrail::metrics::Fates;
use contrail::recorder::exchange::Exchange;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// A call of SQS that nobody answered.
fn exchange(server: &TestServer, target: &str) -> Exchange {
    let mut headers = ::http::HeaderMap::new();
    headers.insert("authorization", signed_by("test", "sqs").parse().unwrap());
    headers.insert("x-amz-target", target.parse().unwrap());
    Exchange::new(Arc::new(Request::new(::http::Method::POST, "/", headers)), server.clock.now())
}

#[tokio::test]
async fn events_that_can_never_be_stored_do_not_keep_back_others_for_ever() {
    let (server, _upstream) = in_front(&[]).await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON events WHEN new.event_name = 'CreateQueue' \
             BEGIN SELECT RAISE(ABORT, 'broken'); END",
        )
        .unwrap();
    let calls = server.parts.forwarded_calls.as_ref().unwrap();
    // One batch of three, and a call that waits behind it.
    for target in ["AmazonSQS.TagQueue", "AmazonSQS.CreateQueue", "AmazonSQS.UntagQueue"] {
        calls.offer(exchange(&server, target));
    }
    server.settle().await;
    json_call(&server, "dynamodb", "DynamoDB_20120810.DeleteTable", "{}").await;
    let sqs = || server.parts.metrics.forwarded_calls.by_service().get("sqs.amazonaws.com").copied();
    for seconds in [0, 299] {
        server.wait(seconds);
        server.settle().await;
        assert_eq!(sqs(), None, "a disk that is full for a while loses nothing");
    }
    server.wait(1);
    server.settle().await;
    assert_eq!(sqs(), Some(Fates { recorded: 2, dropped: 1, ..Fates::default() }));
    let names: Vec<Value> = server.records().await.iter().map(|r| r["eventName"].clone()).collect();
    assert_eq!(names, ["TagQueue", "UntagQueue", "DeleteTable"]);
}

#[tokio::test]
async fn who_waits_for_what_was_handed_over_waits_for_all_of_it() {
    let (server, _upstream) = in_front(&[]).await;
    let calls = server.parts.forwarded_calls.as_ref().unwrap();
    // More than one batch, and no moment in which any of it could be stored.
    for _ in 0..1000 {
        calls.offer(exchange(&server, "AmazonSQS.CreateQueue"));
    }
    server.parts.handed_over().stored().await.unwrap();
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let stored: i64 = database.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 1000);
}

#[tokio::test]
async fn a_full_queue_loses_records_and_no_calls() {
    let (server, upstream) = in_front(&[("recorder.queue_bytes", "1")]).await;
    assert_eq!(json_call(&server, "sqs", "AmazonSQS.CreateQueue", r#"{"QueueName":"q"}"#).await.status, 200);
    assert!(server.records().await.is_empty());
    let metrics = server.get("/_contrail/metrics").await.text;
    let dropped = r#"contrail_forwarded_calls_dropped_total{service="sqs.amazonaws.com"} 1"#;
    assert!(metrics.contains(dropped), "{metrics}");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_strict_server_refuses_what_it_has_no_room_to_record_before_it_is_forwarded() {
    let (server, upstream) = in_front(&[("recorder.strict", "true"), ("recorder.queue_calls", "1")]).await;
    // No event can be stored meanwhile: the task holds the first, the queue the second.
    let session = server.parts.store.write().await.unwrap();
    let create = || json_call(&server, "sqs", "AmazonSQS.CreateQueue", r#"{"QueueName":"q"}"#);
    // Answers wait for their records, so the first that comes is a refusal.
    let mut calls: FuturesUnordered<_> = (0..8).map(|_| create()).collect();
    let refused = calls.next().await.unwrap();
    assert_eq!(refused.status, 503);
    assert!(refused.text.contains("cannot be recorded are not forwarded"), "{}", refused.text);
    drop(session);
    let others: Vec<u16> = calls.map(|reply| reply.status).collect().await;
    let forwarded = others.iter().filter(|status| **status == 200).count();
    assert!(forwarded > 0 && others.iter().all(|status| [200, 503].contains(status)), "{others:?}");
    assert_eq!(create().await.status, 200, "there is room again");
    assert_eq!(upstream.seen().len(), forwarded + 1);
    assert_eq!(server.records().await.len(), forwarded + 1, "what was forwarded is recorded");
    let health = server.get("/_contrail/health").await.json();
    let refused = 8 - forwarded;
    let expected = json!({"recorded": forwarded + 1, "dropped": 0, "unidentified": 0, "refused": refused});
    assert_eq!(health["forwarded_calls"], json!({"sqs.amazonaws.com": expected}));
}

/// Answers of every shape in which the end of a body comes.
const SHAPES: [&str; 4] = [
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
];

#[tokio::test]
async fn a_strict_server_has_the_record_on_disk_before_the_answer_ends() {
    let (server, mut upstream) = in_front(&[("recorder.strict", "true")]).await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let stored =
        || -> i64 { database.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).unwrap() };
    for (n, shape) in SHAPES.into_iter().cycle().take(40).enumerate() {
        upstream.will_answer(shape);
        assert!(json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{}").await.status < 300);
        assert_eq!(stored(), n as i64 + 1, "behind {shape:?}");
    }
    // So have Contrail's own answers: one that is given for the upstream, and those of calls that only read.
    upstream.stop().await;
    assert_eq!(json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{}").await.status, 503);
    assert_eq!(stored(), 41);
    assert_eq!(server.call("DescribeTrails", json!({})).await.status, 200);
    assert_eq!(stored(), 42);
    // There is no record of this, and nothing to wait for.
    upstream.come_back().await;
    assert_eq!(call(&server, "lambda", (Method::GET, "/no/such/path"), &[], "").await.status, 200);
    assert_eq!(stored(), 42);
}

#[tokio::test]
async fn a_strict_server_breaks_off_the_answer_to_a_call_that_cannot_be_recorded() {
    for shape in SHAPES {
        let (server, upstream) = in_front(&[("recorder.strict", "true")]).await;
        let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
        let trigger =
            "CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'broken'); END";
        database.execute_batch(trigger).unwrap();
        upstream.will_answer(shape);
        let request = http().post(&server.url).header("authorization", signed_by("test", "sqs"));
        let request = request.header("x-amz-target", "AmazonSQS.CreateQueue").send();
        let answered = tokio::spawn(async move {
            let response = request.await.unwrap();
            (response.status().as_u16(), response.bytes().await)
        });
        while server.parts.metrics.commit_failures.get() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!answered.is_finished(), "there may be room again");
        server.wait(300);
        server.settle().await;
        let (status, body) = answered.await.unwrap();
        assert!(status == 503 || body.is_err(), "{shape:?}: {status} {body:?}");
    }
}

#[tokio::test]
async fn a_call_of_which_one_event_is_never_stored_is_lost_and_those_beside_it_are_not() {
    let (server, _upstream) = in_front(&[("recorder.data_events", "true")]).await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let trigger = "CREATE TRIGGER broken BEFORE INSERT ON events WHEN NEW.record LIKE '%in/bad%' \
                   BEGIN SELECT RAISE(ABORT, 'broken'); END";
    database.execute_batch(trigger).unwrap();
    let session = server.parts.store.write().await.unwrap();
    // The first call is taken by itself; those behind it come together.
    json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{}").await;
    for keys in [["in/a", "in/b"], ["in/bad", "in/c"]] {
        let keys = keys.map(|key| format!("<Object><Key>{key}</Key></Object>")).concat();
        let body = format!("<Delete>{keys}</Delete>");
        call(&server, "s3", (Method::POST, "/b-1?delete"), &[], body).await;
    }
    json_call(&server, "kms", "TrentService.CreateKey", "{}").await;
    drop(session);
    while server.parts.metrics.commit_failures.get() == 0 {
        tokio::task::yield_now().await;
    }
    server.wait(300);
    server.settle().await;
    let counts = server.get("/_contrail/health").await.json()["forwarded_calls"].clone();
    let of = |service: &str| (counts[service]["recorded"].as_u64(), counts[service]["dropped"].as_u64());
    assert_eq!(of("s3.amazonaws.com"), (Some(1), Some(1)), "{counts}");
    assert_eq!(of("sqs.amazonaws.com"), (Some(1), Some(0)), "{counts}");
    assert_eq!(of("kms.amazonaws.com"), (Some(1), Some(0)), "{counts}");
}

#[tokio::test]
async fn what_became_of_calls_is_counted_by_service() {
    let (server, _upstream) = in_front(&[]).await;
    json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{}").await;
    call(&server, "lambda", (Method::GET, "/no/such/path"), &[], "").await;
    call(&server, "made-up", (Method::GET, "/"), &[], "").await;
    server.settle().await;
    let counts = server.get("/_contrail/health").await.json()["forwarded_calls"].clone();
    let of = |service: &str| (counts[service]["recorded"].as_u64(), counts[service]["unidentified"].as_u64());
    assert_eq!(of("sqs.amazonaws.com"), (Some(1), Some(0)));
    assert_eq!(of("lambda.amazonaws.com"), (Some(0), Some(1)));
    assert_eq!(of("unknown"), (Some(0), Some(1)), "whatever a caller signs for: {counts}");
    assert_eq!(counts.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn events_for_which_the_disk_has_no_room_are_stored_when_there_is_room_again() {
    let (server, _upstream) = in_front(&[]).await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    // Every insert fails as on a damaged database, until the trigger is gone.
    database
        .execute_batch(
            "CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'broken'); END",
        )
        .unwrap();
    for _ in 0..3 {
        assert_eq!(json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{}").await.status, 200);
    }
    server.settle().await;
    assert!(server.records().await.is_empty());
    database.execute_batch("DROP TRIGGER broken").unwrap();
    server.settle().await;
    assert_eq!(server.records().await.len(), 3);
}
