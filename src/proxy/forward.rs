//! One call, from its caller to the upstream and back. Bodies are streamed both ways, a few pieces in memory.
//!
//! Nothing of it is changed but what belongs to the single connection (RFC 9110 §7.6.1): target, `Host` and all other
//! headers go on as they came, so that signatures stay valid; redirects are not followed, and packed bodies stay packed.

use super::refusal;
use super::tee::{BodyCopy, ForwardedCall};
use super::{Forwarded, Proxy};
use crate::recorder::exchange::{Exchange, Head, KeptBody, Reply};
use actix_web::body::{BodyStream, SizedStream};
use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use futures_util::StreamExt;
use futures_util::stream::{self, Stream};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// How long an unused connection is kept; shorter than servers usually do.
const IDLE: Duration = Duration::from_secs(20);

/// Parts of a request's body that wait to be sent.
const WAITING: usize = 4;

type Broken = std::io::Error;
type Body = UnsyncBoxBody<Bytes, Broken>;
pub(super) type Client = hyper_util::client::legacy::Client<HttpConnector, Body>;

/// The client to all upstreams.
pub(super) fn client() -> Client {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_nodelay(true);
    hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .set_host(false)
        .build(connector)
}

/// The head of a request in the form in which the recorder reads it.
pub(super) fn head_of(head: &RequestHead) -> Head {
    let mut headers = http::HeaderMap::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        let name = http::HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    Head { method: head.method.as_str().parse().unwrap_or_default(), target, headers }
}

/// Forwards a call, and passes its reply back.
pub(super) async fn answer(
    request: HttpRequest,
    payload: web::Payload,
    proxy: web::Data<Proxy>,
) -> HttpResponse {
    let forwarded = request.extensions_mut().remove::<Forwarded>();
    // The guard has put it there, or this would not be the handler.
    let Some(Forwarded { head, scope, upstream }) = forwarded else {
        return HttpResponse::NotFound().finish();
    };
    let length = content_length(&head.headers);
    let body = BodyCopy::new(length);
    let (account, _) = proxy.parts.callers.holder(scope.as_ref().map(|scope| scope.access_key.as_str()));
    let call = ForwardedCall {
        exchange: Some(Exchange {
            head: head.clone(),
            body: KeptBody::default(),
            reply: None,
            time: proxy.parts.clock.now(),
            source_ip: source_ip(&request, &head, &proxy.trusted),
            trails: proxy.parts.store.logging_trails(&account),
        }),
        request: body.clone(),
        reply: BodyCopy::new(None),
        calls: proxy.parts.calls.clone(),
        length: None,
    };
    if asks_for_another_protocol(&head) {
        return refuse(&head, "Connections that change to another protocol are not forwarded.", call, &proxy);
    }
    let within = proxy.parts.settings.server.chunk_timeout.0;
    let outgoing = match outgoing(&head, &upstream, length, payload, body, within) {
        Ok(outgoing) => outgoing,
        Err(error) => {
            return refuse(&head, &format!("The request cannot be forwarded: {error}"), call, &proxy);
        }
    };
    match proxy.client.request(outgoing).await {
        Ok(reply) => pass_back(reply, &head, call, &proxy),
        Err(error) => {
            tracing::warn!(upstream, error = %chain(&error), "the upstream does not answer");
            refuse(&head, &format!("The upstream {upstream} does not answer."), call, &proxy)
        }
    }
}

/// An error with its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The peer, or whom the nearest trusted proxies name.
fn source_ip(request: &HttpRequest, head: &Head, trusted: &[IpAddr]) -> String {
    let Some(mut at) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else { return String::new() };
    let named: Vec<&str> = head
        .headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    for name in named.iter().rev() {
        match name.parse::<IpAddr>() {
            Ok(before) if trusted.contains(&at) => at = before.to_canonical(),
            _ => break,
        }
    }
    at.to_string()
}

fn content_length(headers: &http::HeaderMap) -> Option<u64> {
    headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether the connection is to become another one. An offer of HTTP/2 may be left unanswered.
fn asks_for_another_protocol(head: &Head) -> bool {
    head.header("upgrade").is_some_and(|protocol| !protocol.trim().eq_ignore_ascii_case("h2c"))
}

/// Headers that are about one connection and not about the call.
fn is_of_connection(name: &str, headers: &http::HeaderMap) -> bool {
    let named = || {
        headers
            .get_all("connection")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(name)))
    };
    matches!(
        name,
        "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade" | "http2-settings"
    ) || (headers.contains_key("connection") && name != "content-length" && named())
}

fn outgoing(
    head: &Head,
    upstream: &str,
    length: Option<u64>,
    payload: web::Payload,
    copy: BodyCopy,
    within: Duration,
) -> Result<http::Request<Body>, http::Error> {
    let mut request =
        http::Request::builder().method(head.method.clone()).uri(format!("{upstream}{}", head.target));
    for (name, value) in &head.headers {
        if !is_of_connection(name.as_str(), &head.headers) {
            request = request.header(name, value);
        }
    }
    let has_body = length.is_some_and(|length| length > 0) || head.headers.contains_key("transfer-encoding");
    if !has_body {
        copy.end();
        return request.body(Empty::new().map_err(|never| match never {}).boxed_unsync());
    }
    let (sender, receiver) = mpsc::channel(WAITING);
    // On this thread: actix's bodies stay where they came in.
    actix_web::rt::spawn(pump(payload, sender, copy, within));
    let parts = stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    request
        .body(StreamBody::new(parts.map(|part: Result<Bytes, Broken>| part.map(Frame::data))).boxed_unsync())
}

/// Reads a body as fast as it is sent on. A body that breaks off breaks the forwarded call as well.
async fn pump(
    mut payload: web::Payload,
    sender: mpsc::Sender<Result<Bytes, Broken>>,
    copy: BodyCopy,
    within: Duration,
) {
    loop {
        let part = match tokio::time::timeout(within, payload.next()).await {
            Ok(None) => return copy.end(),
            Ok(Some(Ok(part))) => Ok(part),
            Ok(Some(Err(error))) => Err(Broken::other(error.to_string())),
            Err(_) => Err(Broken::new(std::io::ErrorKind::TimedOut, "nothing of the body arrived")),
        };
        let broke = part.is_err();
        if let Ok(part) = &part {
            copy.add(part);
        }
        if sender.send(part).await.is_err() || broke {
            return;
        }
    }
}

fn pass_back(
    reply: http::Response<Incoming>,
    head: &Head,
    mut call: ForwardedCall,
    proxy: &Proxy,
) -> HttpResponse {
    let (parts, body) = reply.into_parts();
    let status = StatusCode::from_u16(parts.status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    for (name, value) in &parts.headers {
        if !is_of_connection(name.as_str(), &parts.headers) && name != http::header::CONTENT_LENGTH {
            append(&mut response, name.as_str(), value.as_bytes());
        }
    }
    let length = content_length(&parts.headers);
    let is_empty = head.method == http::Method::HEAD || matches!(status.as_u16(), 204 | 304);
    if let Some(exchange) = &mut call.exchange {
        exchange.time = proxy.parts.clock.now();
        exchange.reply =
            Some(Reply { status: parts.status.as_u16(), headers: parts.headers, body: KeptBody::default() });
    }
    if is_empty || length == Some(0) {
        call.complete();
        return match length {
            Some(length) => response.body(SizedStream::new(length, stream::empty::<Result<Bytes, Broken>>())),
            None => response.finish(),
        };
    }
    call.reply = BodyCopy::new(length);
    call.length = length;
    let parts = passing(body, call);
    match length {
        Some(length) => response.body(SizedStream::new(length, parts)),
        None => response.body(BodyStream::new(parts)),
    }
}

fn append(response: &mut HttpResponseBuilder, name: &str, value: &[u8]) {
    use actix_web::http::header::{HeaderName, HeaderValue};
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
        response.append_header((name, value));
    }
}

/// The reply's body as it passes.
fn passing(body: Incoming, call: ForwardedCall) -> impl Stream<Item = Result<Bytes, Broken>> {
    stream::unfold(Some((body, call)), |state| async move {
        let (mut body, mut call) = state?;
        loop {
            match body.frame().await {
                None => {
                    call.complete();
                    return None;
                }
                Some(Err(error)) => return Some((Err(Broken::other(chain(&error))), None)),
                Some(Ok(frame)) => {
                    if let Ok(part) = frame.into_data() {
                        call.add(&part);
                        return Some((Ok(part), Some((body, call))));
                    }
                }
            }
        }
    })
}

/// An error of our own, in the caller's protocol; it is recorded like any other.
fn refuse(head: &Head, why: &str, mut call: ForwardedCall, proxy: &Proxy) -> HttpResponse {
    let refusal = refusal::of(head, why, proxy.parts.ids.uuid());
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut response = HttpResponse::build(status);
    for (name, value) in &refusal.headers {
        append(&mut response, name.as_str(), value.as_bytes());
    }
    let body = refusal.body.bytes.clone();
    if let Some(exchange) = &mut call.exchange {
        exchange.time = proxy.parts.clock.now();
        exchange.reply = Some(Reply { body: KeptBody::default(), ..refusal });
    }
    call.reply.add(&body);
    call.complete();
    // There may be more of the request's body than anybody will read.
    response.force_close().body(body)
}
