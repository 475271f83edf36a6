//! The database, read by eye while the server runs.

use crate::support::fakes::FakeAws;
use crate::support::{TestServer, record};
use sqlx::{Connection, Row, SqliteConnection};

/// What another program sees in the file.
async fn look(server: &TestServer, sql: &'static str) -> Vec<Vec<String>> {
    let path = server.folder.path().join("contrail.db");
    let mut other = SqliteConnection::connect(&format!("sqlite:{}?mode=ro", path.display())).await.unwrap();
    let rows = sqlx::query(sql).fetch_all(&mut other).await.unwrap();
    let text = |row: &sqlx::sqlite::SqliteRow, i| row.get::<Option<String>, _>(i).unwrap_or_default();
    rows.iter().map(|row| (0..row.len()).map(|i| text(row, i)).collect()).collect()
}

#[tokio::test]
async fn trails_can_be_read_in_a_view() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let seen = look(
        &server,
        "SELECT name, account, home_region, covers, logging, started, bucket FROM trail_overview",
    )
    .await;
    let want =
        ["demo", "000000000000", "us-east-1", "home region", "yes", "2026-11-22T05:30:00Z", "my-bucket"];
    assert_eq!(seen, [want]);
}

#[tokio::test]
async fn events_can_be_read_in_a_view_newest_first() {
    let server = TestServer::start().await;
    server.import(&[record(1, "2026-11-22T05:00:01Z", "A"), record(2, "2026-11-22T05:00:02Z", "B")]).await;
    let seen = look(
        &server,
        "SELECT time, event_name, username, read_only, listing, resources, stored FROM event_history",
    )
    .await;
    let row = |time, name, id| [time, name, "ana", "no", "write", id, "2026-11-22T05:30:00Z"];
    assert_eq!(seen, [row("2026-11-22T05:00:02Z", "B", "i-2"), row("2026-11-22T05:00:01Z", "A", "i-1")]);
}

#[tokio::test]
async fn everything_is_text_or_a_number() {
    let server = TestServer::start().await;
    server.import(&[record(1, "2026-11-22T05:00:01Z", "A")]).await;
    let seen = look(&server, "SELECT record ->> '$.eventName' FROM events").await;
    assert_eq!(seen, [["A"]], "SQLite's own JSON functions read the records");
}

#[tokio::test]
async fn the_events_of_each_hour_are_counted_in_a_view() {
    let server = TestServer::start().await;
    let mut failed = record(2, "2026-11-22T05:59:59Z", "Change");
    failed["errorCode"] = "AccessDenied".into();
    server
        .import(&[
            record(1, "2026-11-22T05:00:00Z", "Change"),
            failed,
            record(3, "2026-11-22T04:59:59Z", "Change"),
        ])
        .await;
    let seen = look(
        &server,
        "SELECT hour, account, region, CAST(reads AS TEXT), CAST(writes AS TEXT), CAST(failures AS TEXT) \
         FROM events_by_hour",
    )
    .await;
    let hour = |hour, writes, failures| {
        [hour, "000000000000", "us-east-1", "0", writes, failures].map(str::to_owned)
    };
    assert_eq!(seen, [hour("2026-11-22T05:00:00Z", "1", "1"), hour("2026-11-22T04:00:00Z", "1", "0")]);
}

#[tokio::test]
async fn what_waits_where_can_be_read_in_a_view() {
    let aws = FakeAws::start().await;
    let server = TestServer::with(&[("delivery.s3_endpoint", &aws.url)]).await;
    server.start_demo_trail().await;
    aws.fail("s3", "AccessDenied");
    server.import(&[record(1, "2026-11-22T05:00:00Z", "Change")]).await;
    server.flush().await;
    server.ok("DeleteTrail", serde_json::json!({"Name": "demo"})).await;
    let seen = look(
        &server,
        "SELECT trail, kind, account, region, CAST(pending_events AS TEXT), CAST(failures AS TEXT), trail_deleted \
         FROM delivery_overview",
    )
    .await;
    assert_eq!(seen, [["demo", "log_file", "000000000000", "us-east-1", "2", "1", "yes"]]);
    let seen = look(&server, "SELECT trail, state, bucket FROM delivered_log_files").await;
    assert_eq!(seen, [["demo", "waiting", ""]], "where it goes is decided when it is put");
    assert!(look(&server, "SELECT name FROM trail_overview").await.is_empty());
}
