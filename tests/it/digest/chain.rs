//! What a chain covers, from its start to its end.

use super::{digests, import, valid, validating};
use crate::support::ACCOUNT;
use crate::support::fakes::FakeAws;
use contrail::delivery::Flush;
use futures_util::future::maybe_done;
use serde_json::{Value, json};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

fn times(digest: &(String, Value)) -> (&str, &str) {
    (digest.1["digestStartTime"].as_str().unwrap(), digest.1["digestEndTime"].as_str().unwrap())
}

fn files(digest: &(String, Value)) -> usize {
    digest.1["logFiles"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_first_digest_covers_the_hour_before_logging_began() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({"S3KeyPrefix": "audit"})).await;
    let step = server.step().await;
    let found = digests(&aws);
    assert_eq!(found.len(), 1);
    let (key, digest) = &found[0];
    assert_eq!(
        *key,
        format!(
            "audit/AWSLogs/{ACCOUNT}/CloudTrail-Digest/us-east-1/2026/11/22/\
             {ACCOUNT}_CloudTrail-Digest_us-east-1_demo_us-east-1_20261122T053000Z.json.gz"
        )
    );
    assert_eq!(step.digests, [("my-bucket".to_owned(), key.clone())]);
    assert_eq!(times(&found[0]), ("2026-11-22T04:30:00Z", "2026-11-22T05:30:00Z"));
    assert_eq!((&digest["previousDigestS3Object"], &digest["logFiles"]), (&Value::Null, &json!([])));
    let object = &aws.objects()[0];
    assert_eq!(object.headers["content-type"], "application/json");
    assert_eq!(object.headers["content-encoding"], "gzip");
    assert_eq!(valid(&server, &aws).await, 1);
    let status = server.status().await;
    assert_eq!(status["LatestDigestDeliveryTime"], server.clock.now().timestamp());
}

#[tokio::test]
async fn each_hour_has_a_digest_that_names_its_files_also_when_there_are_none() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    import(&server, 1).await;
    server.wait(1800);
    server.step().await;
    server.wait(1799);
    server.step().await;
    assert_eq!(digests(&aws).len(), 1, "not before the hour is over");
    server.wait(1);
    server.step().await;
    server.wait(3600);
    // The record of no call has come since: the hour is empty.
    server.step().await;
    let found = digests(&aws);
    assert_eq!(found.iter().map(files).collect::<Vec<_>>(), [0, 1, 0]);
    let file = &found[1].1["logFiles"][0];
    assert_eq!(
        (&file["oldestEventTime"], &file["newestEventTime"]),
        (&json!("2026-11-22T05:29:00Z"), &json!("2026-11-22T05:29:00Z"))
    );
    assert_eq!(times(&found[2]), ("2026-11-22T06:30:00Z", "2026-11-22T07:30:00Z"));
    assert_eq!(
        (&found[2].1["newestEventTime"], &found[2].1["oldestEventTime"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(found[2].1["previousDigestS3Object"], *found[1].0);
    assert_eq!(valid(&server, &aws).await, 3);
}

#[tokio::test]
async fn after_hours_without_a_server_one_digest_covers_them_all() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    import(&server, 1).await;
    let server = server.restart_with(&[]).await;
    server.wait(5 * 3600 + 17);
    server.step().await;
    let found = digests(&aws);
    assert_eq!(times(&found[1]), ("2026-11-22T05:30:00Z", "2026-11-22T10:30:00Z"));
    assert_eq!((found.len(), files(&found[1])), (2, 1));
    assert_eq!(valid(&server, &aws).await, 2);
}

#[tokio::test]
async fn a_flush_closes_a_digest_over_what_it_delivered_and_two_never_share_a_name() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    for id in 1..=3 {
        import(&server, id).await;
        let flushed = server.flush().await;
        assert_eq!(flushed["digests"].as_array().unwrap().len(), 1, "{flushed}");
    }
    assert_eq!(server.flush().await["digests"], json!([]), "nothing new to name");
    assert_eq!(digests(&aws).iter().map(files).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(valid(&server, &aws).await, 3);
}

#[tokio::test]
async fn a_flush_names_the_file_that_another_step_has_just_put() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    import(&server, 1).await;
    server.wait(600);
    let mut step = pin!(maybe_done(server.workers.delivery.step(Flush::No)));
    let mut go_on = async || poll_fn(|context| Poll::Ready(step.as_mut().poll(context))).await;
    while server.backlog().await["pending_events"] != 0 {
        assert!(go_on().await.is_pending());
    }
    // It goes on just far enough to let others write: it has not left the log files yet.
    let _ = go_on().await;
    assert_eq!(server.flush().await["digests"].as_array().unwrap().len(), 1);
    assert_eq!(digests(&aws).iter().map(files).collect::<Vec<_>>(), [0, 1]);
    step.as_mut().await;
    assert_eq!(step.take_output().unwrap().unwrap().log_files.len(), 1);
}

#[tokio::test]
async fn stopping_closes_the_chain_and_a_new_start_begins_another() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    import(&server, 1).await;
    server.wait(60);
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    server.step().await;
    assert_eq!(
        digests(&aws).iter().map(files).collect::<Vec<_>>(),
        [0, 1],
        "the last digest names the last file"
    );
    server.wait(7200);
    server.step().await;
    assert_eq!(digests(&aws).len(), 2, "a closed chain gets no more");
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    server.step().await;
    let found = digests(&aws);
    assert_eq!((found.len(), &found[2].1["previousDigestS3Object"]), (3, &Value::Null));
    assert_eq!(valid(&server, &aws).await, 3);
}

#[tokio::test]
async fn chains_that_follow_each_other_within_a_second_share_no_name() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    for _ in 0..3 {
        server.ok("StopLogging", json!({"Name": "demo"})).await;
        server.step().await;
        server.ok("StartLogging", json!({"Name": "demo"})).await;
        server.step().await;
    }
    // A new trail of the old name begins a chain of its own, too.
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    server.step().await;
    server.wait(1);
    let trail = json!({"Name": "demo", "S3BucketName": "my-bucket", "EnableLogFileValidation": true});
    server.ok("CreateTrail", trail).await;
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    server.step().await;
    let found = digests(&aws);
    let keys: std::collections::BTreeSet<_> = found.iter().map(|(key, _)| key).collect();
    assert_eq!((found.len(), keys.len()), (9, 9));
    assert_eq!(valid(&server, &aws).await, 9);
}

#[tokio::test]
async fn a_deleted_trail_closes_its_chain() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    import(&server, 1).await;
    server.wait(1);
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    server.step().await;
    assert_eq!(digests(&aws).iter().map(files).collect::<Vec<_>>(), [0, 1]);
    server.wait(7200);
    server.step().await;
    assert_eq!(digests(&aws).len(), 2);
    assert_eq!(valid(&server, &aws).await, 2);
}

#[tokio::test]
async fn validation_switched_off_and_on_begins_a_new_chain() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    let validation = |on: bool| json!({"Name": "demo", "EnableLogFileValidation": on});
    server.wait(10);
    server.ok("UpdateTrail", validation(false)).await;
    server.flush().await;
    assert_eq!(digests(&aws).len(), 2, "the end of the first chain");
    server.ok("UpdateTrail", validation(true)).await;
    server.wait(10);
    server.flush().await;
    let found = digests(&aws);
    assert_eq!((found.len(), &found[2].1["previousDigestS3Object"]), (3, &Value::Null));
}

#[tokio::test]
async fn a_trail_without_validation_has_no_digests() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({"EnableLogFileValidation": false})).await;
    import(&server, 1).await;
    server.flush().await;
    server.wait(7200);
    server.step().await;
    assert!(digests(&aws).is_empty());
    assert_eq!(server.status().await.get("LatestDigestDeliveryTime"), None);
}

#[tokio::test]
async fn a_multi_region_trail_has_a_chain_for_each_region_it_captured_something_in() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({"IsMultiRegionTrail": true})).await;
    let mut elsewhere = crate::support::record(1, "2026-11-22T05:29:00Z", "RunInstances");
    elsewhere["awsRegion"] = json!("eu-west-1");
    server.import(&[elsewhere]).await;
    server.flush().await;
    let found = digests(&aws);
    let names =
        |region: &str| format!("/{region}/2026/11/22/{ACCOUNT}_CloudTrail-Digest_{region}_demo_us-east-1_");
    for (region, want) in [("us-east-1", 0), ("eu-west-1", 1)] {
        let of_region: Vec<_> = found.iter().filter(|(key, _)| key.contains(&names(region))).collect();
        assert_eq!((of_region.len(), files(of_region[0])), (1, want), "{region}");
    }
    let fingerprints: Vec<_> =
        found.iter().map(|(_, digest)| &digest["digestPublicKeyFingerprint"]).collect();
    assert_ne!(fingerprints[0], fingerprints[1], "each region has its own key");
}

#[tokio::test]
async fn a_trail_that_takes_one_region_again_closes_the_chains_of_the_others() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({"IsMultiRegionTrail": true})).await;
    let mut elsewhere = crate::support::record(1, "2026-11-22T05:29:00Z", "RunInstances");
    elsewhere["awsRegion"] = json!("eu-west-1");
    server.import(&[elsewhere]).await;
    server.step().await;
    server.ok("UpdateTrail", json!({"Name": "demo", "IsMultiRegionTrail": false})).await;
    server.flush().await;
    for _ in 0..3 {
        server.wait(3600);
        server.step().await;
    }
    let found = digests(&aws);
    let of_region = |region: &str| {
        found.iter().filter(|(key, _)| key.contains(&format!("/{region}/"))).collect::<Vec<_>>()
    };
    let there = of_region("eu-west-1");
    assert_eq!(
        there.iter().map(|digest| files(digest)).sum::<usize>(),
        1,
        "what it had taken is in a digest"
    );
    assert_eq!((there.len(), of_region("us-east-1").len()), (2, 4), "and none came afterwards");
}

#[tokio::test]
async fn a_chain_follows_its_trail_into_another_bucket() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    server.ok("UpdateTrail", json!({"Name": "demo", "S3BucketName": "other", "S3KeyPrefix": "p"})).await;
    server.wait(3600);
    server.step().await;
    let found = digests(&aws);
    assert_eq!(found[1].1["digestS3Bucket"], "other");
    assert!(found[1].0.starts_with("p/AWSLogs/"));
    assert_eq!(found[1].1["previousDigestS3Bucket"], "my-bucket");
    assert_eq!(valid(&server, &aws).await, 2);
}
