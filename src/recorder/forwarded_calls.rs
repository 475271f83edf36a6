//! Records of forwarded calls: a bounded queue, and the task that builds what is written. Offering a call never waits and
//! never fails; what finds no room is counted, and logged once in a while.

use crate::metrics::Metrics;
use crate::recorder::exchange::Exchange;
use crate::recorder::forwarded_call::{ForwardedCallRecorder, Recorded};
use crate::recorder::writer::Writer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Calls that are turned into one batch.
const BATCH: usize = 256;

/// Lost calls between two lines in the log, after the first.
const LOST_A_LINE: u64 = 1000;

enum Item {
    Call(Box<Exchange>),
    Settle(oneshot::Sender<()>),
}

/// The queue of forwarded calls that are to be recorded, cheap to clone.
#[derive(Clone, Debug)]
pub struct ForwardedCalls {
    queue: mpsc::Sender<Item>,
    waiting: Arc<AtomicUsize>,
    max_bytes: usize,
    lost: Arc<AtomicU64>,
    metrics: Metrics,
}

impl ForwardedCalls {
    /// Starts the task. It ends when all clones of what is returned are gone.
    pub fn start(recorder: ForwardedCallRecorder, writer: Writer, metrics: Metrics) -> ForwardedCalls {
        let settings = &recorder.settings.recorder;
        let (queue, incoming) = mpsc::channel(settings.queue_calls);
        let waiting = Arc::new(AtomicUsize::new(0));
        let calls = ForwardedCalls {
            queue,
            waiting: Arc::clone(&waiting),
            max_bytes: settings.queue_bytes,
            lost: Arc::default(),
            metrics: metrics.clone(),
        };
        tokio::spawn(run(incoming, waiting, recorder, writer, metrics));
        calls
    }

    /// Hands a call over, or counts it as lost.
    pub fn offer(&self, exchange: Exchange) {
        let size = exchange.kept_bytes();
        let has_room = self.waiting.fetch_add(size, Ordering::Relaxed) + size <= self.max_bytes;
        if has_room && self.queue.try_send(Item::Call(Box::new(exchange))).is_ok() {
            return;
        }
        self.waiting.fetch_sub(size, Ordering::Relaxed);
        self.metrics.forwarded_calls_dropped.inc();
        let lost = self.lost.fetch_add(1, Ordering::Relaxed);
        if lost.is_multiple_of(LOST_A_LINE) {
            tracing::warn!(
                lost = lost + 1,
                "forwarded calls were not recorded: the recorder's queue is full"
            );
        }
    }

    /// Waits until everything that was offered has been stored or refused.
    pub async fn settle(&self) {
        let (done, settled) = oneshot::channel();
        // Errors mean that the task is gone, and nothing waits any more.
        if self.queue.send(Item::Settle(done)).await.is_ok() {
            let _ = settled.await;
        }
    }
}

async fn run(
    mut incoming: mpsc::Receiver<Item>,
    waiting: Arc<AtomicUsize>,
    recorder: ForwardedCallRecorder,
    writer: Writer,
    metrics: Metrics,
) {
    let mut items = Vec::with_capacity(BATCH);
    loop {
        if incoming.recv_many(&mut items, BATCH).await == 0 {
            return;
        }
        let (mut events, mut settled) = (Vec::new(), Vec::new());
        for item in items.drain(..) {
            match item {
                Item::Settle(done) => settled.push(done),
                Item::Call(exchange) => {
                    waiting.fetch_sub(exchange.kept_bytes(), Ordering::Relaxed);
                    match recorder.record(&exchange) {
                        Recorded::Event(event) => {
                            metrics.forwarded_call_recorded(&event.event.event_source);
                            events.push(*event);
                        }
                        Recorded::Unwanted => {}
                        Recorded::Unidentified(service) => metrics.forwarded_call_unidentified(&service),
                    }
                }
            }
        }
        if settled.is_empty() {
            if !events.is_empty() {
                // Nobody waits for it; the writer has logged a failure.
                drop(writer.submit(events).await);
            }
        } else {
            let _ = writer.store(events).await;
            for done in settled {
                let _ = done.send(());
            }
        }
    }
}
