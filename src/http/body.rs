//! Reading request bodies with bounds on size and time: actix itself waits for a slow body for ever.

use crate::error::{ApiError, ApiResult, Code};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The largest body of an AWS call.
pub(super) const MAX_BODY: usize = 1024 * 1024;

/// How much of a body that is not kept is read all the same, so that its sender gets to read the refusal.
const MAX_DRAIN: usize = 64 * MAX_BODY;

/// A body that grows beyond this needs room. Nearly all are shorter.
const SHORT: usize = 64 * 1024;

/// Longer bodies that are kept at the same time; further ones wait with their senders.
const LONG_BODIES: usize = 64;

/// Room for the bodies of AWS calls, cheap to clone.
#[derive(Clone, Debug)]
pub struct BodyRoom(Arc<Semaphore>);

impl Default for BodyRoom {
    fn default() -> BodyRoom {
        BodyRoom(Arc::new(Semaphore::new(LONG_BODIES)))
    }
}

/// The whole body of a call, and its room.
#[derive(Debug)]
pub(super) struct CallBody {
    pub(super) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl BodyRoom {
    /// The whole body.
    ///
    /// # Errors
    /// `RequestEntityTooLargeException` over 1 MiB, `RequestTimeoutException` when it is not there after `within`,
    /// `SerializationException` when the connection breaks.
    pub(super) async fn collect(&self, payload: &mut Payload, within: Duration) -> ApiResult<CallBody> {
        let collect = async {
            let (mut body, mut room) = (BytesMut::new(), None);
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|_| broken())?;
                if body.len() + chunk.len() > MAX_BODY {
                    drop((body, room));
                    drain_rest(payload).await?;
                    return Err(too_large());
                }
                if room.is_none() && body.len() + chunk.len() > SHORT {
                    // For the longest there is: two that wait for more would wait for each other.
                    let permit = Arc::clone(&self.0).acquire_owned().await;
                    room = Some(permit.map_err(ApiError::internal)?);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(CallBody { bytes: body.freeze(), _room: room })
        };
        tokio::time::timeout(within, collect).await.map_err(|_| late(within))?
    }
}

/// Reads a body that is not kept, so that its sender gets to read why.
///
/// # Errors
/// It goes on for too long, so that nothing else can be read from the connection.
pub(super) async fn drain(payload: &mut Payload, within: Duration) -> ApiResult<()> {
    tokio::time::timeout(within, drain_rest(payload)).await.map_err(|_| late(within))?
}

async fn drain_rest(payload: &mut Payload) -> ApiResult<()> {
    let mut read = 0;
    while let Some(chunk) = payload.next().await {
        read += chunk.map_err(|_| broken())?.len();
        if read > MAX_DRAIN {
            return Err(too_large());
        }
    }
    Ok(())
}

fn too_large() -> ApiError {
    let why = format!("The request body is larger than {MAX_BODY} bytes.");
    Code::RequestEntityTooLargeException.because(why)
}

fn late(within: Duration) -> ApiError {
    Code::RequestTimeoutException.because(format!("The request body did not arrive within {within:?}."))
}

fn broken() -> ApiError {
    Code::SerializationException.because("The request body broke off.")
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
