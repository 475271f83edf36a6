//! Log files: when, where, what is in them.

use super::{
    delivered, delivering_to, delivering_with, ids, import, import_from, large_records, log_files, records,
};
use crate::support::fakes::FakeAws;
use crate::support::{ACCOUNT, TestServer, record};
use contrail::store::Session;
use serde_json::json;

#[tokio::test]
async fn events_are_delivered_at_the_five_minute_mark_after_they_came() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"S3KeyPrefix": "audit/x"})).await;
    import(&server, 3).await;
    server.wait(299);
    server.step().await;
    assert!(log_files(&aws).is_empty(), "not before the mark");
    server.wait(2);
    let step = server.step().await;
    let files = log_files(&aws);
    assert_eq!(files.len(), 1);
    let file = &files[0];
    assert_eq!(step.log_files, [("my-bucket".to_owned(), file.key.clone())]);
    let start = format!(
        "audit/x/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/2026/11/22/{ACCOUNT}_CloudTrail_us-east-1_20261122T0535Z_"
    );
    let unique = file.key.strip_prefix(&start).unwrap().strip_suffix(".json.gz").unwrap();
    assert!(unique.len() == 16 && unique.chars().all(|c| c.is_ascii_alphanumeric()), "{unique}");
    assert_eq!(file.headers["content-type"], "application/json");
    assert_eq!(file.headers["content-encoding"], "gzip");
    assert_eq!(file.headers["x-amz-acl"], "bucket-owner-full-control");
    assert_eq!(file.headers["x-amz-server-side-encryption"], "AES256");
    assert_eq!(
        records(file),
        (1..=3).map(|i| record(i, "2026-11-22T05:29:00Z", "RunInstances")).collect::<Vec<_>>()
    );
    server.wait(3600);
    assert_eq!(server.step().await.log_files, [], "nothing is delivered twice");
}

#[tokio::test]
async fn the_key_of_a_trail_encrypts_its_log_files() {
    let aws = FakeAws::start().await;
    let key = format!("arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555");
    let server = delivering_to(&aws, json!({"KmsKeyId": key})).await;
    import(&server, 1).await;
    server.flush().await;
    let file = &log_files(&aws)[0];
    assert_eq!(file.headers["x-amz-server-side-encryption"], "aws:kms");
    assert_eq!(file.headers["x-amz-server-side-encryption-aws-kms-key-id"], key);
}

#[tokio::test]
async fn a_flush_delivers_at_once_and_answers_with_the_keys() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    import(&server, 2).await;
    let flushed = server.flush().await;
    let files = log_files(&aws);
    assert_eq!(flushed["log_files"], json!([{"bucket": "my-bucket", "key": files[0].key}]));
    assert_eq!(flushed["failures"], json!([]));
    assert_eq!(delivered(&aws), ids(2));
    assert_eq!(server.flush().await["log_files"], json!([]), "nothing is left");
}

#[tokio::test]
async fn own_calls_are_delivered_reads_and_refused_ones_too() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    server.ok("DescribeTrails", json!({})).await;
    server.refused("DeleteTrail", json!({"Name": "nothing"})).await;
    server.ok("UpdateTrail", json!({"Name": "demo", "S3KeyPrefix": "p"})).await;
    server.flush().await;
    let files = log_files(&aws);
    assert!(files[0].key.starts_with("p/AWSLogs/"), "{}", files[0].key);
    let names: Vec<_> =
        records(&files[0]).iter().map(|r| r["eventName"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["DescribeTrails", "DeleteTrail", "UpdateTrail"]);
}

#[tokio::test]
async fn a_file_holds_events_of_one_account_and_region() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"IsMultiRegionTrail": true})).await;
    let mut elsewhere = record(2, "2026-11-22T05:29:00Z", "RunInstances");
    elsewhere["awsRegion"] = json!("eu-west-1");
    let mut foreign = record(3, "2026-11-22T05:29:00Z", "RunInstances");
    foreign["recipientAccountId"] = json!("444455556666");
    server.import(&[record(1, "2026-11-22T05:29:00Z", "RunInstances"), elsewhere, foreign]).await;
    server.flush().await;
    let mut files = log_files(&aws);
    files.sort_by_key(|file| std::cmp::Reverse(file.key.clone()));
    assert_eq!(files.len(), 2, "another account's events are no business of this trail");
    for (file, region, id) in [(&files[0], "us-east-1", "i-1"), (&files[1], "eu-west-1", "i-2")] {
        assert!(
            file.key.contains(&format!("/CloudTrail/{region}/2026/11/22/{ACCOUNT}_CloudTrail_{region}_"))
        );
        assert_eq!(records(file)[0]["requestParameters"]["instanceId"], id);
    }
    let seen = server
        .ok_in("eu-west-1", "GetTrailStatus", json!({"Name": crate::support::arn("us-east-1", "demo")}))
        .await;
    assert_eq!(seen["LatestDeliveryTime"], server.clock.now().timestamp(), "each region has its own status");
}

#[tokio::test]
async fn a_trail_takes_its_own_region_and_global_services_only_when_it_includes_them() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"IncludeGlobalServiceEvents": false})).await;
    let event = |id: u32, source: &str, region: &str| {
        let mut event = record(id, "2026-11-22T05:29:00Z", "Do");
        (event["eventSource"], event["awsRegion"]) = (json!(source), json!(region));
        event
    };
    let mut data = event(5, "s3.amazonaws.com", "us-east-1");
    (data["eventCategory"], data["managementEvent"]) = (json!("Data"), json!(false));
    server
        .import(&[
            event(1, "iam.amazonaws.com", "us-east-1"),
            event(2, "ec2.amazonaws.com", "us-east-1"),
            event(3, "ec2.amazonaws.com", "eu-west-1"),
            event(4, "cloudfront.amazonaws.com", "us-east-1"),
            data,
        ])
        .await;
    server.flush().await;
    assert_eq!(delivered(&aws), ["i-2"]);
    server.ok("UpdateTrail", json!({"Name": "demo", "IncludeGlobalServiceEvents": true})).await;
    aws.forget();
    server.import(&[event(6, "iam.amazonaws.com", "us-east-1")]).await;
    server.flush().await;
    assert_eq!(delivered(&aws), ["i-6"]);
}

#[tokio::test]
async fn every_trail_that_is_logging_gets_each_event_once() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    for name in ["second", "third"] {
        server.ok("CreateTrail", json!({"Name": name, "S3BucketName": name})).await;
    }
    server.ok("StartLogging", json!({"Name": "second"})).await;
    aws.forget();
    import(&server, 2).await;
    import(&server, 0).await;
    server.flush().await;
    let of = |bucket: &str| -> Vec<_> {
        let files = log_files(&aws).into_iter().filter(|f| f.bucket == bucket).collect::<Vec<_>>();
        files.iter().flat_map(records).filter(|r| r["eventName"] == "RunInstances").collect()
    };
    assert_eq!((of("my-bucket").len(), of("second").len(), of("third").len()), (2, 2, 0));
}

#[tokio::test]
async fn an_event_imported_again_is_not_delivered_again() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    import(&server, 2).await;
    let again = record(2, "2026-11-22T05:29:00Z", "RunInstances").to_string();
    server.post("/_contrail/events", again).await;
    assert_eq!(
        server.backlog().await["pending_events"],
        4,
        "two events, for the bucket and for the event bus"
    );
    server.flush().await;
    assert_eq!(delivered(&aws), ids(2));
}

#[tokio::test]
async fn stopping_a_trail_delivers_what_it_captured_and_no_more() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    import(&server, 2).await;
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    import_from(&server, 3, 1).await;
    server.step().await;
    assert_eq!(delivered(&aws), ids(2), "at the next step, not at the next mark");
    let files = log_files(&aws);
    assert_eq!(
        records(&files[0]).last().unwrap()["eventName"],
        "StopLogging",
        "the stop itself was captured"
    );
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    import_from(&server, 4, 1).await;
    assert_eq!(server.step().await.log_files, [], "after a new start the period counts again");
}

#[tokio::test]
async fn a_deleted_trail_delivers_what_it_captured() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    import(&server, 2).await;
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    // A new trail of the same name is another one.
    server.wait(1);
    server.ok("CreateTrail", json!({"Name": "demo", "S3BucketName": "other"})).await;
    server.step().await;
    assert_eq!(delivered(&aws), ids(2));
    let files = log_files(&aws);
    assert_eq!((files.len(), files[0].bucket.as_str()), (1, "my-bucket"));
    assert_eq!(records(&files[0]).last().unwrap()["eventName"], "DeleteTrail");
    assert_eq!(server.status().await.get("LatestDeliveryTime"), None, "the new trail has delivered nothing");
}

#[tokio::test]
async fn a_file_that_grows_too_large_is_followed_by_another() {
    let aws = FakeAws::start().await;
    let server = delivering_with(&aws, &[("delivery.max_file_bytes", "20000")], json!({})).await;
    let records = large_records(1000);
    server.import(&records).await;
    let flushed = server.flush().await;
    let files = log_files(&aws);
    assert!(files.len() > 2, "{}", files.len());
    assert_eq!(flushed["log_files"].as_array().unwrap().len(), files.len());
    assert_eq!(delivered(&aws), ids(1000), "in order, without a hole");
}

#[tokio::test]
async fn what_waits_survives_a_restart() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    import(&server, 2).await;
    let server = server.restart_with(&[]).await;
    assert!(log_files(&aws).is_empty(), "not due at the stop");
    import_from(&server, 3, 1).await;
    server.wait(300);
    // At the stop what is due is delivered.
    server.settle().await;
    let server = server.restart_with(&[]).await;
    assert_eq!(delivered(&aws), ids(3));
    assert_eq!(server.flush().await["log_files"], json!([]));
}

#[tokio::test]
async fn removing_old_events_leaves_those_that_wait() {
    let aws = FakeAws::start().await;
    let server = delivering_with(&aws, &[("history.retention_days", "1")], json!({})).await;
    aws.fail("s3", "AccessDenied");
    import(&server, 2).await;
    server.wait(3 * 24 * 3600);
    server.step().await;
    assert_eq!(server.records().await.iter().filter(|r| r["eventName"] == "RunInstances").count(), 2);
    aws.recover();
    server.flush().await;
    assert_eq!(delivered(&aws), ids(2));
    server.wait(3600);
    server.step().await;
    assert_eq!(server.records().await.iter().filter(|r| r["eventName"] == "RunInstances").count(), 0);
}

#[tokio::test]
async fn a_reset_forgets_what_waits() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"EnableLogFileValidation": true})).await;
    import(&server, 2).await;
    assert_ne!(server.backlog().await["pending_events"], 0);
    // One file waits already.
    aws.fail("s3", "AccessDenied");
    server.flush().await;
    aws.recover();
    server.post(&format!("/_contrail/reset?account={ACCOUNT}"), "").await;
    assert_eq!(
        server.backlog().await,
        json!({"pending_events": 0, "waiting_files": 0, "failing_destinations": 0})
    );
    server.wait(301);
    server.step().await;
    assert!(aws.objects().iter().all(|object| object.body.is_empty()), "{:?}", aws.objects());
    assert_eq!(server.flush().await["log_files"], json!([]));
    assert_eq!(server.backlog().await["pending_events"], 0);
}

#[tokio::test]
async fn what_a_reset_left_when_it_was_interrupted_is_removed_and_holds_nothing_up() {
    let aws = FakeAws::start().await;
    let server = delivering_with(&aws, &[("history.retention_days", "1")], json!({})).await;
    import(&server, 2).await;
    let mut session = server.parts.store.write().await.unwrap();
    session.maintenance().begin_wipe(None, server.clock.now().timestamp_millis()).await.unwrap();
    session.commit().await.unwrap();
    server.wait(2 * 24 * 3600);
    server.step().await;
    assert!(log_files(&aws).is_empty());
    assert_eq!(server.get("/_contrail/events").await.text, "", "what was pending kept nothing from going");
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let left = "SELECT (SELECT count(*) FROM pending_events) + (SELECT count(*) FROM destinations)";
    assert_eq!(database.query_row(left, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[tokio::test]
async fn health_has_the_number_of_pending_events_without_counting_them() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let rows = || -> i64 {
        database.query_row("SELECT count(*) FROM pending_events", [], |row| row.get(0)).unwrap()
    };
    import(&server, 3).await;
    aws.fail("s3", "AccessDenied");
    server.flush().await;
    import_from(&server, 4, 2).await;
    assert!(rows() >= 5);
    assert_eq!(server.backlog().await["pending_events"], rows());
    aws.recover();
    server.flush().await;
    assert_eq!(server.backlog().await["pending_events"], rows());
    // A row that nobody has counted.
    database.execute("INSERT INTO pending_events VALUES (1, 1000000, 1)", []).unwrap();
    assert_eq!(server.backlog().await["pending_events"], rows() - 1);
}

#[tokio::test]
async fn a_flush_from_a_foreign_page_is_refused() {
    let server = TestServer::start().await;
    let request = crate::support::http()
        .post(format!("{}/_contrail/flush", server.url))
        .header("origin", "http://evil.test");
    assert_eq!(request.send().await.unwrap().status(), 403);
}
