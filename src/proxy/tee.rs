//! Bodies on their way through, and the copies that are kept of them, up to a bound.

use super::Broken;
use crate::recorder::exchange::{Exchange, KeptBody, MAX_KEPT};
use crate::recorder::forwarded_calls::{ForwardedCalls, Room};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// A body's copy as it grows; shared between the body and the call that is recorded.
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
    /// The copy of a body that has not begun to pass.
    pub(super) fn of(body: &impl Body) -> BodyCopy {
        let keeps = body.size_hint().exact().is_none_or(|length| length <= MAX_KEPT as u64);
        let state = State { bytes: Vec::new(), total: 0, ended: body.is_end_stream(), keeps };
        BodyCopy(Arc::new(Mutex::new(state)))
    }

    /// Takes note of the next part.
    fn add(&self, part: &Bytes) {
        let mut state = self.state();
        state.total += part.len() as u64;
        if state.keeps && state.bytes.len() + part.len() <= MAX_KEPT {
            state.bytes.extend_from_slice(part);
        } else {
            state.keeps = false;
            state.bytes = Vec::new();
        }
    }

    /// The body has come to its end.
    fn end(&self) {
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

/// The body of a request on its way to the upstream. One that stops arriving breaks off, and the forwarded call with it.
pub(super) struct RequestBody {
    body: Incoming,
    copy: BodyCopy,
    longest_pause: Duration,
    pause: Pin<Box<Sleep>>,
}

impl RequestBody {
    /// `longest_pause`: between two parts.
    pub(super) fn new(body: Incoming, copy: BodyCopy, longest_pause: Duration) -> RequestBody {
        RequestBody { body, copy, longest_pause, pause: Box::pin(sleep(longest_pause)) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            ready!(self.pause.as_mut().poll(context));
            return Poll::Ready(Some(Err("nothing of the body arrived".into())));
        };
        let next = Instant::now() + self.longest_pause;
        self.pause.as_mut().reset(next);
        if let Some(part) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.copy.add(part);
        }
        if frame.is_none() || self.body.is_end_stream() {
            self.copy.end();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Broken::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a reply on its way back. With its last part the call is complete, before its caller can know it.
pub(super) struct ReplyBody {
    body: Incoming,
    call: ForwardedCall,
}

impl ReplyBody {
    /// The body that comes back for `call`.
    pub(super) fn new(body: Incoming, mut call: ForwardedCall) -> ReplyBody {
        call.reply = BodyCopy::of(&body);
        if body.is_end_stream() {
            call.hand_over();
        }
        ReplyBody { body, call }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(part) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.call.reply.add(part);
        }
        if frame.is_none() || self.body.is_end_stream() {
            self.call.reply.end();
            self.call.hand_over();
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Broken::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A call under way. Given to the recorder once: when it is complete, or when its caller has gone away.
pub(super) struct ForwardedCall {
    pub(super) exchange: Option<Exchange>,
    pub(super) request: BodyCopy,
    pub(super) reply: BodyCopy,
    pub(super) calls: ForwardedCalls,
    /// Room for its record, where there has to be some.
    pub(super) room: Option<Room>,
}

impl ForwardedCall {
    /// The reply is Contrail's own, and this its body.
    pub(super) fn complete(&mut self, body: &Bytes) {
        self.reply.add(body);
        self.reply.end();
        self.hand_over();
    }

    fn hand_over(&mut self) {
        let Some(mut exchange) = self.exchange.take() else { return };
        exchange.body = self.request.take();
        if let Some(reply) = &mut exchange.reply {
            reply.body = self.reply.take();
        }
        match self.room.take() {
            Some(room) => self.calls.offer_into(room, exchange),
            None => self.calls.offer(exchange),
        }
    }
}

impl Drop for ForwardedCall {
    fn drop(&mut self) {
        self.hand_over();
    }
}
