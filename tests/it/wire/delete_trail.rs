//! DeleteTrail: the trail goes, its events stay.

use crate::support::TestServer;
use serde_json::json;

#[tokio::test]
async fn a_trail_is_deleted_once() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let sdk = server.sdk();
    sdk.delete_trail().name("demo").send().await.unwrap();
    let again = sdk.delete_trail().name("demo").send().await.unwrap_err().into_service_error();
    assert!(again.is_trail_not_found_exception());
    assert_eq!(server.call("DescribeTrails", json!({})).await.json(), json!({"trailList": []}));
    assert_eq!(server.records().await.len(), 1, "the record of the deletion stays");
}

#[tokio::test]
async fn it_answers_an_empty_object_and_says_what_it_does_not_know() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let reply = server.call("DeleteTrail", json!({"Name": "nothing"})).await;
    let text =
        "Unknown trail: arn:aws:cloudtrail:us-east-1:000000000000:trail/nothing for the user: 000000000000";
    assert_eq!(reply.error(), ("TrailNotFoundException".into(), text.into()));
    let arn = "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo";
    let reply = server.call("DeleteTrail", json!({"Name": arn})).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "{}"));
}

#[tokio::test]
async fn a_name_that_is_free_again_is_a_new_trail() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.call("DeleteTrail", json!({"Name": "demo"})).await;
    server.call("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"})).await;
    let status = server.call("GetTrailStatus", json!({"Name": "demo"})).await.json();
    assert_eq!((&status["IsLogging"], status.get("StartLoggingTime")), (&json!(false), None));
}
