//! A running server, as commands reach it.

use crate::config::Settings;
use crate::domain::secret::Secret;
use crate::guard::{
    ADMIN_TOKEN_FILE, ADMIN_TOKEN_VARIABLE, READ_TOKEN_FILE, READ_TOKEN_VARIABLE, from_environment,
};
use crate::http::base_url;
use crate::outbound::http::{Trusted, client};
use crate::store::DataDir;
use crate::transport::certificate::Certificate;
use clap::Args;
use reqwest::{Method, RequestBuilder, Response};
use serde::Deserialize;
use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

/// How long a server may take to take a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Which server a command asks.
#[derive(Debug, Args)]
pub(super) struct Server {
    /// The server to ask [default: the one that holds the data folder, else the one at --host and --port]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

/// What a command does at a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It reads.
    Read,
    /// It changes something.
    Change,
}

/// A server and what it takes to reach it.
pub(super) struct Remote {
    http: reqwest::Client,
    pub(super) url: String,
    purpose: Purpose,
    /// Without one all the same: a server that listens to its own machine alone asks for none.
    token: Option<Secret>,
    /// What to say when it cannot be reached.
    hint: String,
}

impl Server {
    /// The server that is named; else the one that holds the data folder; else the one that the settings' host and port
    /// lead to, for commands that are run elsewhere than the server.
    ///
    /// # Errors
    /// A line that says why there can be no connection.
    pub(super) fn connect(&self, settings: &Settings, purpose: Purpose) -> Result<Remote, String> {
        if let Some(url) = &self.url {
            return Remote::named(url, purpose);
        }
        match DataDir::holder(&settings.server.data_dir) {
            Some(url) if !url.is_empty() => Remote::of_folder(&url, settings, purpose),
            _ => {
                let mut remote = Remote::named(&url_of(settings)?, purpose)?;
                let folder = settings.server.data_dir.display();
                remote.hint =
                    format!(" (no server uses the data folder {folder}; --data-dir or --url names another)");
                Ok(remote)
            }
        }
    }
}

/// Where the settings' host and port lead to from this machine.
pub(super) fn url_of(settings: &Settings) -> Result<String, String> {
    let host = settings.server.host.trim_start_matches('[').trim_end_matches(']');
    let found = (host, settings.server.port).to_socket_addrs();
    let address: Option<SocketAddr> = found.ok().and_then(|mut addresses| addresses.next());
    let address = address.ok_or_else(|| format!("{host} is no host name or address that is known here"))?;
    Ok(base_url(if settings.tls.enabled { "https" } else { "http" }, address))
}

impl Remote {
    /// A server that is named: it gets what the environment has for it, and nothing that was found beside the data.
    pub(super) fn named(url: &str, purpose: Purpose) -> Result<Remote, String> {
        Remote::new(url, purpose, token(purpose, |variable, _| from_environment(variable)), || {
            Ok(Trusted::BySystem)
        })
    }

    /// The server that holds the data folder.
    pub(super) fn of_folder(url: &str, settings: &Settings, purpose: Purpose) -> Result<Remote, String> {
        let folder = &settings.server.data_dir;
        let token = token(purpose, |variable, file| {
            from_environment(variable)
                .or_else(|| Secret::new(&std::fs::read_to_string(folder.join(file)).ok()?))
        });
        let trusted = || {
            let certificate = Certificate::of(&settings.tls, folder, Vec::new()).first();
            certificate.map(Trusted::Only).map_err(|error| error.to_string())
        };
        Remote::new(url, purpose, token, trusted)
    }

    fn new(
        url: &str,
        purpose: Purpose,
        token: Option<Secret>,
        trusted: impl FnOnce() -> Result<Trusted, String>,
    ) -> Result<Remote, String> {
        let trusted = if url.starts_with("https://") { trusted()? } else { Trusted::Nobody };
        let http = client(trusted)?.no_proxy().connect_timeout(CONNECT).build();
        let http = http.map_err(|error| error.to_string())?;
        Ok(Remote { http, url: url.trim_end_matches('/').to_owned(), purpose, token, hint: String::new() })
    }

    /// A request to one of our own paths.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    /// Sends a request; the answer whatever its status, but for 401.
    ///
    /// # Errors
    /// The server cannot be reached, or wants a token.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Box<dyn Error>> {
        let url = &self.url;
        let response = request.send().await;
        let response = response
            .map_err(|error| format!("cannot reach {url}: {}{}", cause(&error.without_url()), self.hint))?;
        match (response.status().as_u16(), self.purpose) {
            (401, Purpose::Read) => Err(format!("{url} wants a token: set {READ_TOKEN_VARIABLE}").into()),
            (401, Purpose::Change) => {
                Err(format!("{url} wants its admin token: set {ADMIN_TOKEN_VARIABLE}").into())
            }
            _ => Ok(response),
        }
    }

    /// Sends a request; the answer if it is a success.
    ///
    /// # Errors
    /// As [`Remote::send`], or the refusal of the server.
    pub(super) async fn answer(&self, request: RequestBuilder) -> Result<Response, Box<dyn Error>> {
        let response = self.send(request).await?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(self.refusal(response).await),
        }
    }

    /// What a server says in an answer that is no success.
    pub(super) async fn refusal(&self, response: Response) -> Box<dyn Error> {
        #[derive(Deserialize)]
        struct Refusal {
            error: String,
        }
        let status = response.status();
        match response.json::<Refusal>().await {
            Ok(refusal) => refusal.error.into(),
            Err(_) => self.not_ours(status),
        }
    }

    /// The error of an answer that no Contrail gives.
    pub(super) fn not_ours(&self, status: reqwest::StatusCode) -> Box<dyn Error> {
        format!("{} answered {status}, which is not an answer of Contrail", self.url).into()
    }
}

/// The token for a purpose, from where `get` finds it by variable or file; for reading the one that can do no more.
fn token(purpose: Purpose, get: impl Fn(&str, &str) -> Option<Secret>) -> Option<Secret> {
    let read = || get(READ_TOKEN_VARIABLE, READ_TOKEN_FILE);
    let reading = if purpose == Purpose::Read { read() } else { None };
    reading.or_else(|| get(ADMIN_TOKEN_VARIABLE, ADMIN_TOKEN_FILE))
}

/// What an error comes from in the end: the layers between say nothing to people.
fn cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
