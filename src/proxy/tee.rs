//! Keeping a copy of the bodies that are forwarded, up to a bound.

use crate::recorder::exchange::{Exchange, KeptBody, MAX_KEPT};
use crate::recorder::forwarded_calls::ForwardedCalls;
use actix_web::web::Bytes;
use std::sync::{Arc, Mutex, PoisonError};

/// A body's copy as it grows; shared between the task that reads the body and the call that is recorded.
#[derive(Clone)]
pub(super) struct BodyCopy(Arc<Mutex<State>>);

struct State {
    bytes: Vec<u8>,
    total: u64,
    ended: bool,
    /// What cannot be kept whole is not kept at all.
    keeps: bool,
}

impl BodyCopy {
    /// `length`: how long the body says it is.
    pub(super) fn new(length: Option<u64>) -> BodyCopy {
        let keeps = length.is_none_or(|length| length <= MAX_KEPT as u64);
        BodyCopy(Arc::new(Mutex::new(State { bytes: Vec::new(), total: 0, ended: false, keeps })))
    }

    /// Takes note of the next part. The bytes that there were so far.
    pub(super) fn add(&self, part: &Bytes) -> u64 {
        let mut state = self.state();
        state.total += part.len() as u64;
        if state.keeps && state.bytes.len() + part.len() <= MAX_KEPT {
            state.bytes.extend_from_slice(part);
        } else {
            state.keeps = false;
            state.bytes = Vec::new();
        }
        state.total
    }

    /// The body has come to its end.
    pub(super) fn end(&self) {
        self.state().ended = true;
    }

    fn take(&self) -> KeptBody {
        let mut state = self.state();
        let bytes = std::mem::take(&mut state.bytes);
        KeptBody { bytes: bytes.into(), total: state.total, ended: state.ended }
    }

    /// Nothing panics while the lock is held.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way. Given to the recorder once: when it is complete, or when its caller has gone away.
pub(super) struct ForwardedCall {
    pub(super) exchange: Option<Exchange>,
    pub(super) request: BodyCopy,
    pub(super) reply: BodyCopy,
    pub(super) calls: ForwardedCalls,
    /// The length that the reply says it has.
    pub(super) length: Option<u64>,
}

impl ForwardedCall {
    /// Takes note of the next part of the reply. With the last one the call is complete, before its caller can know it.
    pub(super) fn add(&mut self, part: &Bytes) {
        let total = self.reply.add(part);
        if self.length == Some(total) {
            self.complete();
        }
    }

    /// The reply has come to its end.
    pub(super) fn complete(&mut self) {
        self.reply.end();
        self.hand_over();
    }

    fn hand_over(&mut self) {
        let Some(mut exchange) = self.exchange.take() else { return };
        exchange.body = self.request.take();
        if let Some(reply) = &mut exchange.reply {
            reply.body = self.reply.take();
        }
        self.calls.offer(exchange);
    }
}

impl Drop for ForwardedCall {
    fn drop(&mut self) {
        self.hand_over();
    }
}
