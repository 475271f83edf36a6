//! Time and chance as values, so that tests can step the one and seed the other.
//! Nothing else in the house reads a clock or rolls dice (`.clippy.toml` bans it).

use chrono::{DateTime, TimeZone, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock. The [`Instant`] is when the clock was made.
    System(Instant),
    /// A clock that stands still until it is moved: microseconds since 1970.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn system() -> Clock {
        Clock::System(Instant::now())
    }

    /// A clock that stands at `now` until [`Clock::advance`] moves it.
    pub fn manual(now: DateTime<Utc>) -> Clock {
        Clock::Manual(Arc::new(AtomicI64::new(now.timestamp_micros())))
    }

    /// The time of day, UTC.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Clock::System(_) => Utc::now(),
            Clock::Manual(micros) => match Utc.timestamp_micros(micros.load(Ordering::SeqCst)) {
                chrono::LocalResult::Single(time) => time,
                _ => DateTime::UNIX_EPOCH,
            },
        }
    }

    /// Time that never runs backwards, for rates and durations: since the clock was made (system) or since 1970
    /// (manual).
    pub fn elapsed(&self) -> Duration {
        match self {
            Clock::System(start) => start.elapsed(),
            Clock::Manual(micros) => {
                Duration::from_micros(micros.load(Ordering::SeqCst).max(0).unsigned_abs())
            }
        }
    }

    /// Whether time passes by itself. Where it does not, whoever moves the clock also runs the work that is due.
    pub fn runs(&self) -> bool {
        matches!(self, Clock::System(_))
    }

    /// Moves a manual clock forward; a system clock moves by itself.
    pub fn advance(&self, by: Duration) {
        if let Clock::Manual(micros) = self {
            micros.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}

/// Where ids and keys come from.
#[derive(Clone, Debug)]
pub enum Ids {
    /// The operating system's random numbers.
    Random,
    /// A counter: the same ids in every run, for tests.
    Counted(Arc<AtomicU64>),
}

impl Ids {
    /// Ids that count up from 1, for tests.
    pub fn counted() -> Ids {
        Ids::Counted(Arc::new(AtomicU64::new(1)))
    }

    /// A new UUID (version 4), for events and requests.
    #[expect(clippy::disallowed_methods, reason = "the one place that makes random ids")]
    pub fn uuid(&self) -> Uuid {
        match self {
            Ids::Random => Uuid::new_v4(),
            Ids::Counted(next) => {
                let n = next.fetch_add(1, Ordering::SeqCst);
                uuid::Builder::from_random_bytes(u128::from(n).to_be_bytes()).into_uuid()
            }
        }
    }

    /// A new secret key of 256 bits, of which at least 240 are random.
    pub fn secret(&self) -> [u8; 32] {
        let mut key = [0; 32];
        key[..16].copy_from_slice(self.uuid().as_bytes());
        key[16..].copy_from_slice(self.uuid().as_bytes());
        key
    }
}
