//! A data folder of a version that had no console.

use crate::console::{ask, filled};

#[tokio::test]
async fn events_of_an_older_folder_are_summarized_at_the_next_start_also_after_an_interruption() {
    let server = filled().await;
    let page = ask(&server, "events?view=rows").await;
    let scopes = ask(&server, "scopes").await;
    let path = server.folder.path().join("contrail.db");
    // As the migration leaves an older folder, whose first three events have been summarized since.
    let older = rusqlite::Connection::open(path).unwrap();
    let third: i64 =
        older.query_row("SELECT key FROM events ORDER BY key LIMIT 1 OFFSET 2", [], |r| r.get(0)).unwrap();
    older.execute("DELETE FROM event_summaries WHERE key > ?1", [third]).unwrap();
    older.execute_batch("DELETE FROM event_counts WHERE account = '111122223333'; UPDATE event_counts SET writes = 0, failures = 2, reads = 1;
         DELETE FROM event_counts WHERE region <> 'us-east-1'").unwrap();
    older.execute("INSERT INTO counters (name, value) VALUES ('summarized_until', ?1)", [third]).unwrap();
    drop(older);
    let server = server.restart_with(&[]).await;
    assert_eq!(ask(&server, "events?view=rows").await, page);
    let again = ask(&server, "scopes").await;
    assert_eq!((&again["accounts"], &again["regions"]), (&scopes["accounts"], &scopes["regions"]));
    let counts = ask(&server, "events/histogram?from=0&to=1795399999&buckets=1").await;
    assert_eq!(counts["buckets"][0], serde_json::json!([1, 3, 2]));
}
