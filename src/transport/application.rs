//! The actix application of one thread, on whatever connections it is given.

use super::stream::Connection;
use actix_http::{HttpService, KeepAlive};
use actix_server::GracefulShutdownSignal;
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, map_config};
use actix_web::dev::AppConfig;
use actix_web::{App, web};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

/// How long a caller may take to notice that its connection is closed.
const DISCONNECT: Duration = Duration::from_secs(1);

/// An application, cheap to clone.
#[derive(Clone)]
pub struct Application(Rc<dyn Fn(Connection) -> Served>);

/// Ready when a connection has ended.
type Served = Pin<Box<dyn Future<Output = ()>>>;

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").finish_non_exhaustive()
    }
}

impl Application {
    /// An application with these routes. Its connections may be idle for as long as `keep_alive` says, and are closed
    /// after the answers that are under way when `shutdown` is notified.
    ///
    /// # Errors
    /// A route cannot be made.
    pub async fn new<R>(
        routes: R,
        keep_alive: KeepAlive,
        shutdown: Option<GracefulShutdownSignal>,
    ) -> Result<Application, ()>
    where
        R: Fn(&mut web::ServiceConfig) + 'static,
    {
        let app = App::new().configure(routes).into_factory();
        let app = app.map_err(|error: actix_web::Error| error.error_response());
        let mut builder = HttpService::build().keep_alive(keep_alive).on_connect_ext(
            |connection: &Connection, extensions| {
                if let Some(session) = &connection.tls {
                    extensions.insert(session.clone());
                }
            },
        );
        // A caller that closes its side is taken to be gone, as hyper takes it in front of an upstream: an answer that takes
        // long (an export, the live view) ends with it. Programs that close only that side are rare.
        builder = builder.client_disconnect_timeout(DISCONNECT).h1_allow_half_closed(false);
        if let Some(shutdown) = shutdown {
            builder = builder.graceful_shutdown_signal(move || {
                let shutdown = shutdown.clone();
                async move { shutdown.notified().await }
            });
        }
        let service = builder.h1(map_config(app, |()| AppConfig::default()));
        let service = Rc::new(service.new_service(()).await?);
        Ok(Application(Rc::new(move |connection| {
            let service = Rc::clone(&service);
            Box::pin(async move {
                let peer = connection.peer;
                if let Err(error) = service.call((connection, Some(peer))).await {
                    tracing::debug!(%error, "a connection broke");
                }
            })
        })))
    }

    /// Answers on a connection until it ends.
    pub async fn serve(&self, connection: Connection) {
        (self.0)(connection).await;
    }
}
