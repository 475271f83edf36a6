use crate::support::{ACCOUNT, TestServer, arn};
use serde_json::json;

#[tokio::test]
async fn the_sdk_gets_a_trail_by_name_and_by_arn() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", true).await;
    for name in ["demo".to_owned(), arn("us-east-1", "demo")] {
        let trail = server.sdk().get_trail().name(name).send().await.unwrap().trail.unwrap();
        assert_eq!(trail.trail_arn().unwrap(), arn("us-east-1", "demo"));
        assert_eq!((trail.home_region(), trail.is_multi_region_trail()), (Some("us-east-1"), Some(true)));
    }
}

#[tokio::test]
async fn it_answers_what_describe_trails_answers() {
    let server = TestServer::start().await;
    let settings = json!({
        "Name": "demo", "S3BucketName": "my-bucket", "S3KeyPrefix": "logs", "SnsTopicName": "alerts",
        "KmsKeyId": "alias/logs", "EnableLogFileValidation": true, "TagsList": [{"Key": "team", "Value": "a"}],
        "CloudWatchLogsLogGroupArn": format!("arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*"),
        "CloudWatchLogsRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/trail"),
    });
    server.ok("CreateTrail", settings).await;
    let described = server.ok("DescribeTrails", json!({})).await;
    assert_eq!(
        server.ok("GetTrail", json!({"Name": "demo"})).await,
        json!({"Trail": described["trailList"][0]})
    );
}

#[tokio::test]
async fn what_was_cleared_is_left_out() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    let plain = server.ok("GetTrail", json!({"Name": "demo"})).await;
    let set =
        json!({"Name": "demo", "SnsTopicName": "alerts", "KmsKeyId": "alias/logs", "S3KeyPrefix": "logs"});
    server.ok("UpdateTrail", set).await;
    assert_ne!(server.ok("GetTrail", json!({"Name": "demo"})).await, plain);
    let cleared = json!({"Name": "demo", "SnsTopicName": "", "KmsKeyId": "", "S3KeyPrefix": ""});
    server.ok("UpdateTrail", cleared).await;
    assert_eq!(server.ok("GetTrail", json!({"Name": "demo"})).await, plain);
}

#[tokio::test]
async fn an_unknown_trail_is_not_found_and_a_bad_name_refused() {
    let server = TestServer::start().await;
    let error = server.sdk().get_trail().name("unknown").send().await.unwrap_err().into_service_error();
    assert!(error.is_trail_not_found_exception(), "{error:?}");
    for (input, why) in [
        (json!({}), "InvalidTrailNameException: Trail name cannot be blank!"),
        (json!({"Name": ""}), "InvalidTrailNameException: Trail name cannot be blank!"),
        (
            json!({"Name": "arn:aws:cloudtrail:us-east-1:111122223333:trail/demo"}),
            "CloudTrailARNInvalidException: AccountID in ARN is wrong, you can only access resources with AccountID \
             000000000000.",
        ),
    ] {
        assert_eq!(server.refused("GetTrail", input).await, why);
    }
}

#[tokio::test]
async fn a_shadow_is_got_by_its_arn_alone() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "wide", true).await;
    server.create_in("us-east-1", "local", false).await;
    let trail = |name: String| server.call_as("test", "eu-west-1", "GetTrail", json!({"Name": name}));
    let shadow = trail(arn("us-east-1", "wide")).await.json();
    assert_eq!(shadow, server.ok("GetTrail", json!({"Name": "wide"})).await);
    assert_eq!(trail("wide".into()).await.code(), "TrailNotFoundException");
    assert_eq!(
        trail(arn("us-east-1", "local")).await.error().1,
        "Region in ARN is wrong, you can only access resources in region eu-west-1."
    );
}
