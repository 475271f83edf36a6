use crate::support::{TestServer, arn};
use serde_json::{Value, json};

/// A call that asks for no more than it must, and then for `more`.
fn asked(name: &str, more: Value) -> Value {
    let mut input = json!({"Name": name, "S3BucketName": "my-bucket"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[tokio::test]
async fn the_sdk_creates_a_trail_and_reads_it_back() {
    let server = TestServer::start().await;
    let sdk = server.sdk();
    let created = sdk.create_trail().name("demo").s3_bucket_name("my-bucket").send().await.unwrap();
    assert_eq!(created.trail_arn(), Some("arn:aws:cloudtrail:us-east-1:000000000000:trail/demo"));
    let described = sdk.describe_trails().send().await.unwrap();
    let [trail] = described.trail_list() else { panic!("{described:?}") };
    assert_eq!((trail.name(), trail.trail_arn()), (created.name(), created.trail_arn()));
    assert_eq!(trail.s3_bucket_name(), Some("my-bucket"));
    assert_eq!(trail.home_region(), Some("us-east-1"));
    let status = sdk.get_trail_status().name("demo").send().await.unwrap();
    assert_eq!(status.is_logging(), Some(false), "a new trail does not log yet");
}

#[tokio::test]
async fn the_answer_says_what_was_not_asked_for_and_omits_what_is_not_set() {
    let server = TestServer::start().await;
    let created = server.ok("CreateTrail", asked("demo", json!({}))).await;
    insta::assert_json_snapshot!(created, @r#"
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
}

#[tokio::test]
async fn every_setting_comes_back() {
    let server = TestServer::start().await;
    let settings = json!({
        "S3KeyPrefix": "team/a", "SnsTopicName": "alerts", "IncludeGlobalServiceEvents": true,
        "IsMultiRegionTrail": true, "EnableLogFileValidation": true,
        "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:trail:*",
        "CloudWatchLogsRoleArn": "arn:aws:iam::000000000000:role/ToLogs", "KmsKeyId": "alias/logs",
        "TagsList": [{"Key": "team", "Value": "a"}]
    });
    let created = server.ok("CreateTrail", asked("demo", settings)).await;
    insta::assert_json_snapshot!(created, @r#"
    {
      "Name": "demo",
      "S3BucketName": "my-bucket",
      "S3KeyPrefix": "team/a",
      "SnsTopicName": "alerts",
      "SnsTopicARN": "arn:aws:sns:us-east-1:000000000000:alerts",
      "IncludeGlobalServiceEvents": true,
      "IsMultiRegionTrail": true,
      "TrailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo",
      "LogFileValidationEnabled": true,
      "CloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:trail:*",
      "CloudWatchLogsRoleArn": "arn:aws:iam::000000000000:role/ToLogs",
      "KmsKeyId": "arn:aws:kms:us-east-1:000000000000:alias/logs",
      "IsOrganizationTrail": false,
      "RecursiveLogging": true
    }
    "#);
    let described = server.ok("DescribeTrails", json!({})).await;
    for (member, value) in created.as_object().unwrap() {
        assert_eq!(&described["trailList"][0][member], value, "{member}");
    }
}

#[tokio::test]
async fn each_rule_for_names_has_its_text() {
    const CHARSET: &str = "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, \
                           periods (.), hyphens (-), and underscores (_).";
    let server = TestServer::start().await;
    for (name, text) in [
        ("", "Trail name cannot be blank!"),
        ("   ", "Trail name cannot be blank!"),
        (
            "ab",
            "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters.",
        ),
        (
            &"a".repeat(129),
            "Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 characters.",
        ),
        ("-trail", "Trail name must starts with a letter or number."),
        ("trail!", "Trail name must ends with a letter or number."),
        ("#trail!", "Trail name must starts with a letter or number."),
        ("my#trail", CHARSET),
        ("my trail", CHARSET),
        (&arn("us-east-1", "demo"), CHARSET),
        ("my--trail", "Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_)"),
        ("my-_trail", "Trail name or ARN cannot have adjacent periods (.), hyphens (-), or underscores (_)"),
        ("192.168.5.4", "Trail names must not be formatted as an IP address"),
    ] {
        let refused = server.refused("CreateTrail", asked(name, json!({}))).await;
        assert_eq!(refused, format!("InvalidTrailNameException: {text}"), "{name}");
    }
    for input in [json!({}), json!({"S3BucketName": "my-bucket"}), asked("demo", json!({"Name": null}))] {
        let refused = server.refused("CreateTrail", input).await;
        assert_eq!(refused, "InvalidTrailNameException: Trail name cannot be blank!");
    }
    assert_eq!(server.ok("DescribeTrails", json!({})).await, json!({"trailList": []}));
}

#[tokio::test]
async fn names_at_the_edge_of_the_rules_are_taken() {
    let server = TestServer::start().await;
    for name in ["abc", &"a".repeat(128), "9.A_b-c.0", "256.1.1.1"] {
        let created = server.ok("CreateTrail", asked(name, json!({}))).await;
        assert_eq!((&created["Name"], &created["TrailARN"]), (&json!(name), &json!(arn("us-east-1", name))));
    }
}

#[tokio::test]
async fn a_name_can_be_taken_once() {
    let server = TestServer::start().await;
    let sdk = server.sdk();
    let create = |name: &str| sdk.create_trail().name(name).s3_bucket_name("my-bucket").send();
    create("demo").await.unwrap();
    let refused = create("demo").await.unwrap_err().into_service_error();
    assert!(refused.is_trail_already_exists_exception());
    assert_eq!(refused.meta().message(), Some("Trail demo already exists for customer: 000000000000"));
    create("Demo").await.expect("case matters");
}

#[tokio::test]
async fn names_are_free_in_other_accounts_and_in_other_regions() {
    let server = TestServer::start().await;
    for (key, region) in [("test", "us-east-1"), ("test", "eu-west-1"), ("111122223333", "us-east-1")] {
        let reply = server.call_as(key, region, "CreateTrail", asked("demo", json!({}))).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json()["TrailARN"].as_str().unwrap().split(':').nth(3), Some(region));
    }
    let theirs = server.call_as("111122223333", "us-east-1", "DescribeTrails", json!({})).await.json();
    assert_eq!(theirs["trailList"].as_array().unwrap().len(), 1);
    assert_eq!(theirs["trailList"][0]["TrailARN"], "arn:aws:cloudtrail:us-east-1:111122223333:trail/demo");
}

#[tokio::test]
async fn a_multi_region_trail_takes_its_name_everywhere() {
    let server = TestServer::start().await;
    let taken = "TrailAlreadyExistsException: Trail demo already exists for customer: 000000000000";
    server.create_in("us-east-1", "demo", true).await;
    for is_multi_region in [false, true] {
        let input = asked("demo", json!({"IsMultiRegionTrail": is_multi_region}));
        assert_eq!(server.refused_in("eu-west-1", "CreateTrail", input).await, taken);
    }
    server.create_in("eu-west-1", "other", false).await;
    let input = asked("other", json!({"IsMultiRegionTrail": true}));
    assert_eq!(server.refused("CreateTrail", input).await, taken.replace("demo", "other"));
    server.create_in("us-east-1", "other", false).await;
}

#[tokio::test]
async fn a_region_holds_five_trails() {
    let server = TestServer::start().await;
    for n in 1..=5 {
        server.create_in("us-east-1", &format!("trail-{n}"), false).await;
    }
    let full =
        "MaximumNumberOfTrailsExceededException: User: 000000000000 already has 5 trails in us-east-1.";
    assert_eq!(server.refused("CreateTrail", asked("trail-6", json!({}))).await, full);
    let again = server.refused("CreateTrail", asked("trail-5", json!({}))).await;
    assert!(again.starts_with("TrailAlreadyExistsException"), "the name is looked at first: {again}");
    server.create_in("eu-west-1", "trail-6", false).await;
    let others = server.call_as("111122223333", "us-east-1", "CreateTrail", asked("mine", json!({}))).await;
    assert_eq!(others.status, 200, "{}", others.text);
    server.ok("DeleteTrail", json!({"Name": "trail-1"})).await;
    server.create_in("us-east-1", "trail-6", false).await;
}

#[tokio::test]
async fn shadow_trails_count_in_the_regions_in_which_they_are_seen() {
    let server = TestServer::start().await;
    for n in 1..=3 {
        server.create_in("eu-west-1", &format!("local-{n}"), false).await;
    }
    for n in 1..=2 {
        server.create_in("us-east-1", &format!("wide-{n}"), true).await;
    }
    let full =
        "MaximumNumberOfTrailsExceededException: User: 000000000000 already has 5 trails in eu-west-1.";
    assert_eq!(server.refused_in("eu-west-1", "CreateTrail", asked("local-4", json!({}))).await, full);
    // It would have room at home, but not where it would be seen.
    let wide = asked("wide-3", json!({"IsMultiRegionTrail": true}));
    assert_eq!(server.refused("CreateTrail", wide).await, full);
    server.create_in("us-east-1", "local-4", false).await;
    for n in 5..=6 {
        server.create_in("us-east-1", &format!("local-{n}"), false).await;
    }
    let refused = server.refused("CreateTrail", asked("local-7", json!({}))).await;
    assert_eq!(refused, full.replace("eu-west-1", "us-east-1"));
}

#[tokio::test]
async fn five_multi_region_trails_fill_every_region() {
    let server = TestServer::start().await;
    for n in 1..=5 {
        server.create_in("us-east-1", &format!("wide-{n}"), true).await;
    }
    let refused = server.refused_in("mars-north-1", "CreateTrail", asked("local", json!({}))).await;
    assert_eq!(
        refused,
        "MaximumNumberOfTrailsExceededException: User: 000000000000 already has 5 trails in mars-north-1."
    );
}

#[tokio::test]
async fn a_multi_region_trail_must_include_global_service_events() {
    let server = TestServer::start().await;
    let settings = json!({"IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": false});
    assert_eq!(
        server.refused("CreateTrail", asked("demo", settings)).await,
        "InvalidParameterCombinationException: Multi-Region trail must include global service events."
    );
    let local = server.ok("CreateTrail", asked("demo", json!({"IncludeGlobalServiceEvents": false}))).await;
    assert_eq!(local["IncludeGlobalServiceEvents"], false);
}

#[tokio::test]
async fn a_refused_trail_is_not_there() {
    let server = TestServer::start().await;
    for settings in [
        json!({"S3BucketName": "No"}),
        json!({"KmsKeyId": "no-key"}),
        json!({"TagsList": [{"Key": "aws:mine"}]}),
        json!({"IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": false}),
    ] {
        server.refused("CreateTrail", asked("demo", settings)).await;
    }
    assert_eq!(server.ok("DescribeTrails", json!({})).await, json!({"trailList": []}));
    server.create_in("us-east-1", "demo", false).await;
}

#[tokio::test]
async fn of_two_that_ask_for_one_name_at_the_same_time_one_gets_it() {
    let server = TestServer::start().await;
    let calls: Vec<_> = (0..8).map(|_| server.call("CreateTrail", asked("demo", json!({})))).collect();
    let replies = futures_util::future::join_all(calls).await;
    let mut codes: Vec<_> = replies.iter().map(crate::support::Reply::code).collect();
    codes.sort();
    assert_eq!(codes[0], "");
    assert!(codes[1..].iter().all(|code| code == "TrailAlreadyExistsException"), "{codes:?}");
}
