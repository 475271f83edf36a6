//! The copy that is kept of a body as it passes, up to a bound.

use crate::recorder::exchange::{BEGINNING, KeptBody, MAX_KEPT};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long [`BodyCopy::read_rest`] may take.
const LONGEST_READ: Duration = Duration::from_secs(1);

/// A body's copy as it grows; shared between the body and the call that is recorded.
#[derive(Clone)]
pub(super) struct BodyCopy(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    total: u64,
    ended: bool,
    /// How much is kept: [`MAX_KEPT`], or [`BEGINNING`] of what is longer.
    most: usize,
    /// What the upstream did not take of a request's body.
    rest: Option<Incoming>,
    /// Whether the caller stopped sending it.
    has_stalled: bool,
}

impl BodyCopy {
    /// The copy of a body that has not begun to pass.
    pub(super) fn of(body: &Incoming) -> BodyCopy {
        let is_short = body.size_hint().exact().is_none_or(|length| length <= MAX_KEPT as u64);
        let most = if is_short { MAX_KEPT } else { BEGINNING };
        let state = State { most, ended: body.is_end_stream(), ..State::default() };
        BodyCopy(Arc::new(Mutex::new(state)))
    }

    /// Reads what the upstream did not take, as long as it can be kept: a form says which operation it is for.
    pub(super) async fn read_rest(&self) {
        let Some(mut rest) = self.state().rest.take() else { return };
        // A caller that does not send it gets its answer all the same.
        let _ = tokio::time::timeout(LONGEST_READ, async {
            while self.has_room() {
                let next = rest.frame().await;
                if self.note(&rest, next.as_ref()) || next.is_some_and(|frame| frame.is_err()) {
                    return;
                }
            }
        })
        .await;
    }

    /// Whether the caller stopped sending the body.
    pub(super) fn has_stalled(&self) -> bool {
        self.state().has_stalled
    }

    fn has_room(&self) -> bool {
        let state = self.state();
        state.bytes.len() < state.most
    }

    /// Takes note of what `body` has given next. Whether that was its end.
    pub(super) fn note(&self, body: &Incoming, next: Option<&Result<Frame<Bytes>, hyper::Error>>) -> bool {
        if let Some(part) = next.and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.add(part);
        }
        let has_ended = next.is_none() || body.is_end_stream();
        if has_ended {
            self.state().ended = true;
        }
        has_ended
    }

    fn add(&self, part: &Bytes) {
        let mut state = self.state();
        state.total += part.len() as u64;
        if state.total > MAX_KEPT as u64 && state.most > BEGINNING {
            state.most = BEGINNING;
            state.bytes.truncate(BEGINNING);
            state.bytes.shrink_to_fit();
        }
        let room = state.most - state.bytes.len();
        state.bytes.extend_from_slice(&part[..part.len().min(room)]);
    }

    /// What was kept.
    pub(super) fn take(&self) -> KeptBody {
        let mut state = self.state();
        let bytes = std::mem::take(&mut state.bytes);
        KeptBody { bytes: bytes.into(), total: state.total, ended: state.ended }
    }

    /// The caller has stopped sending the body.
    pub(super) fn stall(&self) {
        self.state().has_stalled = true;
    }

    /// This is what the upstream did not take.
    pub(super) fn leave(&self, rest: Incoming) {
        self.state().rest = Some(rest);
    }

    /// Nothing panics while the lock is held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
