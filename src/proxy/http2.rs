//! HTTP/2, for callers that speak nothing else. Each call becomes one of HTTP/1.1, which the application and the upstreams
//! understand.

use super::door::{Door, MAX_BUFFER};
use super::own::Connection;
use super::{Body, Peer};
use crate::transport::stream;
use bytes::Bytes;
use http::header::{COOKIE, HOST};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// Calls that may be under way on one connection; as many as clients begin with before they are told (RFC 9113 §6.5.2 asks for
/// no fewer).
const MAX_CALLS: u32 = 100;

/// How often it is asked whether the other end is still there, and how long it may take to say so.
const ASKED: Duration = Duration::from_secs(30);

/// Runs what belongs to a connection on the thread that serves it.
#[derive(Clone, Copy)]
struct ThisThread;

impl<F> hyper::rt::Executor<F> for ThisThread
where
    F: Future + 'static,
{
    fn execute(&self, future: F) {
        actix_web::rt::spawn(async move {
            future.await;
        });
    }
}

/// The calls of a connection: those under way, and all.
#[derive(Debug, Default)]
struct Calls {
    under_way: AtomicUsize,
    all: AtomicUsize,
}

impl Calls {
    fn begin(self: &Arc<Calls>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.all.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }
}

/// A call that is under way; dropped when its answer has been sent.
struct UnderWay(Arc<Calls>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer, whose call is under way until it ends.
struct CallBody {
    body: Body,
    _call: UnderWay,
}

impl hyper::body::Body for CallBody {
    type Data = Bytes;
    type Error = super::Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, super::Broken>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Answers on one connection until it ends, or has been without a call for as long as [`Door::idle`] says, or twice that.
pub(super) async fn serve(door: &Door, stream: stream::Connection) {
    let peer = Arc::new(Peer { address: stream.peer, tls: stream.tls.clone() });
    let calls = Arc::<Calls>::default();
    let service = {
        let (door, calls) = (door.clone(), Arc::clone(&calls));
        service_fn(move |request| answer(door.clone(), Arc::clone(&peer), calls.begin(), request))
    };
    let mut builder = http2::Builder::new(ThisThread);
    builder
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .max_concurrent_streams(MAX_CALLS)
        .max_header_list_size(u32::try_from(MAX_BUFFER).unwrap_or(u32::MAX))
        .max_send_buf_size(MAX_BUFFER)
        .keep_alive_interval(ASKED)
        .keep_alive_timeout(ASKED);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut looked_at = tokio::time::interval(door.idle);
    looked_at.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looked_at.reset();
    let (mut seen, mut is_ending) = (0, false);
    let ended = loop {
        tokio::select! {
            ended = connection.as_mut() => break ended,
            () = door.shutdown.notified(), if !is_ending => {
                connection.as_mut().graceful_shutdown();
                is_ending = true;
            }
            _ = looked_at.tick() => {
                let all = calls.all.load(Ordering::Relaxed);
                let is_idle = calls.under_way.load(Ordering::Relaxed) == 0 && all == seen;
                if is_idle && is_ending {
                    // It has not even begun to speak, or does not hang up.
                    break Ok(());
                }
                if is_idle {
                    connection.as_mut().graceful_shutdown();
                    is_ending = true;
                }
                seen = all;
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a caller's connection of HTTP/2 broke");
    }
}

/// # Errors
/// The call cannot be answered.
async fn answer(
    door: Door,
    peer: Arc<Peer>,
    call: UnderWay,
    mut request: Request<Incoming>,
) -> hyper::Result<Response<CallBody>> {
    as_http1(&mut request);
    // A connection of its own, as calls do not wait for each other.
    let own = Connection::new(door.application.clone(), peer.address, peer.tls.clone());
    let answer = door.answer(request, &peer, &own).await?;
    Ok(answer.map(|body| CallBody { body, _call: call }))
}

/// The host in a header, nothing but path and query in the target, and one line of cookies (RFC 9113 §8.2.3 and 8.3.1).
fn as_http1<B>(request: &mut Request<B>) {
    let authority = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    *request.uri_mut() = target.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let headers = request.headers_mut();
    // Two that differ are refused further on, as those of HTTP/1.1 are.
    if let Some(host) = authority.filter(|host| headers.get_all(HOST).iter().ne([host])) {
        headers.append(HOST, host);
    }
    join_cookies(headers);
}

fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if cookies.len() < 2 {
        return;
    }
    if let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}
