//! Reading request bodies with bounds on size and time: actix itself waits for a slow body for ever.

use crate::error::{ApiResult, Code};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use std::time::Duration;

/// The largest body of an AWS call.
pub(super) const MAX_BODY: usize = 1024 * 1024;

/// How much of a body that is too large is read all the same, so that its sender gets to read the refusal.
const MAX_DRAIN: usize = 64 * MAX_BODY;

/// The whole body.
///
/// # Errors
/// `RequestEntityTooLargeException` over 1 MiB, `RequestTimeoutException` when it is not there after `within`,
/// `SerializationException` when the connection breaks.
pub(super) async fn collect(payload: &mut Payload, within: Duration) -> ApiResult<Bytes> {
    let mut size = 0;
    let mut body = BytesMut::new();
    let read = async {
        while let Some(chunk) = payload.next().await {
            let chunk =
                chunk.map_err(|_| Code::SerializationException.because("The request body broke off."))?;
            size += chunk.len();
            if size <= MAX_BODY {
                body.extend_from_slice(&chunk);
            } else if size > MAX_DRAIN {
                break;
            }
        }
        Ok::<(), crate::error::ApiError>(())
    };
    let result = tokio::time::timeout(within, read).await;
    if size > MAX_BODY {
        return Err(Code::RequestEntityTooLargeException
            .because(format!("The request body is larger than {MAX_BODY} bytes.")));
    }
    result.map_err(|_| {
        Code::RequestTimeoutException.because(format!("The request body did not arrive within {within:?}."))
    })??;
    Ok(body.freeze())
}

/// Why the next part of a body did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stalled {
    /// Nothing came for too long.
    Timeout,
    /// The connection broke, or what came was no HTTP.
    Broken,
}

/// The next part of a body that is read as it comes; `None` at its end.
///
/// # Errors
/// [`Stalled`], also when nothing comes for `within`.
pub(super) async fn next(payload: &mut Payload, within: Duration) -> Result<Option<Bytes>, Stalled> {
    match tokio::time::timeout(within, payload.next()).await {
        Err(_) => Err(Stalled::Timeout),
        Ok(None) => Ok(None),
        Ok(Some(chunk)) => chunk.map(Some).map_err(|_| Stalled::Broken),
    }
}
