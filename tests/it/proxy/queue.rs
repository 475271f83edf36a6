//! Calls that wait to be recorded, and what becomes of them when the disk is full or slow.

use super::{call, in_front, json_call, signed_by};
use crate::support::TestServer;
use contrail::aws::request::Request;
use contrail::metrics::Fates;
use contrail::recorder::exchange::Exchange;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

/// A call of SQS that nobody answered.
fn exchange(server: &TestServer, target: &str) -> Exchange {
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", signed_by("test", "sqs").parse().unwrap());
    headers.insert("x-amz-target", target.parse().unwrap());
    Exchange::new(Arc::new(Request::new(http::Method::POST, "/", headers)), server.clock.now())
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
    let mut forwarded = 0;
    let refused = loop {
        let reply = create().await;
        if reply.status == 503 {
            break reply;
        }
        forwarded += 1;
    };
    assert!(refused.text.contains("cannot be recorded are not forwarded"), "{}", refused.text);
    assert!((1..=3).contains(&forwarded), "{forwarded}");
    drop(session);
    server.settle().await;
    assert_eq!(create().await.status, 200, "there is room again");
    assert_eq!(upstream.seen().len(), forwarded + 1);
    assert_eq!(server.records().await.len(), forwarded + 1, "what was forwarded is recorded");
    let health = server.get("/_contrail/health").await.json();
    let expected = json!({"recorded": forwarded + 1, "dropped": 0, "unidentified": 0, "refused": 1});
    assert_eq!(health["forwarded_calls"], json!({"sqs.amazonaws.com": expected}));
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
