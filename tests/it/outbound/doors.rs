//! What is the same for all of them: nobody there, nothing set, whose credentials, no secrets in what is shown.

use super::{ACCOUNT, fake, outbound, why};
use crate::support::account;
use crate::support::fakes::nobody;
use contrail::outbound::{BusEvent, Object, Outbound, Sent};

const GROUP: &str = "arn:aws:logs:us-east-1:111122223333:log-group:g:*";

/// Every call once, by the setting that it needs.
async fn everything(outbound: &Outbound) -> Vec<(&'static str, Sent)> {
    let object = Object {
        bucket: "my-bucket".to_owned(),
        key: "k".to_owned(),
        body: b"x".to_vec(),
        metadata: Vec::new(),
        kms_key_id: None,
    };
    let event =
        BusEvent { source: "s".to_owned(), detail_type: "d".to_owned(), time: 0, detail: "{}".to_owned() };
    vec![
        ("s3_endpoint", outbound.put_object(ACCOUNT, object).await),
        ("s3_endpoint", outbound.check_bucket(&account(ACCOUNT), "us-east-1", "my-bucket").await),
        ("sns_endpoint", outbound.publish(ACCOUNT, "arn:aws:sns:us-east-1:111122223333:t", "m").await),
        ("logs_endpoint", outbound.create_log_stream(ACCOUNT, GROUP, "s").await),
        ("logs_endpoint", outbound.put_log_events(ACCOUNT, GROUP, "s", 1, vec!["{}".to_owned()]).await),
        ("events_endpoint", outbound.put_events(ACCOUNT, "us-east-1", vec![event]).await.map(drop)),
        ("webhook", outbound.post_webhook("{}").await),
    ]
}

/// Settings that name one URL for everything.
fn all_at(url: &str) -> Vec<(&'static str, &str)> {
    let keys = [
        "delivery.s3_endpoint",
        "delivery.sns_endpoint",
        "delivery.logs_endpoint",
        "delivery.events_endpoint",
        "delivery.webhook",
    ];
    keys.into_iter().map(|key| (key, url)).collect()
}

#[tokio::test]
async fn what_is_not_set_is_named() {
    let nothing = outbound(&[]);
    assert!(!nothing.has_topics() && !nothing.has_logs() && !nothing.has_events() && !nothing.has_webhook());
    for (setting, sent) in everything(&nothing).await {
        let text = format!("no [delivery] {setting} is set");
        assert_eq!(why(sent), ("NotConfigured".to_owned(), text));
    }
}

#[tokio::test]
async fn what_is_set_is_known() {
    let (_fake, all) = fake().await;
    assert!(all.has_topics() && all.has_logs() && all.has_events() && all.has_webhook());
    for (setting, sent) in everything(&all).await {
        assert_eq!(sent, Ok(()), "{setting}");
    }
}

#[tokio::test]
async fn where_nobody_listens_no_answer_comes() {
    for (setting, sent) in everything(&outbound(&all_at(&nobody()))).await {
        let (code, cause) = why(sent);
        assert_eq!(code, "ServiceUnreachable", "{setting}");
        assert!(cause.contains("refused"), "{setting}: {cause}");
    }
}

#[tokio::test]
async fn who_hangs_up_gives_no_answer() {
    let (fake, outbound) = fake().await;
    for service in ["s3", "sns", "logs", "events", "webhook"] {
        fake.fail(service, "hang-up");
    }
    for (setting, sent) in everything(&outbound).await {
        let (code, cause) = why(sent);
        assert_eq!(code, "ServiceUnreachable", "{setting}");
        assert!(!cause.is_empty() && cause.len() < 100, "{setting}: {cause}");
    }
    fake.recover();
    for (setting, sent) in everything(&outbound).await {
        assert_eq!(sent, Ok(()), "{setting}");
    }
}

#[tokio::test]
async fn an_answer_of_something_else_is_told_apart_from_none() {
    // A web server that knows none of these services.
    let web = crate::support::TestServer::start().await;
    let url = format!("{}/_contrail/nothing", web.url);
    for (setting, sent) in everything(&outbound(&all_at(&url))).await {
        let (code, message) = why(sent);
        assert_ne!(code, "ServiceUnreachable", "{setting}: {message}");
    }
}

#[tokio::test]
async fn accounts_are_told_apart_by_their_access_keys() {
    let (fake, outbound) = fake().await;
    for account in ["111122223333", "444455556666", "111122223333"] {
        outbound.publish(account, "arn:aws:sns:us-east-1:1:t", "m").await.unwrap();
    }
    let keys: Vec<_> = fake.requests().iter().map(|request| request.access_key().to_owned()).collect();
    assert_eq!(keys, ["111122223333", "444455556666", "111122223333"]);
}

#[tokio::test]
async fn what_is_shown_of_it_holds_no_secret() {
    let outbound = outbound(&all_at("http://ana:hunter2@127.0.0.1:1/token-4711"));
    for (_, sent) in everything(&outbound).await {
        let failure = sent.unwrap_err();
        for text in [format!("{failure:?}"), format!("{outbound:?}")] {
            assert!(!text.contains("hunter2") && !text.contains("4711"), "{text}");
        }
    }
    assert!(format!("{outbound:?}").contains("webhook: true"), "{outbound:?}");
}
