//! Bodies on their way through.

use super::Broken;
use super::body_copy::BodyCopy;
use super::call::ForwardedCall;
use crate::recorder::forwarded_calls::Recording;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

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
            self.copy.stall();
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
        if let Some(rest) = self.body.take().filter(|body| !body.is_end_stream()) {
            self.copy.leave(rest);
        }
    }
}

/// The body of a reply on its way back. With its last part the call is complete, before its caller can know it; where
/// the record has to be on disk by then, that part waits.
pub(super) struct ReplyBody {
    body: Incoming,
    copy: BodyCopy,
    call: ForwardedCall,
    last: Option<Last>,
}

/// The last part of a body (none, or an error, if it ends like that), and what it waits for.
struct Last {
    part: Option<Result<Frame<Bytes>, Broken>>,
    recording: Recording,
}

impl ReplyBody {
    /// The body that comes back for `call`, which has the rest of the reply and shares the copy.
    pub(super) fn new(body: Incoming, copy: BodyCopy, call: ForwardedCall) -> ReplyBody {
        ReplyBody { body, copy, call, last: None }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.last.is_none() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
            let has_ended = self.copy.note(&self.body, frame.as_ref());
            let part = frame.map(|frame| frame.map_err(Broken::from));
            match has_ended.then(|| self.call.hand_over()).flatten() {
                None => return Poll::Ready(part),
                Some(recording) => self.last = Some(Last { part, recording }),
            }
        }
        let Some(last) = &mut self.last else { return Poll::Ready(None) };
        let recorded = ready!(Pin::new(&mut last.recording).poll(context));
        let part = self.last.take().and_then(|last| last.part);
        Poll::Ready(match recorded {
            Ok(()) => part,
            // The caller sees an answer that breaks off.
            Err(not_recorded) => Some(Err(not_recorded.into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
