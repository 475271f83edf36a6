//! The same rows put in with SQLite's plain driver: same schema, same indexes, same settings, one thread, row by row.

use contrail::domain::event::Event;
use contrail::domain::resources::short_type;
use rusqlite::{Connection, params};
use std::path::Path;

const MIGRATIONS: [&str; 4] = [
    include_str!("../../migrations/0001_settings.sql"),
    include_str!("../../migrations/0002_trails.sql"),
    include_str!("../../migrations/0003_events.sql"),
    include_str!("../../migrations/0004_views.sql"),
];

/// A database of its own.
pub(crate) struct Baseline {
    db: Connection,
    stored: i64,
    cpu: f64,
    wall: f64,
}

impl Baseline {
    pub(crate) fn open(folder: &Path) -> Baseline {
        let db = Connection::open(folder.join("baseline.db")).expect("a database");
        db.execute_batch(
            "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000; PRAGMA foreign_keys = ON;",
        )
        .expect("settings");
        for migration in MIGRATIONS {
            db.execute_batch(migration).expect("a migration");
        }
        Baseline { db, stored: 0, cpu: 0.0, wall: 0.0 }
    }

    /// Stores `events` in transactions of `size`.
    pub(crate) fn insert(&mut self, events: &[Event], size: usize) {
        let (cpu, wall) = (thread_cpu(), std::time::Instant::now());
        for chunk in events.chunks(size) {
            let transaction = self.db.transaction().expect("a transaction");
            {
                let mut insert = transaction
                    .prepare_cached(
                        "INSERT INTO events (key, event_time, account, region, event_id, event_name, event_source, \
                         listing, read_only, username, access_key_id, error_code, stored_at, resources, record) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
                         ON CONFLICT (account, region, event_id) DO NOTHING",
                    )
                    .expect("a statement");
                let mut resource = transaction
                    .prepare_cached(
                        "INSERT INTO event_resources (key, position, account, region, listing, resource_type, \
                         short_type, resource_name) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )
                    .expect("a statement");
                for event in chunk {
                    self.stored += 1;
                    let (key, listing) = (event.event_time << 30 | self.stored, event.listing.name());
                    insert
                        .execute(params![
                            key,
                            event.event_time,
                            event.account.as_str(),
                            event.region.as_str(),
                            event.event_id,
                            event.event_name,
                            event.event_source,
                            listing,
                            event.read_only,
                            event.username,
                            event.access_key_id,
                            event.error_code,
                            1_700_000_000_000_i64,
                            serde_json::json!(event.resources.all()).to_string(),
                            event.record,
                        ])
                        .expect("a row");
                    for (r, position) in event.resources.all().iter().zip(0i64..) {
                        let kind = r.resource_type.as_deref();
                        let (account, region, short) =
                            (&event.account.as_str(), &event.region.as_str(), kind.map(short_type));
                        resource
                            .execute(params![
                                key,
                                position,
                                account,
                                region,
                                listing,
                                kind,
                                short,
                                r.resource_name
                            ])
                            .expect("a row");
                    }
                }
            }
            transaction.commit().expect("a commit");
        }
        self.cpu += thread_cpu() - cpu;
        self.wall += wall.elapsed().as_secs_f64();
    }

    /// (events a second, CPU microseconds an event)
    pub(crate) fn figures(&self) -> (f64, f64) {
        (self.stored as f64 / self.wall, self.cpu / self.stored as f64)
    }
}

/// CPU microseconds that this thread has used.
pub(crate) fn thread_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("/proc");
    text.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).expect("a number") / 1000.0
}
