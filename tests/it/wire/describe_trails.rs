use crate::support::{TestServer, arn};
use serde_json::json;

#[tokio::test]
async fn where_there_is_no_trail_the_list_is_empty() {
    let server = TestServer::start().await;
    assert_eq!(server.call("DescribeTrails", json!({})).await.text, r#"{"trailList":[]}"#);
    assert!(server.sdk().describe_trails().send().await.unwrap().trail_list().is_empty());
}

#[tokio::test]
async fn a_trail_shows_its_home_and_omits_what_is_not_set() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    insta::assert_json_snapshot!(server.ok("DescribeTrails", json!({})).await, @r#"
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
async fn the_sdk_asks_for_trails_by_name_and_by_arn() {
    let server = TestServer::start().await;
    for name in ["first", "second", "third"] {
        server.create_in("us-east-1", name, false).await;
    }
    let found = server
        .sdk()
        .describe_trails()
        .trail_name_list("third")
        .trail_name_list(arn("us-east-1", "first"))
        .send()
        .await
        .unwrap();
    let names: Vec<_> = found.trail_list().iter().map(|trail| trail.name().unwrap()).collect();
    assert_eq!(names, ["first", "third"]);
}

#[tokio::test]
async fn no_name_means_all_and_an_unknown_one_is_left_out() {
    let server = TestServer::start().await;
    for name in ["first", "second"] {
        server.create_in("us-east-1", name, false).await;
    }
    let unknown = arn("us-east-1", "unknown");
    for (names, want) in [
        (json!([]), vec!["first", "second"]),
        (json!(null), vec!["first", "second"]),
        (json!(["second"]), vec!["second"]),
        (json!(["second", "unknown", "second", arn("us-east-1", "second")]), vec!["second"]),
        (json!(["First"]), vec![]),
        (json!(["unknown"]), vec![]),
        (json!([unknown]), vec![]),
    ] {
        let input = json!({"trailNameList": names});
        assert_eq!(server.trail_names("us-east-1", input).await, want, "{names}");
    }
}

#[tokio::test]
async fn a_name_that_no_trail_can_have_is_refused() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    for (name, why) in [
        ("", "InvalidTrailNameException: Trail name cannot be blank!"),
        ("demo!", "InvalidTrailNameException: Trail name must ends with a letter or number."),
        ("arn:aws:cloudtrail", "CloudTrailARNInvalidException: Trail ARN is not valid: arn:aws:cloudtrail"),
        (
            "arn:aws:cloudtrail:us-east-1:111122223333:trail/demo",
            "CloudTrailARNInvalidException: AccountID in ARN is wrong, you can only access resources with \
             AccountID 000000000000.",
        ),
    ] {
        let refused = server.refused("DescribeTrails", json!({"trailNameList": ["demo", name]})).await;
        assert_eq!(refused, why);
    }
}

#[tokio::test]
async fn each_account_sees_its_own() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "ours", true).await;
    let mine = server.sdk_as("111122223333", "us-east-1");
    mine.create_trail().name("mine").s3_bucket_name("my-bucket").send().await.unwrap();
    let found = mine.describe_trails().send().await.unwrap();
    let arns: Vec<_> = found.trail_list().iter().map(|trail| trail.trail_arn().unwrap()).collect();
    assert_eq!(arns, ["arn:aws:cloudtrail:us-east-1:111122223333:trail/mine"]);
    assert_eq!(server.trail_names("us-east-1", json!({"trailNameList": ["mine"]})).await, [""; 0]);
}
