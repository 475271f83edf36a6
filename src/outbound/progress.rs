//! Uploads that are watched: one that makes no progress has failed, however much time the others may take.

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;

/// Bytes that are handed to the connection at a time.
const PIECE: usize = 64 * 1024;

/// Counts the pieces of uploads that the connection has taken, cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(watch::Sender<u64>);

/// A body in memory that says so when a piece of it is taken.
struct Watched {
    rest: Bytes,
    progress: Progress,
}

impl Progress {
    /// What `call` gives; `None` once nothing of the upload has been taken, and no answer has come, for `longest`.
    pub(super) async fn watch<T>(&self, longest: Duration, call: impl Future<Output = T>) -> Option<T> {
        let mut taken = self.0.subscribe();
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

impl Intercept for Progress {
    fn name(&self) -> &'static str {
        "Progress"
    }

    /// After signing, so that the signature covers the body as it was.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request_mut().body_mut();
        if let Some(bytes) = body.bytes() {
            let watched = Watched { rest: Bytes::copy_from_slice(bytes), progress: self.clone() };
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
        self.progress.0.send_modify(|pieces| *pieces += 1);
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
        let progress = Progress::default();
        assert_eq!(progress.watch(Duration::ZERO, std::future::pending::<()>()).await, None);
        let hour = Duration::from_secs(3600);
        let body = Watched { rest: Bytes::from(vec![0; 3 * PIECE + 1]), progress: progress.clone() };
        let read = http_body_util::BodyExt::collect(body);
        let read = progress.watch(hour, read).await.unwrap().unwrap().to_bytes();
        assert_eq!((read.len(), *progress.0.borrow()), (3 * PIECE + 1, 4));
    }
}
