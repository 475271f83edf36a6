//! Records of calls that only read. No caller waits for their commit: they gather until the next one, which takes them
//! along, or until they have waited for a quarter of a second.
//!
//! So a read costs no commit of its own, and stands in the history before the change that the same caller makes behind it.
//! A queue with a task that waits for more would keep the order only among reads.

use crate::domain::routing::CapturedEvent;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How long a record waits for others.
pub(super) const LONGEST: Duration = Duration::from_millis(250);

/// Records that are committed at once: more would be felt by the caller whose commit takes them along.
const MANY: usize = 250;

/// The most that gather while the disk is busy; then callers wait for the next commit to begin.
const MOST: usize = 8000;

/// The records, cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Gathered(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// How long the first one waits for others.
    longest: Duration,
    events: Mutex<Vec<CapturedEvent>>,
    /// How many there are, with those that were taken and are not settled.
    unsettled: AtomicUsize,
    /// The first one has come.
    some: Notify,
    /// There are many.
    many: Notify,
    /// All of them were taken.
    room: Notify,
}

impl Gathered {
    /// None yet; the first one will wait for others for so long.
    pub(super) fn new(longest: Duration) -> Gathered {
        let (some, many, room) = (Notify::new(), Notify::new(), Notify::new());
        Gathered(Arc::new(Shared {
            longest,
            events: Mutex::default(),
            unsettled: AtomicUsize::default(),
            some,
            many,
            room,
        }))
    }

    fn events(&self) -> MutexGuard<'_, Vec<CapturedEvent>> {
        // Nothing panics while the lock is held, and if it did, what is in it would still be whole.
        self.0.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a record, once there is room.
    pub(super) async fn add(&self, event: CapturedEvent) {
        loop {
            // Made before the look for room: from here on no notice of it is missed.
            let room = self.0.room.notified();
            if self.events().len() < MOST {
                break;
            }
            room.await;
        }
        self.0.unsettled.fetch_add(1, Ordering::SeqCst);
        let mut events = self.events();
        events.push(event);
        match events.len() {
            1 => self.0.some.notify_one(),
            MANY => self.0.many.notify_one(),
            _ => {}
        }
    }

    /// Whether all that were added are stored.
    pub(super) fn is_settled(&self) -> bool {
        self.0.unsettled.load(Ordering::SeqCst) == 0
    }

    /// All of them, to be committed now.
    pub(super) fn take(&self) -> Taken {
        let events = std::mem::take(&mut *self.events());
        self.0.room.notify_waiters();
        Taken { events, from: self.clone() }
    }

    /// Waits until there are some, and they are many or have waited long enough.
    pub(super) async fn due(&self) {
        loop {
            self.0.some.notified().await;
            tokio::select! {
                () = tokio::time::sleep(self.0.longest) => {}
                () = self.0.many.notified() => {}
            }
            // Another commit may have taken them along meanwhile.
            if !self.events().is_empty() {
                return;
            }
        }
    }
}

/// Records that are being committed. If that comes to nothing, as the commit fails or its caller goes away, they go back: a
/// record that was stored all the same is a duplicate then, and ignored.
#[derive(Debug)]
pub(super) struct Taken {
    events: Vec<CapturedEvent>,
    from: Gathered,
}

impl Taken {
    pub(super) fn events(&self) -> &[CapturedEvent] {
        &self.events
    }

    /// They are stored, or are given up.
    pub(super) fn settle(mut self) {
        self.from.0.unsettled.fetch_sub(self.events.len(), Ordering::SeqCst);
        self.events.clear();
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if !self.events.is_empty() {
            self.from.events().splice(0..0, self.events.drain(..));
            self.from.0.some.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account_id::AccountId;
    use crate::domain::event::Event;
    use crate::domain::event_facts::NamesOnly;
    use std::future::poll_fn;
    use std::task::{Context, Poll};

    fn read(id: usize) -> CapturedEvent {
        let record = format!(
            r#"{{"eventID":"{id}","eventName":"GetTrail","eventSource":"cloudtrail.amazonaws.com",
            "eventTime":"2026-11-22T05:00:00Z","awsRegion":"us-east-1"}}"#
        );
        let account = AccountId::parse("111122223333").unwrap();
        CapturedEvent {
            event: Event::from_record(&record, &account, 0, &NamesOnly).unwrap(),
            takers: Vec::new(),
        }
    }

    fn ids(taken: &Taken) -> Vec<&str> {
        taken.events().iter().map(|captured| captured.event.event_id.as_str()).collect()
    }

    /// Whether records are due now, without waiting for any time.
    async fn are_due(gathered: &Gathered) -> bool {
        let mut due = Box::pin(gathered.due());
        let is_due = |context: &mut Context<'_>| Poll::Ready(due.as_mut().poll(context).is_ready());
        poll_fn(is_due).await
    }

    #[tokio::test]
    async fn records_are_due_when_their_time_has_passed() {
        let gathered = Gathered::new(Duration::from_secs(3600));
        assert!(!are_due(&gathered).await, "there are none");
        gathered.add(read(1)).await;
        assert!(!are_due(&gathered).await, "the hour has not passed");
        let gathered = Gathered::new(Duration::ZERO);
        gathered.add(read(1)).await;
        gathered.add(read(2)).await;
        gathered.due().await;
        let taken = gathered.take();
        assert_eq!(ids(&taken), ["1", "2"]);
        assert!(!gathered.is_settled(), "they are not stored yet");
        taken.settle();
        assert!(gathered.is_settled());
        assert_eq!(ids(&gathered.take()), [""; 0]);
    }

    #[tokio::test]
    async fn many_records_are_due_at_once() {
        let gathered = Gathered::new(Duration::from_secs(3600));
        for id in 0..MANY {
            gathered.add(read(id)).await;
        }
        assert!(are_due(&gathered).await);
    }

    #[tokio::test]
    async fn a_record_that_finds_no_room_waits_until_the_others_are_taken() {
        let gathered = Gathered::new(LONGEST);
        for id in 0..MOST {
            gathered.add(read(id)).await;
        }
        let mut waiting = Box::pin(gathered.add(read(MOST)));
        let waits = |context: &mut Context<'_>| Poll::Ready(waiting.as_mut().poll(context).is_pending());
        assert!(poll_fn(waits).await);
        let taken = gathered.take();
        assert_eq!(taken.events().len(), MOST);
        taken.settle();
        waiting.await;
        assert_eq!(ids(&gathered.take()), [MOST.to_string()]);
    }

    #[tokio::test]
    async fn what_was_taken_and_not_committed_comes_again_before_what_came_behind() {
        let gathered = Gathered::new(LONGEST);
        gathered.add(read(1)).await;
        let taken = gathered.take();
        gathered.add(read(2)).await;
        drop(taken);
        assert!(!gathered.is_settled());
        assert_eq!(ids(&gathered.take()), ["1", "2"]);
    }
}
