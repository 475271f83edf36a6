//! Connections, before anybody reads a request from them: how many there may be, TLS where it is wished, and the actix
//! application that answers on them.
//!
//! A connection takes this way: it is accepted and counted ([`limits`]), looked at ([`greeting`]), encrypted ([`tls`], with
//! the keys of [`certificate`]), and served by the [`application`] or by the proxy in front of it.

pub mod application;
pub mod certificate;
mod greeting;
pub mod limits;
pub mod stream;
pub mod tls;

use actix_server::ServerBuilder;
use actix_service::{fn_factory, fn_service};
use actix_web::rt::net::TcpStream;
use greeting::Greeting;
use limits::{Connections, Place, TooMany};
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::time::Duration;
use stream::{Connection, Protocol, Stream};
use tls::Tls;
use tokio::io::AsyncWriteExt;

/// What a connection has to pass before it is served, cheap to clone.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// How many there may be.
    pub connections: Connections,
    /// Whether they are encrypted.
    pub encryption: Encryption,
    /// How long a caller may take nothing of what is written.
    pub write_timeout: Duration,
}

/// Whether connections are encrypted, cheap to clone.
#[derive(Clone, Debug)]
pub enum Encryption {
    /// Plain HTTP.
    None,
    /// TLS or plain HTTP, as the first byte says.
    Offered(Tls),
    /// TLS; callers with plain HTTP are told so.
    Required(Tls),
}

/// Adds a listener to a server. `make` is called once on each thread; what it makes serves that thread's connections.
///
/// # Errors
/// The listener is not to be used.
pub fn listen<M, S>(
    builder: ServerBuilder,
    listener: TcpListener,
    entrance: Entrance,
    make: M,
) -> io::Result<ServerBuilder>
where
    M: AsyncFn() -> Result<S, ()> + Clone + Send + 'static,
    S: AsyncFn(Connection) + Clone + 'static,
{
    let shutdown = builder.graceful_shutdown_signal();
    builder.listen("contrail", listener, move || {
        let (entrance, make, shutdown) = (entrance.clone(), make.clone(), shutdown.clone());
        fn_factory(move || {
            let (entrance, make, shutdown) = (entrance.clone(), make.clone(), shutdown.clone());
            async move {
                let serve = make().await?;
                Ok::<_, ()>(fn_service(move |stream: TcpStream| {
                    let (entrance, serve, shutdown) = (entrance.clone(), serve.clone(), shutdown.clone());
                    async move {
                        let entered = tokio::select! {
                            entered = entrance.enter(stream) => entered,
                            () = shutdown.notified() => None,
                        };
                        if let Some((connection, _place)) = entered {
                            serve(connection).await;
                        }
                        Ok::<_, Infallible>(())
                    }
                }))
            }
        })
    })
}

impl Entrance {
    /// The connection, ready to be served; it counts as long as its place is held. `None` when nothing comes of it.
    async fn enter(&self, stream: TcpStream) -> Option<(Connection, Place)> {
        // Gone before it was looked at.
        let peer = stream.peer_addr().ok()?;
        // Else small answers on a kept connection wait for the client's acknowledgement (25 to 40 ms).
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "small replies may wait for the caller's acknowledgement");
        }
        let place = match self.connections.take(peer.ip()) {
            Ok(place) => place,
            Err(TooMany) => {
                if matches!(self.encryption, Encryption::None) {
                    refuse(stream, "503 Service Unavailable", "there are too many connections").await;
                }
                return None;
            }
        };
        let greeting = Greeting::of(&stream).await;
        let tls = match (&self.encryption, greeting) {
            (Encryption::None, _) | (Encryption::Offered(_), Greeting::Http1 | Greeting::Http2) => {
                let is_http2 = greeting == Greeting::Http2;
                let protocol = if is_http2 { Protocol::Http2 } else { Protocol::Http1 };
                let connection = Connection::new(Stream::Plain(stream), peer, None).with_protocol(protocol);
                return Some((connection.with_write_timeout(self.write_timeout), place));
            }
            (Encryption::Required(_), Greeting::Http1 | Greeting::Http2) => {
                refuse(stream, "400 Bad Request", "this port speaks TLS: its URL begins with https://").await;
                return None;
            }
            (Encryption::Offered(tls) | Encryption::Required(tls), Greeting::Other) => tls,
        };
        match tls.accept(stream).await {
            Ok((stream, protocol, session)) => {
                let connection = Connection::new(Stream::Tls(Box::new(stream)), peer, Some(session));
                let connection = connection.with_protocol(protocol);
                Some((connection.with_write_timeout(self.write_timeout), place))
            }
            Err(error) => {
                tracing::debug!(%peer, %error, "a caller's TLS handshake failed");
                None
            }
        }
    }
}

/// Answers a connection that is not served.
async fn refuse(mut stream: TcpStream, status: &str, why: &str) {
    let body = serde_json::json!({ "error": why }).to_string();
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    // Whoever is gone already does not read it.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
