//! The one task that stores events: it takes what has gathered, writes it in one transaction, and only then says so.
//! Calls that change something commit by themselves, what they have changed and their record together; they take along what
//! has gathered, too.
//!
//! Many callers that wait for a commit share it (group commit): the disk is what is slow, not the rows. A batch that meets
//! a busy database is kept and tried again until it is stored or the server stops; only a full disk or a damaged database
//! is an error to those who wait.

use crate::domain::event::Event;
use crate::domain::routing::CapturedEvent;
use crate::metrics::Metrics;
use crate::recorder::commit::Committer;
use crate::recorder::gathered::{Gathered, LONGEST, Taken};
use crate::store::{Store, StoreError, StoreErrorKind, StoreResult, WriteSession};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Batches that may wait before senders wait too.
const QUEUE: usize = 1024;

/// The pause before a batch that met a busy database is tried again; the try itself waits as well.
const PAUSE: Duration = Duration::from_millis(50);

/// Events in a transaction, unless one batch alone has more.
const MAX_BATCH: usize = 8000;

/// A batch could not be stored. The cause has been logged.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the event could not be stored: {0}")]
pub struct NotStored(Arc<str>);

/// How many events of a batch were new, and how many were there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Stored now.
    pub new: usize,
    /// Ignored: their id is known in their account and region.
    pub duplicates: usize,
}

/// Where a batch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Calls that were recorded here.
    Call,
    /// Imported: taken by the trails that are logging as it is stored.
    Intake,
}

impl Source {
    /// What metrics call it.
    fn name(self) -> &'static str {
        match self {
            Source::Call => "call",
            Source::Intake => "intake",
        }
    }
}

struct Batch {
    events: Vec<CapturedEvent>,
    source: Source,
    done: oneshot::Sender<Result<Stored, Unstored>>,
}

/// The way to the writing task, cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Batch>,
    gathered: Gathered,
    committer: Committer,
    metrics: Metrics,
}

impl Writer {
    /// Starts the writing task.
    pub fn start(store: Store, committer: Committer, metrics: Metrics) -> (Writer, WriterTask) {
        let (queue, incoming) = mpsc::channel(QUEUE);
        let (stop, stopped) = oneshot::channel();
        let gathered = Gathered::new(LONGEST);
        let task = Task {
            incoming,
            gathered: gathered.clone(),
            stop: Stop { stopped, came: false },
            store,
            committer: committer.clone(),
            metrics: metrics.clone(),
        };
        let task = tokio::spawn(task.run());
        (Writer { queue, gathered, committer, metrics }, WriterTask { stop, task })
    }

    /// Commits what a call has changed, and its record with it: they are durable together.
    ///
    /// # Errors
    /// Nothing of the session was stored.
    pub async fn commit(&self, session: WriteSession, record: &CapturedEvent) -> StoreResult<()> {
        // They were called before: they come first.
        let taken = self.gathered.take();
        let captured: Vec<_> = taken.events().iter().chain([record]).collect();
        let new = self.committer.commit(session, &captured).await?;
        self.metrics.stored(Source::Call.name(), new.into_iter().filter(|new| *new).count() as u64);
        self.metrics.queue.dec_by(taken.events().len() as i64);
        taken.settle();
        Ok(())
    }

    /// Stores events and waits until they are durable.
    ///
    /// # Errors
    /// Nothing of the batch was stored.
    pub async fn store(&self, events: Vec<CapturedEvent>) -> Result<Stored, NotStored> {
        self.submit(events).await.wait().await
    }

    /// Hands events over, and lets the caller wait for the commit later.
    pub async fn submit(&self, events: Vec<CapturedEvent>) -> Pending {
        self.hand_over(events, Source::Call).await
    }

    /// The same for events from outside: those trails take them that are logging as they are stored.
    pub async fn submit_imported(&self, events: Vec<Event>) -> Pending {
        let events = events.into_iter().map(|event| CapturedEvent { event, takers: Vec::new() });
        self.hand_over(events.collect(), Source::Intake).await
    }

    async fn hand_over(&self, events: Vec<CapturedEvent>, source: Source) -> Pending {
        let (done, result) = oneshot::channel();
        self.metrics.queue.inc_by(events.len() as i64);
        // The task ends only after all senders; should it be gone all the same, the waiting side learns it.
        let _ = self.queue.send(Batch { events, source, done }).await;
        Pending(result)
    }

    /// Hands an event over without waiting for the commit: for records of calls that only read. Waits only while there is no
    /// room for it.
    pub async fn later(&self, event: CapturedEvent) {
        self.gathered.add(event).await;
        self.metrics.queue.inc();
    }

    /// Waits until everything that [`later`](Writer::later) was given is stored.
    ///
    /// # Errors
    /// Nothing can be stored now.
    pub async fn settle(&self) -> Result<(), NotStored> {
        match self.gathered.is_settled() {
            true => Ok(()),
            // The next commit takes along what has gathered.
            false => self.store(Vec::new()).await.map(drop),
        }
    }

    /// Whether those who hand events over have to wait.
    pub fn is_full(&self) -> bool {
        self.queue.capacity() == 0
    }
}

/// A batch on its way.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Stored, Unstored>>);

/// Events that were not stored, given back.
#[derive(Debug)]
pub struct Unstored {
    /// None if the server is stopping.
    pub events: Vec<CapturedEvent>,
    /// Why.
    pub cause: NotStored,
}

impl Pending {
    /// Waits until the batch is durable.
    ///
    /// # Errors
    /// Nothing of it was stored.
    pub async fn wait(self) -> Result<Stored, NotStored> {
        self.settled().await.map_err(|unstored| unstored.cause)
    }

    /// Waits until the batch is durable, or gives it back.
    ///
    /// # Errors
    /// Nothing of it was stored.
    pub async fn settled(self) -> Result<Stored, Unstored> {
        let is_stopping =
            || Unstored { events: Vec::new(), cause: NotStored("the server is stopping".into()) };
        self.0.await.unwrap_or_else(|_| Err(is_stopping()))
    }
}

/// The writing task itself.
#[derive(Debug)]
pub struct WriterTask {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl WriterTask {
    /// Takes no more batches, writes those that wait, and ends.
    pub async fn stop(self) {
        // An error means that it has ended already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

struct Task {
    incoming: mpsc::Receiver<Batch>,
    gathered: Gathered,
    stop: Stop,
    store: Store,
    committer: Committer,
    metrics: Metrics,
}

impl Task {
    async fn run(mut self) {
        loop {
            let first = tokio::select! {
                biased;
                first = self.incoming.recv() => first,
                () = self.gathered.due() => {
                    self.store(Vec::new()).await;
                    continue;
                }
                () = self.stop.wait() => {
                    self.incoming.close();
                    continue;
                }
            };
            let Some(first) = first else {
                self.store(Vec::new()).await;
                return;
            };
            let mut events = first.events.len();
            let mut batches = vec![first];
            while events < MAX_BATCH
                && let Ok(next) = self.incoming.try_recv()
            {
                events += next.events.len();
                batches.push(next);
            }
            self.store(batches).await;
        }
    }

    /// Stores batches, and what has gathered.
    async fn store(&mut self, mut batches: Vec<Batch>) {
        let Task { gathered, store, committer, metrics, .. } = self;
        let events = batches.iter().map(|batch| batch.events.len()).sum::<usize>();
        let mut taken = None;
        let began = committer.clock.elapsed();
        let mut result = write(store, committer, gathered, &mut taken, &mut batches).await;
        let is_busy = |result: &Result<_, StoreError>| {
            result.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::Busy)
        };
        if is_busy(&result) {
            tracing::warn!(events, "the database is busy; events wait to be stored");
        }
        while is_busy(&result) && !self.stop.came {
            metrics.commit_retries.inc();
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = self.stop.wait() => self.incoming.close(),
            }
            result = write(store, committer, gathered, &mut taken, &mut batches).await;
        }
        // If there was no session for it, what had gathered has the fate of the batches.
        let taken = taken.unwrap_or_else(|| gathered.take());
        let events = events + taken.events().len();
        metrics.queue.dec_by(events as i64);
        metrics.commit_seconds.observe(committer.clock.elapsed().saturating_sub(began).as_secs_f64());
        metrics.commit_events.observe(events as f64);
        if let Err(error) = &result {
            metrics.commit_failures.inc();
            tracing::error!(error = %error, events, "events could not be stored");
        }
        finish(taken, batches, result, metrics);
    }
}

/// The word to stop, which comes once.
struct Stop {
    stopped: oneshot::Receiver<()>,
    came: bool,
}

impl Stop {
    /// Waits for the word; for ever if it has come already.
    async fn wait(&mut self) {
        if self.came {
            return std::future::pending().await;
        }
        // An error means that whoever could say it is gone.
        let _ = (&mut self.stopped).await;
        self.came = true;
    }
}

async fn write(
    store: &Store,
    committer: &Committer,
    gathered: &Gathered,
    taken: &mut Option<Taken>,
    batches: &mut [Batch],
) -> StoreResult<Vec<bool>> {
    let session = store.try_write().await?;
    // Only now: another session may have had them until here, and given them back.
    let taken = taken.get_or_insert_with(|| gathered.take());
    // Inside the transaction, so that no trail changes until the events are stored.
    for batch in batches.iter_mut().filter(|batch| batch.source == Source::Intake) {
        for captured in &mut batch.events {
            captured.takers = store.logging_trails(&captured.event.account).takers(&captured.event);
        }
    }
    let captured =
        taken.events().iter().chain(batches.iter().flat_map(|batch| &batch.events)).collect::<Vec<_>>();
    // A fault in writing one batch must not end the writing of all others.
    let committed = AssertUnwindSafe(committer.commit(session, &captured)).catch_unwind().await;
    committed.unwrap_or_else(|_| Err(StoreError::fault()))
}

/// Tells everybody who waits what became of their batch. `result` says of each event whether it is new, first of those that
/// had gathered.
fn finish(taken: Taken, batches: Vec<Batch>, result: Result<Vec<bool>, StoreError>, metrics: &Metrics) {
    let result = result.map_err(|error| NotStored(error.to_string().into()));
    let mut at = taken.events().len();
    if let Ok(new) = &result {
        metrics.stored(Source::Call.name(), new[..at].iter().filter(|new| **new).count() as u64);
    }
    taken.settle();
    for batch in batches {
        let Batch { events, source, done } = batch;
        let count = events.len();
        let outcome = match &result {
            Ok(new) => {
                let new = new[at..at + count].iter().filter(|new| **new).count();
                let stored = Stored { new, duplicates: count - new };
                metrics.stored(source.name(), stored.new as u64);
                metrics.events_duplicate.inc_by(stored.duplicates as u64);
                Ok(stored)
            }
            Err(cause) => Err(Unstored { events, cause: cause.clone() }),
        };
        at += count;
        // The sender may be gone; its events are stored all the same.
        let _ = done.send(outcome);
    }
}
