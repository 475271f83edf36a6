//! One call, from its caller to the upstream and back. Bodies are streamed both ways, a few pieces in memory.
//!
//! Nothing of it is changed but what belongs to the single connection: target, `Host` and all other headers go on as they
//! came, so that signatures stay valid; redirects are not followed, and packed bodies stay packed.

use super::admission::{Admitted, AdmittedBody, NotAdmitted};
use super::bodies::{ReplyBody, RequestBody};
use super::body_copy::BodyCopy;
use super::call::ForwardedCall;
use super::hashed_body::{HashedBody, WrongHash};
use super::headers::{self, end_to_end, other_protocol};
use super::refusal;
use super::{Body, Peer, Proxy, tunnel};
use crate::auth::{self, SignedService};
use crate::aws::protocol::Protocol;
use crate::aws::request::Request as AwsRequest;
use crate::config::Settings;
use crate::domain::source_ip::source_ip;
use crate::domain::tls::TlsDetails;
use crate::error::ApiError;
use crate::guard::is_browser;
use crate::recorder::exchange::{Exchange, KeptBody, Reply};
use crate::recorder::forwarded_calls::Room;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use std::sync::Arc;

/// A request that is to be forwarded: what is known of it before its body has come.
pub(super) struct ToForward {
    request: Arc<AwsRequest>,
    /// `http://host:port` or `https://host:port`
    upstream: String,
}

impl ToForward {
    /// The service that it is signed for; empty when it is not signed.
    fn service(&self) -> &str {
        service_of(&self.request).unwrap_or_default()
    }

    /// Whether it says for which host it is, in the one way that everybody reads.
    fn says_its_host(&self) -> bool {
        let hosts = self.request.headers.get_all(http::header::HOST).into_iter().count();
        hosts == 1 && self.request.method != http::Method::CONNECT
    }
}

fn service_of(request: &AwsRequest) -> Option<&str> {
    request.signature().claim().ok().flatten()?.service.as_deref()
}

/// What is known of a request; `None` when it is for CloudTrail or for Contrail's own paths, or when there is no upstream
/// for its service. The headers of one that is to be forwarded move there.
pub(super) fn to_forward(request: &mut Request<Incoming>, settings: &Settings) -> Option<ToForward> {
    let path = request.uri().path();
    if path == "/_contrail" || path.starts_with("/_contrail/") {
        return None;
    }
    let target =
        request.headers().get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let prefix = target.rsplit_once('.').map_or("", |(prefix, _)| prefix);
    if prefix.rsplit('.').next().is_some_and(|last| last.starts_with("CloudTrail_")) {
        return None;
    }
    let headers = std::mem::take(request.headers_mut());
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let head = AwsRequest::new(request.method().clone(), target, headers);
    let service = service_of(&head);
    match settings.recorder.upstream_of(service).filter(|_| service != Some("cloudtrail")) {
        Some(upstream) => {
            let upstream = upstream.to_owned();
            Some(ToForward { request: Arc::new(head), upstream })
        }
        None => {
            *request.headers_mut() = head.headers;
            None
        }
    }
}

impl Proxy {
    /// Forwards a call. Its reply, or an error of our own.
    pub(super) async fn forward(
        &self,
        mut request: Request<Incoming>,
        known: ToForward,
        peer: &Peer,
    ) -> Response<Body> {
        if !known.says_its_host() {
            return self.refuse_unrecorded(&known.request, &refusal::no_host());
        }
        let protocol = other_protocol(&known.request.headers);
        let caller = protocol.is_some().then(|| hyper::upgrade::on(&mut request));
        let room = match self.room(&known.request) {
            Ok(room) => room,
            Err(error) => return self.refuse_unrecorded(&known.request, &error),
        };
        let (parts, body) = request.into_parts();
        let exchange = self.exchange(&known, peer);
        let Admitted { body, may_upgrade } = match self.admit(&known, &exchange, body).await {
            Ok(admitted) => admitted,
            Err(NotAdmitted::Unknown(error)) => return self.refuse_unrecorded(&known.request, &error),
            Err(NotAdmitted::Denied(error, copy)) => {
                let call = ForwardedCall::new(exchange, copy, self.parts.calls.clone(), room);
                return self.refuse(&known.request, &error, call).await;
            }
        };
        let (protocol, caller) = (protocol.filter(|_| may_upgrade), caller.filter(|_| may_upgrade));
        let ToForward { request: head, upstream } = known;
        let mut outgoing = match self.outgoing(&head, body) {
            Ok(outgoing) => outgoing,
            Err(error) => return self.refuse_unrecorded(&head, &ApiError::internal(error)),
        };
        let call = ForwardedCall::new(exchange, outgoing.copy.clone(), self.parts.calls.clone(), room);
        if let Some(protocol) = protocol {
            headers::set_other_protocol(&mut outgoing.headers, protocol);
        }
        let Outgoing { headers, body, copy, wrong_hash } = outgoing;
        let parts = match outgoing_head(parts, headers, &head.target, &upstream) {
            Ok(parts) => parts,
            Err(error) => {
                let why = format!("The request cannot be forwarded: {error}");
                return self.refuse(&head, &refusal::unavailable(why), call).await;
            }
        };
        let mut reply = match self.client.request(Request::from_parts(parts, body)).await {
            Ok(reply) => reply,
            Err(_) if wrong_hash.was_seen() => {
                return self.refuse(&head, &auth::Refusal::WrongBody.error(Protocol::S3), call).await;
            }
            Err(_) if copy.has_stalled() => return self.refuse(&head, &refusal::timeout(), call).await,
            Err(error) => {
                self.outages.begin(&upstream, &chain(&error));
                copy.read_rest().await;
                let why = format!("The upstream {upstream} does not answer.");
                return self.refuse(&head, &refusal::unavailable(why), call).await;
            }
        };
        self.outages.end(&upstream);
        let granted = reply.headers().get(http::header::UPGRADE).cloned();
        let mut response = match (reply.status(), caller, granted) {
            (StatusCode::SWITCHING_PROTOCOLS, Some(caller), Some(granted)) => {
                tunnel::join(caller, hyper::upgrade::on(&mut reply));
                self.pass_back(&head, reply, Some(granted), call).await
            }
            _ => self.pass_back(&head, reply, None, call).await,
        };
        if is_browser(head.header("user-agent")) {
            headers::sandbox(response.headers_mut());
        }
        response
    }

    /// What the upstream gets of a request, and the copy that is kept of it.
    ///
    /// # Errors
    /// A body that was collected cannot be read.
    fn outgoing(&self, request: &AwsRequest, body: AdmittedBody) -> std::io::Result<Outgoing> {
        let wrong_hash = WrongHash::default();
        let mut headers = end_to_end(&request.headers);
        let (copy, body) = match body {
            AdmittedBody::Whole(body, copy) => (copy, body.into_body()?.boxed_unsync()),
            AdmittedBody::AsItComes(body, hash) => {
                let copy = BodyCopy::of(&body);
                let body = RequestBody::new(body, copy.clone(), self.parts.settings.server.chunk_timeout.0);
                let body = match hash {
                    None => body.boxed_unsync(),
                    Some(hash) => HashedBody::new(body, hash, wrong_hash.clone()).boxed_unsync(),
                };
                (copy, body)
            }
            AdmittedBody::Preflight => {
                headers = headers::of_preflight(&request.headers);
                let nothing = Full::new(Bytes::new()).map_err(|never| match never {});
                (BodyCopy::of_whole(&Bytes::new()), nothing.boxed_unsync())
            }
        };
        Ok(Outgoing { headers, body, copy, wrong_hash })
    }

    /// What is to be forwarded of a call.
    ///
    /// # Errors
    /// It is not known who makes it, or they may not, where that is asked.
    async fn admit(
        &self,
        known: &ToForward,
        exchange: &Exchange,
        body: Incoming,
    ) -> Result<Admitted, NotAdmitted> {
        match &self.admission {
            None => Ok(Admitted::unchecked(body)),
            Some(admission) => admission.admit(exchange, SignedService(known.service()), body).await,
        }
    }

    /// Room for the record of a call, where there has to be some.
    ///
    /// # Errors
    /// There is none.
    fn room(&self, request: &AwsRequest) -> Result<Option<Room>, ApiError> {
        if !self.parts.settings.recorder.strict {
            return Ok(None);
        }
        let why = "Calls that cannot be recorded are not forwarded, and too many wait to be recorded.";
        self.parts.calls.room(request).map(Some).ok_or_else(|| refusal::unavailable(why))
    }

    /// What is known of a call as it arrives.
    fn exchange(&self, known: &ToForward, peer: &Peer) -> Exchange {
        let request = &known.request;
        let claim = request.signature().claim().ok().flatten();
        let (account, _) = self.parts.callers.holder(claim.map(|claim| claim.access_key.as_str()));
        let mut exchange = Exchange::new(Arc::clone(request), self.parts.clock.now());
        let named = request.headers.get_all("x-forwarded-for").into_iter().map(HeaderValue::as_bytes);
        let trusted = &self.parts.settings.server.trusted_proxies;
        exchange.source_ip = source_ip(peer.address.ip(), named, trusted).to_string();
        exchange.tls = peer.tls.as_ref().map(|session| TlsDetails::new(session, request.header("host")));
        exchange.trails = self.parts.store.logging_trails(&account);
        exchange
    }

    async fn pass_back(
        &self,
        request: &AwsRequest,
        reply: Response<Incoming>,
        protocol: Option<HeaderValue>,
        mut call: ForwardedCall,
    ) -> Response<Body> {
        let (mut parts, body) = reply.into_parts();
        let mut passed = end_to_end(&parts.headers);
        if let Some(protocol) = protocol {
            headers::set_other_protocol(&mut passed, protocol);
        }
        let headers = std::mem::replace(&mut parts.headers, passed);
        let reply = Reply { status: parts.status.as_u16(), headers, body: KeptBody::default() };
        call.replied(reply, self.parts.clock.now());
        let copy = BodyCopy::of(&body);
        call.reply_body = Some(copy.clone());
        if body.is_end_stream() && call.recorded().await.is_err() {
            return self.refuse_unrecorded(request, &refusal::not_recorded());
        }
        Response::from_parts(parts, ReplyBody::new(body, copy, call).boxed_unsync())
    }

    /// An error of our own, of which there is no record.
    fn refuse_unrecorded(&self, request: &AwsRequest, error: &ApiError) -> Response<Body> {
        own_response(&refusal::reply(request, error, self.parts.ids.uuid()))
    }

    /// An error of our own; it is recorded like any other.
    async fn refuse(&self, head: &AwsRequest, error: &ApiError, mut call: ForwardedCall) -> Response<Body> {
        let reply = refusal::reply(head, error, self.parts.ids.uuid());
        let response = own_response(&reply);
        call.replied(reply, self.parts.clock.now());
        match call.recorded().await {
            Ok(()) => response,
            Err(_) => self.refuse_unrecorded(head, &refusal::not_recorded()),
        }
    }
}

fn own_response(reply: &Reply) -> Response<Body> {
    let body = Full::new(reply.body.bytes.clone()).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    *response.headers_mut() = reply.headers.clone();
    // There may be more of the request's body than anybody will read.
    response.headers_mut().insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// What the upstream gets of a request.
struct Outgoing {
    headers: HeaderMap,
    body: Body,
    /// The copy of the body that is recorded.
    copy: BodyCopy,
    wrong_hash: WrongHash,
}

/// The head of a request as the upstream gets it.
fn outgoing_head(
    mut parts: http::request::Parts,
    headers: HeaderMap,
    target: &str,
    upstream: &str,
) -> Result<http::request::Parts, http::uri::InvalidUri> {
    parts.uri = format!("{upstream}{target}").parse()?;
    parts.version = http::Version::HTTP_11;
    parts.headers = headers;
    Ok(parts)
}
