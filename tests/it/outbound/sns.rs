use super::{ACCOUNT, fake, why};

const TOPIC: &str = "arn:aws:sns:eu-west-1:444455556666:alerts";

#[tokio::test]
async fn a_message_is_published_in_the_topics_region_without_a_subject() {
    let (fake, outbound) = fake().await;
    let message = r#"{"s3Bucket":"b","s3ObjectKey":["a+b&c/ü.json.gz"]}"#;
    outbound.publish(ACCOUNT, TOPIC, message).await.unwrap();
    let published = &fake.requests_of("Publish")[0];
    assert_eq!(
        (published.service, published.region(), published.access_key()),
        ("sns", "eu-west-1", ACCOUNT)
    );
    assert_eq!(published.form("TopicArn").as_deref(), Some(TOPIC));
    assert_eq!(published.form("Message").as_deref(), Some(message));
    assert_eq!(published.form("Subject"), None);
}

#[tokio::test]
async fn a_missing_or_closed_topic_is_reported_in_snss_words() {
    let (fake, outbound) = fake().await;
    for code in ["NotFound", "AuthorizationError"] {
        fake.fail("sns", code);
        let failure = why(outbound.publish(ACCOUNT, TOPIC, "hello").await);
        assert_eq!(failure, (code.to_owned(), format!("The fake says {code}.")));
    }
}

#[tokio::test]
async fn a_topic_that_is_no_arn_is_refused_without_a_request() {
    let (fake, outbound) = fake().await;
    assert_eq!(why(outbound.publish(ACCOUNT, "alerts", "hello").await).0, "InvalidParameter");
    assert!(fake.requests().is_empty());
}
