use super::{ACCOUNT, fake, why};
use crate::support::account;
use contrail::outbound::Object;

const KEY: &str = "team/a/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/22/file name+1.json.gz";
const KMS_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

fn object() -> Object {
    Object {
        bucket: "my-bucket".to_owned(),
        key: KEY.to_owned(),
        body: b"gzip".to_vec(),
        metadata: vec![("signature-algorithm", "SHA256withRSA".to_owned()), ("signature", "00ff".to_owned())],
        kms_key_id: None,
    }
}

#[tokio::test]
async fn an_object_is_put_as_cloudtrail_puts_it() {
    let (fake, outbound) = fake().await;
    fake.place_bucket("my-bucket", "eu-west-1");
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    let put = &fake.requests_of("PutObject")[0];
    let path = put.path.split('?').next().unwrap();
    assert_eq!(path, format!("/my-bucket/{}", KEY.replace(' ', "%20").replace('+', "%2B")));
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("x-amz-acl", "bucket-owner-full-control"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-meta-signature-algorithm", "SHA256withRSA"),
        ("x-amz-meta-signature", "00ff"),
        ("content-length", "4"),
    ] {
        assert_eq!(put.header(name), value, "{name}");
    }
    assert_eq!((put.access_key(), put.region()), (ACCOUNT, "eu-west-1"));
    let stored = &fake.objects()[0];
    assert_eq!((stored.bucket.as_str(), stored.key.as_str()), ("my-bucket", KEY));
    assert_eq!(stored.body, b"gzip");
}

#[tokio::test]
async fn the_body_is_sent_plainly_for_servers_that_know_no_streamed_checksums() {
    let (fake, outbound) = fake().await;
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    let put = &fake.requests_of("PutObject")[0];
    assert_eq!((put.header("x-amz-trailer"), put.header("x-amz-decoded-content-length")), ("", ""));
    assert_eq!(put.body, b"gzip");
}

#[tokio::test]
async fn an_object_is_encrypted_with_the_key_given() {
    let (fake, outbound) = fake().await;
    outbound.put_object(ACCOUNT, Object { kms_key_id: Some(KMS_KEY.to_owned()), ..object() }).await.unwrap();
    let put = &fake.requests_of("PutObject")[0];
    assert_eq!(put.header("x-amz-server-side-encryption"), "aws:kms");
    assert_eq!(put.header("x-amz-server-side-encryption-aws-kms-key-id"), KMS_KEY);
}

#[tokio::test]
async fn an_empty_object_marks_a_folder() {
    let (fake, outbound) = fake().await;
    let marker = Object {
        key: "AWSLogs/1/CloudTrail/".to_owned(),
        body: Vec::new(),
        metadata: Vec::new(),
        ..object()
    };
    outbound.put_object(ACCOUNT, marker).await.unwrap();
    assert_eq!((fake.objects()[0].key.as_str(), fake.objects()[0].body.len()), ("AWSLogs/1/CloudTrail/", 0));
}

#[tokio::test]
async fn a_bucket_is_checked_by_reading_its_acl() {
    let (fake, outbound) = fake().await;
    outbound.check_bucket(&account(ACCOUNT), "us-east-1", "my-bucket").await.unwrap();
    assert_eq!(fake.calls(), ["s3 GetBucketLocation", "s3 GetBucketAcl"]);
    assert!(fake.requests()[1].path.starts_with("/my-bucket"), "{}", fake.requests()[1].path);
}

#[tokio::test]
async fn the_region_of_a_bucket_is_asked_for_once() {
    let (fake, outbound) = fake().await;
    for _ in 0..3 {
        outbound.put_object(ACCOUNT, object()).await.unwrap();
    }
    outbound.check_bucket(&account(ACCOUNT), "us-east-1", "my-bucket").await.unwrap();
    assert_eq!(fake.requests_of("GetBucketLocation").len(), 1);
}

#[tokio::test]
async fn old_names_of_regions_are_understood() {
    for (location, region) in [("", "us-east-1"), ("EU", "eu-west-1"), ("ap-south-1", "ap-south-1")] {
        let (fake, outbound) = fake().await;
        fake.place_bucket("my-bucket", location);
        outbound.put_object(ACCOUNT, object()).await.unwrap();
        assert_eq!(fake.requests_of("PutObject")[0].region(), region);
    }
}

#[tokio::test]
async fn a_bucket_that_moved_is_found_again() {
    let (fake, outbound) = fake().await;
    fake.place_bucket("my-bucket", "eu-west-1");
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    fake.place_bucket("my-bucket", "eu-north-1");
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    let regions: Vec<_> = fake.requests_of("PutObject").iter().map(|put| put.region().to_owned()).collect();
    assert_eq!(regions, ["eu-west-1", "eu-west-1", "eu-north-1"]);
    assert_eq!(fake.objects().len(), 2);
}

#[tokio::test]
async fn a_redirect_without_end_is_reported_after_one_more_try() {
    let (fake, outbound) = fake().await;
    fake.fail("s3 PutObject", "PermanentRedirect");
    assert_eq!(why(outbound.put_object(ACCOUNT, object()).await).0, "PermanentRedirect");
    assert_eq!(fake.requests_of("PutObject").len(), 2);
}

#[tokio::test]
async fn who_may_not_ask_for_the_region_can_still_deliver() {
    let (fake, outbound) = fake().await;
    fake.fail("s3 GetBucketLocation", "AccessDenied");
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    assert_eq!(fake.requests_of("PutObject")[0].region(), "us-east-1");
}

#[tokio::test]
async fn what_s3_says_is_reported_in_its_words() {
    let (fake, outbound) = fake().await;
    fake.fail("s3 PutObject", "AccessDenied");
    let failure = why(outbound.put_object(ACCOUNT, object()).await);
    assert_eq!(failure, ("AccessDenied".to_owned(), "The fake says AccessDenied.".to_owned()));
    fake.fail("s3 PutObject", "KMS.DisabledException");
    assert_eq!(why(outbound.put_object(ACCOUNT, object()).await).0, "KMS.DisabledException");
    assert_eq!(fake.requests_of("PutObject").len(), 2, "nothing is tried twice");
    fake.recover();
    outbound.put_object(ACCOUNT, object()).await.unwrap();
}

#[tokio::test]
async fn a_deleted_bucket_is_reported_as_missing() {
    let (fake, outbound) = fake().await;
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    fake.remove_bucket("my-bucket");
    assert_eq!(why(outbound.put_object(ACCOUNT, object()).await).0, "NoSuchBucket");
    assert_eq!(
        why(outbound.check_bucket(&account(ACCOUNT), "us-east-1", "my-bucket").await).0,
        "NoSuchBucket"
    );
    fake.remove_bucket("never-there");
    assert_eq!(
        why(outbound.check_bucket(&account(ACCOUNT), "us-east-1", "never-there").await).0,
        "NoSuchBucket"
    );
}

#[tokio::test]
async fn a_server_without_acls_gets_none_from_then_on() {
    let (fake, outbound) = fake().await;
    fake.refuse_header("x-amz-acl", "AccessControlListNotSupported");
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    let puts = fake.requests_of("PutObject");
    let acls: Vec<_> = puts.iter().map(|put| put.header("x-amz-acl")).collect();
    assert_eq!(acls, ["bucket-owner-full-control", "", ""]);
    assert!(puts.iter().all(|put| put.header("x-amz-server-side-encryption") == "AES256"));
}

#[tokio::test]
async fn a_server_without_encryption_is_not_asked_for_it_again() {
    for code in ["NotImplemented", "InvalidArgument"] {
        let (fake, outbound) = fake().await;
        fake.refuse_header("x-amz-server-side-encryption", code);
        outbound.put_object(ACCOUNT, object()).await.unwrap();
        outbound.put_object(ACCOUNT, object()).await.unwrap();
        let puts = fake.requests_of("PutObject");
        let asked: Vec<_> = puts.iter().map(|put| put.header("x-amz-server-side-encryption")).collect();
        assert_eq!(asked, ["AES256", "", ""]);
    }
}

#[tokio::test]
async fn a_key_that_was_asked_for_is_never_left_out() {
    let (fake, outbound) = fake().await;
    fake.refuse_header("x-amz-server-side-encryption", "NotImplemented");
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    let with_key = Object { kms_key_id: Some(KMS_KEY.to_owned()), ..object() };
    assert_eq!(why(outbound.put_object(ACCOUNT, with_key).await).0, "NotImplemented");
    assert_eq!(fake.objects().len(), 1);
}

#[tokio::test]
async fn an_error_that_has_another_cause_changes_nothing_for_later() {
    let (fake, outbound) = fake().await;
    fake.fail("s3 PutObject", "InvalidArgument");
    assert_eq!(why(outbound.put_object(ACCOUNT, object()).await).0, "InvalidArgument");
    fake.recover();
    outbound.put_object(ACCOUNT, object()).await.unwrap();
    assert_eq!(fake.objects()[0].headers["x-amz-server-side-encryption"], "AES256");
}
