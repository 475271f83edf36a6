//! The connections of a server that stands in front of an upstream. hyper reads them, and not actix: it keeps how header
//! names are written and in which order they come, and lets connections change to other protocols.

use super::own::{Application, Connection};
use super::{Body, Proxy, forward};
use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{fn_factory, fn_service};
use actix_web::rt::net::TcpStream;
use actix_web::web;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::time::Duration;

/// Adds a door to a server: what is for Contrail goes to `routes`, all else through the proxy. `idle`: how long a
/// connection may be without a request, or take over the head of one.
///
/// # Errors
/// The listener is not to be used.
pub fn listen<R>(
    builder: ServerBuilder,
    listener: TcpListener,
    idle: Duration,
    routes: R,
    proxy: Proxy,
) -> std::io::Result<ServerBuilder>
where
    R: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    let door = Door { proxy, idle, shutdown: builder.graceful_shutdown_signal() };
    builder.listen("contrail", listener, move || {
        let (routes, door) = (routes.clone(), door.clone());
        // Once on each thread.
        fn_factory(move || {
            let (routes, door) = (routes.clone(), door.clone());
            async move {
                let application = Application::new(routes).await?;
                Ok::<_, ()>(fn_service(move |stream: TcpStream| {
                    let (door, application) = (door.clone(), application.clone());
                    async move {
                        door.serve(stream, application).await;
                        Ok::<_, Infallible>(())
                    }
                }))
            }
        })
    })
}

#[derive(Clone)]
struct Door {
    proxy: Proxy,
    idle: Duration,
    shutdown: GracefulShutdownSignal,
}

impl Door {
    /// Answers on one connection until it ends.
    async fn serve(&self, stream: TcpStream, application: Application) {
        // Gone before it was looked at.
        let Ok(peer) = stream.peer_addr() else { return };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "small replies may wait for the caller's acknowledgement");
        }
        let own = Connection::new(application, peer);
        let service = service_fn(|request| self.answer(request, peer, &own));
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.idle)
            .preserve_header_case(true)
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
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        own: &Connection,
    ) -> hyper::Result<Response<Body>> {
        match forward::to_forward(&request, &self.proxy.parts.settings) {
            Some(known) => Ok(self.proxy.forward(request, known, peer).await),
            None => own.answer(request).await,
        }
    }
}
