//! A bucket that fails: what the status says, when it is tried again, and that nothing is lost or doubled.

use super::{delivered, delivering_to, ids, import, import_from, log_files};
use crate::support::fakes::FakeAws;
use contrail::store::{PieceBounds, Session};
use serde_json::{Value, json};

#[tokio::test]
async fn an_endpoint_that_is_away_for_a_minute_shows_in_the_status_and_then_gets_everything_in_order() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    import(&server, 2).await;
    server.flush().await;
    let before = server.status().await["LatestDeliveryTime"].clone();
    aws.fail("s3", "hang-up");
    for i in 0..6 {
        import_from(&server, 3 + i, 1).await;
        server.wait(10);
        server.post("/_contrail/flush", "").await;
    }
    let health = server.get("/_contrail/health").await.json();
    assert_eq!(
        (&health["delivery"]["pending_events"], &health["delivery"]["failing_destinations"]),
        (&json!(7), &json!(1)),
        "six events, and the record of GetTrailStatus"
    );
    let metrics = server.get("/_contrail/metrics").await.text;
    assert!(metrics.contains("contrail_events_pending 7"), "{metrics}");
    assert!(metrics.contains(r#"contrail_delivery_failures_total{target="s3"}"#), "{metrics}");
    let status = server.status().await;
    assert_eq!(status["LatestDeliveryError"], "ServiceUnreachable");
    assert_eq!(status["LatestDeliveryTime"], before, "the last success stays");
    aws.recover();
    server.wait(61);
    server.step().await;
    assert_eq!(delivered(&aws), ids(8));
    let status = server.status().await;
    assert_eq!(status.get("LatestDeliveryError"), None);
    assert_eq!(status["LatestDeliveryTime"], server.clock.now().timestamp());
    assert_eq!(server.get("/_contrail/health").await.json()["delivery"]["failing_destinations"], 0);
}

#[tokio::test]
async fn pauses_grow_and_a_retry_puts_the_same_object_again() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    import(&server, 2).await;
    aws.fail("s3 PutObject", "InternalError");
    server.flush().await;
    let tries = || aws.requests_of("PutObject").len();
    let mut seen = Vec::new();
    for _ in 0..200 {
        server.wait(1);
        let before = tries();
        server.step().await;
        seen.push(tries() > before);
    }
    let at: Vec<_> = seen.iter().enumerate().filter(|(_, tried)| **tried).map(|(second, _)| second).collect();
    let pauses: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.is_sorted() && pauses[0] <= 2 && *pauses.last().unwrap() <= 60, "{pauses:?}");
    assert!(at.len() < 10, "{at:?}");
    aws.recover();
    server.flush().await;
    let puts = aws.requests_of("PutObject");
    assert!(
        puts.iter().all(|put| (&put.path, &put.body) == (&puts[0].path, &puts[0].body)),
        "the same bytes"
    );
    assert_eq!(delivered(&aws), ids(2));
}

#[tokio::test]
async fn one_bucket_that_is_gone_does_not_hold_up_another_trail() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    server.ok("CreateTrail", json!({"Name": "second", "S3BucketName": "second"})).await;
    server.ok("StartLogging", json!({"Name": "second"})).await;
    aws.forget();
    aws.remove_bucket("my-bucket");
    import(&server, 1).await;
    let flushed = server.flush().await;
    assert!(flushed["failures"][0].as_str().unwrap().contains("NoSuchBucket"), "{flushed}");
    assert_eq!(log_files(&aws).iter().map(|f| f.bucket.as_str()).collect::<Vec<_>>(), ["second"]);
    assert_eq!(server.status().await["LatestDeliveryError"], "NoSuchBucket");
    let second: Value = server.ok("GetTrailStatus", json!({"Name": "second"})).await;
    assert_eq!(second.get("LatestDeliveryError"), None);
}

#[tokio::test]
async fn a_trail_that_gets_another_bucket_delivers_there_what_could_not_be_delivered() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    aws.remove_bucket("my-bucket");
    import(&server, 2).await;
    server.flush().await;
    server.ok("UpdateTrail", json!({"Name": "demo", "S3BucketName": "spare"})).await;
    server.flush().await;
    assert_eq!(delivered(&aws), ids(2));
    assert!(log_files(&aws).iter().all(|file| file.bucket == "spare"));
}

#[tokio::test]
async fn what_cannot_be_delivered_for_thirty_days_is_given_up() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    aws.fail("s3", "AccessDenied");
    import(&server, 1).await;
    server.flush().await;
    server.wait(29 * 24 * 3600);
    server.step().await;
    assert_eq!(server.get("/_contrail/health").await.json()["delivery"]["pending_events"], 1);
    server.wait(2 * 24 * 3600);
    server.step().await;
    assert_eq!(server.get("/_contrail/health").await.json()["delivery"]["pending_events"], 0);
}

#[tokio::test]
async fn a_file_is_given_up_in_pieces_and_stays_one_until_the_last() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    aws.fail("s3", "AccessDenied");
    import(&server, 5).await;
    server.flush().await;
    let store = &server.parts.store;
    let id = store.read().await.unwrap().deliveries().waiting().await.unwrap()[0].destination.id;
    for (removed, pending) in [(2, 3), (2, 1), (1, 0), (0, 0)] {
        let mut db = store.write().await.unwrap();
        assert_eq!(db.deliveries().abandon_files(id, i64::MAX, 2).await.unwrap(), removed);
        db.commit().await.unwrap();
        assert_eq!(server.backlog().await["pending_events"], pending);
        let file = store.read().await.unwrap().deliveries().next_waiting_file(id).await.unwrap();
        assert_eq!(file.is_some(), pending > 0);
    }
}

#[tokio::test]
async fn no_more_of_what_waits_is_read_than_is_sent() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    aws.fail("s3", "AccessDenied");
    import(&server, 5).await;
    server.flush().await;
    let mut db = server.parts.store.read().await.unwrap();
    let id = db.deliveries().waiting().await.unwrap()[0].destination.id;
    let mut read = async |events, bytes| {
        let bounds = PieceBounds { events, bytes };
        let read = db.deliveries().pending_events(id, (0, i64::MAX), bounds).await.unwrap();
        (read.events.len(), read.is_all)
    };
    assert_eq!(read(10, 1_000_000).await, (5, true));
    assert_eq!(read(5, 1_000_000).await, (5, false), "there may be more");
    assert_eq!(read(10, 1).await, (1, false), "one at least");
    let (some, is_all) = read(10, 1_200).await;
    assert!((2..5).contains(&some) && !is_all, "{some}");
}
