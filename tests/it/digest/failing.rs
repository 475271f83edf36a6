//! A bucket that takes no digests.

use super::{digests, import, valid, validating};
use crate::support::fakes::FakeAws;
use serde_json::json;

#[tokio::test]
async fn a_bucket_that_is_away_shows_and_gets_the_same_digests_later() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    import(&server, 1).await;
    server.flush().await;
    aws.fail("s3", "AccessDenied");
    server.wait(3601);
    server.step().await;
    let status = server.status().await;
    assert_eq!(status["LatestDigestDeliveryError"], "AccessDenied");
    assert!(status["LatestDigestDeliveryTime"].is_number(), "the last success stays");
    let server = server.restart_with(&[]).await;
    server.wait(3600);
    server.step().await;
    aws.recover();
    server.wait(60);
    server.step().await;
    assert_eq!(server.status().await.get("LatestDigestDeliveryError"), None);
    assert_eq!(digests(&aws).len(), 4);
    // The calls above are delivered too.
    server.flush().await;
    assert_eq!(valid(&server, &aws).await, 5);
}

#[tokio::test]
async fn one_chain_that_fails_does_not_hold_up_another() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    let second = json!({"Name": "second", "S3BucketName": "second", "EnableLogFileValidation": true});
    server.ok("CreateTrail", second).await;
    server.ok("StartLogging", json!({"Name": "second"})).await;
    aws.forget();
    aws.remove_bucket("my-bucket");
    server.step().await;
    let found = digests(&aws);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1["digestS3Bucket"], "second");
    assert_eq!(server.status().await["LatestDigestDeliveryError"], "NoSuchBucket");
}

#[tokio::test]
async fn a_stopped_trail_whose_bucket_is_away_closes_its_chain_when_its_files_are_there() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    aws.fail("s3", "hang-up");
    import(&server, 1).await;
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    server.step().await;
    server.wait(3600);
    server.step().await;
    aws.recover();
    server.wait(60);
    server.step().await;
    let found = digests(&aws);
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].1["logFiles"].as_array().unwrap().len(), 1);
    assert_eq!(valid(&server, &aws).await, 2);
}

#[tokio::test]
async fn the_files_of_a_digest_that_was_given_up_stand_in_the_next_one() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    import(&server, 1).await;
    server.wait(300);
    server.step().await;
    aws.fail("s3", "AccessDenied");
    server.wait(3600);
    server.step().await;
    server.wait(31 * 24 * 3600);
    server.step().await;
    aws.recover();
    server.wait(3600);
    server.step().await;
    let found = digests(&aws);
    let named: Vec<_> =
        found.iter().map(|(_, digest)| digest["logFiles"].as_array().unwrap().len()).collect();
    assert_eq!((named.first(), named.iter().sum::<usize>()), (Some(&0), 1), "{named:?}");
    assert_eq!(valid(&server, &aws).await, found.len());
}
