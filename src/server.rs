//! The life of a server: everything is opened and bound before it says that it is there, and what was taken on is
//! finished before it goes.

mod parts;

use crate::auth::UnusableCredentials;
use crate::aws::catalog::UnusableTable;
use crate::buckets::BucketError;
use crate::callers::UnusablePolicyFile;
use crate::clock::{Clock, Ids};
use crate::config::{OwnPathsAccess, Settings};
use crate::guard::{Tokens, UnusableToken};
use crate::http;
use crate::proxy::door::Door;
use crate::proxy::{Proxy, UnusableTrust};
use crate::recorder::writer::WriterTask;
use crate::store::{DataDir, OpenError, StoreError};
use crate::transport::application::Application;
use crate::transport::certificate::{Certificate, UnusableCertificate};
use crate::transport::limits::Connections;
use crate::transport::tls::Tls;
use crate::transport::{self, Encryption, Entrance};
use crate::workers::Workers;
use ::http::Uri;
use actix_http::KeepAlive;
use actix_web::{dev, web};
pub use parts::Parts;
use parts::TOKEN_KEY;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

/// How long requests in flight may take when the server stops. With [`DRAIN`] it stays below ten seconds.
const FINISH_SECONDS: u64 = 5;

/// How long storing and closing may take after that.
const DRAIN: Duration = Duration::from_secs(4);

/// How long the last delivery step may take, within [`DRAIN`].
const LAST_STEP: Duration = Duration::from_millis(2500);

/// How long a connection may be idle. Clients keep theirs for about as long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Why a server could not start: one line for the person who started it.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StartError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("cannot read the settings kept in the database: {0}")]
    Store(#[from] StoreError),
    #[error(
        "the page-token key in the database is damaged: restore a copy of contrail.db, or run sqlite3 contrail.db \
         \"DELETE FROM settings WHERE name = '{TOKEN_KEY}'\" and a new one is made; tokens given out become invalid"
    )]
    TokenKey,
    #[error("cannot correct the events of an older version: {0}")]
    Corrections(StoreError),
    #[error("cannot open the bucket store: {0}")]
    Buckets(#[from] BucketError),
    #[error(transparent)]
    Catalog(#[from] UnusableTable),
    #[error("bad config: {0}")]
    Credentials(#[from] UnusableCredentials),
    #[error("bad config: {0}")]
    Policy(#[from] UnusablePolicyFile),
    #[error(transparent)]
    Token(#[from] UnusableToken),
    #[error(transparent)]
    Certificate(#[from] UnusableCertificate),
    #[error(transparent)]
    Trust(#[from] UnusableTrust),
    #[error("the upstream {0} is this server itself")]
    Loop(String),
    #[error("cannot listen on {address}: {cause}")]
    Bind { address: String, cause: std::io::Error },
    #[error("cannot start the server: {0}")]
    Io(#[from] std::io::Error),
}

/// A server that listens, and has not begun to answer.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// The base URL under which it can be reached from its own machine.
    pub url: String,
    /// Whether our own paths ask for a token.
    pub has_tokens: bool,
    /// Encrypts its connections; `None` for plain HTTP.
    pub tls: Option<Tls>,
    /// What it is made of; for tests and tools in the same process.
    pub parts: Parts,
    /// The work in the background; for tests and tools in the same process.
    pub workers: Workers,
    http: dev::Server,
    writer: WriterTask,
    /// Held as long as the server lives.
    folder: DataDir,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// The address that the settings name, taken.
///
/// # Errors
/// It is in use, or none of this machine's.
pub fn bind(settings: &Settings) -> Result<TcpListener, StartError> {
    let (host, port) = (settings.server.host.as_str(), settings.server.port);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    TcpListener::bind((host, port))
        .map_err(|cause| StartError::Bind { address: format!("{host}:{port}"), cause })
}

impl Server {
    /// Opens the data folder and wires everything together behind `listener`.
    ///
    /// # Errors
    /// The data folder is not to be used; see [`StartError`].
    pub async fn build(
        settings: Settings,
        listener: TcpListener,
        clock: Clock,
        ids: Ids,
    ) -> Result<Server, StartError> {
        let address = listener.local_addr()?;
        if let Some(upstream) = settings.recorder.urls().find(|url| is_at(url, address)) {
            return Err(StartError::Loop(upstream.to_owned()));
        }
        let mut folder = DataDir::lock(&settings.server.data_dir)?;
        let tokens = match settings.auth.own_paths {
            OwnPathsAccess::Open => None,
            OwnPathsAccess::Auto if address.ip().is_loopback() => None,
            OwnPathsAccess::Auto | OwnPathsAccess::Token => Some(Tokens::open(folder.path(), &ids)?),
        };
        let has_tokens = tokens.is_some();
        let tls = match settings.tls.enabled {
            true => Some(Tls::new(Certificate::of(&settings.tls, folder.path(), names(&settings, address)))?),
            false => None,
        };
        let (parts, writer) = Parts::open(settings, &folder, clock, ids).await?;
        let url = http::base_url(if tls.is_some() { "https" } else { "http" }, address);
        folder.announce(&url)?;
        let workers = parts.workers();
        let routes = http::routes(parts.doors(workers.clone(), tokens), address);
        let limits = &parts.settings.limits;
        let encryption = match &tls {
            None => Encryption::None,
            Some(tls) if parts.settings.tls.plain_http => Encryption::Offered(tls.clone()),
            Some(tls) => Encryption::Required(tls.clone()),
        };
        let connections =
            Connections::new(limits.connections, limits.connections_per_peer, parts.metrics.clone());
        let entrance =
            Entrance { connections, encryption, write_timeout: parts.settings.server.write_timeout.0 };
        let http = listening(listener, routes, parts.settings.server.workers, entrance, parts.proxy()?)?;
        Ok(Server { address, url, has_tokens, tls, parts, workers, http, writer, folder })
    }

    /// Answers until `shutdown` is ready; then takes no more, finishes what is in flight, stores what was taken on, and
    /// returns. That takes less than ten seconds.
    ///
    /// # Errors
    /// The HTTP server failed.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> std::io::Result<()> {
        let Server { parts, workers, http, writer, folder, .. } = self;
        let handle = http.handle();
        let mut answering = tokio::spawn(http);
        let working = tokio::spawn(workers.clone().run());
        let ended = tokio::select! {
            ended = &mut answering => Some(ended),
            () = shutdown => None,
        };
        tracing::info!("stopping");
        let result = match ended {
            Some(ended) => ended,
            None => {
                // Those who follow arrivals would never end by themselves.
                parts.arrivals.close();
                handle.stop(true).await;
                answering.await
            }
        };
        // A step may end anywhere: what it did not finish is done again.
        working.abort();
        let drained = tokio::time::timeout(DRAIN, async {
            if let Some(calls) = &parts.forwarded_calls {
                calls.settle().await;
            }
            writer.stop().await;
            last_step(&workers).await;
            parts.store.close().await;
            if let Some(buckets) = parts.buckets {
                buckets.close().await;
            }
        });
        if drained.await.is_err() {
            tracing::error!(
                "stopped before everything that waited was stored: records of calls that only read, and of forwarded \
                 calls, are lost"
            );
        }
        drop(folder);
        result.map_err(std::io::Error::other)?
    }
}

/// The host names and addresses under which a server is reached, as far as the settings say.
fn names(settings: &Settings, address: SocketAddr) -> Vec<String> {
    let host = settings.server.host.trim_start_matches('[').trim_end_matches(']');
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !address.ip().is_unspecified() {
        names.extend([address.ip().to_string(), host.to_owned()]);
    }
    names.extend(settings.server.allowed_hosts.iter().cloned());
    for name in settings.recorder.base_hosts.iter().filter(|name| name.contains('.')) {
        names.extend([name.clone(), format!("*.{name}")]);
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether `http://host:port` or `https://host:port` leads to a server that listens on `address`, as far as the URL says it
/// by itself.
fn is_at(url: &str, address: SocketAddr) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let usual_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let host = match authority.host().trim_start_matches('[').trim_end_matches(']') {
        "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
        host => host.parse().ok(),
    };
    let reached = |host: IpAddr| host == address.ip() || host.is_loopback() && address.ip().is_unspecified();
    authority.port_u16().unwrap_or(usual_port) == address.port() && host.is_some_and(reached)
}

/// The application on connections, behind the proxy if there is one.
fn listening<R>(
    listener: TcpListener,
    routes: R,
    workers: usize,
    entrance: Entrance,
    proxy: Option<Proxy>,
) -> std::io::Result<dev::Server>
where
    R: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    let mut builder = dev::Server::build().disable_signals().shutdown_timeout(FINISH_SECONDS);
    if workers > 0 {
        builder = builder.workers(workers);
    }
    let shutdown = builder.graceful_shutdown_signal();
    let builder = transport::listen(builder, listener, entrance, async move || {
        let (proxy, shutdown) = (proxy.clone(), shutdown.clone());
        // Behind a proxy the application's connections live as long as those of the callers.
        let (keep_alive, own_shutdown) = match proxy {
            None => (KeepAlive::Timeout(KEEP_ALIVE), Some(shutdown.clone())),
            Some(_) => (KeepAlive::Os, None),
        };
        let application = Application::new(routes.clone(), keep_alive, own_shutdown).await?;
        let door = Door { proxy, idle: KEEP_ALIVE, application, shutdown };
        Ok(async move |connection| door.serve(connection).await)
    });
    Ok(builder?.run())
}

/// Delivers what is due; the rest is done at the next start.
async fn last_step(workers: &Workers) {
    match tokio::time::timeout(LAST_STEP, workers.step()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(error = %error, "the last delivery step failed"),
        Err(_) => tracing::warn!("the last delivery step takes too long; it is finished at the next start"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_knows_itself_by_its_addresses() {
        let is_at = |url: &str, address: &str| is_at(url, address.parse().unwrap());
        assert!(is_at("http://127.0.0.1:4700", "127.0.0.1:4700"));
        assert!(is_at("http://localhost:4700", "127.0.0.1:4700"));
        assert!(is_at("http://127.0.0.1:4700", "0.0.0.0:4700"));
        assert!(is_at("http://[::1]:4700", "[::1]:4700"));
        assert!(is_at("https://localhost", "127.0.0.1:443"));
        assert!(is_at("http://localhost", "127.0.0.1:80"));
        assert!(!is_at("http://127.0.0.1:4566", "127.0.0.1:4700"));
        assert!(!is_at("http://192.0.2.7:4700", "127.0.0.1:4700"));
        assert!(!is_at("http://moto:4700", "0.0.0.0:4700"), "names are not looked up");
    }
}
