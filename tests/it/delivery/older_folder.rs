//! A folder that was written before trails had numbers, in which something of every kind waits: `older_folder/make.py`
//! has made it.

use super::{log_files, records};
use crate::support::fakes::FakeAws;
use crate::support::{ACCOUNT, TestServer};
use contrail::clock::Clock;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[tokio::test]
async fn everything_that_waits_in_an_older_folder_arrives() {
    let aws = FakeAws::start().await;
    let folder = tempfile::tempdir().unwrap();
    let database = rusqlite::Connection::open(folder.path().join("contrail.db")).unwrap();
    // The dump fills tables before those that they refer to.
    database.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    database.execute_batch(include_str!("older_folder/contrail.sql")).unwrap();
    drop(database);
    let hook = aws.webhook();
    let settings = [&aws.settings()[..], &[("delivery.webhook", &*hook)]].concat();
    let settings = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    let server =
        TestServer::on(folder, settings, Clock::manual("2026-11-26T00:00:00Z".parse().unwrap())).await;

    let flushed = server.flush().await;
    assert_eq!(flushed["failures"], json!([]));
    let mut files: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for file in log_files(&aws) {
        let prefix = file.key.split("AWSLogs/").next().unwrap().to_owned();
        let names = records(&file).into_iter().map(|r| r["eventName"].as_str().unwrap().to_owned());
        files.entry((file.bucket, prefix)).or_default().extend(names);
    }
    let of = |bucket: &str, prefix: &str| {
        let mut names = files.get(&(bucket.to_owned(), prefix.to_owned())).cloned().unwrap_or_default();
        names.sort();
        names
    };
    assert_eq!(of("my-bucket", "some/prefix/"), ["Captured", "Cut", "DeleteTrail", "StopLogging"]);
    assert_eq!(of("old-bucket", ""), ["Captured", "Cut", "DeleteTrail", "StopLogging"]);
    assert_eq!(of("all-regions", ""), ["Captured", "Captured", "Cut", "DeleteTrail", "StopLogging"]);
    assert_eq!(of("my-bucket", "stopped/"), ["Cut", "StopLogging"]);

    let key = |request: &Value| request["s3ObjectKey"][0].as_str().unwrap().to_owned();
    let posts: Vec<_> = aws.requests_of("Post").iter().map(|post| key(&post.json())).collect();
    assert!(log_files(&aws).iter().all(|file| posts.contains(&file.key)), "new files are announced");
    assert_eq!(posts.len(), log_files(&aws).len() + 5, "and those that were stored before");
    assert_eq!(
        aws.requests_of("Publish").len(),
        1 + log_files(&aws).iter().filter(|f| f.key.starts_with("some")).count()
    );
    let log_events = aws.requests_of("PutLogEvents").pop().unwrap().json()["logEvents"].clone();
    assert_eq!(log_events.as_array().unwrap().len(), 5);
    assert_eq!(aws.requests_of("PutEvents").len(), 2, "one for each region");

    let mut digests = aws.objects();
    digests.retain(|object| object.key.contains("/CloudTrail-Digest/"));
    let buckets: Vec<_> = digests.iter().map(|digest| digest.bucket.as_str()).collect();
    assert_eq!(buckets.iter().filter(|bucket| **bucket == "my-bucket").count(), 2, "{buckets:?}");
    assert_eq!(
        buckets.iter().filter(|bucket| **bucket == "old-bucket").count(),
        2,
        "the last one closes the chain"
    );
    assert_eq!(
        server.backlog().await,
        json!({"pending_events": 0, "waiting_files": 0, "failing_destinations": 0})
    );

    let described = server.ok("DescribeTrails", json!({})).await;
    let names: Vec<_> =
        described["trailList"].as_array().unwrap().iter().map(|t| t["Name"].clone()).collect();
    assert_eq!(names.len(), 3, "the deleted one is not listed: {names:?}");
    let arn = format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/demo");
    let tags = server.ok("ListTags", json!({"ResourceIdList": [arn]})).await;
    assert_eq!(
        tags["ResourceTagList"][0]["TagsList"],
        json!([{"Key": "team", "Value": "blue"}, {"Key": "empty"}])
    );
    assert_eq!(server.status().await["IsLogging"], true);

    let trails = server.ok("DescribeTrails", json!({})).await["trailList"].clone();
    for trail in trails.as_array().unwrap() {
        assert_eq!(
            (&trail["HasCustomEventSelectors"], &trail["HasInsightSelectors"]),
            (&json!(false), &json!(false))
        );
    }
    assert_ne!(trails, json!([]));
}
