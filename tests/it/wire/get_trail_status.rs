//! GetTrailStatus, StartLogging and StopLogging: one story, told by the status.

use crate::support::TestServer;
use serde_json::{Value, json};

async fn status(server: &TestServer) -> Value {
    let reply = server.call("GetTrailStatus", json!({"Name": "demo"})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

/// Starts or stops logging, and asserts the empty answer.
async fn switch(server: &TestServer, operation: &str) {
    let reply = server.call(operation, json!({"Name": "demo"})).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "{}"));
}

#[tokio::test]
async fn the_story_of_a_trail() {
    let server = TestServer::start().await;
    server.call("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"})).await;
    let never_started = status(&server).await;
    insta::assert_json_snapshot!(never_started, @r#"
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
    switch(&server, "StopLogging").await;
    assert_eq!(status(&server).await, never_started, "stopping what never ran leaves no trace");

    server.clock.advance(std::time::Duration::from_millis(426));
    switch(&server, "StartLogging").await;
    let started = status(&server).await;
    insta::assert_json_snapshot!(started, @r#"
    {
      "IsLogging": true,
      "StartLoggingTime": 1795325400.426,
      "LatestDeliveryAttemptTime": "",
      "LatestNotificationAttemptTime": "",
      "LatestNotificationAttemptSucceeded": "",
      "LatestDeliveryAttemptSucceeded": "",
      "TimeLoggingStarted": "2026-11-22T05:30:00Z",
      "TimeLoggingStopped": ""
    }
    "#);
    server.wait(60);
    switch(&server, "StartLogging").await;
    assert_eq!(status(&server).await, started, "starting what runs changes nothing");

    switch(&server, "StopLogging").await;
    let stopped = status(&server).await;
    assert_eq!(stopped["IsLogging"], false);
    assert_eq!(stopped["StartLoggingTime"], started["StartLoggingTime"]);
    assert_eq!(stopped["StopLoggingTime"], json!(1_795_325_460.426));
    assert_eq!(stopped["TimeLoggingStopped"], "2026-11-22T05:31:00Z");
    server.wait(60);
    switch(&server, "StopLogging").await;
    assert_eq!(status(&server).await, stopped, "stopping what stands changes nothing");

    switch(&server, "StartLogging").await;
    let restarted = status(&server).await;
    assert_eq!(restarted["IsLogging"], true);
    assert_eq!(restarted["StartLoggingTime"], json!(1_795_325_520.426), "the start moves");
    assert_eq!(restarted["StopLoggingTime"], stopped["StopLoggingTime"], "the stop stays");
}

#[tokio::test]
async fn the_sdk_reads_the_times() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let sdk = server.sdk();
    let status = sdk.get_trail_status().name("demo").send().await.unwrap();
    assert_eq!(status.is_logging(), Some(true));
    assert_eq!(status.start_logging_time().unwrap().secs(), server.clock.now().timestamp());
    assert_eq!(status.time_logging_started(), Some("2026-11-22T05:30:00Z"));
    assert!(status.latest_delivery_time().is_none());
}

#[tokio::test]
async fn each_takes_a_name_or_an_arn_and_says_what_it_does_not_know() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let arn = "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo";
    for operation in ["StartLogging", "GetTrailStatus", "StopLogging"] {
        assert_eq!(server.call(operation, json!({"Name": arn})).await.status, 200, "{operation}");
        let reply = server.call(operation, json!({"Name": "nothing"})).await;
        let text = "Unknown trail: arn:aws:cloudtrail:us-east-1:000000000000:trail/nothing for the user: 000000000000";
        assert_eq!(reply.error(), ("TrailNotFoundException".into(), text.into()), "{operation}");
        for (name, code) in [
            (json!(null), "InvalidTrailNameException"),
            (json!(""), "InvalidTrailNameException"),
            (json!("a"), "InvalidTrailNameException"),
            (json!("arn:aws:cloudtrail:us-east-1:000000000000:channel/x"), "CloudTrailARNInvalidException"),
            (json!("arn:aws:cloudtrail:us-east-1:111122223333:trail/demo"), "CloudTrailARNInvalidException"),
            (json!(7), "SerializationException"),
        ] {
            assert_eq!(
                server.call(operation, json!({"Name": name})).await.code(),
                code,
                "{operation} {name}"
            );
        }
    }
}
