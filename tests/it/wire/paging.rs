//! NextToken: bound to its question, and right while events arrive and leave.

use crate::support::{TestServer, record};
use contrail::store::Session;
use proptest::prelude::*;
use serde_json::{Value, json};
use sqlx::Connection;

/// A server without a limit on lookups.
async fn server() -> TestServer {
    TestServer::with(&[("limits.lookup_events_per_second", "0")]).await
}

fn at(second: u32) -> String {
    format!("2026-11-22T05:{:02}:{:02}Z", second / 60, second % 60)
}

/// The numbers of the records on a page (from their event ids), and the token of the next one.
fn page(found: &Value) -> (Vec<u32>, Option<String>) {
    let id = |event: &Value| event["EventId"].as_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
    let events = found["Events"].as_array().unwrap().iter().map(id).collect();
    (events, found["NextToken"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end_and_the_last_has_no_token() {
    let server = server().await;
    let records: Vec<_> = (0..25).map(|i| record(i, &at(i), "Change")).collect();
    server.import(&records).await;
    let (mut seen, mut token, mut pages) = (Vec::new(), None, 0);
    loop {
        let found = server.call("LookupEvents", json!({"MaxResults": 5, "NextToken": token})).await.json();
        let (events, next) = page(&found);
        assert_eq!(events.len(), 5);
        seen.extend(events);
        pages += 1;
        token = next;
        if token.is_none() {
            assert!(found.get("NextToken").is_none(), "absent, not empty");
            break;
        }
    }
    assert_eq!(pages, 5, "a full last page has no empty one behind it");
    assert_eq!(seen, (0..25).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_token_is_good_for_its_own_question_only() {
    let server = server().await;
    let records: Vec<_> = (0..5).map(|i| record(i, &at(i), "Change")).collect();
    server.import(&records).await;
    let name = json!([{"AttributeKey": "EventName", "AttributeValue": "Change"}]);
    let asked = json!({"LookupAttributes": name, "StartTime": 1_795_000_000, "MaxResults": 2});
    let token = page(&server.call("LookupEvents", asked.clone()).await.json()).1.unwrap();
    let with = |change: &[(&str, Value)]| {
        let mut input = asked.clone();
        input["NextToken"] = token.clone().into();
        for (member, value) in change {
            input[*member] = value.clone();
        }
        input
    };
    let other_value = json!([{"AttributeKey": "EventName", "AttributeValue": "Other"}]);
    let other_key = json!([{"AttributeKey": "Username", "AttributeValue": "Change"}]);
    let altered = |at: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        json!(String::from_utf8(bytes).unwrap())
    };
    for change in [
        vec![("LookupAttributes", other_value)],
        vec![("LookupAttributes", other_key)],
        vec![("LookupAttributes", json!([]))],
        vec![("StartTime", json!(1_795_000_001))],
        vec![("StartTime", Value::Null)],
        vec![("EndTime", json!(1_796_000_000))],
        vec![("LookupAttributes", json!([])), ("EventCategory", json!("insight"))],
        vec![("NextToken", altered(0))],
        vec![("NextToken", altered(15))],
        vec![("NextToken", altered(31))],
        vec![("NextToken", json!(format!("{token}A")))],
        vec![("NextToken", json!(&token[..31]))],
    ] {
        let reply = server.call("LookupEvents", with(&change)).await;
        assert_eq!(reply.code(), "InvalidNextTokenException", "{change:?}");
    }
    for (key, region) in [("111122223333", "us-east-1"), ("test", "eu-west-1")] {
        let reply = server.call_as(key, region, "LookupEvents", with(&[])).await;
        assert_eq!(reply.code(), "InvalidNextTokenException", "{key} {region}");
    }
    // The size of a page may change from page to page, and a token may be used again.
    for size in [1, 3, 50] {
        let (events, _) =
            page(&server.call("LookupEvents", with(&[("MaxResults", json!(size))])).await.json());
        assert_eq!(events[0], 2);
    }
}

#[tokio::test]
async fn a_token_outlives_a_restart_and_is_void_on_another_server() {
    let first = server().await;
    let records: Vec<_> = (0..4).map(|i| record(i, &at(i), "Change")).collect();
    first.import(&records).await;
    let token = page(&first.call("LookupEvents", json!({"MaxResults": 2})).await.json()).1;
    let first = first.restart_with(&[]).await;
    let (events, _) =
        page(&first.call("LookupEvents", json!({"MaxResults": 2, "NextToken": token})).await.json());
    assert_eq!(events, [1, 0]);

    // Another server has another key. (Here all begin with the same one, so this one has to lose it.)
    let other = server().await;
    other.import(&records).await;
    let database = other.folder.path().join("contrail.db");
    let mut db = sqlx::SqliteConnection::connect(&format!("sqlite:{}", database.display())).await.unwrap();
    sqlx::query("DELETE FROM settings WHERE name = 'page_token_key'").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let ask = async |server: &TestServer| {
        server.call("LookupEvents", json!({"MaxResults": 2, "NextToken": token})).await.code()
    };
    assert_eq!(ask(&other).await, "", "it still has the same one");
    let other = other.restart_with(&[]).await;
    assert_eq!(ask(&other).await, "InvalidNextTokenException");
}

#[tokio::test]
async fn a_damaged_key_of_tokens_refuses_the_start_in_one_line() {
    let first = server().await;
    assert!(!format!("{:?}", first.parts).contains("token_key: ["), "the key is shown");
    let database = first.folder.path().join("contrail.db");
    let mut db = sqlx::SqliteConnection::connect(&format!("sqlite:{}", database.display())).await.unwrap();
    let damage = "UPDATE settings SET value = substr(value, 2) WHERE name = 'page_token_key'";
    sqlx::query(damage).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let error = first.refused_restart().await.to_string();
    assert!(
        error.starts_with("the page-token key in the database is damaged: ") && !error.contains('\n'),
        "{error}"
    );
}

/// What happens between two pages.
#[derive(Debug, Clone)]
enum Between {
    /// An event of this second arrives.
    Arrives(u32),
    /// The oldest events leave.
    OldestLeave(u32),
}

fn between() -> impl Strategy<Value = Vec<Between>> {
    let one = prop_oneof![(0u32..600).prop_map(Between::Arrives), (1u32..4).prop_map(Between::OldestLeave),];
    prop::collection::vec(one, 0..5)
}

/// Pages through everything while `steps` happen; what was there all along must be seen once and in order.
async fn page_while(steps: Vec<Vec<Between>>, seconds: Vec<u32>, size: u32) {
    let server = server().await;
    let mut next_id = 0;
    let mut records = Vec::new();
    for second in &seconds {
        records.push(record(next_id, &at(*second), "Change"));
        next_id += 1;
    }
    server.import(&records).await;
    let all = server.call("LookupEvents", json!({"MaxResults": 50})).await.json();
    let mut there_all_along = page(&all).0;
    let (mut seen, mut token, mut steps) = (Vec::new(), Value::Null, steps.into_iter());
    loop {
        let found = server.call("LookupEvents", json!({"MaxResults": size, "NextToken": token})).await.json();
        let (events, next) = page(&found);
        seen.extend(events);
        let Some(next) = next else { break };
        token = next.into();
        for step in steps.next().unwrap_or_default() {
            match step {
                Between::Arrives(second) => {
                    server.import(&[record(next_id, &at(second), "Change")]).await;
                    next_id += 1;
                }
                Between::OldestLeave(n) => {
                    let mut session = server.parts.store.write().await.unwrap();
                    session.events().remove_old(i64::MAX, n).await.unwrap();
                    session.commit().await.unwrap();
                    let left = server.get("/_contrail/events").await.text;
                    there_all_along.retain(|id| left.contains(&format!("a000-{id:012}")));
                }
            }
        }
    }
    let once: std::collections::HashSet<_> = seen.iter().collect();
    assert_eq!(once.len(), seen.len(), "nothing is seen twice: {seen:?}");
    let kept: Vec<_> = seen.iter().filter(|id| there_all_along.contains(id)).copied().collect();
    assert_eq!(kept, there_all_along, "what stayed is seen, in order");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn events_that_arrive_or_leave_while_paging_neither_hide_nor_repeat_others(
        steps in prop::collection::vec(between(), 0..12),
        seconds in prop::collection::vec(0u32..600, 1..40),
        size in 1u32..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(page_while(steps, seconds, size));
    }
}
