use crate::support::TestServer;
use serde_json::json;

#[tokio::test]
async fn the_sdk_deletes_a_trail_and_the_others_stay() {
    let server = TestServer::start().await;
    for name in ["first", "second"] {
        server.create_in("us-east-1", name, false).await;
    }
    server.sdk().delete_trail().name("first").send().await.unwrap();
    assert_eq!(server.trail_names("us-east-1", json!({})).await, ["second"]);
}

#[tokio::test]
async fn the_answer_is_empty_and_the_second_time_it_is_not_found() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    assert_eq!(server.ok("DeleteTrail", json!({"Name": "demo"})).await, json!({}));
    assert_eq!(
        server.refused("DeleteTrail", json!({"Name": "demo"})).await,
        "TrailNotFoundException: Unknown trail: arn:aws:cloudtrail:us-east-1:000000000000:trail/demo \
         for the user: 000000000000"
    );
}

#[tokio::test]
async fn a_name_that_was_freed_begins_anew() {
    let server = TestServer::start().await;
    let tagged = json!({"Name": "demo", "S3BucketName": "my-bucket", "TagsList": [{"Key": "team"}]});
    server.ok("CreateTrail", tagged.clone()).await;
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    server.ok("CreateTrail", tagged).await;
    let status = server.ok("GetTrailStatus", json!({"Name": "demo"})).await;
    assert_eq!((&status["IsLogging"], status.get("StartLoggingTime")), (&json!(false), None));
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    server.create_in("us-east-1", "demo", false).await;
    assert_eq!(server.tags("demo").await, json!([]), "no tags of its predecessor");
}

#[tokio::test]
async fn what_a_trail_recorded_stays_when_it_is_deleted() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.ok("UpdateTrail", json!({"Name": "demo"})).await;
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    let found = server.sdk().lookup_events().send().await.unwrap();
    let names: Vec<_> = found.events().iter().map(|event| event.event_name().unwrap()).collect();
    assert_eq!(names, ["DeleteTrail", "UpdateTrail"]);
}
