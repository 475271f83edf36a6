//! Why a call is not forwarded, or comes to nothing, and the answer that says so.

use crate::aws::protocol::{Asked, Protocol, WrittenError};
use crate::aws::request::Request;
use crate::error::{ApiError, Code};
use crate::recorder::exchange::{KeptBody, Reply};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The upstream does not answer. SDKs try again.
pub(super) fn unavailable(message: impl Into<String>) -> ApiError {
    Code::ServiceUnavailable.because(message.into())
}

/// It is not recorded, and has to be. It may have been done.
pub(super) fn not_recorded() -> ApiError {
    unavailable("The call could not be recorded.")
}

/// Its body did not arrive (S3's words).
pub(super) fn timeout() -> ApiError {
    Code::RequestTimeout.because(
        "Your socket connection to the server was not read from or written to within the timeout period. Idle \
         connections will be closed.",
    )
}

/// It has no `Host`, or two.
pub(super) fn no_host() -> ApiError {
    Code::BadRequest.because("The request must have one Host header, and must not be CONNECT.")
}

/// Its body is too large to be checked.
pub(super) fn too_large(most: usize) -> ApiError {
    Code::RequestEntityTooLarge.because(format!("The request body is larger than {most} bytes."))
}

/// Too many bodies are being checked. SDKs try again.
pub(super) fn no_room() -> ApiError {
    unavailable("Too many large requests are being checked; try again.")
}

/// The answer to a request, in the form that its protocol has for errors.
pub(super) fn reply(request: &Request, error: &ApiError, id: Uuid) -> Reply {
    let asked =
        Asked { content_type: request.header("content-type").unwrap_or_default(), ..Asked::default() };
    let written = Protocol::of(request).write(error, id, asked);
    let WrittenError { status, headers: lines, mut body } = written;
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if request.method == http::Method::HEAD {
        body.clear();
    }
    let body = KeptBody { total: body.len() as u64, bytes: body.into(), ended: true, ..KeptBody::default() };
    Reply { status, headers, body }
}
