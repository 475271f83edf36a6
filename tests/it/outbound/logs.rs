use super::{ACCOUNT, fake, why};
use serde_json::json;

const GROUP: &str = "arn:aws:logs:eu-west-1:111122223333:log-group:trail/logs:*";
const STREAM: &str = "111122223333_CloudTrail_eu-west-1";

#[tokio::test]
async fn records_are_put_into_the_groups_region_all_at_one_time() {
    let (fake, outbound) = fake().await;
    outbound.create_log_stream(ACCOUNT, GROUP, STREAM).await.unwrap();
    let records = vec![r#"{"a":1}"#.to_owned(), r#"{"b":2}"#.to_owned()];
    outbound.put_log_events(ACCOUNT, GROUP, STREAM, 1_795_000_000_123, records).await.unwrap();
    assert_eq!(fake.calls(), ["logs CreateLogStream", "logs PutLogEvents"]);
    let made = &fake.requests()[0];
    assert_eq!(made.json(), json!({"logGroupName": "trail/logs", "logStreamName": STREAM}));
    let put = &fake.requests()[1];
    assert_eq!((put.region(), put.access_key()), ("eu-west-1", ACCOUNT));
    assert_eq!(
        put.json(),
        json!({"logGroupName": "trail/logs", "logStreamName": STREAM, "logEvents": [
            {"timestamp": 1_795_000_000_123_i64, "message": r#"{"a":1}"#},
            {"timestamp": 1_795_000_000_123_i64, "message": r#"{"b":2}"#},
        ]})
    );
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_made_and_the_records_sent_again() {
    let (fake, outbound) = fake().await;
    outbound.put_log_events(ACCOUNT, GROUP, STREAM, 1, vec!["{}".to_owned()]).await.unwrap();
    assert_eq!(fake.calls(), ["logs PutLogEvents", "logs CreateLogStream", "logs PutLogEvents"]);
    assert_eq!(fake.requests()[0].json(), fake.requests()[2].json());
}

#[tokio::test]
async fn a_stream_may_be_there_already() {
    let (_fake, outbound) = fake().await;
    outbound.create_log_stream(ACCOUNT, GROUP, STREAM).await.unwrap();
    outbound.create_log_stream(ACCOUNT, GROUP, STREAM).await.unwrap();
}

#[tokio::test]
async fn a_group_that_is_not_there_is_reported() {
    let (fake, outbound) = fake().await;
    fake.fail("logs", "ResourceNotFoundException");
    let failure = why(outbound.put_log_events(ACCOUNT, GROUP, STREAM, 1, vec!["{}".to_owned()]).await);
    let text = "The fake says ResourceNotFoundException.".to_owned();
    assert_eq!(failure, ("ResourceNotFoundException".to_owned(), text));
    // The records once, the stream once: no loop.
    assert_eq!(fake.calls(), ["logs PutLogEvents", "logs CreateLogStream"]);
}

#[tokio::test]
async fn a_denied_group_is_reported() {
    let (fake, outbound) = fake().await;
    fake.fail("logs", "AccessDeniedException");
    assert_eq!(why(outbound.create_log_stream(ACCOUNT, GROUP, STREAM).await).0, "AccessDeniedException");
}
