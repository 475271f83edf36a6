//! Filters of the read API, asked of a database with some events: each gets an answer, a page and an export the same events.
#![no_main]

use contrail::aws::catalog::Catalog;
use contrail::clock::Clock;
use contrail::domain::account_id::AccountId;
use contrail::domain::event::Event;
use contrail::domain::event_filter::EventFilter;
use contrail::store::{DataDir, ExportStep, Order, ReadBounds, Session, Store};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use tokio::runtime::Runtime;

struct History {
    runtime: Runtime,
    store: Store,
    _folder: (DataDir, tempfile::TempDir),
}

static HISTORY: LazyLock<History> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let locked = DataDir::lock(folder.path()).expect("its lock");
    let account = AccountId::parse("111122223333").expect("12 digits");
    let events: Vec<Event> = (0..9)
        .map(|n| {
            let record = format!(
                r#"{{"eventTime":"2026-11-22T05:00:0{n}Z","awsRegion":"us-east-1","eventName":"Name{n}","eventSource":"ec2.amazonaws.com","eventID":"{n}","sourceIPAddress":"192.0.2.{n}"}}"#
            );
            Event::from_record(&record, &account, 0, &*Catalog::embedded()).expect("a good record")
        })
        .collect();
    let store = runtime.block_on(async {
        let store = Store::open(&locked).await.expect("a store");
        let mut session = store.write().await.expect("a session");
        let events: Vec<&Event> = events.iter().collect();
        session.events().insert(&events, 0).await.expect("room");
        session.commit().await.expect("room");
        store
    });
    History { runtime, store, _folder: (locked, folder) }
});

fuzz_target!(|text: &str| {
    let mut filter = EventFilter::default();
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if filter.take(name, value).is_err() {
            return;
        }
    }
    let History { runtime, store, .. } = &*HISTORY;
    runtime.block_on(async {
        let clock = Clock::system();
        let mut session = store.read_bounded(move || clock.elapsed().as_secs() > 5).await.expect("a session");
        let bounds = ReadBounds { searched: 100, sampled: 100 };
        let page = session.events().page(&filter, None, 100, bounds).await.expect("an answer");
        let step = ExportStep { order: Order::NewestFirst, after: None, limit: 100, searched: 100 };
        let export = session.events().export(&filter, step).await.expect("an answer");
        let keys = |of: Vec<i64>| of;
        assert_eq!(
            keys(page.events.iter().map(|row| row.key).collect()),
            keys(export.rows.iter().map(|row| row.key).collect())
        );
    });
});
