//! Bodies on their way through, and the copies that are kept of them, up to a bound.

use super::Broken;
use super::call::ForwardedCall;
use crate::recorder::exchange::{BEGINNING, KeptBody, MAX_KEPT};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

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
    fn note(&self, body: &Incoming, next: Option<&Result<Frame<Bytes>, hyper::Error>>) -> bool {
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

    /// Nothing panics while the lock is held.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a request on its way to the upstream. One that stops arriving breaks off, and the forwarded call with it.
pub(super) struct RequestBody {
    /// There until it is dropped.
    body: Option<Incoming>,
    copy: BodyCopy,
    longest_pause: Duration,
    pause: Pin<Box<Sleep>>,
}

impl RequestBody {
    /// `longest_pause`: between two parts.
    pub(super) fn new(body: Incoming, copy: BodyCopy, longest_pause: Duration) -> RequestBody {
        RequestBody { body: Some(body), copy, longest_pause, pause: Box::pin(sleep(longest_pause)) }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(context) else {
            ready!(self.pause.as_mut().poll(context));
            self.copy.state().has_stalled = true;
            return Poll::Ready(Some(Err("nothing of the body arrived".into())));
        };
        if let Some(body) = &self.body {
            self.copy.note(body, frame.as_ref());
        }
        let next = Instant::now() + self.longest_pause;
        self.pause.as_mut().reset(next);
        Poll::Ready(frame.map(|frame| frame.map_err(Broken::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream());
        self.copy.state().rest = rest;
    }
}

/// The body of a reply on its way back. With its last part the call is complete, before its caller can know it.
pub(super) struct ReplyBody {
    body: Incoming,
    copy: BodyCopy,
    call: ForwardedCall,
}

impl ReplyBody {
    /// The body that comes back for `call`, which has the rest of the reply.
    pub(super) fn new(body: Incoming, mut call: ForwardedCall) -> ReplyBody {
        let copy = BodyCopy::of(&body);
        call.reply_body = Some(copy.clone());
        if body.is_end_stream() {
            call.hand_over();
        }
        ReplyBody { body, copy, call }
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
        if self.copy.note(&self.body, frame.as_ref()) {
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
