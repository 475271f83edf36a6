//! CreateTrail: what it stores, what it answers, what it refuses.

use crate::support::TestServer;
use aws_sdk_cloudtrail::types::Tag;
use serde_json::{Value, json};

const KEY: &str = "12345678-1234-1234-1234-123456789012";
const GROUP: &str = "arn:aws:logs:us-east-1:000000000000:log-group:trails:*";
const ROLE: &str = "arn:aws:iam::000000000000:role/to-logs";

/// The settings that every trail needs, and more.
fn with(more: Value) -> Value {
    let mut input = json!({"Name": "demo", "S3BucketName": "my-bucket"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[tokio::test]
async fn the_sdk_creates_a_trail_and_reads_it_back() {
    let server = TestServer::start().await;
    let sdk = server.sdk();
    let created = sdk.create_trail().name("demo").s3_bucket_name("my-bucket").send().await.unwrap();
    assert_eq!(created.trail_arn(), Some("arn:aws:cloudtrail:us-east-1:000000000000:trail/demo"));
    assert_eq!(created.include_global_service_events(), Some(true));
    assert_eq!(
        (created.is_multi_region_trail(), created.log_file_validation_enabled()),
        (Some(false), Some(false))
    );
    let described = sdk.describe_trails().send().await.unwrap();
    assert_eq!(described.trail_list().len(), 1);
    assert_eq!(described.trail_list()[0].home_region(), Some("us-east-1"));
    let taken = sdk.create_trail().name("demo").s3_bucket_name("my-bucket").send().await.unwrap_err();
    assert!(taken.into_service_error().is_trail_already_exists_exception());
}

#[tokio::test]
async fn an_answer_has_what_was_set_and_leaves_out_what_was_not() {
    let server = TestServer::start().await;
    insta::assert_json_snapshot!(server.call("CreateTrail", with(json!({}))).await.json(), @r#"
    {
      "Name": "demo",
      "S3BucketName": "my-bucket",
      "IncludeGlobalServiceEvents": true,
      "IsMultiRegionTrail": false,
      "TrailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo",
      "LogFileValidationEnabled": false,
      "IsOrganizationTrail": false,
      "RecursiveLogging": true
    }
    "#);
    let full = json!({
        "Name": "full", "S3KeyPrefix": "a/b", "SnsTopicName": "alerts", "IncludeGlobalServiceEvents": true,
        "IsMultiRegionTrail": true, "EnableLogFileValidation": true, "CloudWatchLogsLogGroupArn": GROUP,
        "CloudWatchLogsRoleArn": ROLE, "KmsKeyId": "alias/logs", "IsOrganizationTrail": true,
        "RecursiveLogging": false, "TagsList": [{"Key": "team", "Value": "sec"}, {"Key": "bare"}]
    });
    insta::assert_json_snapshot!(server.call("CreateTrail", with(full)).await.json(), @r#"
    {
      "Name": "full",
      "S3BucketName": "my-bucket",
      "S3KeyPrefix": "a/b",
      "SnsTopicName": "alerts",
      "SnsTopicARN": "arn:aws:sns:us-east-1:000000000000:alerts",
      "IncludeGlobalServiceEvents": true,
      "IsMultiRegionTrail": true,
      "TrailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/full",
      "LogFileValidationEnabled": true,
      "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:trails:*",
      "CloudWatchLogsRoleArn": "arn:aws:iam::000000000000:role/to-logs",
      "KmsKeyId": "arn:aws:kms:us-east-1:000000000000:alias/logs",
      "IsOrganizationTrail": true,
      "RecursiveLogging": false
    }
    "#);
}

#[tokio::test]
async fn each_setting_that_breaks_a_rule_has_its_own_error() {
    let server = TestServer::start().await;
    let many: Vec<_> = (0..51).map(|i| json!({"Key": format!("k{i}")})).collect();
    for (change, code) in [
        (json!({"Name": null}), "InvalidTrailNameException"),
        (json!({"Name": ""}), "InvalidTrailNameException"),
        (json!({"Name": "ab"}), "InvalidTrailNameException"),
        (json!({"Name": "my--trail"}), "InvalidTrailNameException"),
        (json!({"Name": "192.168.5.4"}), "InvalidTrailNameException"),
        (
            json!({"Name": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo"}),
            "InvalidTrailNameException",
        ),
        (json!({"S3BucketName": null}), "InvalidS3BucketNameException"),
        (json!({"S3BucketName": "My_Bucket"}), "InvalidS3BucketNameException"),
        (json!({"S3KeyPrefix": "p".repeat(201)}), "InvalidS3PrefixException"),
        (json!({"S3KeyPrefix": "/p"}), "InvalidS3PrefixException"),
        (json!({"SnsTopicName": "no spaces"}), "InvalidSnsTopicNameException"),
        (json!({"SnsTopicName": "arn:aws:sqs:us-east-1:000000000000:q"}), "InvalidSnsTopicNameException"),
        (json!({"CloudWatchLogsLogGroupArn": GROUP}), "InvalidCloudWatchLogsRoleArnException"),
        (json!({"CloudWatchLogsRoleArn": ROLE}), "InvalidCloudWatchLogsLogGroupArnException"),
        (
            json!({"CloudWatchLogsLogGroupArn": GROUP.trim_end_matches(":*"), "CloudWatchLogsRoleArn": ROLE}),
            "InvalidCloudWatchLogsLogGroupArnException",
        ),
        (json!({"KmsKeyId": "my key"}), "InvalidKmsKeyIdException"),
        (
            json!({"KmsKeyId": format!("arn:aws:kms:eu-west-1:000000000000:key/{KEY}")}),
            "KmsKeyNotFoundException",
        ),
        (
            json!({"IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": false}),
            "InvalidParameterCombinationException",
        ),
        (json!({"TagsList": [{"Key": ""}]}), "InvalidTagParameterException"),
        (json!({"TagsList": [{"Key": "a"}, {"Key": "a"}]}), "InvalidTagParameterException"),
        (json!({"TagsList": many}), "TagsLimitExceededException"),
    ] {
        let reply = server.call("CreateTrail", with(change.clone())).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{change}");
    }
    let left = server.call("DescribeTrails", json!({})).await.json();
    assert_eq!(left, json!({"trailList": []}), "a refused call changes nothing");
}

#[tokio::test]
async fn texts_are_those_of_aws() {
    let server = TestServer::start().await;
    server.call("CreateTrail", with(json!({}))).await;
    for (change, text) in [
        (json!({}), "Trail demo already exists for customer: 000000000000"),
        (json!({"Name": " "}), "Trail name cannot be blank!"),
        (
            json!({"Name": "other", "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": false}),
            "Multi-Region trail must include global service events.",
        ),
        (
            json!({"Name": "other", "CloudWatchLogsRoleArn": ROLE}),
            "You must specify a log group and a role ARN.",
        ),
    ] {
        assert_eq!(server.call("CreateTrail", with(change)).await.error().1, text);
    }
}

#[tokio::test]
async fn an_account_has_five_trails_in_a_region_and_no_more() {
    let server = TestServer::start().await;
    for i in 1..=5 {
        assert_eq!(server.call("CreateTrail", with(json!({"Name": format!("trail-{i}")}))).await.status, 200);
    }
    let sixth = server.call("CreateTrail", with(json!({"Name": "trail-6"}))).await;
    let text = "User: 000000000000 already has 5 trails in us-east-1.";
    assert_eq!(sixth.error(), ("MaximumNumberOfTrailsExceededException".into(), text.into()));
    for (key, region) in [("test", "eu-west-1"), ("111122223333", "us-east-1")] {
        let reply = server.call_as(key, region, "CreateTrail", with(json!({"Name": "trail-6"}))).await;
        assert_eq!(reply.status, 200, "other regions and accounts have room");
    }
}

#[tokio::test]
async fn tags_are_kept_with_the_trail() {
    let server = TestServer::start().await;
    let tag = Tag::builder().key("team").value("sec").build().unwrap();
    let create = server.sdk().create_trail().name("demo").s3_bucket_name("my-bucket").tags_list(tag);
    create.send().await.unwrap();
    let mut db = server.service.store.read().await.unwrap();
    let trail = db.trails(crate::support::ACCOUNT).await.unwrap().remove(0);
    assert_eq!(db.trail_tags(&trail).await.unwrap()[0].key, "team");
}
