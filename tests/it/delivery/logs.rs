//! CloudWatch Logs.

use super::{delivering_to, ids, import, log_files};
use crate::support::ACCOUNT;
use crate::support::fakes::FakeAws;
use serde_json::{Value, json};

fn to_logs() -> Value {
    json!({
        "CloudWatchLogsLogGroupArn": format!("arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail/logs:*"),
        "CloudWatchLogsRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/logs"),
    })
}

/// `i-…` of the log events that were taken.
fn streamed(aws: &FakeAws) -> Vec<String> {
    let events = aws
        .requests_of("PutLogEvents")
        .into_iter()
        .flat_map(|r| r.json()["logEvents"].as_array().unwrap().clone());
    let records =
        events.map(|event| serde_json::from_str::<Value>(event["message"].as_str().unwrap()).unwrap());
    records.filter_map(|r| r["requestParameters"]["instanceId"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn each_record_is_one_log_event_at_the_time_of_delivery() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, to_logs()).await;
    import(&server, 3).await;
    server.wait(301);
    server.step().await;
    let put = aws.requests_of("PutLogEvents").pop().unwrap().json();
    assert_eq!(put["logGroupName"], "trail/logs");
    assert_eq!(put["logStreamName"], format!("{ACCOUNT}_CloudTrail_us-east-1"));
    assert_eq!(put["logEvents"][0]["timestamp"], server.clock.now().timestamp_millis());
    assert_eq!(streamed(&aws), ids(3));
    assert_eq!(server.status().await["LatestCloudWatchLogsDeliveryTime"], server.clock.now().timestamp());
    server.flush().await;
    assert_eq!(streamed(&aws), ids(3), "nothing twice");
}

#[tokio::test]
async fn logs_and_bucket_fail_each_alone() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, to_logs()).await;
    aws.fail("logs", "AccessDeniedException");
    import(&server, 1).await;
    server.flush().await;
    assert_eq!(log_files(&aws).len(), 1);
    let status = server.status().await;
    assert_eq!(status["LatestCloudWatchLogsDeliveryError"], "AccessDeniedException");
    aws.recover();
    aws.fail("s3", "AccessDenied");
    server.wait(2);
    server.step().await;
    assert_eq!(streamed(&aws).last().unwrap(), "i-1");
    assert_eq!(server.status().await.get("LatestCloudWatchLogsDeliveryError"), None);
}

#[tokio::test]
async fn a_removed_log_group_vanishes_from_the_status_and_gets_nothing_more() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, to_logs()).await;
    import(&server, 1).await;
    server.flush().await;
    import(&server, 0).await;
    super::import_from(&server, 2, 1).await;
    let none = json!({"Name": "demo", "CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""});
    server.ok("UpdateTrail", none).await;
    assert_eq!(server.status().await.get("LatestCloudWatchLogsDeliveryTime"), None);
    server.flush().await;
    assert_eq!(streamed(&aws), ids(1));
    assert_eq!(server.backlog().await["pending_events"], 0);
}

#[tokio::test]
async fn a_log_group_that_failed_fails_no_more_when_it_is_taken_off() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, to_logs()).await;
    aws.fail("logs", "AccessDeniedException");
    import(&server, 1).await;
    server.flush().await;
    assert_eq!(server.backlog().await["failing_destinations"], 1);
    let none = json!({"Name": "demo", "CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""});
    server.ok("UpdateTrail", none).await;
    assert_eq!(server.backlog().await["failing_destinations"], 0);
    server.flush().await;
    assert_eq!(server.backlog().await["failing_destinations"], 0);
}
