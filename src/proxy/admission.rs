//! Whether a call may be forwarded: who has signed it, and what their policy says. Asked where `[auth] proxy` says so.
//!
//! A signature says what the body is, so a body is collected before it is forwarded, but for S3's, which may be large: there
//! the sender says the body's hash beforehand, and it is compared as the body passes ([`hashed_body`](super::hashed_body)).

use super::body_copy::BodyCopy;
use super::collected::{Collected, Collector};
use super::{Parts, permission};
use crate::auth::{self, Auth, Payload, SignedService};
use crate::aws::identify::{Identifier, S3_CONTROL, may_be_emulators_own, may_begin_with, names_operation};
use crate::aws::protocol::Protocol;
use crate::aws::request::Request;
use crate::callers::Callers;
use crate::clock::Clock;
use crate::domain::caller::{Caller, Origin};
use crate::domain::digest::sha256;
use crate::error::ApiError;
use crate::recorder::exchange::Exchange;
use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::sync::Arc;
use std::time::Duration;

/// How much of a body that nobody wants is read all the same, and for how long.
const MAX_DRAIN: usize = 8 * 1024 * 1024;
const LONGEST_DRAIN: Duration = Duration::from_secs(1);

/// The hash of an empty body.
const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Checks calls before they are forwarded.
#[derive(Debug)]
pub(super) struct Admission {
    auth: Auth,
    callers: Arc<Callers>,
    identifier: Arc<Identifier>,
    clock: Clock,
    bodies: Collector,
}

/// What is to be forwarded.
pub(super) struct Admitted {
    pub(super) body: AdmittedBody,
    /// Whether the connection may change to another protocol, over which anything may be asked.
    pub(super) may_upgrade: bool,
}

/// What is to be forwarded of a body.
pub(super) enum AdmittedBody {
    /// A body that was collected, and what is kept of it.
    Whole(Collected, BodyCopy),
    /// A body that is forwarded as it comes; its hash, if its sender said one.
    AsItComes(Incoming, Option<String>),
    /// None: a CORS preflight request, which is never signed.
    Preflight,
}

/// Why a call is not to be forwarded.
pub(super) enum NotAdmitted {
    /// It is not known who makes it; there are no records of such calls.
    Unknown(ApiError),
    /// Its caller may not do it. With what is kept of the body, as far as it was collected.
    Denied(ApiError, BodyCopy),
}

impl From<ApiError> for NotAdmitted {
    fn from(error: ApiError) -> NotAdmitted {
        NotAdmitted::Unknown(error)
    }
}

impl Admitted {
    /// A call that is not checked.
    pub(super) fn unchecked(body: Incoming) -> Admitted {
        Admitted { body: AdmittedBody::AsItComes(body, None), may_upgrade: true }
    }
}

impl Admission {
    /// With nothing collected yet.
    pub(super) fn new(parts: &Parts) -> Admission {
        let Parts { settings, clock, callers, auth, identifier, .. } = parts.clone();
        let bodies = Collector::new(settings.server.data_dir.clone(), settings.server.chunk_timeout.0);
        Admission { auth, callers, identifier, clock, bodies }
    }

    /// What is to be forwarded of a call.
    ///
    /// # Errors
    /// It is not known who makes it, or they may not.
    pub(super) async fn admit(
        &self,
        exchange: &Exchange,
        service: SignedService<'_>,
        body: Incoming,
    ) -> Result<Admitted, NotAdmitted> {
        let request = &*exchange.request;
        if is_preflight(request) {
            if names_operation(request) || may_be_emulators_own(request.path()) {
                drain(body).await;
                let why = "A preflight request must not name an operation.".to_owned();
                return Err(Protocol::of(request).access_denied(why).into());
            }
            return Ok(Admitted { body: AdmittedBody::Preflight, may_upgrade: false });
        }
        let refused = |refusal: auth::Refusal| refusal.error(Protocol::of(request));
        if let Err(refusal) = self.auth.check_head(request, service) {
            drain(body).await;
            return Err(refused(refusal).into());
        }
        let origin = Origin {
            source_ip: exchange.source_ip.clone(),
            user_agent: request.header("user-agent").map(str::to_owned),
            tls: exchange.tls.clone(),
        };
        // S3 Control is signed for as S3, but has no large bodies: what they name counts.
        if service.is_s3() && !may_begin_with(request.path(), S3_CONTROL) {
            let hash = declared_hash(request);
            let checked = self.auth.check(request, service, Payload::Declared);
            let is_wrong = body.is_end_stream() && hash.as_ref().is_some_and(|hash| *hash != EMPTY_HASH);
            let checked = if is_wrong { Err(auth::Refusal::WrongBody) } else { checked };
            let signer = match checked {
                Ok(checked) => checked.signer,
                Err(refusal) => {
                    drain(body).await;
                    return Err(refused(refusal).into());
                }
            };
            let caller = self.callers.caller(signer, origin);
            if let Err(denied) = self.authorize(&caller, exchange, b"") {
                drain(body).await;
                return Err(NotAdmitted::Denied(denied, BodyCopy::of_whole(&Bytes::new())));
            }
            let body = AdmittedBody::AsItComes(body, hash);
            return Ok(Admitted { body, may_upgrade: caller.policy.is_none() });
        }
        let collected = self.bodies.collect(body, exchange.source_ip.parse().ok()).await?;
        let whole = collected.whole().await?;
        let body = &whole.bytes;
        let payload = match declared_hash(request) {
            Some(hash) if service.is_s3() && hash != sha256(body) => {
                return Err(refused(auth::Refusal::WrongBody).into());
            }
            _ if service.is_s3() => Payload::Declared,
            _ => Payload::Body(body),
        };
        let checked = self.auth.check(request, service, payload).map_err(refused)?;
        let caller = self.callers.caller(checked.signer, origin);
        let copy = BodyCopy::of_whole(body);
        match self.authorize(&caller, exchange, body) {
            Ok(()) => {
                let body = AdmittedBody::Whole(collected, copy);
                Ok(Admitted { body, may_upgrade: caller.policy.is_none() })
            }
            Err(denied) => Err(NotAdmitted::Denied(denied, copy)),
        }
    }

    /// What the caller's policy says.
    fn authorize(&self, caller: &Caller, exchange: &Exchange, body: &[u8]) -> Result<(), ApiError> {
        let allowed = permission::check(&self.identifier, caller, exchange, body, self.clock.now());
        allowed.map_err(|why| Protocol::of(&exchange.request).access_denied(why))
    }
}

/// Whether this is a CORS preflight request.
fn is_preflight(request: &Request) -> bool {
    request.method == http::Method::OPTIONS
        && request.headers.contains_key("origin")
        && request.headers.contains_key("access-control-request-method")
}

/// Reads some of a body that nobody wants, so that its sender gets to read the refusal.
async fn drain(mut body: Incoming) {
    let mut read = 0;
    // A caller that does not send it gets its answer all the same.
    let _ = tokio::time::timeout(LONGEST_DRAIN, async {
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > MAX_DRAIN {
                return;
            }
        }
    })
    .await;
}

/// The hash that the sender of an S3 body says it has.
fn declared_hash(request: &Request) -> Option<String> {
    let hash = request.header("x-amz-content-sha256")?;
    (hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then(|| hash.to_ascii_lowercase())
}
