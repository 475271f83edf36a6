//! UpdateTrail: changes what is given and nothing else.

use crate::support::TestServer;
use serde_json::{Value, json};

const GROUP: &str = "arn:aws:logs:us-east-1:000000000000:log-group:trails:*";
const ROLE: &str = "arn:aws:iam::000000000000:role/to-logs";
const ARN: &str = "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo";

async fn update(server: &TestServer, change: Value) -> Value {
    let mut input = json!({"Name": "demo"});
    input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let reply = server.call("UpdateTrail", input).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

async fn described(server: &TestServer) -> Value {
    server.call("DescribeTrails", json!({})).await.json()["trailList"][0].clone()
}

#[tokio::test]
async fn only_what_is_given_changes_and_a_name_alone_reads_back() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let sdk = server.sdk();
    let changed =
        sdk.update_trail().name("demo").s3_key_prefix("p").enable_log_file_validation(true).send().await;
    let changed = changed.unwrap();
    assert_eq!((changed.s3_key_prefix(), changed.s3_bucket_name()), (Some("p"), Some("my-bucket")));
    assert_eq!(changed.log_file_validation_enabled(), Some(true));
    let read_back = update(&server, json!({})).await;
    assert_eq!(read_back["S3KeyPrefix"], "p");
    assert_eq!(
        update(&server, json!({"Name": ARN, "S3BucketName": "other-bucket"})).await["S3KeyPrefix"],
        "p"
    );
    assert_eq!(described(&server).await["S3BucketName"], "other-bucket");
    let status = server.call("GetTrailStatus", json!({"Name": "demo"})).await.json();
    assert_eq!(status["IsLogging"], true, "logging goes on");
}

#[tokio::test]
async fn an_empty_text_clears_a_setting_and_is_echoed_once() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let key = "arn:aws:kms:us-east-1:000000000000:alias/logs";
    update(
        &server,
        json!({"S3KeyPrefix": "p", "SnsTopicName": "alerts", "KmsKeyId": key,
            "CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": ROLE}),
    )
    .await;
    let clear = json!({"S3KeyPrefix": "", "SnsTopicName": "", "KmsKeyId": "",
        "CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""});
    let answer = update(&server, clear.clone()).await;
    for member in clear.as_object().unwrap().keys().map(String::as_str).chain(["SnsTopicARN"]) {
        assert_eq!(answer[member], "", "{member}");
        assert!(described(&server).await.get(member).is_none(), "{member}");
    }
}

#[tokio::test]
async fn a_topic_is_answered_as_it_was_given_and_as_an_arn() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let arn = "arn:aws:sns:eu-west-1:111122223333:theirs";
    let answer = update(&server, json!({"SnsTopicName": arn})).await;
    assert_eq!((&answer["SnsTopicName"], &answer["SnsTopicARN"]), (&json!(arn), &json!(arn)));
    let answer = update(&server, json!({"SnsTopicName": "ours"})).await;
    assert_eq!(answer["SnsTopicName"], "ours");
    assert_eq!(answer["SnsTopicARN"], "arn:aws:sns:us-east-1:000000000000:ours");
}

#[tokio::test]
async fn what_breaks_a_rule_changes_nothing() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let before = described(&server).await;
    for (change, code) in [
        (json!({"Name": "nothing"}), "TrailNotFoundException"),
        (json!({"Name": null}), "InvalidTrailNameException"),
        (json!({"Name": "a"}), "InvalidTrailNameException"),
        (json!({"S3BucketName": ""}), "InvalidS3BucketNameException"),
        (json!({"S3KeyPrefix": "good", "SnsTopicName": "not good"}), "InvalidSnsTopicNameException"),
        (json!({"CloudWatchLogsRoleArn": ROLE}), "InvalidCloudWatchLogsLogGroupArnException"),
        (
            json!({"CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": ""}),
            "InvalidCloudWatchLogsRoleArnException",
        ),
        (
            json!({"IncludeGlobalServiceEvents": false, "IsMultiRegionTrail": true}),
            "InvalidParameterCombinationException",
        ),
    ] {
        let mut input = json!({"Name": "demo"});
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let reply = server.call("UpdateTrail", input).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{change}");
    }
    assert_eq!(described(&server).await, before);
}

#[tokio::test]
async fn a_trail_without_global_events_cannot_become_one_for_all_regions() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    update(&server, json!({"IncludeGlobalServiceEvents": false})).await;
    let reply = server.call("UpdateTrail", json!({"Name": "demo", "IsMultiRegionTrail": true})).await;
    assert_eq!(reply.code(), "InvalidParameterCombinationException");
    let both = update(&server, json!({"IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true})).await;
    assert_eq!(both["IsMultiRegionTrail"], true);
}
