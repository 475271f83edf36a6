//! Contrail's own part of a server in front: the actix application, reached over connections in memory, one for each
//! connection that it is asked on. It sees what it would see at a port of its own, the caller's address included.

use super::{Body, Broken, headers};
use crate::domain::tls::TlsSession;
use crate::transport::application::Application;
use crate::transport::stream::{self, Stream};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;

/// How much may be under way in memory, in bytes and each direction.
const BUFFER: usize = 64 * 1024;

/// A caller's connection to the application; made when it is first needed.
pub(super) struct Connection {
    application: Application,
    peer: SocketAddr,
    tls: Option<TlsSession>,
    sender: tokio::sync::Mutex<Option<SendRequest<Incoming>>>,
}

impl Connection {
    /// A connection of `peer`.
    pub(super) fn new(application: Application, peer: SocketAddr, tls: Option<TlsSession>) -> Connection {
        Connection { application, peer, tls, sender: tokio::sync::Mutex::new(None) }
    }

    /// The application's reply.
    ///
    /// # Errors
    /// The application hung up without one.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> hyper::Result<Response<Body>> {
        let mut kept = self.sender.lock().await;
        let open = match kept.take() {
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let mut sender = match open {
            Some(sender) => sender,
            None => self.open().await?,
        };
        let (mut parts, body) = request.into_parts();
        parts.headers = headers::end_to_end(&parts.headers);
        parts.version = http::Version::HTTP_11;
        let reply = sender.send_request(Request::from_parts(parts, body)).await?;
        *kept = Some(sender);
        let (mut parts, body) = reply.into_parts();
        let closes = headers::closes(&parts.headers);
        parts.headers = headers::end_to_end(&parts.headers);
        if closes {
            parts.headers.insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
        }
        Ok(Response::from_parts(parts, body.map_err(Broken::from).boxed_unsync()))
    }

    async fn open(&self) -> hyper::Result<SendRequest<Incoming>> {
        let (ours, theirs) = tokio::io::duplex(BUFFER);
        let theirs = stream::Connection::new(Stream::Memory(theirs), self.peer, self.tls.clone());
        let application = self.application.clone();
        actix_web::rt::spawn(async move { application.serve(theirs).await });
        let (sender, connection) = http1::handshake(TokioIo::new(ours)).await?;
        actix_web::rt::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection in memory broke");
            }
        });
        Ok(sender)
    }
}
