//! The settings of CreateTrail, one by one: what is taken, what is refused and with which text. UpdateTrail reads them
//! alike, so each refusal is looked for there as well.

use crate::support::{ACCOUNT, TestServer};
use serde_json::{Value, json};

const GROUP: &str = "arn:aws:logs:us-east-1:000000000000:log-group:trail/logs:*";
const ROLE: &str = "arn:aws:iam::000000000000:role/service/ToLogs";
const KEY: &str = "12345678-1234-1234-1234-123456789012";

/// A server that holds a trail `there`.
async fn server() -> TestServer {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "there", false).await;
    server
}

fn asked(name: &str, settings: &Value) -> Value {
    let mut input = json!({"Name": name, "S3BucketName": "my-bucket"});
    input.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    input
}

/// What CreateTrail answers; the trail is removed again.
async fn taken(server: &TestServer, settings: Value) -> Value {
    let created = server.ok("CreateTrail", asked("new", &settings)).await;
    server.ok("DeleteTrail", json!({"Name": "new"})).await;
    created
}

/// Why CreateTrail and UpdateTrail refuse these settings, and that nothing has changed.
async fn refused(server: &TestServer, settings: Value) -> String {
    let before = server.ok("DescribeTrails", json!({})).await;
    let created = server.refused("CreateTrail", asked("new", &settings)).await;
    assert_eq!(server.refused("UpdateTrail", asked("there", &settings)).await, created);
    assert_eq!(server.ok("DescribeTrails", json!({})).await, before);
    created
}

#[tokio::test]
async fn bucket_names_keep_the_rules_of_s3() {
    let server = server().await;
    for (bucket, text) in [
        ("", "Bucket name cannot be blank!"),
        (" ", "Bucket name cannot be blank!"),
        ("ab", "Bucket name must be between 3 and 63 characters long."),
        (&"b".repeat(64), "Bucket name must be between 3 and 63 characters long."),
        (
            "My-Bucket",
            "Bucket name can only contain lowercase letters, numbers, periods (.), and hyphens (-).",
        ),
        (
            "my_bucket",
            "Bucket name can only contain lowercase letters, numbers, periods (.), and hyphens (-).",
        ),
        ("-bucket", "Each label of the bucket name must start and end with a lowercase letter or number."),
        ("bucket-", "Each label of the bucket name must start and end with a lowercase letter or number."),
        ("my..bucket", "Each label of the bucket name must start and end with a lowercase letter or number."),
        ("my.-bucket", "Each label of the bucket name must start and end with a lowercase letter or number."),
        ("192.168.5.4", "Bucket name cannot be in IP address format."),
    ] {
        let refused = refused(&server, json!({"S3BucketName": bucket})).await;
        assert_eq!(refused, format!("InvalidS3BucketNameException: {text}"), "{bucket}");
    }
    for bucket in ["abc", "my.bucket-1", &"b".repeat(63)] {
        assert_eq!(taken(&server, json!({"S3BucketName": bucket})).await["S3BucketName"], bucket);
    }
    let absent = server.refused("CreateTrail", json!({"Name": "new"})).await;
    assert_eq!(absent, "InvalidS3BucketNameException: Bucket name cannot be blank!");
}

#[tokio::test]
async fn a_key_prefix_has_at_most_200_characters_and_no_slash_at_its_ends() {
    let server = server().await;
    for prefix in ["p", "team/a", &"p".repeat(200)] {
        assert_eq!(taken(&server, json!({"S3KeyPrefix": prefix})).await["S3KeyPrefix"], prefix);
    }
    for (prefix, text) in [
        (&*"p".repeat(201), "S3 key prefix is too long. Maximum allowed length: 200 characters."),
        ("/a", "S3 key prefix cannot start or end with a slash (/)."),
        ("a/", "S3 key prefix cannot start or end with a slash (/)."),
        ("a\nb", "S3 key prefix cannot contain control characters."),
    ] {
        let refused = refused(&server, json!({"S3KeyPrefix": prefix})).await;
        assert_eq!(refused, format!("InvalidS3PrefixException: {text}"));
    }
}

#[tokio::test]
async fn a_topic_is_given_by_name_or_by_arn() {
    let server = server().await;
    let arn = "arn:aws:sns:eu-west-1:444455556666:alerts";
    let by_name = taken(&server, json!({"SnsTopicName": "my_alerts-1"})).await;
    assert_eq!(by_name["SnsTopicName"], "my_alerts-1");
    assert_eq!(by_name["SnsTopicARN"], format!("arn:aws:sns:us-east-1:{ACCOUNT}:my_alerts-1"));
    let by_arn = taken(&server, json!({"SnsTopicName": arn})).await;
    assert_eq!((&by_arn["SnsTopicName"], &by_arn["SnsTopicARN"]), (&json!(arn), &json!(arn)));
    let charset = "SNS topic name can only contain letters, numbers, hyphens (-), and underscores (_).";
    for (topic, text) in [
        ("a b", charset),
        ("alerts!", charset),
        (&"t".repeat(257), "SNS topic name is too long. Maximum allowed length: 256 characters."),
        ("arn:aws:sqs:us-east-1:444455556666:alerts", "SNS topic ARN is not valid."),
        ("arn:aws:sns:us-east-1:4444:alerts", "SNS topic ARN is not valid."),
        ("arn:aws:sns", "SNS topic ARN is not valid."),
    ] {
        let refused = refused(&server, json!({"SnsTopicName": topic})).await;
        assert_eq!(refused, format!("InvalidSnsTopicNameException: {text}"), "{topic}");
    }
    assert_eq!(taken(&server, json!({"SnsTopicName": ""})).await.get("SnsTopicName"), None);
}

#[tokio::test]
async fn a_log_group_and_its_role_come_together() {
    let server = server().await;
    let logs =
        |group: &str, role: &str| json!({"CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role});
    let both = taken(&server, logs(GROUP, ROLE)).await;
    assert_eq!(
        (&both["CloudWatchLogsLogGroupArn"], &both["CloudWatchLogsRoleArn"]),
        (&json!(GROUP), &json!(ROLE))
    );
    assert_eq!(taken(&server, logs("", "")).await.get("CloudWatchLogsRoleArn"), None);
    let wrong_group = "InvalidCloudWatchLogsLogGroupArnException";
    let wrong_role = "InvalidCloudWatchLogsRoleArnException";
    let together = "You must specify a log group and a role ARN.";
    let bad_group = "CloudTrail cannot validate the specified log group ARN.";
    let other_region = "You must specify a log group that is in the current region.";
    let denied = "Access denied. Verify in IAM that the role has adequate trust relationships.";
    let bad_role = "CloudTrail cannot validate the specified role ARN.";
    for (settings, code, text) in [
        (json!({"CloudWatchLogsLogGroupArn": GROUP}), wrong_role, together),
        (logs(GROUP, ""), wrong_role, together),
        (json!({"CloudWatchLogsRoleArn": ROLE}), wrong_group, together),
        (logs("", ROLE), wrong_group, together),
        (logs(GROUP.trim_end_matches(":*"), ROLE), wrong_group, bad_group),
        (logs("trail/logs", ROLE), wrong_group, bad_group),
        (logs("arn:aws:s3:us-east-1:000000000000:log-group:trail:*", ROLE), wrong_group, bad_group),
        (logs(&GROUP.replace("us-east-1", "eu-west-1"), ROLE), wrong_group, other_region),
        (logs(&GROUP.replace("000000000000", "444455556666"), ROLE), wrong_group, bad_group),
        (logs(GROUP, &ROLE.replace("000000000000", "444455556666")), wrong_role, denied),
        (logs(GROUP, "ToLogs"), wrong_role, bad_role),
        (logs(GROUP, "arn:aws:iam::000000000000:user/ana"), wrong_role, bad_role),
    ] {
        assert_eq!(refused(&server, settings.clone()).await, format!("{code}: {text}"), "{settings}");
    }
}

#[tokio::test]
async fn a_kms_key_has_four_forms_and_is_answered_as_an_arn() {
    let server = server().await;
    let key_arn = format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY}");
    let alias_arn = "arn:aws:kms:us-east-1:444455556666:alias/logs";
    for (given, arn) in [
        (KEY, key_arn.as_str()),
        (&key_arn, &key_arn),
        ("alias/logs", &format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/logs")),
        (alias_arn, alias_arn),
    ] {
        assert_eq!(taken(&server, json!({"KmsKeyId": given})).await["KmsKeyId"], arn, "{given}");
    }
    for bad in
        ["my-key", "alias/", "key/1", "arn:aws:s3:::my-bucket", "arn:aws:kms:us-east-1:444455556666:grant/x"]
    {
        let refused = refused(&server, json!({"KmsKeyId": bad})).await;
        assert_eq!(refused, format!("InvalidKmsKeyIdException: The KMS key ID is not valid: {bad}"));
    }
    let elsewhere = format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/{KEY}");
    assert_eq!(
        refused(&server, json!({"KmsKeyId": elsewhere})).await,
        format!("KmsKeyNotFoundException: The KMS key {elsewhere} is not in the trail's region us-east-1.")
    );
}

#[tokio::test]
async fn tags_keep_their_rules() {
    let server = server().await;
    let refused =
        async |tags: Value| server.refused("CreateTrail", asked("new", &json!({"TagsList": tags}))).await;
    let long = (&"k".repeat(129), &"v".repeat(257));
    for (tags, text) in [
        (json!([{"Key": ""}]), r#"Tag key must be between 1 and 128 characters long: """#.to_owned()),
        (json!([{"Value": "v"}]), r#"Tag key must be between 1 and 128 characters long: """#.to_owned()),
        (
            json!([{"Key": long.0}]),
            format!("Tag key must be between 1 and 128 characters long: {:?}", long.0),
        ),
        (
            json!([{"Key": "k", "Value": long.1}]),
            r#"Tag value of "k" is longer than 256 characters."#.to_owned(),
        ),
        (
            json!([{"Key": "k", "Value": "<v>"}]),
            r#"Tag "k" contains characters that are not allowed."#.to_owned(),
        ),
        (json!([{"Key": "aws:k"}]), r#"Tag key "aws:k" uses the reserved prefix aws:."#.to_owned()),
        (
            json!([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]),
            r#"Tag key "k" occurs more than once."#.to_owned(),
        ),
    ] {
        assert_eq!(refused(tags).await, format!("InvalidTagParameterException: {text}"));
    }
    let many: Vec<_> = (0..51).map(|n| json!({"Key": format!("k{n}"), "Value": ""})).collect();
    assert_eq!(refused(json!(many)).await, "TagsLimitExceededException: A trail can have at most 50 tags.");
    assert_eq!(server.trail_names("us-east-1", json!({})).await, ["there"]);
    let most = json!({"TagsList": many[..50]});
    assert_eq!(
        server.ok("CreateTrail", asked("new", &most)).await.get("TagsList"),
        None,
        "tags are not answered"
    );
}

#[tokio::test]
async fn tags_are_kept_in_the_order_in_which_they_came() {
    let server = server().await;
    let tags = json!({"TagsList": [{"Key": "b", "Value": "2"}, {"Key": "A"}, {"Key": "a", "Value": ""}]});
    server.ok("CreateTrail", asked("new", &tags)).await;
    assert_eq!(server.tags("new").await, tags["TagsList"]);
}

#[tokio::test]
async fn other_partitions_have_other_arns() {
    let server = TestServer::start().await;
    let settings = json!({"SnsTopicName": "alerts", "KmsKeyId": "alias/logs"});
    let created = server.ok_in("cn-north-1", "CreateTrail", asked("new", &settings)).await;
    for (member, arn) in [
        ("TrailARN", "arn:aws-cn:cloudtrail:cn-north-1:000000000000:trail/new"),
        ("SnsTopicARN", "arn:aws-cn:sns:cn-north-1:000000000000:alerts"),
        ("KmsKeyId", "arn:aws-cn:kms:cn-north-1:000000000000:alias/logs"),
    ] {
        assert_eq!(created[member], arn);
    }
}
