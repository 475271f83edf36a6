//! With nothing configured: the embedded bucket store.

use crate::support::chain::{Objects, check};
use crate::support::{TestServer, http, record};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;

#[tokio::test]
async fn a_new_trail_delivers_into_a_bucket_on_the_same_port() {
    let server = TestServer::start().await;
    let trail = json!({"Name": "demo", "S3BucketName": "my-bucket", "EnableLogFileValidation": true});
    server.ok("CreateTrail", trail).await;
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    server.import(&[record(1, "2026-11-22T05:29:00Z", "RunInstances")]).await;
    let flushed = server.flush().await;
    // The bucket is kept over a restart, and read without a signature.
    let server = server.restart_with(&[]).await;
    let mut objects = Objects::new();
    for place in ["log_files", "digests"].iter().flat_map(|kind| flushed[kind].as_array().unwrap()) {
        let key = place["key"].as_str().unwrap();
        let answer = http().get(format!("{}/my-bucket/{key}", server.url)).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-encoding"]),
            (200, &"gzip".parse().unwrap())
        );
        let metadata = answer.headers().iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-amz-meta-")?;
            Some((name.to_owned(), value.to_str().unwrap().to_owned()))
        });
        let (metadata, mut content) = (metadata.collect(), Vec::new());
        GzDecoder::new(&answer.bytes().await.unwrap()[..]).read_to_end(&mut content).unwrap();
        objects.insert(key.to_owned(), (content, metadata));
    }
    let keys = server.ok("ListPublicKeys", json!({"StartTime": 0})).await;
    assert_eq!((objects.len(), check(&objects, &keys)), (2, 1));
    let (_, (content, _)) = objects.iter().find(|(key, _)| key.contains("/CloudTrail/")).unwrap();
    let content: Value = serde_json::from_slice(content).unwrap();
    assert_eq!(content["Records"], json!([record(1, "2026-11-22T05:29:00Z", "RunInstances")]));
}

#[tokio::test]
async fn a_bucket_that_is_emptied_and_deleted_shows_as_missing() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.import(&[record(1, "2026-11-22T05:29:00Z", "RunInstances")]).await;
    let at = |path: &str| http().delete(format!("{}/my-bucket{path}", server.url)).send();
    let marker = "/AWSLogs/000000000000/CloudTrail/";
    assert_eq!(at(marker).await.unwrap().status().as_u16(), 204);
    assert_eq!(at("").await.unwrap().status().as_u16(), 204);
    let flushed = server.flush().await;
    assert!(flushed["failures"][0].as_str().unwrap().contains("NoSuchBucket"), "{flushed}");
    assert_eq!(server.status().await["LatestDeliveryError"], "NoSuchBucket");
    let make = http().put(format!("{}/my-bucket", server.url)).send().await.unwrap();
    assert!(make.status().is_success());
    assert_eq!(server.flush().await["failures"], json!([]));
}
