//! How often callers may call. LookupEvents alone is limited: one call a second and account in the API of 2015.

use crate::clock::Clock;
use crate::config::{LimitScope, Settings};
use crate::domain::caller::Caller;
use crate::error::{ApiResult, Code};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::time::Duration;

/// Our clock as governor wants to see it.
#[derive(Clone, Debug)]
struct Elapsed(Clock);

impl governor::clock::Clock for Elapsed {
    type Instant = Duration;
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type PerScope = RateLimiter<String, HashMapStateStore<String>, Elapsed, NoOpMiddleware<Duration>>;

/// Scopes remembered before those that have long been idle are forgotten.
const MANY: usize = 10_000;

/// The limits of a server.
#[derive(Debug)]
pub struct Limits {
    lookups: Option<PerScope>,
    scope: LimitScope,
}

impl Limits {
    /// As the settings have it; time from `clock`.
    pub fn new(settings: &Settings, clock: &Clock) -> Limits {
        let limiter = |rate| {
            PerScope::new(Quota::per_second(rate), HashMapStateStore::default(), Elapsed(clock.clone()))
        };
        Limits { lookups: settings.lookup_rate().map(limiter), scope: settings.lookup_scope() }
    }

    /// Counts a call. A refused one uses up nothing, so that hammering starves nobody.
    ///
    /// # Errors
    /// `ThrottlingException`
    pub fn check(&self, operation: &str, caller: &Caller) -> ApiResult<()> {
        let Some(limiter) = self.lookups.as_ref().filter(|_| operation == "LookupEvents") else {
            return Ok(());
        };
        let scope = match self.scope {
            LimitScope::Account => caller.account.to_string(),
            LimitScope::AccountRegion => format!("{}/{}", caller.account, caller.region),
        };
        if limiter.len() > MANY {
            limiter.retain_recent();
        }
        limiter.check_key(&scope).map_err(|_| Code::ThrottlingException.because("Rate exceeded"))
    }
}
