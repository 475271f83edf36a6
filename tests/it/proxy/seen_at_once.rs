//! What readers find right behind an answer.

use super::{in_front, json_call};
use crate::support::fakes::FakeAws;
use crate::support::{TestServer, http};
use futures_util::StreamExt;
use serde_json::{Value, json};

/// A server in the era of today, without a limit on lookups, in front of another.
const TODAY: [(&str, &str); 2] = [("era", "today"), ("limits.lookup_events_per_second", "0")];

async fn create_queue(server: &TestServer, name: &str) {
    let body = json!({"QueueName": name}).to_string();
    assert_eq!(json_call(server, "sqs", "AmazonSQS.CreateQueue", &body).await.status, 200);
}

/// How often an event of a name is found by LookupEvents.
async fn looked_up(server: &TestServer, name: &str) -> usize {
    let attribute = json!({"AttributeKey": "EventName", "AttributeValue": name});
    let found = server.call("LookupEvents", json!({"LookupAttributes": [attribute], "MaxResults": 50})).await;
    found.json()["Events"].as_array().unwrap().len()
}

async fn read(server: &TestServer, path: &str) -> Value {
    server.get(&format!("/_contrail/{path}")).await.json()
}

/// How many calls to CreateQueue a reader counts.
async fn counted(server: &TestServer, reader: usize) -> u64 {
    match reader {
        0 => {
            let page = read(server, "events?view=rows&limit=1000&event_name=CreateQueue").await;
            page["events"].as_array().unwrap().len() as u64
        }
        1 => {
            let facets = read(server, "events/facets?fields=event_name&event_name=CreateQueue").await;
            facets["facets"]["event_name"]["values"][0][1].as_u64().unwrap()
        }
        2 => {
            let path =
                "events/histogram?from=2026-11-22T00:00:00Z&to=2026-11-23T00:00:00Z&event_name=CreateQueue";
            read(server, path).await["total"].as_u64().unwrap()
        }
        3 => read(server, "scopes").await["accounts"][0][1].as_u64().unwrap(),
        _ => {
            let path = "/_contrail/events?event_name=CreateQueue";
            server.get(path).await.text.lines().count() as u64
        }
    }
}

#[tokio::test]
async fn a_lookup_finds_each_of_200_calls_right_behind_its_answer() {
    let (server, _upstream) = in_front(&TODAY).await;
    for n in 0..200 {
        create_queue(&server, &format!("q{n}")).await;
        let attribute = json!({"AttributeKey": "EventName", "AttributeValue": "CreateQueue"});
        let newest = json!({"LookupAttributes": [attribute], "MaxResults": 1});
        let found = server.call("LookupEvents", newest).await.json();
        let record: Value =
            serde_json::from_str(found["Events"][0]["CloudTrailEvent"].as_str().unwrap_or("{}")).unwrap();
        assert_eq!(record["requestParameters"]["queueName"], format!("q{n}"));
    }
}

#[tokio::test]
async fn every_answer_of_the_read_api_counts_the_calls_before_it() {
    let (server, _upstream) = in_front(&[]).await;
    for n in 0..120 {
        create_queue(&server, "q").await;
        // LookupEvents is not among them: its own record would be counted as well.
        assert_eq!(counted(&server, n % 5).await, n as u64 + 1, "call {n}");
    }
}

#[tokio::test]
async fn a_lookup_of_2015_finds_what_was_changed_right_before() {
    let aws = FakeAws::start().await;
    let settings: Vec<_> = aws.settings().into_iter().chain([TODAY[1]]).collect();
    let (server, _upstream) = in_front(&settings).await;
    server.start_demo_trail().await;
    for n in 1..40 {
        create_queue(&server, "q").await;
        assert_eq!(looked_up(&server, "CreateQueue").await, n);
    }
}

#[tokio::test]
async fn a_lookup_finds_the_reads_before_it() {
    let server = TestServer::with(&TODAY).await;
    for n in 1..20 {
        server.call("GetEventConfiguration", json!({})).await;
        assert_eq!(looked_up(&server, "GetEventConfiguration").await, n);
    }
}

#[tokio::test]
async fn a_live_view_begins_behind_what_was_answered_before() {
    let (server, _upstream) = in_front(&[]).await;
    for n in 0..20 {
        create_queue(&server, "before").await;
        let stream = http().get(format!("{}/_contrail/events/stream", server.url)).send().await.unwrap();
        json_call(&server, "sqs", "AmazonSQS.DeleteQueue", "{}").await;
        let (mut pieces, mut text) = (stream.bytes_stream(), String::new());
        while !text.contains("data:") {
            text += std::str::from_utf8(&pieces.next().await.unwrap().unwrap()).unwrap();
        }
        assert!(text.contains("DeleteQueue") && !text.contains("CreateQueue"), "round {n}: {text}");
    }
}

#[tokio::test]
async fn a_reader_does_not_wait_for_ever() {
    let (server, _upstream) = in_front(&TODAY).await;
    create_queue(&server, "stored").await;
    assert_eq!(looked_up(&server, "CreateQueue").await, 1);
    // Nothing else can be stored before this is committed or dropped.
    let session = server.parts.store.write().await.unwrap();
    create_queue(&server, "waits").await;
    assert_eq!(looked_up(&server, "CreateQueue").await, 1);
    drop(session);
    assert_eq!(looked_up(&server, "CreateQueue").await, 2);
    let records = server.records().await;
    let lookups = records.iter().filter(|record| record["eventName"] == "LookupEvents").count();
    assert_eq!(lookups, 3);
}
