use super::{fake, why};

#[tokio::test]
async fn json_is_posted() {
    let (fake, outbound) = fake().await;
    outbound.post_webhook(r#"{"s3Bucket":"b"}"#).await.unwrap();
    let post = &fake.requests_of("Post")[0];
    assert_eq!((post.path.as_str(), post.header("content-type")), ("/hook", "application/json"));
    assert_eq!(post.body, br#"{"s3Bucket":"b"}"#);
}

#[tokio::test]
async fn an_error_status_is_a_failure() {
    let (fake, outbound) = fake().await;
    fake.fail("webhook", "any");
    let failure = why(outbound.post_webhook("{}").await);
    assert_eq!(failure, ("WebhookRefused".to_owned(), "the webhook answered with status 500".to_owned()));
}
