use crate::support::TestServer;
use serde_json::{Value, json};
use std::time::Duration;

async fn status(server: &TestServer) -> Value {
    server.ok("GetTrailStatus", json!({"Name": "demo"})).await
}

#[tokio::test]
async fn a_trail_that_never_logged_has_six_empty_texts_and_no_times() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    insta::assert_json_snapshot!(status(&server).await, @r#"
    {
      "IsLogging": false,
      "LatestDeliveryAttemptTime": "",
      "LatestNotificationAttemptTime": "",
      "LatestNotificationAttemptSucceeded": "",
      "LatestDeliveryAttemptSucceeded": "",
      "TimeLoggingStarted": "",
      "TimeLoggingStopped": ""
    }
    "#);
}

#[tokio::test]
async fn the_times_of_starting_and_stopping_are_numbers_to_the_millisecond() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    server.clock.advance(Duration::from_micros(58_700));
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    insta::assert_json_snapshot!(status(&server).await, @r#"
    {
      "IsLogging": true,
      "StartLoggingTime": 1795325400.058,
      "LatestDeliveryAttemptTime": "",
      "LatestNotificationAttemptTime": "",
      "LatestNotificationAttemptSucceeded": "",
      "LatestDeliveryAttemptSucceeded": "",
      "TimeLoggingStarted": "2026-11-22T05:30:00Z",
      "TimeLoggingStopped": ""
    }
    "#);
    server.clock.advance(Duration::from_millis(3_600_942));
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    insta::assert_json_snapshot!(status(&server).await, @r#"
    {
      "IsLogging": false,
      "StartLoggingTime": 1795325400.058,
      "StopLoggingTime": 1795329001,
      "LatestDeliveryAttemptTime": "",
      "LatestNotificationAttemptTime": "",
      "LatestNotificationAttemptSucceeded": "",
      "LatestDeliveryAttemptSucceeded": "",
      "TimeLoggingStarted": "2026-11-22T05:30:00Z",
      "TimeLoggingStopped": "2026-11-22T06:30:01Z"
    }
    "#);
}

#[tokio::test]
async fn a_trail_that_logs_again_keeps_the_time_at_which_it_stopped() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.wait(10);
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    server.wait(10);
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    let now = status(&server).await;
    assert_eq!(now["IsLogging"], true);
    assert_eq!(
        (&now["StartLoggingTime"], &now["StopLoggingTime"]),
        (&json!(1_795_325_420), &json!(1_795_325_410))
    );
    assert_eq!(
        (&now["TimeLoggingStarted"], &now["TimeLoggingStopped"]),
        (&json!("2026-11-22T05:30:20Z"), &json!("2026-11-22T05:30:10Z"))
    );
}

#[tokio::test]
async fn the_sdk_reads_the_same() {
    let server = TestServer::start().await;
    server.clock.advance(Duration::from_millis(58));
    server.start_demo_trail().await;
    let status = server.sdk().get_trail_status().name("demo").send().await.unwrap();
    assert_eq!(status.is_logging(), Some(true));
    assert_eq!(status.start_logging_time().unwrap().to_millis().unwrap(), 1_795_325_400_058);
    assert_eq!(status.time_logging_started(), Some("2026-11-22T05:30:00Z"));
    assert_eq!(status.stop_logging_time(), None);
    assert_eq!(status.latest_delivery_error(), None);
}

#[tokio::test]
async fn the_status_of_one_trail_is_not_that_of_another() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.create_in("us-east-1", "other", false).await;
    server.create_in("eu-west-1", "demo", false).await;
    for (region, name) in [("us-east-1", "other"), ("eu-west-1", "demo")] {
        let status = server.ok_in(region, "GetTrailStatus", json!({"Name": name})).await;
        assert_eq!((&status["IsLogging"], status.get("StartLoggingTime")), (&json!(false), None));
    }
}

#[tokio::test]
async fn the_status_outlives_a_restart() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let before = status(&server).await;
    let server = server.restart_with(&[]).await;
    assert_eq!(status(&server).await, before);
}
