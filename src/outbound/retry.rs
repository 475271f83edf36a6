//! When to try again what a service did not take, and when to give it up.

use crate::clock::{Clock, Ids};
use std::time::Duration;

/// The first pause after a failure. It doubles with each further one, ...
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// ... up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What could not be delivered for so long is given up (user guide: a misconfigured bucket is retried for 30 days).
const GIVE_UP: Duration = Duration::from_secs(30 * 24 * 3600);

/// When to try again after so many failures in a row, milliseconds since 1970: after a pause that doubles, give or take
/// a quarter, so that not everything comes back at once to a service that was away.
pub fn next_try(clock: &Clock, ids: &Ids, failures: i64) -> i64 {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(10);
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    let jitter = i64::from(ids.secret()[0]) - 128;
    clock.now().timestamp_millis() + pause + pause / 4 * jitter / 128
}

/// What waits since before this moment is given up, milliseconds since 1970.
pub fn given_up_before(clock: &Clock) -> i64 {
    let give_up = i64::try_from(GIVE_UP.as_millis()).unwrap_or(i64::MAX);
    clock.now().timestamp_millis().saturating_sub(give_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_give_or_take_a_quarter() {
        let clock = Clock::manual("2026-11-22T05:30:00Z".parse().unwrap());
        let now = clock.now().timestamp_millis();
        for (failures, pause) in [(1, 1000), (2, 2000), (5, 16_000), (7, 60_000), (1_000_000, 60_000)] {
            for _ in 0..50 {
                let next = next_try(&clock, &Ids::Random, failures) - now;
                assert!((pause * 3 / 4..=pause * 5 / 4).contains(&next), "{failures}: {next}");
            }
        }
    }
}
