//! Reading events out in the ways that came with the console; see also `tests/it/export.rs`.

use crate::console::filled;
use crate::support::{TestServer, record};

#[tokio::test]
async fn newest_first_goes_on_behind_an_event_too() {
    let server = TestServer::start().await;
    let many: Vec<_> = (0..1200)
        .map(|i| record(i, &format!("2026-11-22T05:{:02}:{:02}Z", i / 60, i % 60), "Change"))
        .collect();
    server.import(&many).await;
    let mut newest_first = many.clone();
    newest_first.reverse();
    let read = async |query: &str| -> Vec<serde_json::Value> {
        let reply = server.get(&format!("/_contrail/events?order=desc{query}")).await;
        reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert!(read("").await == newest_first);
    let behind = "&after=00000000-0000-4000-a000-000000000002";
    assert!(read(behind).await == newest_first[1198..]);
}

#[tokio::test]
async fn csv_has_a_header_quotes_and_no_formulas() {
    let server = filled().await;
    let mut record = record(7, "2026-11-22T05:00:07Z", "=HYPERLINK(\"x\"),\n");
    record["userIdentity"]["userName"] = "@SUM(1)".into();
    server.import(&[record]).await;
    let reply = server.get("/_contrail/events?format=csv&order=desc&limit=2").await;
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        reply.text,
        "time,event_name,event_source,region,account,actor,actor_type,access_key,source_ip,read_only,error,resources,\
         event_id\r\n\
         2026-11-22T05:00:07Z,\"'=HYPERLINK(\"\"x\"\"),\n\",ec2.amazonaws.com,us-east-1,000000000000,'@SUM(1),IAMUser,\
         AKIAEXAMPLE,192.0.2.7,false,,i-7,00000000-0000-4000-a000-000000000007\r\n\
         2026-11-22T05:00:05Z,Change5,iam.amazonaws.com,us-east-1,000000000000,bob,IAMUser,AKIABOB,192.0.2.7,false,,,\
         00000000-0000-4000-a000-000000000005\r\n"
    );
    let nothing = server.get("/_contrail/events?format=csv&username=nobody").await;
    assert_eq!(nothing.text.lines().count(), 1, "the header alone");
}

/// Exports have connections of their own: neither do calls wait for them, nor they for calls.
#[tokio::test]
async fn an_export_reads_while_all_connections_of_the_api_are_taken() {
    let server = TestServer::start().await;
    server.import(&[record(1, "2026-11-22T05:00:01Z", "A")]).await;
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(server.parts.store.read().await.unwrap());
    }
    for query in ["?q=eventName", "?format=csv", ""] {
        let reply = server.get(&format!("/_contrail/events{query}")).await;
        assert_eq!((reply.status, reply.text.is_empty()), (200, false), "{query}");
    }
}
