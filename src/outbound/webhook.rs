//! JSON for a URL of the operator's choice. Knows nothing of trails.

use super::aws::{CONNECT, WHOLE_CALL, root};
use super::http::{Trusted, client};
use super::{Failure, Sent};

/// The URL, which may hold a secret and is never shown, and the client for it.
#[derive(Clone)]
pub(super) struct Webhook {
    url: String,
    /// Why not, when the machine does not give us one.
    http: Result<reqwest::Client, String>,
}

impl Webhook {
    pub(super) fn new(url: String) -> Webhook {
        let http = client(Trusted::Nobody).and_then(|client| {
            client
                .connect_timeout(CONNECT)
                .timeout(WHOLE_CALL)
                // A redirected POST arrives as a GET without its body.
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .build()
                .map_err(|e| root(&e))
        });
        Webhook { url, http }
    }

    pub(super) async fn post(&self, json: &str) -> Sent {
        let http = self.http.as_ref().map_err(Failure::unreachable)?;
        let request = http.post(&self.url).header("content-type", "application/json").body(json.to_owned());
        let answer = request.send().await.map_err(|e| {
            // The URL is no part of what is said.
            let error = e.without_url();
            Failure::unreachable(if error.is_timeout() {
                "no answer in time".to_owned()
            } else {
                root(&error)
            })
        })?;
        if answer.status().is_success() {
            Ok(())
        } else {
            let status = answer.status().as_u16();
            Err(Failure::new("WebhookRefused", format!("the webhook answered with status {status}")))
        }
    }
}
