//! A data folder whose events were stored when less was known of AWS's operations.

use crate::support::{ACCOUNT, TestServer, record};
use serde_json::{Value, json};

/// What there is to see of the events of a folder.
#[derive(Debug, PartialEq)]
struct Seen {
    events: Vec<(String, String, bool, String)>,
    resources: Vec<(String, i64, String, Option<String>, String)>,
    summaries: Vec<(i64, bool)>,
    counts: Vec<(i64, i64, i64)>,
}

fn database(server: &TestServer) -> rusqlite::Connection {
    rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap()
}

fn seen(server: &TestServer) -> Seen {
    let db = database(server);
    let mut events =
        db.prepare("SELECT event_name, listing, read_only, resources FROM events ORDER BY key").unwrap();
    let events = events.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))).unwrap();
    let mut resources = db
        .prepare(
            "SELECT e.event_name, r.position, r.listing, r.resource_type, r.resource_name \
             FROM event_resources r JOIN events e USING (key) ORDER BY r.key, r.position",
        )
        .unwrap();
    let resources =
        resources.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))).unwrap();
    let mut summaries = db.prepare("SELECT key, read_only FROM event_summaries ORDER BY key").unwrap();
    let summaries = summaries.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    let mut counts = db
        .prepare("SELECT reads, writes, failures FROM event_counts ORDER BY hour, account, region")
        .unwrap();
    let counts = counts.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).unwrap();
    Seen {
        events: events.collect::<Result<_, _>>().unwrap(),
        resources: resources.collect::<Result<_, _>>().unwrap(),
        summaries: summaries.collect::<Result<_, _>>().unwrap(),
        counts: counts.collect::<Result<_, _>>().unwrap(),
    }
}

/// A server with events that an older version understood in another way.
async fn filled() -> TestServer {
    let server = TestServer::start().await;
    let unsaid = |number: u32, source: &str, name: &str, request: Value| {
        let mut record = record(number, &format!("2026-11-22T05:00:0{number}Z"), name);
        record["eventSource"] = format!("{source}.amazonaws.com").into();
        record["requestParameters"] = request;
        let members = record.as_object_mut().unwrap();
        members.retain(|name, _| !["readOnly", "managementEvent", "eventCategory"].contains(&name.as_str()));
        record
    };
    let mut refused = unsaid(5, "sts", "AssumeRole", json!({"roleArn": "arn:aws:iam::1:role/r"}));
    refused["errorCode"] = "AccessDenied".into();
    server
        .import(&[
            unsaid(1, "kms", "Decrypt", json!({"keyId": "alias/k"})),
            unsaid(2, "s3", "GetObject", json!({"bucketName": "b-1", "key": "k"})),
            unsaid(3, "iam", "GetUser", json!({"userName": "eve"})),
            unsaid(4, "iam", "DeleteUser", json!({"userName": "eve"})),
            refused,
            unsaid(6, "kms", "Decrypt", json!({"keyId": "alias/k"})),
        ])
        .await;
    server
}

/// Makes the rows as an older version had them, up to some key corrected already.
fn make_older(server: &TestServer, corrected_until: Option<i64>) {
    let db = database(server);
    let behind = corrected_until.unwrap_or(-1);
    let wrong = r#"[{"ResourceType":"AWS::S3::Object","ResourceName":"arn:aws:s3:::b-1/k"}]"#;
    db.execute(
        "UPDATE events SET listing = 'write', read_only = 0, resources = ?1 WHERE key > ?2",
        (wrong, behind),
    )
    .unwrap();
    db.execute("UPDATE event_summaries SET read_only = 0 WHERE key > ?1", [behind]).unwrap();
    db.execute("DELETE FROM event_resources WHERE key > ?1", [behind]).unwrap();
    db.execute(
        "INSERT INTO event_resources SELECT key, 0, account, region, 'write', 'AWS::S3::Object', 'Object', 'x' \
         FROM events WHERE key > ?1",
        [behind],
    )
    .unwrap();
    db.execute_batch(
        "DELETE FROM event_counts; INSERT INTO event_counts SELECT key / (3600 << 30) * 3600, account, region, \
         sum(error_code IS NULL AND read_only), sum(error_code IS NULL AND NOT read_only), count(error_code) \
         FROM events GROUP BY 1, 2, 3",
    )
    .unwrap();
    match corrected_until {
        None => db.execute("UPDATE counters SET value = 0 WHERE name = 'facts_version'", []).unwrap(),
        Some(key) => db
            .execute("INSERT INTO counters (name, value) VALUES ('facts_corrected_until', ?1)", [key])
            .unwrap(),
    };
}

#[tokio::test]
async fn events_of_an_older_folder_are_corrected_at_the_next_start() {
    let server = filled().await;
    let right = seen(&server);
    assert_eq!(right.counts, [(4, 1, 1)]);
    make_older(&server, None);
    assert_ne!(seen(&server), right);
    let server = server.restart_with(&[]).await;
    assert_eq!(seen(&server), right);
    let asked = json!({"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "eve"}]});
    let found = server.ok("LookupEvents", asked).await;
    assert_eq!(found["Events"][0]["EventName"], "DeleteUser");
}

#[tokio::test]
async fn a_correction_that_was_interrupted_goes_on_where_it_was() {
    let server = filled().await;
    let right = seen(&server);
    let third = right.summaries[2].0;
    make_older(&server, Some(third));
    // What is in front of the mark is not looked at again.
    database(&server).execute("UPDATE events SET resources = '[1]' WHERE key = ?1", [third]).unwrap();
    let server = server.restart_with(&[]).await;
    let mut after = seen(&server);
    assert_eq!(after.events[2].3, "[1]");
    after.events[2].3.clone_from(&right.events[2].3);
    assert_eq!(after, right);
    let left: i64 = database(&server)
        .query_row("SELECT count(*) FROM counters WHERE name = 'facts_corrected_until'", [], |r| r.get(0))
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_event_stays_with_the_account_that_it_was_stored_for() {
    let server = filled().await;
    let db = database(&server);
    db.execute("UPDATE events SET account = '999999999999', resources = '[]'", []).unwrap();
    db.execute("DELETE FROM event_resources", []).unwrap();
    db.execute("UPDATE counters SET value = 0 WHERE name = 'facts_version'", []).unwrap();
    let server = server.restart_with(&[]).await;
    let accounts: i64 = database(&server)
        .query_row("SELECT count(*) FROM event_resources WHERE account = '999999999999'", [], |r| r.get(0))
        .unwrap();
    assert_eq!(accounts, seen(&server).resources.len() as i64);
    assert_ne!(accounts, 0);
}

#[tokio::test]
async fn what_was_captured_while_no_trail_was_logging_stays_so() {
    let server = filled().await;
    let db = database(&server);
    db.execute(
        "UPDATE events SET listing = 'unlogged', resources = '[]' WHERE event_name = 'DeleteUser'",
        [],
    )
    .unwrap();
    db.execute("UPDATE counters SET value = 0 WHERE name = 'facts_version'", []).unwrap();
    let server = server.restart_with(&[]).await;
    let listing: String = database(&server)
        .query_row("SELECT listing FROM event_resources WHERE resource_name = 'eve'", [], |r| r.get(0))
        .unwrap();
    assert_eq!(listing, "unlogged");
    assert_eq!(server.get(&format!("/_contrail/events?account={ACCOUNT}")).await.text.lines().count(), 6);
}

/// What the columns hold that an empty text in a record was once taken for.
fn columns(server: &TestServer) -> Vec<[Option<String>; 8]> {
    let db = database(server);
    let mut rows = db
        .prepare(
            "SELECT e.username, e.access_key_id, e.error_code, s.actor, s.actor_type, s.access_key_id, s.source_ip, \
             s.role_name \
             FROM events e JOIN event_summaries s USING (key) ORDER BY e.key",
        )
        .unwrap();
    let rows = rows.query_map([], |r| {
        Ok([r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?, r.get(7)?])
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn empty_texts_of_an_older_folder_become_absent_and_its_data_events_are_found_by_their_bucket() {
    let server = TestServer::start().await;
    let mut empty = record(1, "2026-11-22T05:00:01Z", "Change");
    empty["userIdentity"] = json!({"type": "", "userName": "", "accessKeyId": ""});
    empty["errorCode"] = "".into();
    empty["sourceIPAddress"] = "".into();
    let mut data = record(2, "2026-11-22T05:00:02Z", "GetObject");
    data["eventSource"] = "s3.amazonaws.com".into();
    (data["managementEvent"], data["eventCategory"]) = (false.into(), "Data".into());
    data["requestParameters"] = json!({"bucketName": "b-1", "key": "k"});
    data["userIdentity"] =
        json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/admin/ci"});
    server.import(&[empty, data]).await;
    let (right, right_columns) = (seen(&server), columns(&server));
    assert_eq!(right_columns[0], [const { None::<String> }; 8]);
    assert_eq!(right_columns[1][7].as_deref(), Some("admin"));
    assert_eq!(right.counts, [(0, 2, 0)]);

    let db = database(&server);
    db.execute_batch(
        "UPDATE events SET username = '', access_key_id = '', error_code = '' WHERE event_name = 'Change'; \
         UPDATE event_summaries SET actor = '', actor_type = '', access_key_id = '', error_code = '', source_ip = '' \
         WHERE event_name = 'Change'; \
         UPDATE event_counts SET writes = 1, failures = 1; \
         UPDATE event_summaries SET role_name = NULL; \
         DELETE FROM data_event_resources; \
         UPDATE counters SET value = 2 WHERE name = 'facts_version'",
    )
    .unwrap();
    let server = server.restart_with(&[]).await;
    assert_eq!((seen(&server), columns(&server)), (right, right_columns));
    let found = server.get("/_contrail/events?resource=b-1").await;
    assert_eq!(found.json()["eventName"], "GetObject");
}
