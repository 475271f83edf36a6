//! The limit on LookupEvents, with a clock that is moved.

use crate::support::TestServer;
use serde_json::json;

async fn status(server: &TestServer, key: &str, region: &str) -> u16 {
    server.call_as(key, region, "LookupEvents", json!({})).await.status
}

#[tokio::test]
async fn one_lookup_a_second_for_each_account_in_all_its_regions() {
    let server = TestServer::start().await;
    assert_eq!(status(&server, "111122223333", "us-east-1").await, 200);
    let refused = server.call_as("111122223333", "us-east-1", "LookupEvents", json!({})).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.text, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
    assert_eq!(status(&server, "111122223333", "eu-west-1").await, 400, "regions share");
    assert_eq!(status(&server, "444455556666", "us-east-1").await, 200, "accounts do not");
    server.wait(1);
    assert_eq!(status(&server, "111122223333", "eu-west-1").await, 200);
}

#[tokio::test]
async fn a_refused_call_uses_up_nothing() {
    let server = TestServer::start().await;
    assert_eq!(status(&server, "test", "us-east-1").await, 200);
    for _ in 0..20 {
        assert_eq!(status(&server, "test", "us-east-1").await, 400);
    }
    server.wait(1);
    assert_eq!(status(&server, "test", "us-east-1").await, 200);
}

#[tokio::test]
async fn a_call_counts_before_it_is_read() {
    let server = TestServer::start().await;
    let first = server.call("LookupEvents", json!({"MaxResults": 99})).await;
    assert_eq!(first.code(), "InvalidMaxResultsException");
    assert_eq!(server.call("LookupEvents", json!({})).await.code(), "ThrottlingException");
    assert_eq!(server.call("LookupEvents", json!({"MaxResults": 99})).await.code(), "ThrottlingException");
}

#[tokio::test]
async fn other_operations_have_no_limit() {
    let server = TestServer::start().await;
    for _ in 0..10 {
        assert_eq!(server.call("DescribeTrails", json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn today_it_is_two_a_second_for_each_account_and_region() {
    let server = TestServer::with(&[("era", "today")]).await;
    for region in ["us-east-1", "eu-west-1"] {
        assert_eq!(status(&server, "test", region).await, 200);
        assert_eq!(status(&server, "test", region).await, 200);
        assert_eq!(status(&server, "test", region).await, 400);
    }
}

#[tokio::test]
async fn the_limit_can_be_set_and_switched_off() {
    let server = TestServer::with(&[("limits.lookup_events_per_second", "3")]).await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(status(&server, "test", "us-east-1").await);
    }
    assert_eq!(answers, [200, 200, 200, 400]);
    let server = TestServer::with(&[("limits.lookup_events_per_second", "0")]).await;
    for _ in 0..20 {
        assert_eq!(status(&server, "test", "us-east-1").await, 200);
    }
}

#[tokio::test]
async fn a_throttled_call_is_recorded_as_refused() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.call("LookupEvents", json!({})).await;
    let refused = server.call("LookupEvents", json!({"MaxResults": 5})).await;
    let record = server.records().await.pop().unwrap();
    assert_eq!(record["errorCode"], "ThrottlingException");
    assert_eq!(record["errorMessage"], "Rate exceeded");
    assert_eq!(record["requestID"], refused.header("x-amzn-requestid"));
}
