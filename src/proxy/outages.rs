//! Which upstreams do not answer, so that the log says it once, and once that they are back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The upstreams that cannot be reached, cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Outages(Arc<Mutex<HashSet<String>>>);

impl Outages {
    /// Nothing came from `upstream`, because of `error`.
    pub(super) fn begin(&self, upstream: &str, error: &str) {
        if self.away().insert(upstream.to_owned()) {
            tracing::warn!(
                upstream,
                error,
                "the upstream does not answer; its callers get 503 until it does"
            );
        }
    }

    /// A reply came from `upstream`.
    pub(super) fn end(&self, upstream: &str) {
        if self.away().remove(upstream) {
            tracing::info!(upstream, "the upstream answers again");
        }
    }

    /// Nothing panics while the lock is held.
    fn away(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
