//! What the policy of a trail's bucket has to say.

use crate::support::fakes::FakeAws;
use crate::support::{ACCOUNT, TestServer, arn, http};
use serde_json::{Value, json};

const REFUSED: &str =
    "InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: my-bucket";

/// The policy that AWS's user guide gives for a bucket, with log files under a prefix.
fn policy(prefix: &str, trail: &str) -> Value {
    let cloudtrail = json!({"Service": "cloudtrail.amazonaws.com"});
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Look", "Effect": "Allow", "Principal": cloudtrail, "Action": "s3:GetBucketAcl",
            "Resource": "arn:aws:s3:::my-bucket", "Condition": {"StringEquals": {"aws:SourceArn": trail}}},
        {"Sid": "Write", "Effect": "Allow", "Principal": cloudtrail, "Action": "s3:PutObject",
            "Resource": format!("arn:aws:s3:::my-bucket/{prefix}AWSLogs/{ACCOUNT}/*"),
            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trail}}},
    ]})
}

fn right() -> Value {
    policy("team/", &arn("us-east-1", "demo"))
}

/// With something changed.
fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut policy = right();
    change(&mut policy["Statement"]);
    policy
}

/// Policies under which CloudTrail cannot deliver to the trail below.
fn wrong() -> Vec<(&'static str, Value)> {
    let write =
        |part: &'static str, value: Value| changed(move |statements| statements[1][part] = value.clone());
    let deny = |more: Value| {
        changed(move |statements| {
            let mut statement = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::my-bucket/*"});
            statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            statements.as_array_mut().unwrap().push(statement);
        })
    };
    vec![
        ("another prefix", policy("teams/", &arn("us-east-1", "demo"))),
        ("no prefix", policy("", &arn("us-east-1", "demo"))),
        ("another trail", policy("team/", &arn("us-east-1", "other"))),
        ("a trail elsewhere", policy("team/", &arn("eu-west-1", "demo"))),
        ("another account", write("Resource", json!("arn:aws:s3:::my-bucket/team/AWSLogs/444455556666/*"))),
        ("another folder", write("Resource", json!(format!("arn:aws:s3:::my-bucket/team/Logs/{ACCOUNT}/*")))),
        ("another bucket", write("Resource", json!(format!("arn:aws:s3:::b/team/AWSLogs/{ACCOUNT}/*")))),
        ("another ACL", write("Condition", json!({"StringEquals": {"s3:x-amz-acl": "private"}}))),
        (
            "an account's condition",
            write("Condition", json!({"StringEquals": {"aws:SourceAccount": "444455556666"}})),
        ),
        ("another service", write("Principal", json!({"Service": "config.amazonaws.com"}))),
        ("only an account", write("Principal", json!({"AWS": ACCOUNT}))),
        ("only reading", write("Action", json!("s3:GetObject"))),
        (
            "no look at the ACL",
            changed(|statements| {
                statements.as_array_mut().unwrap().remove(0);
            }),
        ),
        (
            "the ACL of an object",
            changed(|statements| statements[0]["Resource"] = json!("arn:aws:s3:::my-bucket/*")),
        ),
        (
            "only to encrypted objects",
            deny(json!({"Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}})),
        ),
        (
            "only to an endpoint",
            deny(json!({"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}})),
        ),
        ("to nobody", deny(json!({}))),
    ]
}

fn trail() -> Value {
    json!({"Name": "demo", "S3BucketName": "my-bucket", "S3KeyPrefix": "team"})
}

#[tokio::test]
async fn a_policy_that_keeps_cloudtrail_out_is_refused_at_any_s3() {
    let fake = FakeAws::start().await;
    let server = TestServer::with(&fake.settings()).await;
    for (what, policy) in wrong() {
        fake.set_policy(&policy);
        fake.forget();
        assert_eq!(server.refused("CreateTrail", trail()).await, REFUSED, "{what}");
        assert!(fake.objects().is_empty(), "nothing is put where it may not be: {what}");
    }
    fake.set_policy(&right());
    server.ok("CreateTrail", trail()).await;
    // An update is judged by where it moves the trail.
    let elsewhere = json!({"Name": "demo", "S3KeyPrefix": "other"});
    assert_eq!(server.refused("UpdateTrail", elsewhere).await, REFUSED);
    server.ok("UpdateTrail", json!({"Name": "demo", "EnableLogFileValidation": true})).await;
}

#[tokio::test]
async fn digests_have_a_folder_of_their_own() {
    let fake = FakeAws::start().await;
    let server = TestServer::with(&fake.settings()).await;
    let folder = format!("arn:aws:s3:::my-bucket/team/AWSLogs/{ACCOUNT}/CloudTrail/*");
    fake.set_policy(&changed(move |statements| statements[1]["Resource"] = json!(folder)));
    server.ok("CreateTrail", trail()).await;
    let digests = json!({"Name": "demo", "EnableLogFileValidation": true});
    assert_eq!(server.refused("UpdateTrail", digests).await, REFUSED);
}

#[tokio::test]
async fn the_embedded_bucket_store_keeps_policies_like_any_s3() {
    let server = TestServer::start().await;
    let bucket = format!("{}/my-bucket", server.url);
    assert!(http().put(&bucket).send().await.unwrap().status().is_success());
    let put = async |policy: &Value| {
        let answer = http().put(format!("{bucket}?policy")).body(policy.to_string()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 204, "{}", answer.text().await.unwrap());
    };
    for (what, policy) in wrong() {
        put(&policy).await;
        assert_eq!(server.refused("CreateTrail", trail()).await, REFUSED, "{what}");
    }
    put(&right()).await;
    server.ok("CreateTrail", trail()).await;
}

#[tokio::test]
async fn a_bucket_without_a_policy_passes_unless_one_is_required() {
    for (mode, expected) in [("checked", None), ("ignored", None), ("required", Some(REFUSED))] {
        let fake = FakeAws::start().await;
        let mut settings = fake.settings().to_vec();
        settings.push(("delivery.bucket_policies", mode));
        for settings in [settings, vec![("delivery.bucket_policies", mode)]] {
            let server = TestServer::with(&settings).await;
            match expected {
                None => drop(server.ok("CreateTrail", trail()).await),
                Some(refused) => assert_eq!(server.refused("CreateTrail", trail()).await, refused),
            }
        }
    }
}

#[tokio::test]
async fn policies_that_are_ignored_or_cannot_be_read_refuse_nothing() {
    let fake = FakeAws::start().await;
    let mut settings = fake.settings().to_vec();
    let server = TestServer::with(&settings).await;
    for code in ["AccessDenied", "NotImplemented", "MethodNotAllowed"] {
        fake.fail("s3 GetBucketPolicy", code);
        server.ok("CreateTrail", trail()).await;
        server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    }
    fake.recover();
    // What an S3 answers that knows no policies: the bucket's objects.
    fake.answer_policy(
        "<?xml version=\"1.0\"?>\n<ListBucketResult><Name>my-bucket</Name></ListBucketResult>",
    );
    server.ok("CreateTrail", trail()).await;
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    fake.answer_policy("{\"Statement\": 7}");
    assert_eq!(server.refused("CreateTrail", trail()).await, REFUSED);
    fake.set_policy(&policy("teams/", "arn:aws:cloudtrail:us-east-1:1:trail/other"));
    settings.push(("delivery.bucket_policies", "ignored"));
    TestServer::with(&settings).await.ok("CreateTrail", trail()).await;
}

#[tokio::test]
async fn an_s3_without_acls_takes_a_trail_if_it_takes_objects() {
    let fake = FakeAws::start().await;
    let server = TestServer::with(&fake.settings()).await;
    for code in ["NotImplemented", "InvalidRequest", "NoSuchKey"] {
        fake.fail("s3 GetBucketAcl", code);
        server.ok("CreateTrail", trail()).await;
        server.ok("DeleteTrail", json!({"Name": "demo"})).await;
        fake.fail("s3 PutObject", code);
        assert_eq!(server.refused("CreateTrail", trail()).await, REFUSED, "{code}");
        fake.recover();
    }
}

#[tokio::test]
async fn a_missing_bucket_is_made_where_the_settings_say_so() {
    let fake = FakeAws::start().await;
    fake.remove_bucket("my-bucket");
    let mut settings = fake.settings().to_vec();
    let server = TestServer::with(&settings).await;
    let missing = "S3BucketDoesNotExistException: S3 bucket my-bucket does not exist!";
    assert_eq!(server.refused("CreateTrail", trail()).await, missing);
    assert!(fake.made().is_empty());
    settings.push(("delivery.create_buckets", "true"));
    let server = TestServer::with(&settings).await;
    server.ok_in("eu-west-1", "CreateTrail", trail()).await;
    assert!(fake.made()[0].contains("<LocationConstraint>eu-west-1<"), "{:?}", fake.made());
    server.ok("CreateTrail", json!({"Name": "other", "S3BucketName": "my-bucket"})).await;
    fake.remove_bucket("my-bucket");
    server.ok("CreateTrail", json!({"Name": "third", "S3BucketName": "my-bucket"})).await;
    assert_eq!(fake.made()[1..], [""], "in us-east-1 nothing is said of the region");
}
