//! A trail that is changed while something waits.

use super::{delivered, delivering_to, ids, import, large_records, log_files};
use crate::support::fakes::FakeAws;
use crate::support::{ACCOUNT, TestServer};
use contrail::store::Session;
use serde_json::{Value, json};

fn key(id: &str) -> String {
    format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/{id}")
}

#[tokio::test]
async fn a_log_file_that_waits_for_a_bad_key_is_encrypted_with_the_one_that_mends_it() {
    let aws = FakeAws::start().await;
    let (bad, good) =
        (key("11111111-0000-0000-0000-000000000000"), key("22222222-0000-0000-0000-000000000000"));
    let server = delivering_to(&aws, json!({"KmsKeyId": bad})).await;
    aws.fail("s3", "KMS.DisabledException");
    import(&server, 2).await;
    server.flush().await;
    assert_eq!(server.status().await["LatestDeliveryError"], "KMS.DisabledException");
    aws.recover();
    aws.forget();
    server.ok("UpdateTrail", json!({"Name": "demo", "KmsKeyId": good})).await;
    server.step().await;
    assert_eq!(delivered(&aws), ids(2), "at once");
    let keys = log_files(&aws)
        .into_iter()
        .map(|file| file.headers["x-amz-server-side-encryption-aws-kms-key-id"].clone());
    assert_eq!(keys.collect::<Vec<_>>(), [good]);
}

/// UpdateTrail without its look at the bucket: the trail `demo` delivers to `place`, bucket and prefix, from now on.
async fn move_to(server: &TestServer, place: &str) {
    let mut db = server.parts.store.write().await.unwrap();
    let before = db.trails().all().await.unwrap().remove(0);
    let mut after = before.clone();
    after.s3_bucket_name = place.to_owned();
    after.s3_key_prefix = Some(place.to_owned());
    after.updated_at += 1;
    db.trails().update(&before, &after).await.unwrap();
    db.commit().await.unwrap();
}

#[tokio::test]
async fn what_fails_while_its_trail_is_mended_is_tried_at_once() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    import(&server, 2).await;
    aws.hang("s3");
    let workers = server.workers.clone();
    let flushing = tokio::spawn(async move { workers.flush().await });
    aws.has_seen("PutObject").await;
    move_to(&server, "new").await;
    aws.remove_bucket("my-bucket");
    aws.release();
    let failures = flushing.await.unwrap().unwrap().failures;
    assert!(failures.len() == 1 && failures[0].contains("NoSuchBucket"), "{failures:?}");
    assert_eq!(server.backlog().await["failing_destinations"], 0);
    server.step().await;
    assert_eq!(delivered(&aws), ids(2));
    assert_eq!(server.status().await.get("LatestDeliveryError"), None);
}

/// Where the digests are: bucket and key.
fn digests(aws: &FakeAws) -> Vec<(String, String)> {
    let mut objects = aws.objects();
    objects.retain(|object| object.key.contains("/CloudTrail-Digest/") && object.key.ends_with(".json.gz"));
    objects.into_iter().map(|object| (object.bucket, object.key)).collect()
}

#[tokio::test]
async fn digests_that_wait_for_a_bucket_which_is_gone_go_to_the_new_one() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"EnableLogFileValidation": true})).await;
    aws.remove_bucket("my-bucket");
    for _ in 0..3 {
        server.wait(3600);
        server.step().await;
    }
    assert_eq!(server.status().await["LatestDigestDeliveryError"], "NoSuchBucket");
    aws.forget();
    server.ok("UpdateTrail", json!({"Name": "demo", "S3BucketName": "spare", "S3KeyPrefix": "new"})).await;
    server.flush().await;
    let found = digests(&aws);
    assert!(found.len() >= 3, "{found:?}");
    assert!(
        found.iter().all(|(bucket, key)| bucket == "spare" && key.starts_with("new/AWSLogs/")),
        "{found:?}"
    );
    let content = |key: &str| -> Value {
        let object = aws.objects().into_iter().find(|object| object.key == key).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&object.body[..]), &mut text)
            .unwrap();
        serde_json::from_str(&text).unwrap()
    };
    for pair in found.windows(2) {
        let digest = content(&pair[1].1);
        assert_eq!(
            (&digest["digestS3Bucket"], &digest["previousDigestS3Bucket"]),
            (&json!("spare"), &json!("spare"))
        );
        assert_eq!(digest["previousDigestS3Object"], pair[0].1);
    }
}

#[tokio::test]
async fn a_large_file_that_is_split_while_its_trail_moves_goes_whole_to_the_new_place() {
    let aws = FakeAws::start().await;
    let settings = aws.settings();
    let server = TestServer::with(&[&settings[..], &[("delivery.max_file_bytes", "20000")]].concat()).await;
    let trail = json!({"Name": "demo", "S3BucketName": "old", "S3KeyPrefix": "old"});
    server.ok("CreateTrail", trail).await;
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    aws.forget();
    aws.hang("s3");
    server.import(&large_records(200)).await;
    let workers = server.workers.clone();
    let flushing = tokio::spawn(async move { workers.flush().await });
    // The first part is on its way to the old place while the rest waits.
    aws.has_seen("PutObject").await;
    move_to(&server, "new").await;
    aws.recover();
    flushing.await.unwrap().unwrap();
    assert_eq!(delivered(&aws), ids(200));
    let files = log_files(&aws);
    assert!(files.len() > 2);
    assert!(
        files.iter().all(|file| file.key.starts_with(&format!("{}/AWSLogs/", file.bucket))),
        "no mixture"
    );
    assert!(files[1..].iter().all(|file| file.bucket == "new"));
}
