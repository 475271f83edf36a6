//! The connections of a server. Where it stands in front of an upstream hyper reads them, and not actix: it keeps how header
//! names are written and in which order they come, and lets connections change to other protocols. HTTP/2 is read by hyper in
//! any case ([`http2`]).

use super::own::Connection;
use super::{Body, Peer, Proxy, forward, http2};
use crate::transport::application::Application;
use crate::transport::stream::{self, Protocol};
use actix_server::GracefulShutdownSignal;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::pin::pin;
use std::time::Duration;

/// Bytes of a connection that are read and not taken yet; also the longest head of a request. Without this bound hyper's
/// buffers grow to 400 KiB each.
pub(super) const MAX_BUFFER: usize = 128 * 1024;

/// Answers the connections of one thread, cheap to clone: what is for Contrail goes to its application, all else through
/// the proxy, if there is one.
#[derive(Clone)]
pub struct Door {
    /// Forwards what is for others.
    pub proxy: Option<Proxy>,
    /// How long a connection may be without a request, or take over the head of one.
    pub idle: Duration,
    /// Answers what is for Contrail. It is reached over connections in memory, which live as long as those that they serve.
    pub application: Application,
    /// Notified when the server stops.
    pub shutdown: GracefulShutdownSignal,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

impl Door {
    /// Answers on one connection until it ends.
    pub async fn serve(&self, stream: stream::Connection) {
        match (stream.protocol, &self.proxy) {
            (Protocol::Http2, _) => http2::serve(self, stream).await,
            (Protocol::Http1, None) => self.application.serve(stream).await,
            (Protocol::Http1, Some(_)) => self.serve_http1(stream).await,
        }
    }

    async fn serve_http1(&self, stream: stream::Connection) {
        let peer = Peer { address: stream.peer, tls: stream.tls.clone() };
        let own = Connection::new(self.application.clone(), peer.address, peer.tls.clone());
        let service = service_fn(|request| self.answer(request, &peer, &own));
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.idle)
            .preserve_header_case(true)
            .max_buf_size(MAX_BUFFER)
            // A reply that has no date had none at the upstream.
            .auto_date_header(false);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.shutdown.notified() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a caller's connection broke");
        }
    }

    /// # Errors
    /// The connection cannot go on.
    pub(super) async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: &Peer,
        own: &Connection,
    ) -> hyper::Result<Response<Body>> {
        let Some(proxy) = &self.proxy else { return own.answer(request).await };
        match forward::to_forward(&mut request, &proxy.parts.settings) {
            Some(known) => Ok(proxy.forward(request, known, peer).await),
            None => own.answer(request).await,
        }
    }
}
