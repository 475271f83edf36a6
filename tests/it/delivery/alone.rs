//! Every destination fails and waits alone.

use super::{delivered, delivering_to, delivering_with, ids, import, import_from, log_files};
use crate::support::fakes::FakeAws;
use crate::support::record;
use serde_json::{Value, json};

/// The names of the instances in the events that the bus got, in order, refused ones too.
fn on_the_bus(aws: &FakeAws) -> Vec<String> {
    let puts = aws.requests_of("PutEvents");
    let entries = puts.iter().flat_map(|put| put.json()["Entries"].as_array().unwrap().clone());
    let details = entries.map(|entry| serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap());
    details.filter_map(|d: Value| Some(d["requestParameters"]["instanceId"].as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn with_the_webhook_down_the_topic_hears_of_every_file() {
    let aws = FakeAws::start().await;
    let hook = aws.webhook();
    let trail = json!({"SnsTopicName": "files"});
    let server = delivering_with(&aws, &[("delivery.webhook", &hook)], trail).await;
    aws.fail("webhook", "hang-up");
    for i in 0..3 {
        import_from(&server, 1 + i, 1).await;
        server.flush().await;
    }
    assert_eq!((log_files(&aws).len(), aws.requests_of("Publish").len()), (3, 3));
    aws.recover();
    server.wait(60);
    server.step().await;
    let posts: Vec<_> =
        aws.requests_of("Post").iter().map(|post| post.json()["s3ObjectKey"][0].clone()).collect();
    let keys: Vec<_> = log_files(&aws).iter().map(|file| json!(file.key)).collect();
    assert_eq!(posts[posts.len() - 3..], keys, "and so does the webhook, later");
    assert_eq!(aws.requests_of("Publish").len(), 3, "once each");
}

#[tokio::test]
async fn with_the_topic_down_the_webhook_hears_of_every_file() {
    let aws = FakeAws::start().await;
    let hook = aws.webhook();
    let trail = json!({"SnsTopicName": "files"});
    let server = delivering_with(&aws, &[("delivery.webhook", &hook)], trail).await;
    aws.fail("sns", "NotFound");
    for i in 0..3 {
        import_from(&server, 1 + i, 1).await;
        server.flush().await;
    }
    assert_eq!(aws.requests_of("Post").len(), 3);
    aws.recover();
    aws.forget();
    server.wait(60);
    server.step().await;
    assert_eq!((aws.requests_of("Publish").len(), aws.requests_of("Post").len()), (3, 0));
}

#[tokio::test]
async fn an_s3_that_hangs_delays_no_event_bus_and_no_later_step() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    import(&server, 1).await;
    aws.hang("s3");
    let workers = server.workers.clone();
    let hanging = tokio::spawn(async move { workers.flush().await });
    aws.has_seen("PutObject").await;
    aws.has_seen("PutEvents").await;
    import_from(&server, 2, 1).await;
    // The event bus has been asked; that its answer has been read as well can take a step more.
    for _ in 0..1000 {
        server.step().await;
        if on_the_bus(&aws) == ids(2) {
            break;
        }
    }
    assert_eq!(on_the_bus(&aws), ids(2));
    assert!(log_files(&aws).is_empty());
    aws.recover();
    assert!(!hanging.await.unwrap().unwrap().log_files.is_empty());
    server.flush().await;
    assert_eq!(delivered(&aws), ids(2), "each once");
}

#[tokio::test]
async fn flushes_at_the_same_time_wait_for_each_other_and_deliver_everything_once() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"SnsTopicName": "files", "EnableLogFileValidation": true})).await;
    for name in ["second", "third"] {
        let trail = json!({"Name": name, "S3BucketName": name, "EnableLogFileValidation": true});
        server.ok("CreateTrail", trail).await;
        server.ok("StartLogging", json!({"Name": name})).await;
    }
    server.step().await;
    aws.forget();
    for round in 0..5 {
        import_from(&server, 1 + round, 1).await;
        let flushes = futures_util::future::join_all((0..4).map(|_| server.workers.flush())).await;
        assert!(
            flushes.iter().all(|flushed| flushed.as_ref().is_ok_and(|f| f.failures.is_empty())),
            "{flushes:?}"
        );
    }
    let mut delivered = delivered(&aws);
    delivered.sort();
    let mut want: Vec<_> = ids(5).into_iter().cycle().take(15).collect();
    want.sort();
    assert_eq!(delivered, want, "once for each trail");
}

#[tokio::test]
async fn a_flush_delivers_what_had_come_when_it_began_and_ends_while_more_comes() {
    for (service, call) in [("s3", "PutObject"), ("sns", "Publish")] {
        let aws = FakeAws::start().await;
        let trail = json!({"SnsTopicName": "files", "EnableLogFileValidation": true});
        let server = delivering_to(&aws, trail).await;
        server.step().await;
        aws.forget();
        import(&server, 1).await;
        aws.hang(service);
        let workers = server.workers.clone();
        let flush = tokio::spawn(async move { workers.flush().await });
        aws.has_seen(call).await;
        import_from(&server, 2, 1).await;
        server.wait(600);
        server.step().await;
        aws.recover();
        let flushed = flush.await.unwrap().unwrap();
        assert_eq!((flushed.log_files.len(), flushed.digests.len()), (1, 1), "{service}");
        assert_eq!(aws.requests_of("Publish").len(), 1, "{service}");
        server.flush().await;
        assert_eq!((delivered(&aws), aws.requests_of("Publish").len()), (ids(2), 2), "{service}");
    }
}

#[tokio::test]
async fn an_entry_that_the_bus_refuses_is_tried_again_without_the_others() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    aws.refuse_entries_with("\"i-4\"");
    import(&server, 25).await;
    server.step().await;
    assert_eq!(on_the_bus(&aws), ids(25), "what is behind it goes on");
    assert_eq!(server.backlog().await["failing_destinations"], 1);
    aws.forget();
    server.wait(2);
    server.step().await;
    assert_eq!(on_the_bus(&aws), ["i-4"]);
    aws.recover();
    server.wait(10);
    server.step().await;
    assert_eq!(on_the_bus(&aws), ["i-4", "i-4"]);
    assert_eq!(server.backlog().await["failing_destinations"], 0);
    server.wait(60);
    server.step().await;
    assert_eq!(on_the_bus(&aws).len(), 2, "it has been taken");
}

#[tokio::test]
async fn a_dead_bus_is_given_up_at_once_after_thirty_days_and_pins_nothing() {
    let aws = FakeAws::start().await;
    let server = delivering_with(&aws, &[("history.retention_days", "1")], json!({})).await;
    import(&server, 300).await;
    server.flush().await;
    aws.fail("events", "InternalException");
    import_from(&server, 301, 300).await;
    server.flush().await;
    assert_eq!(server.backlog().await["pending_events"], 300);
    server.wait(31 * 24 * 3600);
    server.step().await;
    assert_eq!(server.backlog().await["pending_events"], 0);
    server.wait(3600);
    server.step().await;
    assert_eq!(server.get("/_contrail/events").await.text, "", "retention goes on");
}

#[tokio::test]
async fn what_was_captured_before_a_trail_stopped_is_in_its_log_files_and_in_the_history() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    // A commit that takes long: the record of a call that was answered waits behind it, ...
    let mut commit = server.parts.store.write().await.unwrap();
    server.ok("DescribeTrails", json!({})).await;
    // ... and the trail is stopped meanwhile.
    use contrail::store::Session;
    let trail = commit.trails().all().await.unwrap().remove(0);
    commit.trails().stop_logging(&trail, server.clock.now().timestamp_millis()).await.unwrap();
    commit.commit().await.unwrap();
    let recorded = server.records().await;
    assert_eq!(recorded.last().unwrap()["eventName"], "DescribeTrails");
    server.step().await;
    let files = log_files(&aws);
    let in_files: Vec<_> = files.iter().flat_map(super::records).map(|r| r["eventName"].clone()).collect();
    assert!(in_files.contains(&json!("DescribeTrails")), "{in_files:?}");
}

/// Callers make up as many regions as they like.
#[tokio::test]
async fn what_is_noted_of_regions_in_which_nothing_happens_any_more_is_removed() {
    let aws = FakeAws::start().await;
    let more = [("history.retention_days", "10")];
    let server = delivering_with(&aws, &more, json!({"IsMultiRegionTrail": true})).await;
    for region in ["us-east-1", "xx-a1-1", "xx-a2-1"] {
        let mut record = record(1, "2026-11-22T05:00:01Z", "A");
        record["awsRegion"] = region.into();
        server.import(&[record]).await;
    }
    server.flush().await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let rows = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let noted = || (rows("SELECT count(*) FROM destinations"), rows("SELECT count(*) FROM trail_status"));
    let before = noted();
    assert!(before.0 >= 6 && before.1 == 3, "{before:?}");
    server.wait(9 * 24 * 3600);
    server.step().await;
    assert_eq!(rows("SELECT count(*) FROM trail_status"), 3, "it is not long ago");
    server.wait(2 * 24 * 3600);
    server.step().await;
    server.wait(3600);
    server.step().await;
    let after = noted();
    assert_eq!(after.1, 1, "the trail's own region stays");
    assert!(after.0 < before.0, "{before:?} {after:?}");
    // And comes back when it is needed.
    let mut again = record(2, "2026-11-22T05:00:02Z", "B");
    again["awsRegion"] = "xx-a1-1".into();
    server.import(&[again]).await;
    server.flush().await;
    assert_eq!(rows("SELECT count(*) FROM trail_status"), 2);
    assert_eq!(server.backlog().await["pending_events"], 0);
}
