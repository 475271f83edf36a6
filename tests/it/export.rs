//! Reading events out: what a test asserts on.

use crate::support::{TestServer, record};
use serde_json::json;

async fn filled() -> TestServer {
    let server = TestServer::start().await;
    let mut records: Vec<_> =
        (0..6).map(|i| record(i, &format!("2026-11-22T05:00:0{i}Z"), &format!("Change{i}"))).collect();
    records[1]["errorCode"] = "AccessDenied".into();
    records[2]["errorCode"] = "Client.UnauthorizedOperation".into();
    records[3]["awsRegion"] = "eu-west-1".into();
    records[4]["recipientAccountId"] = "111122223333".into();
    records[5]["userIdentity"]["userName"] = "bob".into();
    records[5]["eventSource"] = "iam.amazonaws.com".into();
    server.import(&records).await;
    server
}

/// The numbers of the records that a query gives.
async fn numbers(server: &TestServer, query: &str) -> String {
    let reply = server.get(&format!("/_contrail/events{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    let name = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        record["eventName"].as_str().unwrap().trim_start_matches("Change").to_owned()
    };
    reply.text.lines().map(name).collect()
}

#[tokio::test]
async fn everything_comes_out_oldest_first_and_each_filter_narrows_it() {
    let server = filled().await;
    for (query, want) in [
        ("", "012345"),
        ("?account=111122223333", "4"),
        ("?region=eu-west-1", "3"),
        ("?event_name=Change2", "2"),
        ("?event_source=iam.amazonaws.com", "5"),
        ("?username=bob", "5"),
        ("?error=true", "12"),
        ("?error=false", "0345"),
        ("?error=AccessDenied", "1"),
        ("?from=2026-11-22T05:00:04Z", "45"),
        ("?from=1795323601&to=1795323602", "12"),
        ("?to=2026-11-22T05:00:01Z", "01"),
        ("?limit=2", "01"),
        ("?limit=0", ""),
        ("?after=00000000-0000-4000-a000-000000000003", "45"),
        ("?after=00000000-0000-4000-a000-000000000003&limit=1", "4"),
        ("?region=us-east-1&error=false&username=ana", "04"),
        ("?account=999999999999", ""),
    ] {
        assert_eq!(numbers(&server, query).await, want, "{query}");
    }
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused() {
    let server = filled().await;
    for query in ["?form=1", "?from=yesterday", "?limit=many", "?limit=-1", "?account=1", "?region=US+East"] {
        let reply = server.get(&format!("/_contrail/events{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.json()["error"].is_string());
    }
    assert_eq!(server.get("/_contrail/events?after=nothing").await.status, 404);
}

#[tokio::test]
async fn many_events_come_out_in_pieces_and_none_is_missing() {
    let server = TestServer::start().await;
    let many: Vec<_> = (0..1501).map(|i| record(i, "2026-11-22T05:00:00Z", "Change")).collect();
    server.import(&many).await;
    assert_eq!(server.records().await, many);
    assert_eq!(server.get("/_contrail/events?limit=1001").await.text.lines().count(), 1001);
}

#[tokio::test]
async fn reading_out_is_never_throttled_and_not_recorded() {
    let server = TestServer::with(&[("era", "today")]).await;
    for _ in 0..5 {
        assert_eq!(server.get("/_contrail/events").await.status, 200);
    }
    assert_eq!(server.records().await, [json!(null); 0]);
}
