//! Which trails take an event: nanoseconds for each event and trail, by kind of selectors, beside selectors that are made
//! ready anew for each event.
//!
//! `cargo bench --bench selectors [-- EVENTS]`
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(dead_code, reason = "the other benchmarks use more of what they share")]

mod support;

use contrail::domain::account_id::AccountId;
use contrail::domain::event::Event;
use contrail::domain::event_facts::NamesOnly;
use contrail::domain::region::Region;
use contrail::domain::routing::{LoggingTrail, LoggingTrails};
use contrail::domain::selectors::{EventSelectors, Selection};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::Instant;
use support::line;
use support::records::Records;

/// Trails that are asked; an account has five in a region.
const TRAILS: i64 = 5;

fn main() {
    let events = support::events(1_000_000);
    let account = AccountId::parse("111122223333").expect("12 digits");
    let read = |text: &str| Event::from_record(text, &account, 0, &NamesOnly).expect("a record");
    let mut records = Records::new(1000);
    let management: Vec<_> = (0..1000)
        .map(|_| {
            let mut text = String::new();
            records.push(&mut text);
            read(&text)
        })
        .collect();
    let data: Vec<_> = (0..1000).map(|i| read(&object_call(i).to_string())).collect();
    let category = |name: &str| json!({"Field": "eventCategory", "Equals": [name]});
    let of_objects = |more: Value| {
        let kind = json!({"Field": "resources.type", "Equals": ["AWS::S3::Object"]});
        json!({"AdvancedEventSelectors": [{"FieldSelectors": [category("Data"), kind, more]}]})
    };
    let some = |n: usize, of: fn(usize) -> String| (0..n).map(of).collect::<Vec<_>>();
    let without_kms =
        basic(json!({"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}));
    let prefixes =
        json!([{"Type": "AWS::S3::Object", "Values": some(250, |i| format!("arn:aws:s3:::other-{i}/in"))}]);
    let prefixes = basic(json!({"IncludeManagementEvents": false, "DataResources": prefixes}));
    let names = of_objects(json!({"Field": "eventName", "Equals": some(498, |i| format!("Do{i}"))}));
    let suffixes =
        of_objects(json!({"Field": "resources.ARN", "NotEndsWith": some(498, |i| format!(".t{i}"))}));
    println!("\n{events} events, {TRAILS} trails\n");
    line(&["selectors, events", "ns/event/trail", "taken", "made anew", "x speed"]);
    for (name, selectors, events_in) in [
        ("none of its own, management events", basic(json!({})), &management),
        ("none of its own, data events", basic(json!({})), &data),
        ("writes without KMS, management events", without_kms, &management),
        ("250 prefixes, data events", prefixes, &data),
        ("498 names, data events", names, &data),
        ("without 498 suffixes, data events", suffixes, &data),
    ] {
        let selectors: EventSelectors = serde_json::from_value(selectors).expect("selectors");
        let trails = || -> Vec<LoggingTrail> { (1..=TRAILS).map(|id| trail(id, &selectors)).collect() };
        let ready = LoggingTrails::from(trails());
        let (taken, quick) = ask(events_in, events, |event| ready.takers(event).len());
        let (_, slow) =
            ask(events_in, events / 100, |event| LoggingTrails::from(trails()).takers(event).len());
        let share = format!("{:.0} %", taken * 100.0);
        line(&[name, &format!("{quick:.1}"), &share, &format!("{slow:.1}"), &format!("{:.0}", slow / quick)]);
    }
}

/// Asks for each of so many events; the share that is taken, and nanoseconds for each event and trail.
fn ask(events: &[Event], count: usize, takers: impl Fn(&Event) -> usize) -> (f64, f64) {
    let began = Instant::now();
    let taken: usize =
        events.iter().cycle().take(count).map(|event| black_box(takers(black_box(event)))).sum();
    let asked = count as f64 * TRAILS as f64;
    (taken as f64 / asked, began.elapsed().as_secs_f64() * 1e9 / asked)
}

fn basic(selector: Value) -> Value {
    let mut all = json!({"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": [],
        "ExcludeManagementEventSources": []});
    all.as_object_mut().expect("an object").extend(selector.as_object().expect("an object").clone());
    json!({"EventSelectors": [all]})
}

fn object_call(number: usize) -> Value {
    json!({"eventTime": "2026-11-22T05:30:00Z", "awsRegion": "us-east-1", "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject", "readOnly": true, "eventCategory": "Data", "resources": [
            {"type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::bucket-{}/in/{number}", number % 10)},
            {"type": "AWS::S3::Bucket", "ARN": format!("arn:aws:s3:::bucket-{}", number % 10)}]})
}

fn trail(id: i64, selectors: &EventSelectors) -> LoggingTrail {
    LoggingTrail {
        id,
        home_region: Region::us_east_1(),
        is_multi_region: true,
        includes_global_services: true,
        has_log_group: false,
        selection: Selection::from(selectors),
    }
}
