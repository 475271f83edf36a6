//! Trails seen from other regions than their own.

use crate::support::{TestServer, arn};
use serde_json::json;

const CHANGES: [&str; 4] = ["UpdateTrail", "StartLogging", "StopLogging", "DeleteTrail"];

/// A server with trails at home in us-east-1: `wide` for all regions, `local` for its own.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "wide", true).await;
    server.create_in("us-east-1", "local", false).await;
    server
}

#[tokio::test]
async fn a_multi_region_trail_looks_the_same_from_every_region() {
    let server = server().await;
    server.create_in("eu-west-1", "theirs", false).await;
    assert_eq!(server.trail_names("us-east-1", json!({})).await, ["local", "wide"]);
    assert_eq!(server.trail_names("eu-west-1", json!({})).await, ["theirs", "wide"]);
    assert_eq!(server.trail_names("mars-north-1", json!({})).await, ["wide"]);
    let shadow = server.ok_in("mars-north-1", "DescribeTrails", json!({})).await["trailList"][0].clone();
    assert_eq!(shadow["HomeRegion"], "us-east-1");
    assert_eq!(shadow["TrailARN"], arn("us-east-1", "wide"));
    assert_eq!(shadow, server.ok("DescribeTrails", json!({})).await["trailList"][1]);
}

#[tokio::test]
async fn shadow_trails_can_be_left_out() {
    let server = server().await;
    server.create_in("eu-west-1", "theirs", false).await;
    let without = json!({"includeShadowTrails": false, "trailNameList": []});
    assert_eq!(server.trail_names("us-east-1", without.clone()).await, ["local", "wide"]);
    assert_eq!(server.trail_names("eu-west-1", without).await, ["theirs"]);
    let sdk = server.sdk_as("test", "eu-west-1");
    let trails = async |shadows| {
        sdk.describe_trails().include_shadow_trails(shadows).send().await.unwrap().trail_list().len()
    };
    assert_eq!((trails(true).await, trails(false).await), (2, 1));
}

#[tokio::test]
async fn a_trail_of_another_region_is_described_by_arn_and_not_by_name() {
    let server = server().await;
    for (list, want) in [
        (json!(["wide"]), vec![]),
        (json!(["local"]), vec![]),
        (json!([arn("us-east-1", "wide")]), vec!["wide"]),
        (json!([arn("us-east-1", "local")]), vec!["local"]),
        (json!([arn("eu-west-1", "wide")]), vec![]),
    ] {
        let input = json!({"trailNameList": list});
        assert_eq!(server.trail_names("eu-west-1", input).await, want, "{list}");
    }
}

#[tokio::test]
async fn the_status_of_a_shadow_is_read_by_arn_and_not_by_name() {
    let server = server().await;
    server.ok("StartLogging", json!({"Name": "wide"})).await;
    let at_home = server.ok("GetTrailStatus", json!({"Name": "wide"})).await;
    let by_arn = json!({"Name": arn("us-east-1", "wide")});
    assert_eq!(server.ok_in("eu-west-1", "GetTrailStatus", by_arn).await, at_home);
    // The text names the region of the call.
    assert_eq!(
        server.refused_in("eu-west-1", "GetTrailStatus", json!({"Name": "wide"})).await,
        "TrailNotFoundException: Unknown trail: arn:aws:cloudtrail:eu-west-1:000000000000:trail/wide \
         for the user: 000000000000"
    );
}

#[tokio::test]
async fn a_shadow_is_changed_only_in_its_home_region() {
    let server = server().await;
    let (before, status) = (server.ok("DescribeTrails", json!({})).await, json!({"Name": "wide"}));
    let status_before = server.ok("GetTrailStatus", status.clone()).await;
    for operation in CHANGES {
        for name in ["wide", &arn("us-east-1", "wide")] {
            let input = json!({"Name": name, "S3BucketName": "other-bucket"});
            assert_eq!(
                server.refused_in("eu-west-1", operation, input).await,
                "InvalidHomeRegionException: The trail arn:aws:cloudtrail:us-east-1:000000000000:trail/wide can be \
                 changed only in its home region us-east-1.",
                "{operation}"
            );
        }
    }
    assert_eq!(server.ok("DescribeTrails", json!({})).await, before);
    assert_eq!(server.ok("GetTrailStatus", status).await, status_before);
    // So is what is named as if it were at home where it is only seen.
    let misplaced = json!({"Name": arn("eu-west-1", "wide")});
    let refused = server.refused_in("eu-west-1", "StopLogging", misplaced).await;
    assert!(refused.starts_with("InvalidHomeRegionException"), "{refused}");
    let sdk = server.sdk_as("test", "eu-west-1");
    let refused = sdk.delete_trail().name("wide").send().await.unwrap_err().into_service_error();
    assert!(refused.is_invalid_home_region_exception(), "{refused:?}");
}

#[tokio::test]
async fn a_single_region_trail_is_not_reached_from_another_region() {
    let server = server().await;
    for operation in CHANGES.into_iter().chain(["GetTrailStatus"]) {
        let by_name = server.refused_in("eu-west-1", operation, json!({"Name": "local"})).await;
        assert_eq!(
            by_name,
            "TrailNotFoundException: Unknown trail: arn:aws:cloudtrail:eu-west-1:000000000000:trail/local \
             for the user: 000000000000",
            "{operation}"
        );
        for unreachable in [arn("us-east-1", "local"), arn("us-east-1", "unknown"), arn("ap-south-1", "wide")]
        {
            assert_eq!(
                server.refused_in("eu-west-1", operation, json!({"Name": unreachable})).await,
                "CloudTrailARNInvalidException: Region in ARN is wrong, you can only access resources in region \
                 eu-west-1.",
                "{operation} {unreachable}"
            );
        }
    }
    assert_eq!(server.trail_names("us-east-1", json!({})).await, ["local", "wide"]);
}

#[tokio::test]
async fn of_two_trails_with_one_name_each_region_changes_its_own() {
    let server = server().await;
    server.create_in("eu-west-1", "local", false).await;
    server.ok_in("eu-west-1", "DeleteTrail", json!({"Name": arn("eu-west-1", "local")})).await;
    assert_eq!(server.trail_names("us-east-1", json!({})).await, ["local", "wide"]);
    assert_eq!(server.trail_names("eu-west-1", json!({})).await, ["wide"]);
}

#[tokio::test]
async fn a_multi_region_trail_is_gone_everywhere_when_it_is_deleted() {
    let server = server().await;
    server.ok("DeleteTrail", json!({"Name": "wide"})).await;
    assert!(server.trail_names("eu-west-1", json!({})).await.is_empty());
}
