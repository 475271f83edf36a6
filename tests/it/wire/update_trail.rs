use crate::support::{TestServer, arn};
use serde_json::{Value, json};

const GROUP: &str = "arn:aws:logs:us-east-1:000000000000:log-group:trail:*";
const ROLE: &str = "arn:aws:iam::000000000000:role/ToLogs";

/// A server with a trail `demo` for which everything is set.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    server.ok("CreateTrail", json!({
        "Name": "demo", "S3BucketName": "my-bucket", "S3KeyPrefix": "team/a", "SnsTopicName": "alerts",
        "IncludeGlobalServiceEvents": false, "EnableLogFileValidation": true, "KmsKeyId": "alias/logs",
        "CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": ROLE
    }))
    .await;
    server
}

async fn described(server: &TestServer) -> Value {
    server.ok("DescribeTrails", json!({})).await["trailList"][0].clone()
}

#[tokio::test]
async fn the_sdk_changes_a_trail() {
    let server = server().await;
    let updated =
        server.sdk().update_trail().name("demo").s3_bucket_name("other-bucket").send().await.unwrap();
    assert_eq!((updated.name(), updated.s3_bucket_name()), (Some("demo"), Some("other-bucket")));
    assert_eq!(updated.trail_arn(), Some(arn("us-east-1", "demo").as_str()));
    assert_eq!(described(&server).await["S3BucketName"], "other-bucket");
}

#[tokio::test]
async fn a_name_alone_reads_the_trail_back() {
    let server = server().await;
    let before = described(&server).await;
    insta::assert_json_snapshot!(server.ok("UpdateTrail", json!({"Name": "demo"})).await, @r#"
    {
      "Name": "demo",
      "S3BucketName": "my-bucket",
      "S3KeyPrefix": "team/a",
      "SnsTopicName": "alerts",
      "SnsTopicARN": "arn:aws:sns:us-east-1:000000000000:alerts",
      "IncludeGlobalServiceEvents": false,
      "IsMultiRegionTrail": false,
      "TrailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo",
      "LogFileValidationEnabled": true,
      "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:trail:*",
      "CloudWatchLogsRoleArn": "arn:aws:iam::000000000000:role/ToLogs",
      "KmsKeyId": "arn:aws:kms:us-east-1:000000000000:alias/logs",
      "IsOrganizationTrail": false,
      "RecursiveLogging": true
    }
    "#);
    assert_eq!(described(&server).await, before);
}

#[tokio::test]
async fn only_what_is_given_changes() {
    let server = server().await;
    let topic = "arn:aws:sns:eu-west-1:444455556666:others";
    for (change, members) in [
        (json!({"S3BucketName": "other-bucket"}), json!({"S3BucketName": "other-bucket"})),
        (json!({"S3KeyPrefix": "team/b"}), json!({"S3KeyPrefix": "team/b"})),
        (json!({"SnsTopicName": topic}), json!({"SnsTopicName": topic, "SnsTopicARN": topic})),
        (json!({"IncludeGlobalServiceEvents": true}), json!({"IncludeGlobalServiceEvents": true})),
        (json!({"IsMultiRegionTrail": true}), json!({"IsMultiRegionTrail": true})),
        (json!({"EnableLogFileValidation": false}), json!({"LogFileValidationEnabled": false})),
        (json!({"RecursiveLogging": false}), json!({"RecursiveLogging": false})),
        (
            json!({"CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": format!("{ROLE}2")}),
            json!({"CloudWatchLogsRoleArn": format!("{ROLE}2")}),
        ),
        (json!({"KmsKeyId": "alias/b"}), json!({"KmsKeyId": "arn:aws:kms:us-east-1:000000000000:alias/b"})),
    ] {
        let mut want = described(&server).await;
        want.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let mut input = change;
        input["Name"] = json!("demo");
        let answered = server.ok("UpdateTrail", input).await;
        assert_eq!(described(&server).await, want);
        for (member, value) in answered.as_object().unwrap() {
            assert_eq!(&want[member], value, "{member}");
        }
    }
}

#[tokio::test]
async fn an_empty_text_clears_a_setting_and_is_answered_once() {
    let server = server().await;
    for (change, cleared) in [
        (json!({"S3KeyPrefix": ""}), vec!["S3KeyPrefix"]),
        (json!({"SnsTopicName": ""}), vec!["SnsTopicName", "SnsTopicARN"]),
        (json!({"KmsKeyId": ""}), vec!["KmsKeyId"]),
        (
            json!({"CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""}),
            vec!["CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"],
        ),
    ] {
        let mut want = described(&server).await;
        let mut input = change;
        input["Name"] = json!("demo");
        let answered = server.ok("UpdateTrail", input).await;
        let read_back = server.ok("UpdateTrail", json!({"Name": "demo"})).await;
        for member in cleared {
            assert_eq!(answered[member], "", "{member}");
            assert_eq!(read_back.get(member), None, "{member}");
            want.as_object_mut().unwrap().shift_remove(member).unwrap();
        }
        assert_eq!(described(&server).await, want);
    }
}

#[tokio::test]
async fn a_trail_cannot_be_without_a_bucket() {
    let server = server().await;
    let refused = server.refused("UpdateTrail", json!({"Name": "demo", "S3BucketName": ""})).await;
    assert_eq!(refused, "InvalidS3BucketNameException: Bucket name cannot be blank!");
    assert_eq!(described(&server).await["S3BucketName"], "my-bucket");
}

#[tokio::test]
async fn half_of_the_log_group_and_its_role_is_refused_also_when_both_are_set() {
    let server = server().await;
    let together = "You must specify a log group and a role ARN.";
    for (change, code) in [
        (json!({"CloudWatchLogsLogGroupArn": GROUP}), "InvalidCloudWatchLogsRoleArnException"),
        (json!({"CloudWatchLogsRoleArn": ROLE}), "InvalidCloudWatchLogsLogGroupArnException"),
        (
            json!({"CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": ""}),
            "InvalidCloudWatchLogsRoleArnException",
        ),
    ] {
        let mut input = change;
        input["Name"] = json!("demo");
        assert_eq!(server.refused("UpdateTrail", input).await, format!("{code}: {together}"));
    }
    assert_eq!(described(&server).await["CloudWatchLogsRoleArn"], ROLE);
}

#[tokio::test]
async fn a_refused_update_changes_nothing_of_what_came_with_it() {
    let server = server().await;
    let before = described(&server).await;
    for wrong in [
        json!({"KmsKeyId": "no-key"}),
        json!({"S3KeyPrefix": "/"}),
        json!({"SnsTopicName": "a b"}),
        json!({"IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": false}),
    ] {
        let mut input = wrong;
        input["Name"] = json!("demo");
        input["S3BucketName"] = json!("other-bucket");
        server.refused("UpdateTrail", input).await;
        assert_eq!(described(&server).await, before);
    }
}

#[tokio::test]
async fn a_multi_region_trail_keeps_global_service_events() {
    let server = server().await;
    let refused =
        "InvalidParameterCombinationException: Multi-Region trail must include global service events.";
    let update = |input: Value| server.refused("UpdateTrail", input);
    // The trail excludes them until now.
    assert_eq!(update(json!({"Name": "demo", "IsMultiRegionTrail": true})).await, refused);
    let both = json!({"Name": "demo", "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true});
    assert_eq!(server.ok("UpdateTrail", both).await["IsMultiRegionTrail"], true);
    assert_eq!(update(json!({"Name": "demo", "IncludeGlobalServiceEvents": false})).await, refused);
    let neither = json!({"Name": "demo", "IsMultiRegionTrail": false, "IncludeGlobalServiceEvents": false});
    assert_eq!(server.ok("UpdateTrail", neither).await["IsMultiRegionTrail"], false);
}

#[tokio::test]
async fn a_trail_becomes_multi_region_only_where_its_name_is_free() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    server.create_in("eu-west-1", "demo", false).await;
    let widen = json!({"Name": "demo", "IsMultiRegionTrail": true});
    assert_eq!(
        server.refused("UpdateTrail", widen.clone()).await,
        "TrailAlreadyExistsException: Trail demo already exists for customer: 000000000000"
    );
    assert_eq!(described(&server).await["IsMultiRegionTrail"], false);
    server.ok_in("eu-west-1", "DeleteTrail", json!({"Name": "demo"})).await;
    server.ok("UpdateTrail", widen).await;
    assert_eq!(server.trail_names("eu-west-1", json!({})).await, ["demo"]);
}

#[tokio::test]
async fn a_trail_becomes_multi_region_only_where_there_is_room() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    for n in 1..=5 {
        server.create_in("eu-west-1", &format!("local-{n}"), false).await;
    }
    let widen = json!({"Name": "demo", "IsMultiRegionTrail": true});
    assert_eq!(
        server.refused("UpdateTrail", widen.clone()).await,
        "MaximumNumberOfTrailsExceededException: User: 000000000000 already has 5 trails in eu-west-1."
    );
    server.ok_in("eu-west-1", "DeleteTrail", json!({"Name": "local-1"})).await;
    server.ok("UpdateTrail", widen.clone()).await;
    // It fills that region now, and counts itself only once.
    assert_eq!(server.ok("UpdateTrail", widen).await["IsMultiRegionTrail"], true);
}

#[tokio::test]
async fn the_last_of_five_trails_in_a_region_can_still_be_changed() {
    let server = TestServer::start().await;
    for n in 1..=5 {
        server.create_in("us-east-1", &format!("trail-{n}"), false).await;
    }
    let widened = server.ok("UpdateTrail", json!({"Name": "trail-5", "IsMultiRegionTrail": true})).await;
    assert_eq!(widened["IsMultiRegionTrail"], true);
}

#[tokio::test]
async fn a_trail_that_is_no_longer_multi_region_gives_its_name_free() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", true).await;
    server.ok("UpdateTrail", json!({"Name": "demo", "IsMultiRegionTrail": false})).await;
    assert!(server.trail_names("eu-west-1", json!({})).await.is_empty());
    server.create_in("eu-west-1", "demo", false).await;
}

#[tokio::test]
async fn a_trail_goes_on_logging_while_it_is_changed() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let before = server.ok("GetTrailStatus", json!({"Name": "demo"})).await;
    server.wait(60);
    server.ok("UpdateTrail", json!({"Name": "demo", "S3BucketName": "other-bucket"})).await;
    assert_eq!(server.ok("GetTrailStatus", json!({"Name": "demo"})).await, before);
}
