//! Uploads that are watched: one that makes no progress has failed, however much time the others may take.

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;

/// Bytes that are handed to the connection at a time.
const PIECE: usize = 64 * 1024;

/// What is uploaded, and how much of it the connection has taken; cheap to clone.
#[derive(Clone)]
pub(super) struct Upload {
    body: Bytes,
    /// Pieces, of all tries together.
    taken: watch::Sender<u64>,
}

/// A body that says so when a piece of it is taken.
struct Watched {
    rest: Bytes,
    taken: watch::Sender<u64>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

impl Upload {
    /// Nothing of it has been taken.
    pub(super) fn new(body: Vec<u8>) -> Upload {
        Upload { body: body.into(), taken: watch::Sender::default() }
    }

    /// The body as a request gets it, before it is signed.
    pub(super) fn stream(&self) -> ByteStream {
        self.body.clone().into()
    }

    /// What `call` gives; `None` once nothing of the upload has been taken, and no answer has come, for `longest`.
    pub(super) async fn watch<T>(&self, longest: Duration, call: impl Future<Output = T>) -> Option<T> {
        let mut taken = self.taken.subscribe();
        let stalled = async {
            // The sender lives as long as this does.
            while let Ok(Ok(())) = tokio::time::timeout(longest, taken.changed()).await {}
        };
        tokio::select! {
            biased;
            answer = call => Some(answer),
            () = stalled => None,
        }
    }
}

#[cfg(test)]
impl Upload {
    /// Pieces that the connection has taken.
    pub(super) fn taken(&self) -> u64 {
        *self.taken.borrow()
    }
}

impl Intercept for Upload {
    fn name(&self) -> &'static str {
        "Upload"
    }

    /// After signing, so that the signature covers the body as it was.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request_mut().body_mut();
        // Wrapped by the SDK it could not be replaced; then it is sent unwatched.
        if body.bytes().is_some_and(|bytes| *bytes == self.body) {
            let watched = Watched { rest: self.body.clone(), taken: self.taken.clone() };
            *body = SdkBody::from_body_1_x(watched);
        }
        Ok(())
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece = PIECE.min(self.rest.len());
        let piece = self.rest.split_to(piece);
        self.taken.send_modify(|pieces| *pieces += 1);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_gets_nowhere_is_given_up_and_one_that_goes_on_is_not() {
        let upload = Upload::new(vec![0; 3 * PIECE + 1]);
        assert_eq!(upload.watch(Duration::ZERO, std::future::pending::<()>()).await, None);
        let hour = Duration::from_secs(3600);
        let body = Watched { rest: upload.body.clone(), taken: upload.taken.clone() };
        let read = http_body_util::BodyExt::collect(body);
        let read = upload.watch(hour, read).await.unwrap().unwrap().to_bytes();
        assert_eq!((read.len(), upload.taken()), (3 * PIECE + 1, 4));
    }
}
