//! How SQLite answers lookups: every one by an index, nothing scanned, nothing sorted.

use crate::support::{ACCOUNT, TestServer};
use contrail::domain::event::Listing;
use contrail::domain::lookup::{Attribute, AttributeKey, TimeRange};
use contrail::store::LookupQuery;

#[tokio::test]
async fn no_lookup_scans_or_sorts() {
    let server = TestServer::start().await;
    let mut session = server.service.store.read().await.unwrap();
    let attributes = AttributeKey::ALL
        .into_iter()
        .map(|(key, _)| Some(Attribute { key, value: "AWS::IAM::User".into() }))
        .chain([None, Some(Attribute { key: AttributeKey::ResourceType, value: "User".into() })]);
    for attribute in attributes {
        for listings in
            [&[Listing::Write][..], &[Listing::Write, Listing::Unlogged, Listing::Read], &[Listing::Insight]]
        {
            for before in [None, Some(1 << 40)] {
                let query = LookupQuery {
                    account: ACCOUNT,
                    region: "us-east-1",
                    listings,
                    attribute: attribute.as_ref(),
                    range: TimeRange { from: 0, to: 2_000_000_000 },
                    before,
                    limit: 51,
                };
                let plan = session.lookup_plan(&query).await.unwrap();
                let text = plan.join("\n");
                assert!(!text.contains("TEMP B-TREE"), "{attribute:?}\n{text}");
                let tables =
                    plan.iter().filter(|line| line.contains(" events") || line.contains(" event_resources"));
                let mut searches = 0;
                for line in tables {
                    assert!(line.starts_with("SEARCH"), "{attribute:?}\n{text}");
                    assert!(
                        line.contains("key>? AND key<?")
                            || line.contains("rowid=?")
                            || line.contains("event_id=?"),
                        "{attribute:?}\n{text}"
                    );
                    searches += 1;
                }
                assert_eq!(searches, listings.len() + 1, "an arm for each listing, and the records\n{text}");
            }
        }
    }
}
