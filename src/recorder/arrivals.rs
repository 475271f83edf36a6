//! What has just been stored, for those who follow it live.
//!
//! Only keys are kept, of the latest events in the order in which their commits came back; who follows reads the rows
//! itself. Whoever falls behind further than that, or comes back after a restart, learns that there is a gap.

use crate::store::StoredEvents;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Events that are remembered.
pub const REMEMBERED: usize = 1000;

/// The latest arrivals, cheap to clone.
#[derive(Clone, Debug)]
pub struct Arrivals {
    known: Arc<Mutex<Known>>,
    /// How many there have been; closed when there will be no more.
    count: watch::Sender<Count>,
    /// Of this start of the server: positions of another one mean nothing here.
    start: i64,
}

#[derive(Debug, Default)]
struct Known {
    keys: VecDeque<i64>,
    count: u64,
}

/// Where the stream of arrivals stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Open(u64),
    Closed,
}

/// A place in the order of arrival. Its text is opaque to readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    start: i64,
    count: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.start, self.count)
    }
}

impl Position {
    /// Reads what `Display` writes; `None` for anything else.
    pub fn parse(text: &str) -> Option<Position> {
        let (start, count) = text.split_once('.')?;
        Some(Position { start: start.parse().ok()?, count: count.parse().ok()? })
    }
}

/// What has arrived behind a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// These keys, in the order of arrival; perhaps none.
    Keys(Vec<i64>),
    /// More than is remembered.
    Gap,
}

impl Arrivals {
    /// Nothing has arrived. `start` tells this start of the server from others: its time.
    pub fn new(start: i64) -> Arrivals {
        Arrivals { known: Arc::default(), count: watch::Sender::new(Count::Open(0)), start }
    }

    /// Makes known what a commit has stored.
    pub fn publish(&self, stored: &StoredEvents) {
        let new = stored.keys.iter().zip(&stored.new).filter(|(_, new)| **new).map(|(key, _)| *key);
        let mut known = self.known();
        let before = known.count;
        for key in new {
            if known.keys.len() == REMEMBERED {
                known.keys.pop_front();
            }
            known.keys.push_back(key);
            known.count += 1;
        }
        if known.count > before {
            let count = known.count;
            self.count.send_if_modified(|known| match known {
                Count::Open(open) => {
                    *open = count;
                    true
                }
                Count::Closed => false,
            });
        }
    }

    /// The end of what has arrived.
    pub fn now(&self) -> Position {
        Position { start: self.start, count: self.known().count }
    }

    /// What has arrived behind `position`, and where that ends.
    pub fn since(&self, position: Position) -> (Since, Position) {
        let known = self.known();
        let now = Position { start: self.start, count: known.count };
        let oldest = known.count - known.keys.len() as u64;
        if position.start != self.start || !(oldest..=known.count).contains(&position.count) {
            return (Since::Gap, now);
        }
        let skip = usize::try_from(position.count - oldest).unwrap_or(usize::MAX);
        (Since::Keys(known.keys.iter().skip(skip).copied().collect()), now)
    }

    /// Waits until there is something behind `position`; false when nothing will come any more.
    pub async fn wait(&self, position: Position) -> bool {
        let mut count = self.count.subscribe();
        let came = |now: &Count| *now != Count::Open(position.count);
        count.wait_for(came).await.is_ok_and(|now| *now != Count::Closed)
    }

    /// Ends the streams of all who follow.
    pub fn close(&self) {
        self.count.send_replace(Count::Closed);
    }

    /// Nothing panics while the lock is held.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(keys: std::ops::Range<i64>) -> StoredEvents {
        let keys: Vec<i64> = keys.collect();
        StoredEvents { new: keys.iter().map(|key| key % 10 != 9).collect(), numbers: keys.clone(), keys }
    }

    #[tokio::test]
    async fn who_follows_gets_each_new_event_once_or_learns_of_a_gap() {
        let arrivals = Arrivals::new(1);
        let begin = arrivals.now();
        arrivals.publish(&stored(7..11));
        assert!(arrivals.wait(begin).await);
        let (since, then) = arrivals.since(begin);
        assert_eq!(since, Since::Keys(vec![7, 8, 10]), "9 was there already");
        assert_eq!(arrivals.since(then), (Since::Keys(vec![]), then));
        arrivals.publish(&stored(100..100 + 1111));
        let (since, _) = arrivals.since(then);
        assert!(matches!(since, Since::Keys(keys) if keys.len() == 1000), "all that is remembered");
        assert_eq!(arrivals.since(begin).0, Since::Gap, "three more are not");
    }

    #[tokio::test]
    async fn a_position_of_another_start_is_a_gap_and_a_closed_stream_ends() {
        let arrivals = Arrivals::new(1);
        let other = Arrivals::new(2).now();
        assert_eq!(arrivals.since(other), (Since::Gap, arrivals.now()));
        assert_eq!(Position::parse(&other.to_string()), Some(other));
        assert_eq!(Position::parse("1.2.3"), None);
        arrivals.close();
        assert!(!arrivals.wait(arrivals.now()).await);
    }
}
