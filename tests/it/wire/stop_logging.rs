use crate::support::TestServer;
use serde_json::json;

#[tokio::test]
async fn the_sdk_stops_logging_and_the_trail_stays() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let before = server.ok("DescribeTrails", json!({})).await;
    let sdk = server.sdk();
    sdk.stop_logging().name("demo").send().await.unwrap();
    assert_eq!(sdk.get_trail_status().name("demo").send().await.unwrap().is_logging(), Some(false));
    assert_eq!(server.ok("DescribeTrails", json!({})).await, before);
}

#[tokio::test]
async fn the_answer_is_empty_and_a_second_stop_changes_nothing() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let name = json!({"Name": "demo"});
    assert_eq!(server.ok("StopLogging", name.clone()).await, json!({}));
    let before = server.ok("GetTrailStatus", name.clone()).await;
    server.wait(60);
    assert_eq!(server.ok("StopLogging", name.clone()).await, json!({}));
    assert_eq!(server.ok("GetTrailStatus", name).await, before);
}

#[tokio::test]
async fn a_trail_that_never_logged_can_be_stopped_and_shows_no_time() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let before = server.ok("GetTrailStatus", json!({"Name": "demo"})).await;
    assert_eq!(server.ok("StopLogging", json!({"Name": "demo"})).await, json!({}));
    assert_eq!(server.ok("GetTrailStatus", json!({"Name": "demo"})).await, before);
}

#[tokio::test]
async fn one_trail_is_stopped_and_no_other() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.create_in("us-east-1", "other", false).await;
    server.ok("StartLogging", json!({"Name": "other"})).await;
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    let other = server.ok("GetTrailStatus", json!({"Name": "other"})).await;
    assert_eq!((&other["IsLogging"], other.get("StopLoggingTime")), (&json!(true), None));
}
