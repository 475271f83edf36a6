//! A body that has to have the hash that its sender said. Its last part goes on only when it has: whoever takes it gets all
//! of the body, or sees it break off.

use super::Broken;
use crate::domain::text::hex;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use sha2::{Digest, Sha256};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

/// Whether a body had another hash, which is known when it has passed.
#[derive(Clone, Debug, Default)]
pub(super) struct WrongHash(Arc<AtomicBool>);

impl WrongHash {
    pub(super) fn was_seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body on its way.
pub(super) struct HashedBody<B> {
    body: B,
    /// 64 hex digits.
    expected: String,
    hash: Sha256,
    /// What has come and not gone on.
    held: Option<Frame<Bytes>>,
    has_ended: bool,
    wrong: WrongHash,
}

impl<B: Body<Data = Bytes, Error = Broken> + Unpin> HashedBody<B> {
    pub(super) fn new(body: B, expected: String, wrong: WrongHash) -> HashedBody<B> {
        HashedBody { body, expected, hash: Sha256::new(), held: None, has_ended: false, wrong }
    }

    fn is_right(&self) -> bool {
        hex(&self.hash.clone().finalize()) == self.expected
    }
}

impl<B: Body<Data = Bytes, Error = Broken> + Unpin> Body for HashedBody<B> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        loop {
            if self.has_ended {
                return Poll::Ready(self.held.take().map(Ok));
            }
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.hash.update(data);
                    }
                    if let Some(before) = self.held.replace(frame) {
                        return Poll::Ready(Some(Ok(before)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    self.has_ended = true;
                    if !self.is_right() {
                        self.held = None;
                        self.wrong.0.store(true, Ordering::Relaxed);
                        return Poll::Ready(Some(Err(
                            "the body has another hash than its sender said".into()
                        )));
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended && self.held.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().and_then(Frame::data_ref).map_or(0, |data| data.len() as u64);
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + held);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + held);
        }
        hint
    }
}
