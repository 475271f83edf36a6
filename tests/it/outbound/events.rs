use super::{ACCOUNT, fake, why};
use contrail::outbound::BusEvent;
use serde_json::json;

fn event(detail: &str) -> BusEvent {
    BusEvent {
        source: "aws.s3".to_owned(),
        detail_type: "AWS API Call via CloudTrail".to_owned(),
        time: 1_795_000_000,
        detail: detail.to_owned(),
    }
}

#[tokio::test]
async fn events_go_to_the_default_bus_of_account_and_region() {
    let (fake, outbound) = fake().await;
    outbound.put_events(ACCOUNT, "eu-west-1", vec![event("{\"a\":1}"), event("{}")]).await.unwrap();
    let put = &fake.requests_of("PutEvents")[0];
    assert_eq!((put.region(), put.access_key()), ("eu-west-1", ACCOUNT));
    let entry = |detail: &str| {
        json!({
            "Source": "aws.s3", "DetailType": "AWS API Call via CloudTrail", "Time": 1_795_000_000,
            "Detail": detail
        })
    };
    assert_eq!(put.json(), json!({"Entries": [entry("{\"a\":1}"), entry("{}")]}));
}

#[tokio::test]
async fn entries_that_are_refused_are_reported_with_their_code() {
    let (fake, outbound) = fake().await;
    fake.fail("events", "entry:NotAuthorizedForSourceException");
    let put = outbound.put_events(ACCOUNT, "eu-west-1", vec![event("{}"), event("{}")]).await;
    let refused = put.unwrap().unwrap();
    assert_eq!(refused.entries, [0, 1]);
    let text = "2 of 2 events were refused: not this one".to_owned();
    assert_eq!(why(Err(refused.failure)), ("NotAuthorizedForSourceException".to_owned(), text));
}

#[tokio::test]
async fn a_refused_call_is_reported() {
    let (fake, outbound) = fake().await;
    fake.fail("events", "InternalException");
    assert_eq!(
        why(outbound.put_events(ACCOUNT, "eu-west-1", vec![event("{}")]).await.map(drop)).0,
        "InternalException"
    );
}
