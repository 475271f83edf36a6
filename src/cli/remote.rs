//! A running server, as `contrail import` reaches it.

use crate::config::Settings;
use crate::domain::secret::Secret;
use crate::guard::{ADMIN_TOKEN_FILE, ADMIN_TOKEN_VARIABLE, from_environment};
use crate::outbound::http::{Trusted, client};
use crate::transport::certificate::Certificate;

/// A server and what it takes to reach it.
pub(super) struct Remote {
    http: reqwest::Client,
    pub(super) url: String,
    /// Without one all the same: a server that listens to its own machine alone asks for none.
    token: Option<Secret>,
}

impl Remote {
    /// A server that is named: it gets what the environment has for it, and nothing that was found beside the data.
    pub(super) fn named(url: &str) -> Result<Remote, String> {
        Remote::new(url, from_environment(ADMIN_TOKEN_VARIABLE), || Ok(Trusted::BySystem))
    }

    /// The server that holds the data folder.
    pub(super) fn of_folder(url: &str, settings: &Settings) -> Result<Remote, String> {
        let folder = &settings.server.data_dir;
        let in_folder = || {
            let text = std::fs::read_to_string(folder.join(ADMIN_TOKEN_FILE)).ok()?;
            Secret::new(&text)
        };
        let token = from_environment(ADMIN_TOKEN_VARIABLE).or_else(in_folder);
        let trusted = || {
            let certificate = Certificate::of(&settings.tls, folder, Vec::new()).first();
            certificate.map(Trusted::Only).map_err(|error| error.to_string())
        };
        Remote::new(url, token, trusted)
    }

    fn new(
        url: &str,
        token: Option<Secret>,
        trusted: impl FnOnce() -> Result<Trusted, String>,
    ) -> Result<Remote, String> {
        let trusted = if url.starts_with("https://") { trusted()? } else { Trusted::Nobody };
        let http = client(trusted)?.no_proxy().build().map_err(|error| error.to_string())?;
        Ok(Remote { http, url: url.trim_end_matches('/').to_owned(), token })
    }

    /// A request to one of our own paths.
    pub(super) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }
}
