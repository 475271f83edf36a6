//! Pending events in the bounds of one call, for the kinds that send events themselves.

use crate::delivery::Delivery;
use crate::delivery::engine::{Item, PIECE, Part, Recipient};
use crate::store::{PendingEvent, PendingEvents, PieceBounds, Session, StoreResult, WriteSession};

/// Events that are settled together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Batch {
    /// Those that are sent, in the order of arrival.
    pub(super) events: Vec<PendingEvent>,
    /// All numbers of arrival from here ...
    pub(super) first: i64,
    /// ... to here are settled with them: also those of events that are too large, or gone.
    pub(super) last: i64,
    /// But not these, which were refused.
    pub(super) refused: Vec<i64>,
    /// When the first of them was stored, milliseconds since 1970.
    pub(super) since: i64,
}

/// What one call takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Events.
    pub(super) events: u32,
    /// Bytes of all of them together.
    pub(super) bytes: usize,
    /// What each of them counts beside its record.
    pub(super) overhead: usize,
    /// The largest record; larger ones are not sent.
    pub(super) record: usize,
}

/// The next events of a destination, as many as one call takes; `None` when none is left. Rows whose events are gone make a
/// batch of nothing, which settles them.
pub(super) async fn next(
    delivery: &Delivery,
    destination: i64,
    part: Part,
    bounds: Bounds,
) -> StoreResult<Option<Batch>> {
    let first = part.after.saturating_add(1);
    if first > part.until {
        return Ok(None);
    }
    let mut db = delivery.store.read().await?;
    let read = PieceBounds { events: bounds.events, bytes: bounds.bytes };
    let pending = db.deliveries().pending_events(destination, (first, part.until), read).await?;
    Ok(Some(batch(pending, (first, part.until), bounds)))
}

/// As many of these events as fit.
fn batch(pending: PendingEvents, (first, until): (i64, i64), bounds: Bounds) -> Batch {
    let PendingEvents { events: pending, is_all } = pending;
    let since = pending.first().map_or(0, |event| event.stored_at);
    let (mut events, mut bytes, mut last) = (Vec::new(), 0, first);
    let mut is_cut = false;
    for event in pending {
        let size = event.record.len() + bounds.overhead;
        if event.record.len() <= bounds.record {
            if bytes + size > bounds.bytes {
                is_cut = true;
                break;
            }
            bytes += size;
            last = event.number;
            events.push(event);
        } else {
            last = event.number;
        }
    }
    if is_all && !is_cut {
        last = until;
    }
    Batch { events, first, last, refused: Vec::new(), since }
}

impl Item for Batch {
    fn waits_since(&self) -> i64 {
        self.since
    }

    fn last_number(&self) -> i64 {
        self.last
    }

    /// What was refused stays.
    async fn settle(&self, db: &mut WriteSession, recipient: &Recipient, _: &Delivery) -> StoreResult<()> {
        let mut from = self.first;
        for refused in self.refused.iter().copied().chain([self.last.saturating_add(1)]) {
            if from < refused {
                db.deliveries().no_longer_pending(recipient.destination.id, (from, refused - 1)).await?;
            }
            from = refused.saturating_add(1);
        }
        Ok(())
    }

    async fn give_up(db: &mut WriteSession, destination: i64, before: i64) -> StoreResult<u64> {
        db.deliveries().give_up_pending(destination, before, PIECE).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { events: 10, bytes: 1_048_576, overhead: 26, record: 262_144 - 26 };

    fn read(events: Vec<PendingEvent>, is_all: bool) -> PendingEvents {
        PendingEvents { events, is_all }
    }

    fn pending(number: i64, bytes: usize) -> PendingEvent {
        let record = "r".repeat(bytes);
        PendingEvent { number, event_time: 0, stored_at: 7, event_source: String::new(), record }
    }

    #[test]
    fn a_call_takes_no_more_bytes_than_its_bound() {
        let cut = batch(read((1..=6).map(|n| pending(n, 262_144 - 2 * 26)).collect(), true), (1, 9), BOUNDS);
        assert_eq!((cut.events.len(), cut.last, cut.since), (4, 4, 7));
    }

    #[test]
    fn a_record_that_is_too_large_is_settled_without_being_sent() {
        let cut =
            batch(read(vec![pending(1, 10), pending(2, 262_144), pending(3, 10)], true), (1, 3), BOUNDS);
        assert_eq!((cut.events.len(), cut.last), (2, 3));
        let cut = batch(read(vec![pending(1, 262_144)], true), (1, 1), BOUNDS);
        assert_eq!((cut.events.len(), cut.last), (0, 1));
    }

    #[test]
    fn what_is_behind_a_full_call_is_left_for_the_next_one() {
        let cut = batch(read((1..=10).map(|n| pending(n, 10)).collect(), false), (1, 20), BOUNDS);
        assert_eq!((cut.events.len(), cut.last), (10, 10));
        let cut = batch(read((1..=9).map(|n| pending(n, 10)).collect(), true), (1, 20), BOUNDS);
        assert_eq!((cut.events.len(), cut.last), (9, 20), "the rest are gone");
        let cut = batch(read((1..=4).map(|n| pending(n, 262_144)).collect(), false), (1, 20), BOUNDS);
        assert_eq!((cut.events.len(), cut.last), (0, 4), "the rest was not read");
    }
}
