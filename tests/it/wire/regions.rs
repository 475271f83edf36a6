//! One trail for all regions: its shadows, its home, and ARNs of the wrong place.

use crate::support::TestServer;
use serde_json::{Value, json};

const ARN: &str = "arn:aws:cloudtrail:us-east-1:000000000000:trail/all";

/// A server with the multi-region trail `all`, at home in us-east-1.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    let input = json!({"Name": "all", "S3BucketName": "my-bucket", "IsMultiRegionTrail": true});
    assert_eq!(server.call("CreateTrail", input).await.status, 200);
    server
}

async fn create(server: &TestServer, region: &str, name: &str, multi: bool) -> String {
    let input = json!({"Name": name, "S3BucketName": "my-bucket", "IsMultiRegionTrail": multi});
    server.call_as("test", region, "CreateTrail", input).await.code()
}

async fn away(server: &TestServer, operation: &str, input: Value) -> crate::support::Reply {
    server.call_as("test", "eu-west-1", operation, input).await
}

#[tokio::test]
async fn its_shadow_is_seen_in_every_region_unless_it_is_not_wanted() {
    let server = server().await;
    let seen = away(&server, "DescribeTrails", json!({})).await.json();
    assert_eq!(
        (&seen["trailList"][0]["TrailARN"], &seen["trailList"][0]["HomeRegion"]),
        (&json!(ARN), &json!("us-east-1"))
    );
    let without = away(&server, "DescribeTrails", json!({"includeShadowTrails": false})).await.json();
    assert_eq!(without, json!({"trailList": []}));
    let by_name = away(&server, "DescribeTrails", json!({"trailNameList": ["all"]})).await.json();
    assert_eq!(by_name, json!({"trailList": []}), "a bare name means a trail at home here");
    let by_arn = away(&server, "DescribeTrails", json!({"trailNameList": [ARN]})).await.json();
    assert_eq!(by_arn["trailList"][0]["Name"], "all");
}

#[tokio::test]
async fn it_is_changed_at_home_only() {
    let server = server().await;
    for operation in ["UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"] {
        for name in ["all", ARN] {
            let reply = away(&server, operation, json!({"Name": name})).await;
            assert_eq!(reply.code(), "InvalidHomeRegionException", "{operation} {name}");
            assert!(reply.error().1.contains("us-east-1"));
        }
    }
}

#[tokio::test]
async fn its_status_is_read_from_everywhere_by_arn_and_not_by_name() {
    let server = server().await;
    server.call("StartLogging", json!({"Name": "all"})).await;
    let status = away(&server, "GetTrailStatus", json!({"Name": ARN})).await.json();
    assert_eq!(status["IsLogging"], true);
    let by_name = away(&server, "GetTrailStatus", json!({"Name": "all"})).await;
    let text =
        "Unknown trail: arn:aws:cloudtrail:eu-west-1:000000000000:trail/all for the user: 000000000000";
    assert_eq!(by_name.error(), ("TrailNotFoundException".into(), text.into()));
}

#[tokio::test]
async fn an_arn_of_another_region_is_wrong_here() {
    let server = server().await;
    create(&server, "us-east-1", "single", false).await;
    for name in ["single", "nothing"] {
        let arn = format!("arn:aws:cloudtrail:us-east-1:000000000000:trail/{name}");
        for operation in ["GetTrailStatus", "StopLogging"] {
            let reply = away(&server, operation, json!({"Name": arn})).await;
            let text = "Region in ARN is wrong, you can only access resources in region eu-west-1.";
            assert_eq!(
                reply.error(),
                ("CloudTrailARNInvalidException".into(), text.into()),
                "{operation} {name}"
            );
        }
    }
}

#[tokio::test]
async fn it_takes_its_name_in_every_region() {
    let server = server().await;
    assert_eq!(create(&server, "eu-west-1", "all", false).await, "TrailAlreadyExistsException");
    assert_eq!(create(&server, "eu-west-1", "single", false).await, "");
    assert_eq!(create(&server, "us-east-1", "single", true).await, "TrailAlreadyExistsException");
    assert_eq!(create(&server, "us-east-1", "single", false).await, "", "two regions may have their own");
    let widen = server.call("UpdateTrail", json!({"Name": "single", "IsMultiRegionTrail": true})).await;
    assert_eq!(widen.code(), "TrailAlreadyExistsException");
}

#[tokio::test]
async fn its_shadow_counts_among_the_five_of_a_region() {
    let server = server().await;
    for i in 1..=4 {
        assert_eq!(create(&server, "eu-west-1", &format!("trail-{i}"), false).await, "");
    }
    assert_eq!(
        create(&server, "eu-west-1", "trail-5", false).await,
        "MaximumNumberOfTrailsExceededException"
    );
    assert_eq!(create(&server, "us-east-1", "more", false).await, "", "there is room at home");
    assert_eq!(
        create(&server, "us-east-1", "everywhere", true).await,
        "MaximumNumberOfTrailsExceededException"
    );
    let widen = server.call("UpdateTrail", json!({"Name": "more", "IsMultiRegionTrail": true})).await;
    assert_eq!(widen.error().1, "User: 000000000000 already has 5 trails in eu-west-1.");
}

#[tokio::test]
async fn its_logging_records_calls_in_all_regions() {
    let server = server().await;
    server.call("StartLogging", json!({"Name": "all"})).await;
    create(&server, "eu-west-1", "single", false).await;
    let found = away(&server, "LookupEvents", json!({})).await.json();
    assert_eq!(found["Events"][0]["EventName"], "CreateTrail");
    server.call("UpdateTrail", json!({"Name": "all", "IsMultiRegionTrail": false})).await;
    create(&server, "eu-west-1", "unseen", false).await;
    server.wait(1);
    let found = away(&server, "LookupEvents", json!({})).await.json();
    assert_eq!(found["Events"].as_array().unwrap().len(), 1);
}
