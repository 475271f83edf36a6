//! Records of forwarded calls: a bounded queue, and the task that builds what is written. Offering a call never waits and
//! never fails; what finds no room is counted, and logged once in a while. An answer that is not to be given before its
//! call is recorded waits for what becomes of it.

use crate::aws::request::Request;
use crate::clock::Clock;
use crate::domain::learned::LearnedCaller;
use crate::domain::routing::CapturedEvent;
use crate::metrics::{Fate, Metrics};
use crate::recorder::exchange::Exchange;
use crate::recorder::forwarded_call::{ForwardedCallRecorder, Recorded};
use crate::recorder::writer::Writer;
use crate::store::{Session, Store, StoreResult};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Calls that are turned into one batch.
const BATCH: usize = 256;

/// Bytes of calls that are turned into events before others get their turn, which takes about a millisecond.
const BYTES_A_TURN: usize = 64 * 1024;

/// Lost calls between two lines in the log, after the first.
const LOST_A_LINE: u64 = 1000;

/// The pause before events that could not be stored are tried again; a full disk may get room.
const PAUSE: Duration = Duration::from_secs(5);

/// How long they are tried again. Then what still cannot be stored is dropped: one event that never can must not keep back
/// all others.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(300);

/// The queue of forwarded calls that are to be recorded, cheap to clone.
#[derive(Clone, Debug)]
pub struct ForwardedCalls {
    queue: mpsc::Sender<Offered>,
    settling: mpsc::Sender<oneshot::Sender<()>>,
    /// Calls that were offered, and of which it is not settled what becomes of them.
    unsettled: Arc<AtomicUsize>,
    waiting_bytes: Arc<AtomicUsize>,
    max_bytes: usize,
    lost: Arc<AtomicU64>,
    recorder: Arc<ForwardedCallRecorder>,
    store: Store,
    metrics: Metrics,
}

/// A call in the queue.
#[derive(Debug)]
struct Offered {
    exchange: Exchange,
    settled: Settled,
}

/// Told when it is settled what becomes of a call, if its caller waits for that.
type Settled = Option<oneshot::Sender<()>>;

/// A call whose events are not stored yet.
struct UnstoredCall {
    event_source: String,
    /// How many there are.
    events: usize,
    settled: Settled,
}

/// Room in the queue for one call.
#[derive(Debug)]
pub struct Room(mpsc::OwnedPermit<Offered>);

/// A call's record on its way to the disk. As a future it waits until the record is there, or it is settled that there is to
/// be none, as the settings have it.
#[derive(Debug)]
pub struct Recording(oneshot::Receiver<()>);

/// A call could not be recorded. The cause has been logged.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the call could not be recorded")]
pub struct NotRecorded;

impl Future for Recording {
    type Output = Result<(), NotRecorded>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|_| NotRecorded)
    }
}

impl ForwardedCalls {
    /// Starts the task. It ends when all clones of what is returned are gone.
    pub fn start(
        recorder: ForwardedCallRecorder,
        store: Store,
        writer: Writer,
        clock: Clock,
        metrics: Metrics,
    ) -> ForwardedCalls {
        let settings = &recorder.settings.recorder;
        let (max_bytes, recorder) = (settings.queue_bytes, Arc::new(recorder));
        let (queue, incoming) = mpsc::channel(recorder.settings.recorder.queue_calls);
        let (settling, settle) = mpsc::channel(1);
        let (waiting_bytes, unsettled) = (Arc::default(), Arc::default());
        let task = Task {
            incoming,
            settle,
            unsettled: Arc::clone(&unsettled),
            waiting_bytes: Arc::clone(&waiting_bytes),
            unstored: Vec::new(),
            unstored_calls: Vec::new(),
            failing_since: None,
            recorder: Arc::clone(&recorder),
            store: store.clone(),
            writer,
            clock,
            metrics: metrics.clone(),
        };
        tokio::spawn(task.run());
        ForwardedCalls {
            queue,
            settling,
            unsettled,
            waiting_bytes,
            max_bytes,
            lost: Arc::default(),
            recorder,
            store,
            metrics,
        }
    }

    /// Room for a call that has not been made yet, so that it is recorded for certain. When there is none the call is not
    /// to be made, and counts as refused.
    pub fn room(&self, request: &Request) -> Option<Room> {
        let has_room = self.waiting_bytes.load(Ordering::Relaxed) < self.max_bytes;
        let room = has_room.then(|| self.queue.clone().try_reserve_owned().ok()).flatten();
        if room.is_none() {
            let claim = request.signature().claim().ok().flatten();
            self.metrics.forwarded_calls.count(Fate::Refused, &self.recorder.service(claim));
        }
        room.map(Room)
    }

    /// Hands a call over for which room was kept.
    pub fn offer_into(&self, room: Room, mut exchange: Exchange) -> Recording {
        self.complete(&mut exchange);
        self.waiting_bytes.fetch_add(exchange.kept_bytes(), Ordering::Relaxed);
        self.unsettled.fetch_add(1, Ordering::SeqCst);
        let (settled, recording) = oneshot::channel();
        room.0.send(Offered { exchange, settled: Some(settled) });
        Recording(recording)
    }

    /// Hands a call over, or counts it as dropped.
    pub fn offer(&self, mut exchange: Exchange) {
        self.complete(&mut exchange);
        let size = exchange.kept_bytes();
        let has_room = self.waiting_bytes.fetch_add(size, Ordering::Relaxed) + size <= self.max_bytes;
        if let Some(room) = has_room.then(|| self.queue.try_reserve().ok()).flatten() {
            self.unsettled.fetch_add(1, Ordering::SeqCst);
            room.send(Offered { exchange, settled: None });
            return;
        }
        self.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
        self.metrics.forwarded_calls.count(Fate::Dropped, &self.recorder.service(exchange.claim()));
        let lost = self.lost.fetch_add(1, Ordering::Relaxed);
        if lost.is_multiple_of(LOST_A_LINE) {
            tracing::warn!(
                lost = lost + 1,
                "forwarded calls were not recorded: the recorder's queue is full"
            );
        }
    }

    /// Does what has to be done before the caller has the answer.
    fn complete(&self, exchange: &mut Exchange) {
        if let Some(claim) = exchange.form_claim() {
            // Whose call it is was not known before its body was here.
            let (account, _) = self.recorder.callers.holder(Some(&claim.access_key));
            exchange.trails = self.store.logging_trails(&account);
        }
        self.recorder.learn(exchange);
    }

    /// Waits until everything that was offered has been stored, or cannot be stored now.
    pub async fn settle(&self) {
        if self.unsettled.load(Ordering::SeqCst) == 0 && !self.recorder.callers.has_unsaved() {
            return;
        }
        let (done, settled) = oneshot::channel();
        // Errors mean that the task is gone, and nothing waits any more.
        if self.settling.send(done).await.is_ok() {
            let _ = settled.await;
        }
    }
}

struct Task {
    incoming: mpsc::Receiver<Offered>,
    settle: mpsc::Receiver<oneshot::Sender<()>>,
    unsettled: Arc<AtomicUsize>,
    waiting_bytes: Arc<AtomicUsize>,
    /// Events that could not be stored yet. While there are any, calls wait in the queue.
    unstored: Vec<CapturedEvent>,
    /// The calls that they are of, in the same order.
    unstored_calls: Vec<UnstoredCall>,
    /// By [`Clock::elapsed`].
    failing_since: Option<Duration>,
    clock: Clock,
    recorder: Arc<ForwardedCallRecorder>,
    store: Store,
    writer: Writer,
    metrics: Metrics,
}

impl Task {
    async fn run(mut self) {
        let mut calls = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                Some(done) = self.settle.recv() => {
                    self.store_all().await;
                    // Whoever asked may have gone away.
                    let _ = done.send(());
                }
                received = self.incoming.recv_many(&mut calls, BATCH), if self.unstored.is_empty() => {
                    if received == 0 {
                        return;
                    }
                    self.record(&mut calls).await;
                    self.store().await;
                }
                () = tokio::time::sleep(PAUSE), if !self.unstored.is_empty() => self.store().await,
            }
        }
    }

    /// Stores everything that has been offered so far.
    async fn store_all(&mut self) {
        // Others may go on offering.
        let mut left = self.incoming.len();
        self.store().await;
        while left > 0 && self.unstored.is_empty() {
            let mut calls: Vec<_> =
                std::iter::from_fn(|| self.incoming.try_recv().ok()).take(left.min(BATCH)).collect();
            left -= calls.len();
            if calls.is_empty() {
                return;
            }
            self.record(&mut calls).await;
            self.store().await;
        }
    }

    /// Turns calls into events. Others get their turn in between: a call with long bodies takes a while.
    async fn record(&mut self, calls: &mut Vec<Offered>) {
        let mut bytes = 0;
        for Offered { exchange, settled } in calls.drain(..) {
            let size = exchange.kept_bytes();
            self.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
            bytes += size;
            if bytes > BYTES_A_TURN {
                bytes = 0;
                tokio::task::yield_now().await;
            }
            // A fault in reading one call must not end the recording of all others.
            match catch_unwind(AssertUnwindSafe(|| self.recorder.record(&exchange))) {
                Ok(Recorded::Events(events)) => {
                    let event_source = events.first().map(|captured| captured.event.event_source.clone());
                    let event_source = event_source.unwrap_or_default();
                    self.unstored_calls.push(UnstoredCall { event_source, events: events.len(), settled });
                    self.unstored.extend(events);
                }
                Ok(Recorded::Unwanted) => self.settle(settled),
                Ok(Recorded::Unidentified(service)) => {
                    self.metrics.forwarded_calls.count(Fate::Unidentified, &service);
                    self.settle(settled);
                }
                Err(_) => {
                    let service = self.recorder.service(exchange.claim());
                    tracing::error!(service, "a fault in Contrail: a forwarded call was not recorded");
                    self.metrics.forwarded_calls.count(Fate::Dropped, &service);
                    self.unsettled.fetch_sub(1, Ordering::SeqCst);
                }
            }
        }
    }

    /// A call is recorded, or is to have no record.
    fn settle(&self, settled: Settled) {
        self.unsettled.fetch_sub(1, Ordering::SeqCst);
        if let Some(settled) = settled {
            // Its caller may have gone away.
            let _ = settled.send(());
        }
    }

    async fn store(&mut self) {
        self.store_learned().await;
        if self.unstored.is_empty() {
            return;
        }
        let events = std::mem::take(&mut self.unstored);
        match self.writer.submit(events).await.settled().await {
            Ok(_) => {
                self.failing_since = None;
                for call in std::mem::take(&mut self.unstored_calls) {
                    self.metrics.forwarded_calls.count(Fate::Recorded, &call.event_source);
                    self.settle(call.settled);
                }
                return;
            }
            Err(unstored) => {
                self.unstored = unstored.events;
                if self.unstored.is_empty() {
                    // The server is stopping, and none came back.
                    self.unstored_calls.clear();
                }
            }
        }
        // The writer has logged why.
        let now = self.clock.elapsed();
        let since = *self.failing_since.get_or_insert(now);
        if now.saturating_sub(since) >= GIVEN_UP_AFTER {
            self.store_each().await;
        }
    }

    /// Stores what was learned of callers. What cannot be stored counts all the same, and is tried again with the next.
    async fn store_learned(&self) {
        let learned = self.recorder.callers.take_unsaved();
        if learned.is_empty() {
            return;
        }
        if let Err(error) = save(&self.store, &learned).await {
            tracing::warn!(%error, "what was learned of callers is not stored yet");
            self.recorder.callers.give_back(learned);
        }
    }

    /// Stores those that can be stored by themselves, and gives the others up.
    async fn store_each(&mut self) {
        self.failing_since = None;
        let (mut unstored, mut given_up) = (std::mem::take(&mut self.unstored).into_iter(), 0);
        for UnstoredCall { event_source, events, settled } in std::mem::take(&mut self.unstored_calls) {
            let mut refused = 0;
            for captured in unstored.by_ref().take(events) {
                refused += usize::from(self.writer.store(vec![captured]).await.is_err());
            }
            given_up += refused;
            if refused == 0 {
                self.metrics.forwarded_calls.count(Fate::Recorded, &event_source);
                self.settle(settled);
            } else {
                self.metrics.forwarded_calls.count(Fate::Dropped, &event_source);
                self.unsettled.fetch_sub(1, Ordering::SeqCst);
            }
        }
        if given_up > 0 {
            tracing::error!(events = given_up, "events of forwarded calls are given up");
        }
    }
}

async fn save(store: &Store, learned: &[LearnedCaller]) -> StoreResult<()> {
    let mut session = store.write().await?;
    for caller in learned {
        session.learned_keys().save(caller).await?;
    }
    session.commit().await
}
