//! Sessions: one that reads, one that writes and is committed or undone, and the groups of tables that they ask.

use crate::domain::account_id::AccountId;
use crate::store::logging_trails::{self, ChangedTrails, LoggingTrailsByAccount};
use crate::store::{StoreError, StoreResult};
use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Steps of SQLite's machine between two looks at whether a bounded session has to end: some ten microseconds.
const PROGRESS_STEPS: i32 = 1_000;

/// A session that only reads. It sees what was committed before each of its statements.
#[derive(Debug)]
pub struct ReadSession(Reading);

#[derive(Debug)]
enum Reading {
    Free(PoolConnection<Sqlite>),
    /// Abandoned is dropped first, so that the statement ends before the connection is given back.
    Bounded {
        _abandoned: Abandoned,
        connection: PoolConnection<Sqlite>,
    },
}

/// A session that writes: a transaction, undone unless it is committed. There is one at a time.
#[derive(Debug)]
pub struct WriteSession {
    transaction: Transaction<'static, Sqlite>,
    logging_trails: LoggingTrailsByAccount,
    changed_trails: ChangedTrails,
}

/// Says, once it is dropped, that nobody waits for the session's statement any more.
#[derive(Debug, Default)]
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl ReadSession {
    pub(super) fn new(connection: PoolConnection<Sqlite>) -> ReadSession {
        ReadSession(Reading::Free(connection))
    }

    /// Ends every statement as soon as `is_late` says so, or nobody waits for the answer any more.
    pub(super) async fn bounded(
        mut connection: PoolConnection<Sqlite>,
        mut is_late: impl FnMut() -> bool + Send + 'static,
    ) -> StoreResult<ReadSession> {
        let abandoned = Abandoned::default();
        let gone = Arc::clone(&abandoned.0);
        connection
            .lock_handle()
            .await?
            .set_progress_handler(PROGRESS_STEPS, move || !gone.load(Ordering::Relaxed) && !is_late());
        Ok(ReadSession(Reading::Bounded { _abandoned: abandoned, connection }))
    }
}

impl WriteSession {
    pub(super) fn new(
        transaction: Transaction<'static, Sqlite>,
        logging_trails: LoggingTrailsByAccount,
    ) -> WriteSession {
        WriteSession { transaction, logging_trails, changed_trails: ChangedTrails::None }
    }

    /// Has to be called for every change of a trail that decides what it takes.
    pub(super) fn has_changed_trails_of(&mut self, account: &AccountId) {
        self.changed_trails.add(account);
    }

    /// The same for all accounts.
    pub(super) fn has_changed_all_trails(&mut self) {
        self.changed_trails = ChangedTrails::All;
    }

    /// Makes everything done in this session durable, and what is in memory of the trails true to it.
    ///
    /// # Errors
    /// The disk is full, or the database is damaged; then nothing of it is stored.
    pub async fn commit(mut self) -> StoreResult<()> {
        let account = match &self.changed_trails {
            ChangedTrails::None => return Ok(self.transaction.commit().await?),
            ChangedTrails::Of(account) => Some(account),
            ChangedTrails::All => None,
        };
        let replacement = logging_trails::read(&mut self.transaction, account).await?;
        // In a task of its own: it comes to its end also when whoever asked goes away meanwhile.
        let committing = tokio::spawn(async move {
            let _changing = self.logging_trails.lock_changes().await;
            self.transaction.commit().await?;
            self.logging_trails.replace(replacement);
            Ok(())
        });
        committing.await.map_err(StoreError::from)?
    }
}

/// The connection of a session; for the store alone.
pub trait Connected: fmt::Debug + Send {
    #[doc(hidden)]
    fn connection(&mut self) -> &mut SqliteConnection;
}

impl Connected for ReadSession {
    fn connection(&mut self) -> &mut SqliteConnection {
        match &mut self.0 {
            Reading::Free(connection) | Reading::Bounded { connection, .. } => connection,
        }
    }
}

impl Connected for WriteSession {
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

macro_rules! table_groups {
    ($($(#[$what:meta])* $name:ident: $group:ident,)*) => {
        /// What can be asked of the database, by groups of tables. What changes something is there for a
        /// [`WriteSession`] only.
        pub trait Session: Connected + Sized {
            $(
                $(#[$what])*
                fn $name(&mut self) -> $group<'_, Self> {
                    $group(self)
                }
            )*
        }

        $(
            $(#[$what])*
            #[derive(Debug)]
            pub struct $group<'s, S>(pub(super) &'s mut S);

            impl<S: Session> $group<'_, S> {
                pub(super) fn db(&mut self) -> &mut SqliteConnection {
                    self.0.connection()
                }
            }
        )*
    };
}

table_groups! {
    /// Trails with their status and tags.
    trails: Trails,
    /// Events, what they are found by, and how many there are.
    events: Events,
    /// What trails deliver: destinations, the events that wait for them, log files.
    deliveries: Deliveries,
    /// Chains of digests.
    digests: Digests,
    /// The keys that sign digests.
    digest_keys: DigestKeys,
    /// Delegated administrators of organizations.
    organizations: Organizations,
    /// Users and keys that emulators have handed out.
    learned_keys: LearnedKeys,
    /// What the server itself remembers.
    settings: Settings,
    /// The database as a whole.
    maintenance: Maintenance,
}

impl Session for ReadSession {}
impl Session for WriteSession {}
