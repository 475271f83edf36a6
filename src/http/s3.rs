//! The S3 door: everything on the port that is for nobody else goes to the embedded bucket store. Bodies are streamed both
//! ways, a few pieces in memory at a time.
//!
//! Signatures are checked here, if at all, and taken off: what stands behind the door sees none.

mod access;
mod chunked;
mod declared;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod host;
mod refusal;

use crate::auth::{Checked, ChunkSignatures, Payload, Refusal, SignedService};
use crate::aws::signature::parameters::without_presigning;
use crate::buckets::{BodyFault, BucketCaller, Buckets, Seen};
use crate::domain::caller::Caller;
use crate::guard;
use crate::http::body::{self, Stalled};
use crate::http::{Front, caller, check_signature, head};
use actix_web::body::SizedStream;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use declared::DeclaredBody;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use http_body::Frame;
use http_body_util::StreamBody;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpResponse as S3HttpResponse, S3Error, S3ErrorCode, StdError, s3_error};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Pieces of a body that wait to be taken.
const WAITING: usize = 4;

/// How much of a body that nobody wants is read all the same, so that its sender gets to read the refusal.
const MAX_DRAIN: usize = 64 * 1024 * 1024;

/// Headers of all answers: a browser runs no script of an object, and gives its page an origin of its own. The console has
/// the same host name, so a script would have the console's rights.
const HEADERS: [(&str, &str); 2] =
    [("content-security-policy", "sandbox"), ("x-content-type-options", "nosniff")];

/// The bucket store as a door.
#[derive(Clone)]
pub(super) struct S3Door(S3Service);

impl S3Door {
    /// `names`: host names that stand for the server itself and not for a bucket.
    pub(super) fn new(buckets: &Buckets, names: &[String], front: &Front) -> S3Door {
        let mut builder = S3ServiceBuilder::new(buckets.s3());
        if !front.auth.is_off() {
            builder.set_auth(access::NoKeys);
            builder.set_access(access::Access { clock: front.clock.clone(), buckets: buckets.clone() });
        }
        builder.set_host(host::BucketHosts::new(names));
        S3Door(builder.build())
    }
}

/// Answers a request for the bucket store.
pub(super) async fn answer(
    request: HttpRequest,
    mut payload: web::Payload,
    door: &S3Door,
    front: &Front,
) -> HttpResponse {
    let id = front.ids.uuid();
    let within = front.settings.server.chunk_timeout.0;
    if let Err(why) = guard::check_page(&request) {
        let drained = drain(&mut payload, within, 0).await;
        return reply(refuse(s3_error!(AccessDenied, "{}", why.message)), drained, id);
    }
    let (sender, receiver) = mpsc::channel(WAITING);
    let seen = SeenFault::default();
    let admitted = admit(&request, front).map_err(|why| refusal::s3_error(&why));
    let request = match admitted.and_then(|admitted| prepare(&request, admitted, receiver, &seen)) {
        Ok(request) => request,
        Err(error) => {
            let drained = drain(&mut payload, within, 0).await;
            return reply(refuse(error), drained, id);
        }
    };
    // On its own: whatever becomes of the connection, the call comes to its end and clears up behind itself.
    let S3Door(s3) = door.clone();
    let call = tokio::spawn(async move { s3.call(request).await });
    let rest = pump(&mut payload, sender, within).await;
    let response = match call.await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => failed(&format!("{error:?}")),
        Err(error) => failed(&error.to_string()),
    };
    let response = match seen.take() {
        Some(fault) if response.status().is_server_error() => refuse(fault.answer()),
        _ => response,
    };
    reply(response, rest, id)
}

/// What was wrong with a request's body. s3s reads the bodies of most operations as a whole, and takes it for a fault of the
/// server when that fails.
#[derive(Clone, Default)]
struct SeenFault(Arc<Mutex<Option<BodyFault>>>);

impl SeenFault {
    fn note(&self, fault: &BodyFault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault.clone());
    }

    fn take(&self) -> Option<BodyFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What is known of a request that may come in, where anything is asked.
struct Admitted {
    /// Where it is asked who calls.
    caller: Option<Arc<Caller>>,
    bucket_caller: BucketCaller,
    chunks: Option<ChunkSignatures>,
}

fn admit(request: &HttpRequest, front: &Front) -> Result<Admitted, Refusal> {
    if front.auth.is_off() {
        // Whatever the signature is worth: it says whose the buckets are that are made.
        let head = head(request);
        let claim = head.signature().claim().ok().flatten();
        let (account, _) = front.callers.holder(claim.map(|claim| claim.access_key.as_str()));
        let bucket_caller = BucketCaller { account, sees: Seen::All };
        return Ok(Admitted { caller: None, bucket_caller, chunks: None });
    }
    let Checked { signer, chunks } = check_signature(request, front, SignedService::S3, Payload::Declared)?;
    let caller = caller(request, front, signer);
    let bucket_caller = BucketCaller { account: caller.account.clone(), sees: Seen::Own };
    Ok(Admitted { caller: Some(Arc::new(caller)), bucket_caller, chunks })
}

fn failed(cause: &str) -> S3HttpResponse {
    tracing::error!(cause, "an S3 call failed");
    refuse(s3_error!(InternalError, "We encountered an internal error. Please try again."))
}

fn refuse(error: S3Error) -> S3HttpResponse {
    error.to_http_response().unwrap_or_default()
}

/// What is left of a request's body when it has been answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Nothing: it was read to its end.
    Nothing,
    /// There may be more of it; the connection is of no more use.
    Unread,
}

/// Hands the body on as it comes.
async fn pump(payload: &mut web::Payload, sender: mpsc::Sender<Part>, within: Duration) -> Rest {
    loop {
        let part = match body::next(payload, within).await {
            Ok(Some(bytes)) => Part::Bytes(bytes),
            Ok(None) => Part::End,
            Err(Stalled::Timeout) => Part::Fault(BodyFault {
                code: S3ErrorCode::RequestTimeout,
                message: format!("Nothing of the request body arrived for {within:?}."),
            }),
            Err(Stalled::Broken) => Part::Fault(BodyFault {
                code: S3ErrorCode::IncompleteBody,
                message: "The request body broke off.".to_owned(),
            }),
        };
        let (is_end, is_fault) = (matches!(part, Part::End), matches!(part, Part::Fault(_)));
        let size = if let Part::Bytes(bytes) = &part { bytes.len() } else { 0 };
        let is_taken = sender.send(part).await.is_ok();
        if is_end || is_fault {
            return if is_end { Rest::Nothing } else { Rest::Unread };
        }
        if !is_taken {
            // The answer is there before the end of the body.
            return drain(payload, within, size).await;
        }
    }
}

/// Reads a body that nobody wants, up to a bound.
async fn drain(payload: &mut web::Payload, within: Duration, mut read: usize) -> Rest {
    while let Ok(next) = body::next(payload, within).await {
        match next {
            None => return Rest::Nothing,
            Some(bytes) => read += bytes.len(),
        }
        if read > MAX_DRAIN {
            break;
        }
    }
    Rest::Unread
}

/// What comes through the channel of a body. A channel that closes without an end is a body that broke off.
enum Part {
    Bytes(Bytes),
    End,
    Fault(BodyFault),
}

fn incoming(receiver: mpsc::Receiver<Part>) -> impl Stream<Item = Result<Bytes, BodyFault>> + Send {
    stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Part::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Part::End) => None,
            Some(Part::Fault(fault)) => Some((Err(fault), None)),
            None => {
                let message = "The request body broke off.".to_owned();
                Some((Err(BodyFault { code: S3ErrorCode::IncompleteBody, message }), None))
            }
        }
    })
}

/// The request as s3s takes it: without signature, its body plain.
fn prepare(
    request: &HttpRequest,
    admitted: Admitted,
    receiver: mpsc::Receiver<Part>,
    seen: &SeenFault,
) -> Result<http::Request<Body>, S3Error> {
    let bad = |e: http::Error| s3_error!(InvalidRequest, "The request cannot be read: {e}");
    let mut converted = http::Request::builder().method(request.method().as_str()).uri(unsigned_uri(request));
    for (name, value) in request.headers() {
        converted = converted.header(name.as_str(), value.as_bytes());
    }
    let (mut parts, ()) = converted.body(()).map_err(bad)?.into_parts();
    parts.headers.remove(http::header::AUTHORIZATION);
    parts.headers.remove("x-amz-security-token");
    parts.extensions.insert(admitted.bucket_caller);
    if let Some(caller) = admitted.caller {
        parts.extensions.insert(caller);
    }
    let has_body = parts.headers.contains_key(http::header::TRANSFER_ENCODING)
        || parts.headers.get(http::header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    let declared = DeclaredBody::take_headers(&mut parts.headers, admitted.chunks)?;
    let body = if has_body {
        let seen = seen.clone();
        let plain = declared.decode(incoming(receiver)).inspect_err(move |fault| seen.note(fault));
        let frames = plain.map(|part| part.map(Frame::data).map_err(StdError::from));
        Body::http_body_unsync(StreamBody::new(frames))
    } else {
        declared.check_empty()?;
        Body::empty()
    };
    Ok(http::Request::from_parts(parts, body))
}

/// The path and query of a request, without what signs it.
fn unsigned_uri(request: &HttpRequest) -> String {
    let path = request.uri().path();
    match without_presigning(request.query_string()) {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// The answer as actix sends it.
fn reply(response: S3HttpResponse, rest: Rest, id: uuid::Uuid) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let status = actix_web::http::StatusCode::from_u16(parts.status.as_u16()).unwrap_or_default();
    let mut reply = HttpResponse::build(status);
    let mut length = None;
    for (name, value) in &parts.headers {
        match *name {
            // Actix writes these two itself, from what the body is.
            http::header::CONTENT_LENGTH => length = value.to_str().ok().and_then(|text| text.parse().ok()),
            http::header::TRANSFER_ENCODING => {}
            _ => {
                reply.append_header((name.as_str(), value.as_bytes()));
            }
        }
    }
    for header in HEADERS {
        reply.insert_header(header);
    }
    reply.insert_header(("x-amz-request-id", id.simple().to_string()));
    if rest == Rest::Unread {
        reply.force_close();
    }
    if matches!(status.as_u16(), 204 | 304) {
        return reply.finish();
    }
    let length = length.or_else(|| http_body::Body::size_hint(&body).exact());
    let body = body.map(|part| part.map_err(|error| -> Box<dyn std::error::Error> { error }));
    match length {
        Some(length) => reply.body(SizedStream::new(length, body)),
        None => reply.streaming(body),
    }
}
