//! Bodies on their way through.

use super::Broken;
use super::body_copy::BodyCopy;
use super::call::ForwardedCall;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
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
