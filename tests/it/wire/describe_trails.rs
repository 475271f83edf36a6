//! DescribeTrails: which trails are seen from where. Shadows of multi-region trails are in `regions.rs`.

use crate::support::TestServer;
use serde_json::json;

#[tokio::test]
async fn a_trail_is_described_with_its_home_and_selectors() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    insta::assert_json_snapshot!(server.call("DescribeTrails", json!({})).await.json(), @r#"
    {
      "trailList": [
        {
          "Name": "demo",
          "S3BucketName": "my-bucket",
          "IncludeGlobalServiceEvents": true,
          "IsMultiRegionTrail": false,
          "TrailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo",
          "LogFileValidationEnabled": false,
          "IsOrganizationTrail": false,
          "RecursiveLogging": true,
          "HomeRegion": "us-east-1",
          "HasCustomEventSelectors": false,
          "HasInsightSelectors": false
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn trails_are_asked_for_by_name_or_arn_and_unknown_ones_are_left_out() {
    let server = TestServer::start().await;
    for name in ["one", "two"] {
        server.call("CreateTrail", json!({"Name": name, "S3BucketName": "my-bucket"})).await;
    }
    let elsewhere = json!({"Name": "three", "S3BucketName": "my-bucket"});
    server.call_as("test", "eu-west-1", "CreateTrail", elsewhere).await;
    let arn = |region: &str, name: &str| format!("arn:aws:cloudtrail:{region}:000000000000:trail/{name}");
    for (asked, want) in [
        (json!([]), vec!["one", "two"]),
        (json!(["two"]), vec!["two"]),
        (json!(["two", "nothing"]), vec!["two"]),
        (json!([arn("us-east-1", "one"), "two"]), vec!["one", "two"]),
        (json!(["three"]), vec![]),
        (json!([arn("eu-west-1", "three")]), vec!["three"]),
        (json!([arn("us-east-1", "three")]), vec![]),
    ] {
        let found = server.call("DescribeTrails", json!({"trailNameList": asked})).await.json();
        let names: Vec<_> =
            found["trailList"].as_array().unwrap().iter().map(|t| t["Name"].clone()).collect();
        assert_eq!(names, want, "{asked}");
    }
}

#[tokio::test]
async fn a_name_or_arn_that_cannot_be_is_refused() {
    let server = TestServer::start().await;
    for (asked, code) in [
        ("a", "InvalidTrailNameException"),
        ("", "InvalidTrailNameException"),
        ("arn:aws:s3:::bucket", "CloudTrailARNInvalidException"),
        ("arn:aws:cloudtrail:us-east-1:111122223333:trail/theirs", "CloudTrailARNInvalidException"),
    ] {
        let reply = server.call("DescribeTrails", json!({"trailNameList": ["good", asked]})).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{asked}");
    }
}

#[tokio::test]
async fn accounts_do_not_see_each_others_trails() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let sdk = server.sdk_as("111122223333", "us-east-1");
    assert!(sdk.describe_trails().send().await.unwrap().trail_list().is_empty());
    let reply = server.call_as("111122223333", "us-east-1", "DeleteTrail", json!({"Name": "demo"})).await;
    assert_eq!(reply.code(), "TrailNotFoundException");
}
