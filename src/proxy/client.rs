//! The client to all upstreams, which speaks HTTP/1.1, plain or over TLS.

use super::Body;
use crate::config::RecorderSettings;
use crate::outbound::http::{system_tls, trust_nothing};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use std::time::Duration;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// How long an unused connection is kept; shorter than servers usually do.
const IDLE: Duration = Duration::from_secs(20);

/// The client to all upstreams, cheap to clone.
pub(super) type Client = hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Body>;

/// Why no https upstream can be trusted: one line for the person who started the server.
#[derive(Debug, thiserror::Error)]
#[error("bad config: recorder.upstream_ca: {0}")]
pub struct UnusableTrust(String);

/// TLS towards the upstreams of these settings. Certificates are only read where they are used: the system has hundreds.
///
/// # Errors
/// They cannot be used, or there are none.
pub fn upstream_tls(settings: &RecorderSettings) -> Result<ClientConfig, UnusableTrust> {
    let is_encrypted = settings.urls().any(|url| url.starts_with("https:"));
    let tls = match is_encrypted || settings.upstream_ca.is_some() {
        true => system_tls(settings.upstream_ca.as_deref()),
        false => trust_nothing(),
    };
    tls.map_err(|why| match &settings.upstream_ca {
        Some(path) => UnusableTrust(format!("{}: {why}", path.display())),
        None => UnusableTrust(why),
    })
}

/// The client to the upstreams of these settings.
///
/// # Errors
/// See [`upstream_tls`].
pub(super) fn new(settings: &RecorderSettings) -> Result<Client, UnusableTrust> {
    let mut plain = HttpConnector::new();
    plain.set_connect_timeout(Some(CONNECT));
    plain.set_nodelay(true);
    plain.enforce_http(false);
    let connector = HttpsConnectorBuilder::new().with_tls_config(upstream_tls(settings)?);
    let connector = connector.https_or_http().enable_http1();
    Ok(hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .http1_preserve_header_case(true)
        .set_host(false)
        .build(connector.wrap_connector(plain)))
}
