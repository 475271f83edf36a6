//! `[recorder]`: what is forwarded where, and what of it is recorded.

use super::{Endpoint, Settings, addresses, list};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

/// `[recorder]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecorderSettings {
    /// The upstream: `http://host:port` or `https://host:port`.
    pub upstream: Option<String>,
    /// Upstreams of single services, by signing name.
    #[serde(default)]
    pub upstreams: BTreeMap<String, String>,
    /// Certificates in PEM that may vouch for https upstreams, beside the system's.
    pub upstream_ca: Option<PathBuf>,
    /// Whether all data events are recorded; else those that a trail takes.
    pub data_events: bool,
    /// Calls that are not recorded: `service` or `service:EventName`.
    #[serde(deserialize_with = "list")]
    pub exclude: Vec<String>,
    /// If not empty, only these are recorded.
    #[serde(deserialize_with = "list")]
    pub include: Vec<String>,
    /// Host names that stand for the server itself in front of a bucket.
    #[serde(deserialize_with = "list")]
    pub base_hosts: Vec<String>,
    /// An older name of `server.trusted_proxies`, to which it is added.
    #[serde(default, deserialize_with = "addresses", skip_serializing)]
    pub(super) trusted_proxies: Vec<IpAddr>,
    /// A table of AWS's operations to use instead of the built-in one.
    pub operations: Option<PathBuf>,
    /// Whether answers wait for their records, and a call for whose record there is no room is refused; else records are
    /// made behind the answers, and such a call is forwarded and not recorded.
    pub strict: bool,
    /// Calls that may wait to be recorded.
    pub queue_calls: usize,
    /// Bytes of them that may wait.
    pub queue_bytes: usize,
}

impl RecorderSettings {
    /// Whether there is any upstream.
    pub fn is_on(&self) -> bool {
        self.upstream.is_some() || !self.upstreams.is_empty()
    }

    /// All upstreams.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.upstream.iter().chain(self.upstreams.values()).map(String::as_str)
    }

    /// The upstream of calls that are signed for `service`.
    pub fn upstream_of(&self, service: Option<&str>) -> Option<&str> {
        let own = service.and_then(|service| self.upstreams.get(service));
        own.or(self.upstream.as_ref()).map(String::as_str)
    }

    /// Whether calls of this service and name are to be recorded.
    pub fn wants(&self, service: &str, event_name: &str) -> bool {
        let named = |list: &[String]| {
            list.iter().any(|item| match item.split_once(':') {
                Some((of, name)) => of == service && name == event_name,
                None => item == service,
            })
        };
        !named(&self.exclude) && (self.include.is_empty() || named(&self.include))
    }

    /// # Errors
    /// The key that is wrong, and why.
    pub(super) fn check(&mut self) -> Result<(), String> {
        if let Some(upstream) = &mut self.upstream {
            *upstream = base(upstream).map_err(|why| format!("upstream: {why}"))?;
        }
        for (service, upstream) in &mut self.upstreams {
            *upstream = base(upstream).map_err(|why| format!("upstreams.{service}: {why}"))?;
        }
        Ok(())
    }
}

impl Settings {
    /// With an upstream, log files are delivered there, unless `[delivery]` names another place.
    pub(super) fn deliver_upstream(&mut self) {
        let delivery = &mut self.delivery;
        for (service, endpoint) in [
            ("s3", &mut delivery.s3_endpoint),
            ("sns", &mut delivery.sns_endpoint),
            ("logs", &mut delivery.logs_endpoint),
        ] {
            if endpoint.is_none() {
                *endpoint = self.recorder.upstream_of(Some(service)).map(|url| Endpoint::Url(url.to_owned()));
            }
        }
    }
}

/// `http://host:port` or `https://host:port` without anything behind it.
fn base(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not of the form \"http://127.0.0.1:4566\"");
    let uri: http::Uri = text.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority))
            if matches!(uri.path(), "" | "/") && uri.query().is_none() =>
        {
            // A password in it would be sent nowhere, and is not to appear anywhere.
            let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
            Ok(format!("{scheme}://{host_and_port}"))
        }
        _ => Err(wrong()),
    }
}
