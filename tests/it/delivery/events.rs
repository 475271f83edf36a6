//! The event bus.

use super::{delivering_to, delivering_with, import};
use crate::support::fakes::FakeAws;
use crate::support::{ACCOUNT, record};
use serde_json::{Value, json};

fn entries(aws: &FakeAws) -> Vec<Value> {
    let puts = aws.requests_of("PutEvents").into_iter();
    puts.flat_map(|request| request.json()["Entries"].as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn a_management_event_is_put_once_however_many_trails_take_it() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    server.ok("CreateTrail", json!({"Name": "second", "S3BucketName": "second"})).await;
    server.ok("StartLogging", json!({"Name": "second"})).await;
    server.step().await;
    aws.forget();
    import(&server, 12).await;
    server.step().await;
    let entries = entries(&aws);
    assert_eq!(entries.len(), 12, "at the next step, in calls of ten");
    assert_eq!(aws.requests_of("PutEvents").len(), 2);
    assert_eq!(
        (&entries[0]["Source"], &entries[0]["DetailType"]),
        (&json!("aws.ec2"), &json!("AWS API Call via CloudTrail"))
    );
    let detail: Value = serde_json::from_str(entries[0]["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail, record(1, "2026-11-22T05:29:00Z", "RunInstances"));
    assert_eq!(aws.requests_of("PutEvents")[0].region(), "us-east-1");
}

#[tokio::test]
async fn events_that_only_read_go_there_only_when_asked_for() {
    let mut reads = record(1, "2026-11-22T05:29:00Z", "DescribeInstances");
    reads["readOnly"] = json!(true);
    for (setting, want) in [("false", 0), ("true", 1)] {
        let aws = FakeAws::start().await;
        let server = delivering_with(&aws, &[("delivery.events_read_only", setting)], json!({})).await;
        server.import(std::slice::from_ref(&reads)).await;
        server.step().await;
        assert_eq!(entries(&aws).len(), want, "{setting}");
    }
}

#[tokio::test]
async fn without_a_trail_that_is_logging_nothing_is_put() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    server.step().await;
    aws.forget();
    import(&server, 1).await;
    server.flush().await;
    assert!(entries(&aws).is_empty());
}

#[tokio::test]
async fn a_bus_that_is_away_gets_everything_later() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    aws.fail("events", "InternalException");
    import(&server, 3).await;
    server.step().await;
    aws.recover();
    aws.forget();
    server.step().await;
    assert!(entries(&aws).is_empty(), "not before the pause is over");
    server.wait(2);
    server.step().await;
    assert_eq!(entries(&aws).len(), 3);
    assert!(entries(&aws)[0]["Detail"].as_str().unwrap().contains(ACCOUNT));
}
