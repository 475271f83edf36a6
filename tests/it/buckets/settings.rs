//! Buckets, what can be set on them, and what they answer when nothing was set.

use super::{put, raw, refusal};
use crate::support::TestServer;
use aws_sdk_s3::types::{
    BucketCannedAcl, BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, Tag, Tagging, VersioningConfiguration,
};

#[tokio::test]
async fn a_bucket_is_made_found_listed_and_removed() {
    let server = TestServer::start().await;
    let s3 = server.s3();
    let in_region = |region: &str| {
        let constraint = BucketLocationConstraint::from(region);
        CreateBucketConfiguration::builder().location_constraint(constraint).build()
    };
    let create = |name: &str, region| {
        s3.create_bucket().bucket(name).create_bucket_configuration(in_region(region)).send()
    };
    create("b-eu", "eu-west-1").await.unwrap();
    s3.create_bucket().bucket("b-us").send().await.unwrap();
    assert_eq!(refusal(create("b-eu", "eu-west-1").await), ("BucketAlreadyOwnedByYou".into(), 409));
    // As in AWS's oldest region.
    s3.create_bucket().bucket("b-us").send().await.unwrap();
    assert_eq!(refusal(create("b-none", "us-east-1").await), ("InvalidLocationConstraint".into(), 400));
    let listed = s3.list_buckets().send().await.unwrap();
    assert_eq!(listed.buckets().iter().map(|b| b.name().unwrap()).collect::<Vec<_>>(), ["b-eu", "b-us"]);
    let head = s3.head_bucket().bucket("b-eu").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("eu-west-1"));
    let location = s3.get_bucket_location().bucket("b-eu").send().await.unwrap();
    assert_eq!(location.location_constraint(), Some(&BucketLocationConstraint::EuWest1));
    let reply = raw(&server, "GET", "/b-us?location", &[], "").await;
    assert!(reply.text.contains("LocationConstraint") && !reply.text.contains("us-east-1"), "{}", reply.text);
    s3.delete_bucket().bucket("b-eu").send().await.unwrap();
    assert_eq!(refusal(s3.head_bucket().bucket("b-eu").send().await).1, 404);
    assert_eq!(refusal(s3.delete_bucket().bucket("b-eu").send().await), ("NoSuchBucket".into(), 404));
}

#[tokio::test]
async fn a_full_bucket_stays() {
    let (_server, s3) = TestServer::with_bucket().await;
    put(&s3, "k", "x").await;
    assert_eq!(refusal(s3.delete_bucket().bucket("my-bucket").send().await), ("BucketNotEmpty".into(), 409));
    s3.delete_object().bucket("my-bucket").key("k").send().await.unwrap();
    s3.delete_bucket().bucket("my-bucket").send().await.unwrap();
}

#[tokio::test]
async fn names_that_s3_does_not_take_are_refused() {
    let server = TestServer::start().await;
    for name in ["ab", "A-bucket", "a_b", "192.168.0.1", "a..b", "-ab"] {
        let reply = raw(&server, "PUT", &format!("/{name}"), &[], "").await;
        assert!(reply.text.contains("<Code>InvalidBucketName</Code>"), "{name}: {}", reply.text);
        assert_eq!(reply.status, 400, "{name}");
    }
}

#[tokio::test]
async fn a_policy_is_kept_as_it_was_put() {
    let (server, s3) = TestServer::with_bucket().await;
    let policy = || s3.get_bucket_policy().bucket("my-bucket").send();
    assert_eq!(refusal(policy().await), ("NoSuchBucketPolicy".into(), 404));
    let text = r#"{ "Version":"2012-10-17", "Statement":[] }"#;
    s3.put_bucket_policy().bucket("my-bucket").policy(text).send().await.unwrap();
    assert_eq!(policy().await.unwrap().policy(), Some(text));
    let bad = s3.put_bucket_policy().bucket("my-bucket").policy("{").send().await;
    assert_eq!(refusal(bad), ("MalformedPolicy".into(), 400));
    let server = server.restart_with(&[]).await;
    let s3 = server.s3();
    assert_eq!(s3.get_bucket_policy().bucket("my-bucket").send().await.unwrap().policy(), Some(text));
    s3.delete_bucket_policy().bucket("my-bucket").send().await.unwrap();
    assert_eq!(refusal(s3.get_bucket_policy().bucket("my-bucket").send().await).0, "NoSuchBucketPolicy");
}

#[tokio::test]
async fn an_untouched_bucket_answers_as_at_aws() {
    let (server, s3) = TestServer::with_bucket().await;
    assert_eq!(s3.get_bucket_versioning().bucket("my-bucket").send().await.unwrap().status(), None);
    assert!(s3.get_bucket_logging().bucket("my-bucket").send().await.unwrap().logging_enabled().is_none());
    let block = s3.get_public_access_block().bucket("my-bucket").send().await.unwrap();
    assert_eq!(block.public_access_block_configuration().unwrap().block_public_policy(), Some(true));
    let encryption = s3.get_bucket_encryption().bucket("my-bucket").send().await.unwrap();
    let rule = &encryption.server_side_encryption_configuration().unwrap().rules()[0];
    assert_eq!(rule.apply_server_side_encryption_by_default().unwrap().sse_algorithm().as_str(), "AES256");
    let acl = s3.get_bucket_acl().bucket("my-bucket").send().await.unwrap();
    assert_eq!(acl.grants()[0].permission().unwrap().as_str(), "FULL_CONTROL");
    assert_eq!(acl.grants()[0].grantee().unwrap().id(), acl.owner().unwrap().id());
    for (query, status, code) in [
        ("tagging", 404, "NoSuchTagSet"),
        ("cors", 404, "NoSuchCORSConfiguration"),
        ("lifecycle", 404, "NoSuchLifecycleConfiguration"),
        ("website", 404, "NoSuchWebsiteConfiguration"),
        ("replication", 404, "ReplicationConfigurationNotFoundError"),
        ("object-lock", 404, "ObjectLockConfigurationNotFoundError"),
        ("notification", 200, "NotificationConfiguration"),
        ("ownershipControls", 200, "BucketOwnerEnforced"),
        ("requestPayment", 200, "BucketOwner"),
    ] {
        let reply = raw(&server, "GET", &format!("/my-bucket?{query}"), &[], "").await;
        assert_eq!(reply.status, status, "{query}: {}", reply.text);
        assert!(reply.text.contains(code), "{query}: {}", reply.text);
    }
}

#[tokio::test]
async fn what_is_set_is_kept_and_what_would_not_be_kept_is_refused() {
    let (_server, s3) = TestServer::with_bucket().await;
    let block = PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
    s3.put_public_access_block()
        .bucket("my-bucket")
        .public_access_block_configuration(block)
        .send()
        .await
        .unwrap();
    let block = s3.get_public_access_block().bucket("my-bucket").send().await.unwrap();
    let block = block.public_access_block_configuration().unwrap();
    assert_eq!((block.block_public_acls(), block.restrict_public_buckets()), (Some(true), Some(false)));
    s3.delete_public_access_block().bucket("my-bucket").send().await.unwrap();
    let gone = s3.get_public_access_block().bucket("my-bucket").send().await;
    assert_eq!(refusal(gone), ("NoSuchPublicAccessBlockConfiguration".into(), 404));

    let tag = Tag::builder().key("team").value("a").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    s3.put_bucket_tagging().bucket("my-bucket").tagging(tagging).send().await.unwrap();
    let tags = s3.get_bucket_tagging().bucket("my-bucket").send().await.unwrap();
    assert_eq!(tags.tag_set()[0].value(), "a");

    s3.put_bucket_acl().bucket("my-bucket").acl(BucketCannedAcl::PublicRead).send().await.unwrap();
    let acl = s3.get_bucket_acl().bucket("my-bucket").send().await.unwrap();
    assert_eq!(acl.grants()[1].permission().unwrap().as_str(), "READ");

    let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let refused =
        s3.put_bucket_versioning().bucket("my-bucket").versioning_configuration(versioning).send().await;
    assert_eq!(refusal(refused), ("NotImplemented".into(), 501));
}

#[tokio::test]
async fn the_templates_of_create_subscription_are_there_for_every_region() {
    let server = TestServer::start().await;
    for key in [
        "policy/S3/AWSCloudTrail-S3BucketPolicy-2014-12-17.json",
        "policy/SNS/AWSCloudTrail-SnsTopicPolicy-2014-12-17.json",
    ] {
        let get = server.s3().get_object().bucket("awscloudtrail-policy-eu-central-1").key(key);
        let body = get.send().await.unwrap().body.collect().await.unwrap().to_vec();
        let policy: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(policy["Statement"][0]["Principal"]["Service"], "cloudtrail.amazonaws.com");
    }
    let other = server.s3().get_object().bucket("awscloudtrail-policy-eu-central-1").key("x").send().await;
    assert_eq!(refusal(other), ("NoSuchBucket".into(), 404));
}
