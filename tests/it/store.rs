//! The store's contract: what each of its public functions promises.

use crate::support::{account, region};
use contrail::domain::account_id::AccountId;
use contrail::domain::aggregation::AggregationConfigurations;
use contrail::domain::category::Category;
use contrail::domain::event::{Event, Listing};
use contrail::domain::event_filter::EventFilter;
use contrail::domain::insight_selectors::InsightSelectors;
use contrail::domain::lookup::{Attribute, AttributeKey, TimeRange};
use contrail::domain::region::Region;
use contrail::domain::resources::{EventResources, Resource};
use contrail::domain::selector_fields::SelectorFields;
use contrail::domain::selectors::EventSelectors;
use contrail::domain::tags::Tag;
use contrail::store::{
    CorrectionMark, DataDir, DigestKey, ExportStep, LookupQuery, Order, ReadSession, Session, Store,
    StoreErrorKind, Trail, TrailStatus,
};
use serde_json::json;
use std::sync::LazyLock;
use tempfile::TempDir;

async fn open() -> (Store, DataDir, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let locked = DataDir::lock(folder.path()).unwrap();
    (Store::open(&locked).await.unwrap(), locked, folder)
}

fn event(id: u32, second: i64) -> Event {
    Event {
        event_id: format!("e-{id}"),
        account: account("111122223333"),
        region: region("us-east-1"),
        event_time: second,
        event_name: "Change".into(),
        event_source: "ec2.amazonaws.com".into(),
        category: Category::Management,
        listing: Listing::Write,
        read_only: false,
        username: Some("ana".into()),
        actor: Some("ana".into()),
        role_name: None,
        actor_type: Some("IAMUser".into()),
        access_key_id: None,
        source_ip: Some("192.0.2.7".into()),
        error_code: (id % 2 == 1).then(|| "AccessDenied".into()),
        record: format!("{{\"n\":{id}}}"),
        resources: vec![Resource {
            resource_type: Some("AWS::EC2::Instance".into()),
            resource_name: format!("i-{id}"),
        }]
        .into(),
        selector_fields: SelectorFields::default(),
    }
}

fn trail(name: &str, region: &str, multi: bool) -> Trail {
    Trail {
        id: 0,
        account: account("111122223333"),
        home_region: self::region(region),
        name: name.into(),
        s3_bucket_name: "bucket".into(),
        s3_key_prefix: Some("p".into()),
        sns_topic_name: None,
        sns_topic_arn: None,
        include_global_service_events: true,
        is_multi_region_trail: multi,
        log_file_validation_enabled: false,
        cloud_watch_logs_log_group_arn: None,
        cloud_watch_logs_role_arn: None,
        kms_key_id: None,
        is_organization_trail: false,
        recursive_logging: true,
        event_selectors: EventSelectors::default(),
        insight_selectors: InsightSelectors::default(),
        aggregation_configurations: AggregationConfigurations::default(),
        created_at: 1,
        updated_at: 1,
    }
}

fn all<'a>(listings: &'a [Listing], attribute: Option<&'a Attribute>) -> LookupQuery<'a> {
    static WHERE: LazyLock<(AccountId, Region)> =
        LazyLock::new(|| (account("111122223333"), region("us-east-1")));
    let range = TimeRange { from: 0, to: 1_000_000 };
    LookupQuery { account: &WHERE.0, region: &WHERE.1, listings, attribute, range, before: None, limit: 50 }
}

fn step(order: Order, after: Option<i64>, limit: u32) -> ExportStep {
    ExportStep { order, after, limit, searched: 1000 }
}

async fn insert(store: &Store, events: &[Event]) -> Vec<bool> {
    let mut session = store.write().await.unwrap();
    let stored = session.events().insert(&events.iter().collect::<Vec<_>>(), 7000).await.unwrap();
    session.commit().await.unwrap();
    stored.new
}

#[tokio::test]
async fn what_is_not_committed_is_undone() {
    let (store, _folder, _temp) = open().await;
    let mut session = store.write().await.unwrap();
    session.trails().insert(&trail("demo", "us-east-1", false), &[]).await.unwrap();
    session.events().insert(&[&event(1, 10)], 7000).await.unwrap();
    drop(session);
    assert!(store.read().await.unwrap().trails().of(&account("111122223333")).await.unwrap().is_empty());
    assert!(store.read().await.unwrap().events().key_of("e-1").await.unwrap().is_none());
    // And the next one can write.
    assert_eq!(insert(&store, &[event(1, 10)]).await, [true]);
}

#[tokio::test]
async fn a_trail_is_stored_changed_and_removed_with_all_that_belongs_to_it() {
    let (store, _folder, _temp) = open().await;
    let tags = [Tag { key: "b".into(), value: None }, Tag { key: "a".into(), value: Some("1".into()) }];
    let mut demo = trail("demo", "us-east-1", false);
    let mut db = store.write().await.unwrap();
    demo.id = db.trails().insert(&demo, &tags).await.unwrap();
    db.trails().insert(&trail("demo", "eu-west-1", false), &[]).await.unwrap();
    assert_eq!(db.trails().of(&account("111122223333")).await.unwrap().len(), 2);
    assert!(db.trails().of(&account("444455556666")).await.unwrap().is_empty());
    assert_eq!(db.trails().tags(demo.id).await.unwrap(), tags);
    let before = demo.clone();
    demo.s3_key_prefix = None;
    demo.updated_at = 2;
    db.trails().update(&before, &demo).await.unwrap();
    assert_eq!(db.trails().of(&account("111122223333")).await.unwrap()[1], demo);
    db.trails().delete(&demo, 3).await.unwrap();
    assert_eq!(
        db.trails().of(&account("111122223333")).await.unwrap().len(),
        1,
        "the one of the other region stays"
    );
    assert_eq!(
        db.trails().by_id(demo.id).await.unwrap(),
        Some(demo.clone()),
        "something may be to be delivered"
    );
    db.trails().remove_deleted().await.unwrap();
    assert_eq!(db.trails().by_id(demo.id).await.unwrap(), None);
    assert!(db.trails().tags(demo.id).await.unwrap().is_empty());
    let again = db.trails().insert(&demo, &[]).await.unwrap();
    assert!(again > demo.id + 1, "no number is given twice");
}

#[tokio::test]
async fn selectors_of_a_trail_are_stored_and_known_as_they_are_committed() {
    let (store, _folder, _temp) = open().await;
    let ours = account("111122223333");
    let mut demo = trail("demo", "us-east-1", false);
    let mut db = store.write().await.unwrap();
    demo.id = db.trails().insert(&demo, &[]).await.unwrap();
    db.trails().start_logging(&demo, 1).await.unwrap();
    db.commit().await.unwrap();
    let takers = || store.logging_trails(&ours).takers(&event(1, 10)).len();
    assert_eq!(takers(), 1);
    demo.event_selectors = serde_json::from_value(json!({"AdvancedEventSelectors": [{"FieldSelectors": [
        {"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "readOnly", "Equals": ["true"]}]}]}))
    .unwrap();
    demo.insight_selectors = serde_json::from_value(json!([{"InsightType": "ApiErrorRateInsight"}])).unwrap();
    demo.aggregation_configurations =
        serde_json::from_value(json!([{"Templates": ["API_ACTIVITY"], "EventCategory": "Data"}])).unwrap();
    demo.updated_at = 2;
    let mut db = store.write().await.unwrap();
    db.trails().update_selectors(&demo).await.unwrap();
    assert_eq!(takers(), 1, "not before the commit");
    db.commit().await.unwrap();
    assert_eq!(takers(), 0);
    assert_eq!(store.read().await.unwrap().trails().by_id(demo.id).await.unwrap(), Some(demo));
}

#[tokio::test]
async fn delegated_administrators_are_those_of_their_organization() {
    let (store, _folder, _temp) = open().await;
    let (ours, theirs) = (account("111122223333"), account("444455556666"));
    let mut db = store.write().await.unwrap();
    for admin in ["222222222222", "111111111111"] {
        db.organizations().register_delegated_admin(&ours, &account(admin), 1).await.unwrap();
    }
    let admins = db.organizations().delegated_admins(&ours).await.unwrap();
    assert_eq!(admins, [account("111111111111"), account("222222222222")]);
    assert!(db.organizations().delegated_admins(&theirs).await.unwrap().is_empty());
    for (management, was_one) in [(&theirs, false), (&ours, true), (&ours, false)] {
        let admin = account("111111111111");
        let removed = db.organizations().deregister_delegated_admin(management, &admin).await.unwrap();
        assert_eq!(removed, was_one);
    }
    db.maintenance().begin_wipe(Some(&ours), 2).await.unwrap();
    assert!(db.organizations().delegated_admins(&ours).await.unwrap().is_empty());
}

#[tokio::test]
async fn logging_starts_and_stops_and_keeps_its_times() {
    let (store, _folder, _temp) = open().await;
    let (ours, theirs) = (account("111122223333"), account("444455556666"));
    let mut demo = trail("demo", "us-east-1", false);
    let mut db = store.write().await.unwrap();
    demo.id = db.trails().insert(&demo, &[]).await.unwrap();
    assert_eq!(db.trails().status(&demo, "us-east-1").await.unwrap(), TrailStatus::default());
    let logging = |on, start, stop| TrailStatus {
        is_logging: on,
        start_logging_time: start,
        stop_logging_time: stop,
        ..TrailStatus::default()
    };
    for (on, at, want) in [
        (false, 1, logging(false, None, None)),
        (true, 2, logging(true, Some(2), None)),
        (true, 3, logging(true, Some(2), None)),
        (false, 4, logging(false, Some(2), Some(4))),
        (false, 5, logging(false, Some(2), Some(4))),
        (true, 6, logging(true, Some(6), Some(4))),
    ] {
        if on {
            db.trails().start_logging(&demo, at).await
        } else {
            db.trails().stop_logging(&demo, at).await
        }
        .unwrap();
        assert_eq!(db.trails().status(&demo, "us-east-1").await.unwrap(), want);
        db.commit().await.unwrap();
        assert_eq!(store.logging_trails(&ours).cover(&region("us-east-1")), on);
        assert!(store.logging_trails(&theirs).is_empty());
        db = store.write().await.unwrap();
        if on { db.trails().stop_logging(&demo, 9).await } else { db.trails().start_logging(&demo, 9).await }
            .unwrap();
        drop(db);
        assert_eq!(
            store.logging_trails(&ours).cover(&region("us-east-1")),
            on,
            "what is undone is not known"
        );
        db = store.write().await.unwrap();
    }
    let mut everywhere = trail("all", "ap-south-1", true);
    everywhere.id = db.trails().insert(&everywhere, &[]).await.unwrap();
    db.trails().start_logging(&everywhere, 7).await.unwrap();
    db.commit().await.unwrap();
    assert!(store.logging_trails(&ours).cover(&region("sa-east-1")));
    let mut db = store.write().await.unwrap();
    db.maintenance().begin_wipe(Some(&ours), 8).await.unwrap();
    db.commit().await.unwrap();
    assert!(store.logging_trails(&ours).is_empty());
}

#[tokio::test]
async fn an_event_is_stored_once_also_within_a_batch_of_any_size() {
    let (store, _folder, _temp) = open().await;
    let many: Vec<_> = (0..234).map(|i| event(i, 100)).collect();
    assert_eq!(insert(&store, &many).await, vec![true; 234]);
    let again: Vec<_> = (200..300).chain([299]).map(|i| event(i, 100)).collect();
    let new = insert(&store, &again).await;
    assert_eq!(new.iter().filter(|new| **new).count(), 66);
    assert!(new[..34].iter().all(|new| !new), "known already");
    assert!(!new[100], "twice in one batch");
    let rows = store
        .read()
        .await
        .unwrap()
        .events()
        .export(&EventFilter::default(), step(Order::OldestFirst, None, 1000))
        .await
        .unwrap();
    assert_eq!(rows.rows.len(), 300);
    let key = Attribute { key: AttributeKey::ResourceName, value: "i-250".into() };
    let found =
        store.read().await.unwrap().events().lookup(&all(&[Listing::Write], Some(&key))).await.unwrap();
    assert_eq!(found.len(), 1, "resources of duplicates are not stored again");
    assert_eq!(found[0].resources, r#"[{"ResourceType":"AWS::EC2::Instance","ResourceName":"i-250"}]"#);
}

#[tokio::test]
async fn a_taken_key_costs_no_event() {
    let (store, folder, _temp) = open().await;
    insert(&store, &(0..20).map(|i| event(i, 100)).collect::<Vec<_>>()).await;
    // As after 2^30 events: the numbers begin again, and the second is the same.
    let other = sqlx::SqlitePool::connect(&format!("sqlite:{}", folder.database().display())).await.unwrap();
    sqlx::query("UPDATE counters SET value = 0 WHERE name = 'events'").execute(&other).await.unwrap();
    other.close().await;
    assert_eq!(insert(&store, &(20..35).map(|i| event(i, 100)).collect::<Vec<_>>()).await, vec![true; 15]);
    assert_eq!(
        store
            .read()
            .await
            .unwrap()
            .events()
            .export(&EventFilter::default(), step(Order::OldestFirst, None, 1000))
            .await
            .unwrap()
            .rows
            .len(),
        35
    );
}

#[tokio::test]
async fn a_lookup_sees_its_listings_range_and_page_only() {
    let (store, _folder, _temp) = open().await;
    let mut events: Vec<_> = (0..6).map(|i| event(i, i64::from(i))).collect();
    events[1].listing = Listing::Read;
    events[2].listing = Listing::Unlogged;
    events[3].region = region("eu-west-1");
    insert(&store, &events).await;
    let mut db = store.read().await.unwrap();
    let ids = async |db: &mut ReadSession, query: &LookupQuery<'_>| -> Vec<String> {
        db.events().lookup(query).await.unwrap().into_iter().map(|row| row.event_id).collect()
    };
    assert_eq!(ids(&mut db, &all(&[Listing::Write], None)).await, ["e-5", "e-4", "e-0"]);
    let today = [Listing::Write, Listing::Unlogged, Listing::Read];
    assert_eq!(ids(&mut db, &all(&today, None)).await, ["e-5", "e-4", "e-2", "e-1", "e-0"]);
    let mut query = all(&today, None);
    query.range = TimeRange { from: 1, to: 4 };
    query.limit = 2;
    assert_eq!(ids(&mut db, &query).await, ["e-4", "e-2"]);
    query.before = db.events().lookup(&query).await.unwrap().last().map(|row| row.key);
    assert_eq!(ids(&mut db, &query).await, ["e-1"]);
    query.range = TimeRange { from: 5, to: 4 };
    assert!(ids(&mut db, &query).await.is_empty());
}

#[tokio::test]
async fn an_export_goes_on_behind_a_key() {
    let (store, _folder, _temp) = open().await;
    insert(&store, &(0..5).map(|i| event(i, i64::from(i))).collect::<Vec<_>>()).await;
    let mut db = store.read().await.unwrap();
    let mut export = async |filter: &EventFilter, step| db.events().export(filter, step).await.unwrap();
    let all = EventFilter::default();
    let first = export(&all, step(Order::OldestFirst, None, 2)).await;
    let next = first.next.unwrap();
    assert_eq!(next, first.rows[1].key);
    let rest = export(&all, step(Order::OldestFirst, first.next, 100)).await;
    assert_eq!(rest.next, None);
    let records: Vec<_> = first.rows.iter().chain(&rest.rows).map(|row| row.record.as_str()).collect();
    assert_eq!(records, ["{\"n\":0}", "{\"n\":1}", "{\"n\":2}", "{\"n\":3}", "{\"n\":4}"]);
    let refused = EventFilter { failed: Some(true), ..EventFilter::default() };
    assert_eq!(export(&refused, step(Order::NewestFirst, None, 100)).await.rows.len(), 2);
    assert_eq!(db.events().key_of("e-1").await.unwrap(), Some(next));
}

/// However rare that is what is looked for, others get their turn.
#[tokio::test]
async fn a_piece_of_an_export_looks_at_no_more_events_than_it_may() {
    let (store, _folder, _temp) = open().await;
    insert(&store, &(0..7).map(|i| event(i, i64::from(i))).collect::<Vec<_>>()).await;
    let mut db = store.read().await.unwrap();
    let one = |n: u32| EventFilter { text: Some(format!("\"n\":{n}}}")), ..EventFilter::default() };
    for (order, n, pieces) in [
        (Order::OldestFirst, 0, [1, 0, 0, 0]),
        (Order::OldestFirst, 5, [0, 0, 1, 0]),
        (Order::NewestFirst, 6, [1, 0, 0, 0]),
        (Order::NewestFirst, 0, [0, 0, 0, 1]),
    ] {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            let step = ExportStep { searched: 2, ..step(order, after, 100) };
            let piece = db.events().export(&one(n), step).await.unwrap();
            found.push(piece.rows.len());
            after = piece.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, pieces, "{order:?} {n}");
    }
}

#[tokio::test]
async fn an_event_is_corrected_in_all_its_rows_and_the_mark_says_how_far_that_is() {
    let (store, _folder, _dir) = open().await;
    let events: Vec<Event> = (1..=3).map(|id| event(id, 1000 + i64::from(id))).collect();
    insert(&store, &events).await;
    let mut session = store.write().await.unwrap();
    assert_eq!(session.events().count_until(-1).await.unwrap(), (0, 3));
    let known = session.events().correction_mark().await.unwrap();
    assert_eq!(known, CorrectionMark { version: 0, until: None });
    let first = session.events().to_check(-1, 2).await.unwrap();
    let [one, two] = &first[..] else { panic!("{first:?}") };
    assert_eq!((one.record.as_str(), two.record.as_str()), ("{\"n\":1}", "{\"n\":2}"));
    assert!(!session.events().correct(one, &events[0]).await.unwrap(), "there is nothing to correct");
    let read = Event {
        listing: Listing::Read,
        read_only: true,
        resources: EventResources::default(),
        ..events[1].clone()
    };
    assert!(session.events().correct(two, &read).await.unwrap());
    assert_eq!(session.events().count_until(two.key).await.unwrap(), (2, 3));
    let until = CorrectionMark { version: 7, until: Some(two.key) };
    session.events().set_correction_mark(until).await.unwrap();
    assert_eq!(session.events().correction_mark().await.unwrap(), until);
    let rest = session.events().to_check(two.key, 2).await.unwrap();
    assert_eq!(rest.iter().map(|event| event.record.as_str()).collect::<Vec<_>>(), ["{\"n\":3}"]);
    let end = CorrectionMark { version: 7, until: None };
    session.events().set_correction_mark(end).await.unwrap();
    assert_eq!(session.events().correction_mark().await.unwrap(), end);
    session.commit().await.unwrap();
}

#[tokio::test]
async fn settings_keep_their_first_value_and_the_size_is_known() {
    let (store, _folder, _temp) = open().await;
    let mut db = store.write().await.unwrap();
    assert_eq!(db.settings().get_or_set("k", "one").await.unwrap(), "one");
    assert_eq!(db.settings().get_or_set("k", "two").await.unwrap(), "one");
    assert!(db.maintenance().size_bytes().await.unwrap() > 0);
}

#[tokio::test]
async fn old_events_leave_in_pieces_and_so_does_what_is_wiped() {
    let (store, _folder, _temp) = open().await;
    insert(&store, &(0..25).map(|i| event(i, 100)).collect::<Vec<_>>()).await;
    let mut db = store.write().await.unwrap();
    assert_eq!(db.events().remove_old(7000, 10).await.unwrap(), 0, "stored at 7000 is not before 7000");
    assert_eq!(db.events().remove_old(7001, 10).await.unwrap(), 10);
    db.trails().insert(&trail("demo", "us-east-1", false), &[]).await.unwrap();
    let (theirs, trails) = db.maintenance().begin_wipe(Some(&account("444455556666")), 8000).await.unwrap();
    assert_eq!((trails, db.maintenance().wipe_piece(&theirs, 10).await.unwrap().rows), (0, 0));
    let (ours, trails) = db.maintenance().begin_wipe(Some(&account("111122223333")), 8000).await.unwrap();
    db.events().insert(&[&event(100, 100)], 8001).await.unwrap();
    let mut pieces = Vec::new();
    for _ in 0..3 {
        pieces.push(db.maintenance().wipe_piece(&ours, 10).await.unwrap().events);
    }
    assert_eq!((trails, pieces), (1, vec![10, 5, 0]), "what came later stays");
    assert!(db.events().key_of("e-100").await.unwrap().is_some());
}

#[tokio::test]
async fn an_error_says_whether_the_database_is_busy_in_conflict_or_damaged() {
    let (store, _folder, temp) = open().await;
    let key = DigestKey {
        fingerprint: "f".into(),
        private_key: "secret".into(),
        public_key: "p".into(),
        valid_from: 1,
        valid_to: 2,
    };
    let mut db = store.write().await.unwrap();
    db.trails().insert(&trail("demo", "us-east-1", false), &[]).await.unwrap();
    db.digest_keys().insert("us-east-1", &key).await.unwrap();
    let twice = db.digest_keys().insert("us-east-1", &key).await.unwrap_err();
    assert_eq!(twice.kind(), StoreErrorKind::Conflict, "{twice}");
    db.commit().await.unwrap();

    let other = rusqlite::Connection::open(temp.path().join("contrail.db")).unwrap();
    other.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    other.execute("UPDATE trails SET home_region = 'US EAST'", []).unwrap();
    let odd = store.read().await.unwrap().trails().of(&account("111122223333")).await.unwrap_err();
    assert_eq!(odd.kind(), StoreErrorKind::Damaged, "{odd}");

    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = store.try_write().await.unwrap_err();
    assert_eq!(busy.kind(), StoreErrorKind::Busy, "{busy}");
}
