//! Announcements: SNS and the webhook.

use super::{delivering_to, delivering_with, import, log_files};
use crate::support::fakes::FakeAws;
use crate::support::{ACCOUNT, TestServer};
use serde_json::json;

#[tokio::test]
async fn each_file_is_announced_at_the_topic() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"SnsTopicName": "files"})).await;
    import(&server, 2).await;
    server.flush().await;
    let published = aws.requests_of("Publish");
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].form("TopicArn").unwrap(), format!("arn:aws:sns:us-east-1:{ACCOUNT}:files"));
    assert_eq!(
        published[0].form("Message").unwrap(),
        format!(r#"{{"s3Bucket":"my-bucket","s3ObjectKey":["{}"]}}"#, log_files(&aws)[0].key)
    );
    assert_eq!(published[0].form("Subject"), None);
    let status = server.status().await;
    assert_eq!(status["LatestNotificationTime"], server.clock.now().timestamp());
    assert_eq!(status["LatestNotificationAttemptSucceeded"], "2026-11-22T05:30:00Z");
    server.flush().await;
}

#[tokio::test]
async fn a_topic_that_refuses_shows_and_clears_and_does_not_hold_up_files() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"SnsTopicName": "files"})).await;
    aws.fail("sns", "AuthorizationError");
    import(&server, 1).await;
    server.flush().await;
    assert_eq!(log_files(&aws).len(), 1);
    let status = server.status().await;
    assert_eq!(
        (&status["LatestNotificationError"], status.get("LatestNotificationTime")),
        (&json!("AuthorizationError"), None)
    );
    assert_eq!(status.get("LatestDeliveryError"), None);
    aws.recover();
    server.wait(2);
    server.step().await;
    let status = server.status().await;
    assert_eq!(status.get("LatestNotificationError"), None);
    assert_eq!(status["LatestNotificationTime"], server.clock.now().timestamp());
}

#[tokio::test]
async fn another_topic_clears_the_error_of_the_last() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"SnsTopicName": "files"})).await;
    aws.fail("sns", "NotFound");
    import(&server, 1).await;
    server.flush().await;
    assert_eq!(server.status().await["LatestNotificationError"], "NotFound");
    aws.recover();
    server.ok("UpdateTrail", json!({"Name": "demo", "SnsTopicName": "other"})).await;
    assert_eq!(server.status().await.get("LatestNotificationError"), None);
    aws.forget();
    server.step().await;
    let published = aws.requests_of("Publish");
    assert_eq!(published.len(), 1, "what was not announced is announced there");
    assert!(published[0].form("TopicArn").unwrap().ends_with(":other"));
}

#[tokio::test]
async fn without_an_endpoint_the_status_says_which_setting_is_missing() {
    let aws = FakeAws::start().await;
    let server = TestServer::with(&[("delivery.s3_endpoint", &aws.url)]).await;
    let group = format!("arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*");
    let role = format!("arn:aws:iam::{ACCOUNT}:role/logs");
    let trail = json!({"Name": "demo", "S3BucketName": "b-1", "SnsTopicName": "files",
        "CloudWatchLogsLogGroupArn": group, "CloudWatchLogsRoleArn": role});
    // The bucket of three characters is the fake's.
    server.ok("CreateTrail", trail).await;
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    import(&server, 1).await;
    server.flush().await;
    let status = server.status().await;
    for (member, setting) in
        [("LatestNotificationError", "sns_endpoint"), ("LatestCloudWatchLogsDeliveryError", "logs_endpoint")]
    {
        assert!(status[member].as_str().unwrap().contains(setting), "{status}");
    }
    assert_eq!(status["LatestDeliveryTime"], server.clock.now().timestamp());
}

#[tokio::test]
async fn the_webhook_gets_the_message_of_every_file() {
    let aws = FakeAws::start().await;
    let hook = aws.webhook();
    let server = delivering_with(&aws, &[("delivery.webhook", &hook)], json!({})).await;
    aws.fail("webhook", "hang-up");
    import(&server, 1).await;
    server.flush().await;
    aws.recover();
    aws.fail("sns", "NotFound");
    server.wait(2);
    server.step().await;
    let posts = aws.requests_of("Post");
    assert_eq!(posts.len(), 2, "once refused, once taken");
    assert_eq!(posts[1].json(), json!({"s3Bucket": "my-bucket", "s3ObjectKey": [log_files(&aws)[0].key]}));
    server.wait(60);
    server.step().await;
    assert_eq!(aws.requests_of("Post").len(), 2);
}

#[tokio::test]
async fn a_topic_that_failed_fails_no_more_when_it_is_taken_off() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({"SnsTopicName": "files"})).await;
    aws.fail("sns", "NotFound");
    import(&server, 1).await;
    server.flush().await;
    assert_eq!(server.backlog().await["failing_destinations"], 1);
    server.ok("UpdateTrail", json!({"Name": "demo", "SnsTopicName": ""})).await;
    assert_eq!(server.backlog().await["failing_destinations"], 0);
    server.flush().await;
    assert_eq!(server.backlog().await["failing_destinations"], 0);
}
