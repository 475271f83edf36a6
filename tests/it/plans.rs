//! How SQLite answers lookups: every one by the index made for it, nothing scanned, nothing sorted.

use crate::support::{ACCOUNT, TestServer, account, record, region};
use contrail::domain::event::Listing;
use contrail::domain::lookup::{Attribute, AttributeKey, TimeRange};
use contrail::store::{LookupQuery, Session};

/// What the index must be searched by, so that every row it gives belongs to the answer: a plan does not show filters.
fn searched_by(attribute: Option<&Attribute>) -> String {
    let column = match attribute.map(|a| a.key) {
        // Its index holds an id once or a few times, so the rest may be a filter.
        Some(AttributeKey::EventId) => return "(event_id=? AND account=? AND region=?)".to_owned(),
        // The listings tell what reads and what writes.
        None | Some(AttributeKey::ReadOnly) => "",
        Some(AttributeKey::EventName) => "event_name=? AND ",
        Some(AttributeKey::EventSource) => "event_source=? AND ",
        Some(AttributeKey::Username) => "username=? AND ",
        Some(AttributeKey::AccessKeyId) => "access_key_id=? AND ",
        Some(AttributeKey::ResourceName) => "resource_name=? AND ",
        Some(AttributeKey::ResourceType) => "short_type=? AND ",
    };
    let of_resources = column.starts_with("resource_name") || column.starts_with("short_type");
    let listing = if of_resources { "listing" } else { "listed" };
    format!("(account=? AND region=? AND {listing}=? AND {column}key>? AND key<?)")
}

#[tokio::test]
async fn no_lookup_scans_or_sorts() {
    let server = TestServer::start().await;
    let mut session = server.parts.store.read().await.unwrap();
    let attributes = AttributeKey::ALL
        .into_iter()
        .map(|(key, _)| Some(Attribute { key, value: "AWS::IAM::User".into() }))
        .chain([None, Some(Attribute { key: AttributeKey::ResourceType, value: "User".into() })]);
    let eras =
        [&[Listing::Write][..], &[Listing::Write, Listing::Unlogged, Listing::Read], &[Listing::Insight]];
    for attribute in attributes {
        for (listings, before) in eras.into_iter().flat_map(|l| [(l, None), (l, Some(1 << 40))]) {
            let query = LookupQuery {
                account: &account(ACCOUNT),
                region: &region("us-east-1"),
                listings,
                attribute: attribute.as_ref(),
                range: TimeRange { from: 0, to: 2_000_000_000 },
                before,
                limit: 51,
            };
            let plan = session.events().lookup_plan(&query).await.unwrap();
            let text = format!("{attribute:?}\n{}", plan.join("\n"));
            assert!(!text.contains("TEMP B-TREE"), "{text}");
            assert!(
                !plan.iter().any(|l| l.starts_with("SCAN events") || l.starts_with("SCAN event_")),
                "{text}"
            );
            let searches =
                |what: &str| plan.iter().filter(|l| l.starts_with("SEARCH") && l.contains(what)).count();
            let arms = searches(&searched_by(attribute.as_ref()));
            assert_eq!(
                (arms, searches("rowid=?")),
                (listings.len(), 1),
                "an arm a listing, and the records: {text}"
            );
        }
    }
}

#[tokio::test]
async fn data_events_have_no_row_in_the_indexes_of_lookups() {
    let server = TestServer::start().await;
    let data = |n: u32| {
        let mut record = record(n, "2026-11-22T05:00:01Z", "PutObject");
        record["eventCategory"] = "Data".into();
        record
    };
    server.import(&[record(1, "2026-11-22T05:00:01Z", "CreateQueue"), data(2), data(3)]).await;
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let rows = |index: &str| -> i64 {
        let sql = "SELECT sum(ncell) FROM dbstat WHERE name = $1 AND pagetype = 'leaf'";
        database.query_row(sql, [index], |row| row.get(0)).unwrap()
    };
    for index in ["events_by_name", "events_by_source", "events_by_username", "events_by_access_key"] {
        assert_eq!(rows(index), 1, "{index}");
    }
    // By these they are exported, wiped and kept for as long as others.
    for index in ["events_by_id", "events_by_time", "events_by_age"] {
        assert_eq!(rows(index), 3, "{index}");
    }
}
