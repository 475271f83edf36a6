use crate::support::TestServer;
use serde_json::json;

#[tokio::test]
async fn the_sdk_starts_logging() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let sdk = server.sdk();
    sdk.start_logging().name("demo").send().await.unwrap();
    assert_eq!(sdk.get_trail_status().name("demo").send().await.unwrap().is_logging(), Some(true));
}

#[tokio::test]
async fn the_answer_is_empty_and_a_second_start_changes_nothing() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let name = json!({"Name": "demo"});
    assert_eq!(server.ok("StartLogging", name.clone()).await, json!({}));
    let before = server.ok("GetTrailStatus", name.clone()).await;
    server.wait(60);
    assert_eq!(server.ok("StartLogging", name.clone()).await, json!({}));
    assert_eq!(server.ok("GetTrailStatus", name).await, before);
}

#[tokio::test]
async fn one_trail_is_started_and_no_other() {
    let server = TestServer::start().await;
    for name in ["first", "second"] {
        server.create_in("us-east-1", name, false).await;
    }
    server.create_in("eu-west-1", "first", false).await;
    server.ok("StartLogging", json!({"Name": "first"})).await;
    for (region, name, is_logging) in
        [("us-east-1", "first", true), ("us-east-1", "second", false), ("eu-west-1", "first", false)]
    {
        let status = server.ok_in(region, "GetTrailStatus", json!({"Name": name})).await;
        assert_eq!(status["IsLogging"], is_logging, "{name} in {region}");
    }
}
