//! Event and insight selectors of trails, as calls give them: what is taken is stored, read again as it was, and asked.
#![no_main]

use contrail::aws::catalog::Catalog;
use contrail::domain::account_id::AccountId;
use contrail::domain::event::Event;
use contrail::domain::insight_selectors::{InsightSelectorInput, InsightSelectors};
use contrail::domain::selectors::advanced::AdvancedEventSelector;
use contrail::domain::selectors::basic::EventSelectorInput;
use contrail::domain::selectors::{EventSelectors, Selection};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;

static EVENTS: LazyLock<Vec<Event>> = LazyLock::new(|| {
    let account = AccountId::parse("111122223333").expect("12 digits");
    let records = [
        r#"{"eventTime":"2026-11-22T05:00:00Z","awsRegion":"us-east-1","eventName":"CreateUser","eventSource":"iam.amazonaws.com"}"#,
        r#"{"eventTime":"2026-11-22T05:00:00Z","awsRegion":"us-east-1","eventName":"GetObject","eventSource":"s3.amazonaws.com","eventCategory":"Data","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::box/key"}]}"#,
    ];
    let read = |record: &&str| Event::from_record(record, &account, 0, &*Catalog::embedded()).expect("good");
    records.iter().map(read).collect()
});

fuzz_target!(|data: &[u8]| {
    let Ok(mut input) = serde_json::from_slice::<serde_json::Map<String, Value>>(data) else { return };
    let mut member = |name: &str| input.remove(name).unwrap_or_default();
    let basic: Result<Option<Vec<EventSelectorInput>>, _> = serde_json::from_value(member("EventSelectors"));
    let advanced: Result<Option<Vec<AdvancedEventSelector>>, _> =
        serde_json::from_value(member("AdvancedEventSelectors"));
    let insights: Result<Option<Vec<InsightSelectorInput>>, _> =
        serde_json::from_value(member("InsightSelectors"));
    let (Ok(basic), Ok(advanced)) = (basic, advanced) else { return };
    let Ok(selectors) = EventSelectors::parse(basic, advanced, &[]) else { return };
    let stored = serde_json::to_string(&selectors).expect("plain data");
    assert_eq!(serde_json::from_str::<EventSelectors>(&stored).expect("as it was stored"), selectors);
    let selection = Selection::from(&selectors);
    for event in EVENTS.iter() {
        _ = selection.takes(event);
    }
    if let Ok(insights) = insights {
        _ = InsightSelectors::parse(insights, &selection);
    }
});
