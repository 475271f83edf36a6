use crate::support::fakes::{FakeAws, nobody};
use crate::support::{ACCOUNT, TestServer, arn};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::000000000000:role/ToLogs";
const POLICY: &str =
    "InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: my-bucket";

/// A server that delivers to a fake AWS.
async fn server() -> (TestServer, FakeAws) {
    let fake = FakeAws::start().await;
    (TestServer::with(&fake.settings()).await, fake)
}

/// A trail for which everything is set.
fn full() -> Value {
    full_in("us-east-1")
}

fn full_in(region: &str) -> Value {
    json!({
        "Name": "demo", "S3BucketName": "my-bucket", "S3KeyPrefix": "team/a", "SnsTopicName": "alerts",
        "EnableLogFileValidation": true, "CloudWatchLogsLogGroupArn": group(region), "CloudWatchLogsRoleArn": ROLE
    })
}

fn group(region: &str) -> String {
    format!("arn:aws:logs:{region}:{ACCOUNT}:log-group:trail:*")
}

fn keys(fake: &FakeAws) -> Vec<String> {
    fake.objects().into_iter().map(|object| object.key).collect()
}

async fn is_empty(server: &TestServer) -> bool {
    server.trail_names("us-east-1", json!({})).await.is_empty()
}

#[tokio::test]
async fn everything_is_tried_before_a_trail_is_taken() {
    let (server, fake) = server().await;
    server.ok_in("eu-west-1", "CreateTrail", full_in("eu-west-1")).await;
    assert_eq!(
        fake.calls(),
        [
            "s3 GetBucketLocation",
            "s3 GetBucketAcl",
            "s3 GetBucketPolicy",
            "s3 PutObject",
            "s3 PutObject",
            "sns Publish",
            "logs CreateLogStream"
        ]
    );
    let folders = [
        format!("team/a/AWSLogs/{ACCOUNT}/CloudTrail/"),
        format!("team/a/AWSLogs/{ACCOUNT}/CloudTrail-Digest/"),
    ];
    assert_eq!(keys(&fake), folders);
    assert!(fake.objects().iter().all(|object| object.body.is_empty()
        && object.headers["content-type"] == "application/json"
        && object.headers["content-encoding"] == "gzip"));
    let published = &fake.requests_of("Publish")[0];
    assert_eq!(published.form("Message").as_deref(), Some("CloudTrail validation message."));
    assert_eq!(published.form("TopicArn"), Some(format!("arn:aws:sns:eu-west-1:{ACCOUNT}:alerts")));
    let made = &fake.requests_of("CreateLogStream")[0];
    assert_eq!(
        made.json(),
        json!({"logGroupName": "trail", "logStreamName": format!("{ACCOUNT}_CloudTrail_eu-west-1")})
    );
}

#[tokio::test]
async fn a_plain_trail_needs_a_bucket_only() {
    let (server, fake) = server().await;
    server.ok("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"})).await;
    assert_eq!(keys(&fake), [format!("AWSLogs/{ACCOUNT}/CloudTrail/")]);
    assert!(fake.requests().iter().all(|request| request.service == "s3"));
}

#[tokio::test]
async fn without_endpoints_topics_and_groups_are_only_kept() {
    let server = TestServer::start().await;
    let created = server.ok_in("eu-west-1", "CreateTrail", full_in("eu-west-1")).await;
    assert_eq!(
        (&created["SnsTopicName"], &created["CloudWatchLogsLogGroupArn"]),
        (&json!("alerts"), &json!(group("eu-west-1")))
    );
}

#[tokio::test]
async fn a_missing_bucket_is_named() {
    let (server, fake) = server().await;
    fake.remove_bucket("my-bucket");
    assert_eq!(
        server.refused("CreateTrail", full()).await,
        "S3BucketDoesNotExistException: S3 bucket my-bucket does not exist!"
    );
    assert!(is_empty(&server).await);
    fake.recover();
    server.ok("CreateTrail", full()).await;
}

#[tokio::test]
async fn a_bucket_that_cannot_be_written_is_refused_and_so_is_one_whose_acl_is_hidden() {
    for operation in ["s3 PutObject", "s3 GetBucketAcl"] {
        let (server, fake) = server().await;
        fake.fail(operation, "AccessDenied");
        assert_eq!(server.refused("CreateTrail", full()).await, POLICY);
        assert!(is_empty(&server).await);
        assert!(fake.requests().iter().all(|request| request.service == "s3"), "the topic comes later");
    }
}

#[tokio::test]
async fn an_s3_that_has_no_folders_takes_trails() {
    for code in ["InvalidArgument", "NotImplemented"] {
        let (server, fake) = server().await;
        fake.refuse_folders(code);
        server.ok("CreateTrail", full()).await;
        server.ok("StartLogging", json!({"Name": "demo"})).await;
        server
            .ok("AddTags", json!({"ResourceId": arn("us-east-1", "demo"), "TagsList": [{"Key": "a"}]}))
            .await;
        server.flush().await;
        let keys = keys(&fake);
        assert_eq!(keys[0], format!("team/a/AWSLogs/{ACCOUNT}/CloudTrail/.folder"));
        assert!(keys.iter().any(|key| key.ends_with(".json.gz")), "{keys:?}");
    }
}

#[tokio::test]
async fn an_endpoint_without_anybody_is_told_apart_from_a_policy() {
    let server = TestServer::with(&[("delivery.s3_endpoint", &nobody())]).await;
    assert_eq!(
        server.refused("CreateTrail", full()).await,
        format!("{POLICY} (the S3 endpoint cannot be reached)")
    );
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_named_with_its_bucket() {
    let (server, fake) = server().await;
    let mut trail = full();
    trail["KmsKeyId"] = json!("alias/logs");
    for code in ["KMS.DisabledException", "KMS.NotFoundException", "NotImplemented"] {
        fake.fail("s3 PutObject", code);
        assert_eq!(
            server.refused("CreateTrail", trail.clone()).await,
            "InsufficientEncryptionPolicyException: Insufficient permissions to access S3 bucket my-bucket or KMS \
             key arn:aws:kms:us-east-1:000000000000:alias/logs."
        );
    }
    fake.recover();
    server.ok("CreateTrail", trail).await;
    let put = &fake.objects()[0];
    assert_eq!(
        put.headers["x-amz-server-side-encryption-aws-kms-key-id"],
        "arn:aws:kms:us-east-1:000000000000:alias/logs"
    );
}

#[tokio::test]
async fn a_missing_or_closed_topic_is_refused_after_the_bucket() {
    let (server, fake) = server().await;
    for code in ["NotFound", "AuthorizationError", "hang-up"] {
        fake.forget();
        fake.fail("sns", code);
        assert_eq!(
            server.refused("CreateTrail", full()).await,
            "InsufficientSnsTopicPolicyException: SNS Topic does not exist or the topic policy is incorrect!"
        );
        assert_eq!(keys(&fake).len(), 2, "what was written stays");
        assert!(fake.requests_of("CreateLogStream").is_empty(), "the log group comes later");
        assert!(is_empty(&server).await);
    }
}

#[tokio::test]
async fn a_missing_or_closed_log_group_is_refused_last() {
    let (server, fake) = server().await;
    for code in ["ResourceNotFoundException", "AccessDeniedException"] {
        fake.forget();
        fake.fail("logs", code);
        assert_eq!(
            server.refused("CreateTrail", full()).await,
            "InvalidCloudWatchLogsLogGroupArnException: Access denied. Check the permissions for your role."
        );
        assert_eq!(fake.calls().last().unwrap(), "logs CreateLogStream");
        assert_eq!(fake.requests_of("Publish").len(), 1);
        assert!(is_empty(&server).await);
    }
}

#[tokio::test]
async fn what_is_wrong_in_itself_is_refused_without_a_request() {
    let (server, fake) = server().await;
    for i in 0..5 {
        server.create_in("eu-west-1", &format!("trail-{i}"), false).await;
    }
    server.create_in("us-east-1", "taken", false).await;
    fake.forget();
    let with = |member: &str, value: Value| {
        let mut trail = full();
        trail[member] = value;
        trail
    };
    for (input, code) in [
        (with("Name", json!("x")), "InvalidTrailNameException"),
        (with("Name", json!("taken")), "TrailAlreadyExistsException"),
        (with("S3BucketName", json!("My_Bucket")), "InvalidS3BucketNameException"),
        (with("SnsTopicName", json!("no topic")), "InvalidSnsTopicNameException"),
        (with("CloudWatchLogsRoleArn", json!("")), "InvalidCloudWatchLogsRoleArnException"),
        (with("TagsList", json!([{"Key": ""}])), "InvalidTagParameterException"),
    ] {
        let refused = server.refused("CreateTrail", input).await;
        assert!(refused.starts_with(code), "{refused}");
    }
    let full_region = server.refused_in("eu-west-1", "CreateTrail", full_in("eu-west-1")).await;
    assert!(full_region.starts_with("MaximumNumberOfTrailsExceededException"), "{full_region}");
    let unknown = server.refused("UpdateTrail", full()).await;
    assert!(unknown.starts_with("TrailNotFoundException"), "{unknown}");
    let elsewhere = json!({"Name": "trail-0", "S3BucketName": "Bad_Name"});
    let bad_update = server.refused_in("eu-west-1", "UpdateTrail", elsewhere).await;
    assert!(bad_update.starts_with("InvalidS3BucketNameException"), "{bad_update}");
    assert_eq!(fake.calls(), [""; 0]);
}

#[tokio::test]
async fn a_refusal_is_recorded_like_any_other() {
    let (server, fake) = server().await;
    server.start_demo_trail().await;
    fake.fail("s3 PutObject", "AccessDenied");
    let mut trail = full();
    trail["Name"] = json!("other");
    server.refused("CreateTrail", trail).await;
    let records = server.records().await;
    let record = records.last().unwrap();
    assert_eq!(
        (&record["eventName"], &record["errorCode"], &record["requestParameters"]["name"]),
        (&json!("CreateTrail"), &json!("InsufficientS3BucketPolicyException"), &json!("other"))
    );
    assert_eq!(record["errorMessage"], POLICY.split(": ").skip(1).collect::<Vec<_>>().join(": "));
    assert_eq!(record["responseElements"], json!(null));
    assert_eq!(server.trail_names("us-east-1", json!({})).await, ["demo"]);
}

#[tokio::test]
async fn an_update_tries_only_what_it_changes() {
    let (server, fake) = server().await;
    server.ok_in("eu-west-1", "CreateTrail", full_in("eu-west-1")).await;
    let update = async |input: Value| {
        fake.forget();
        let mut input = input;
        input["Name"] = json!("demo");
        server.ok_in("eu-west-1", "UpdateTrail", input).await;
        fake.calls()
    };
    let bucket = ["s3 GetBucketAcl", "s3 GetBucketPolicy", "s3 PutObject", "s3 PutObject"];
    for (input, calls) in [
        (json!({}), &[][..]),
        (json!({"IsMultiRegionTrail": true}), &[]),
        (json!({"S3BucketName": "my-bucket", "SnsTopicName": "alerts"}), &[]),
        (json!({"S3KeyPrefix": ""}), &bucket),
        (json!({"KmsKeyId": "alias/logs"}), &bucket),
        (json!({"EnableLogFileValidation": false}), &[]),
        (json!({"EnableLogFileValidation": true}), &bucket),
        (json!({"SnsTopicName": "others"}), &["sns Publish"]),
        (json!({"SnsTopicName": ""}), &[]),
        (json!({"CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""}), &[]),
        (
            json!({"CloudWatchLogsLogGroupArn": group("eu-west-1"), "CloudWatchLogsRoleArn": ROLE}),
            &["logs CreateLogStream"],
        ),
    ] {
        assert_eq!(update(input.clone()).await, calls, "{input}");
    }
}

#[tokio::test]
async fn a_refused_update_changes_nothing() {
    let (server, fake) = server().await;
    server.ok("CreateTrail", full()).await;
    let before = server.ok("DescribeTrails", json!({})).await;
    fake.fail("sns", "NotFound");
    let refused = server.refused("UpdateTrail", json!({"Name": "demo", "SnsTopicName": "gone"})).await;
    assert!(refused.starts_with("InsufficientSnsTopicPolicyException: "), "{refused}");
    assert_eq!(server.ok("DescribeTrails", json!({})).await, before);
    // What has nothing to do with the topic still works.
    server.ok("UpdateTrail", json!({"Name": "demo", "IsMultiRegionTrail": true})).await;
}
