//! What the clients of all AWS services share: where an endpoint is, whose credentials are used, how long a call may
//! take, and what a refusal is called. Knows no single service.

use super::Failure;
use super::http::bundle;
use crate::config::Endpoint;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::{
    Credentials, ProvideCredentials, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedCredentialsProvider, SharedHttpClient,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// How long a connection may take to come about.
pub(super) const CONNECT: Duration = Duration::from_secs(3);

/// How long a call may take in all.
pub(super) const WHOLE_CALL: Duration = Duration::from_secs(30);

/// How long credentials from the environment or a profile may take to read, at an endpoint of one's own.
const READ_CREDENTIALS: Duration = Duration::from_secs(5);

/// The secret beside an account id as access key. Emulators check no signatures, and nothing else takes such a key.
const NO_SECRET: &str = "contrail";

/// Clients kept; a caller can choose accounts and regions at will.
const MOST_CLIENTS: usize = 256;

/// Whether the credentials of the environment and of the profile are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    /// They are.
    Read,
    /// They are not: for tests, whose outcome must not depend on them.
    Ignored,
}

/// The credentials and connections that all services share, cheap to clone.
#[derive(Clone)]
pub(super) struct Shared {
    http: SharedHttpClient,
    environment: Environment,
    /// AWS's usual chain, for [`Endpoint::Aws`].
    chain: Arc<OnceCell<SharedCredentialsProvider>>,
    /// What the environment or the profile gives, for [`Endpoint::Url`]; `None` inside when neither gives any.
    local: Arc<OnceCell<Option<SharedCredentialsProvider>>>,
}

impl Shared {
    /// `ca`: certificates that are trusted beside the system's and those of AWS_CA_BUNDLE.
    pub(super) fn new(environment: Environment, ca: Option<&Path>) -> Shared {
        let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let bundle = match environment {
            Environment::Read => std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()),
            Environment::Ignored => None,
        };
        let bundle = bundle.as_deref().map(|path| ("AWS_CA_BUNDLE", Path::new(path)));
        let files = ca.map(|path| ("recorder.upstream_ca", path)).into_iter().chain(bundle);
        let http = match trust_store(files) {
            Some(context) => builder.tls_context(context).build_https(),
            None => builder.build_https(),
        };
        Shared { http, environment, chain: Arc::default(), local: Arc::default() }
    }

    /// AWS's usual chain: environment, profile, web identity, container, instance. It reads nothing before the first
    /// call, and goes to the network only where the chain says so.
    async fn chain(&self) -> SharedCredentialsProvider {
        let load = || async {
            let config = ProviderConfig::without_region().with_http_client(self.http.clone());
            let chain = DefaultCredentialsChain::builder().configure(config).build().await;
            SharedCredentialsProvider::new(chain)
        };
        self.chain.get_or_init(load).await.clone()
    }

    /// The environment's credentials, else the profile's, if there are any. No network: a profile that would have to
    /// ask for its credentials over https counts as none, because this HTTP client has no TLS.
    async fn local(&self) -> Option<SharedCredentialsProvider> {
        let load = || async {
            if self.environment == Environment::Ignored {
                return None;
            }
            let config = ProviderConfig::without_region().with_http_client(Builder::new().build_http());
            let profile = ProfileFileCredentialsProvider::builder().configure(&config).build();
            let both = CredentialsProviderChain::first_try(
                "Environment",
                EnvironmentVariableCredentialsProvider::new(),
            )
            .or_else("Profile", profile);
            let found = tokio::time::timeout(READ_CREDENTIALS, both.provide_credentials()).await;
            let is_there = matches!(found, Ok(Ok(_)));
            tracing::debug!(is_there, "looked for credentials in the environment and the profile");
            is_there.then(|| SharedCredentialsProvider::new(both))
        };
        self.local.get_or_init(load).await.clone()
    }
}

/// The system's certificates, and those in files, each with what names it; `None` when there are none of those.
fn trust_store<'a>(files: impl Iterator<Item = (&'a str, &'a Path)>) -> Option<TlsContext> {
    let mut trusted = None;
    for (named_by, path) in files {
        // The client panics over what is no certificate, so it is looked at first.
        match bundle(path) {
            Ok(pem) => {
                trusted = Some(trusted.unwrap_or_else(TrustStore::default).with_pem_certificate(pem));
            }
            Err(error) => {
                tracing::warn!(named_by, path = %path.display(), error, "the certificates in a file cannot be used");
            }
        }
    }
    // Building it only keeps what was given, and does not fail.
    TlsContext::builder().with_trust_store(trusted?).build().ok()
}

/// The clients of one service, a client for each account and region.
pub(super) struct Clients<C> {
    pub(super) endpoint: Endpoint,
    shared: Shared,
    made: Mutex<HashMap<(String, String), C>>,
}

impl<C: Clone> Clients<C> {
    pub(super) fn new(endpoint: Endpoint, shared: Shared) -> Clients<C> {
        Clients { endpoint, shared, made: Mutex::default() }
    }

    /// The client for an account in a region; `make` makes one. Credentials that are there serve all accounts; at an
    /// endpoint of one's own without any, the account's id is the access key, which is how LocalStack tells
    /// accounts apart.
    pub(super) async fn get(&self, account: &str, region: &str, make: impl FnOnce(&SdkConfig) -> C) -> C {
        let provider = match &self.endpoint {
            Endpoint::Aws => Some(self.shared.chain().await),
            Endpoint::Url(_) => self.shared.local().await,
        };
        let owner = if provider.is_some() { "" } else { account };
        let key = (owner.to_owned(), region.to_owned());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&key) {
            return client.clone();
        }
        let provider = provider.unwrap_or_else(|| {
            SharedCredentialsProvider::new(Credentials::new(account, NO_SECRET, None, None, "account"))
        });
        let client = make(&self.config(region, provider));
        if made.len() >= MOST_CLIENTS {
            made.clear();
        }
        made.insert(key, client.clone());
        client
    }

    fn config(&self, region: &str, provider: SharedCredentialsProvider) -> SdkConfig {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).build();
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(provider)
            .http_client(self.shared.http.clone())
            // The callers know when to try again.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            // The time of whole calls is bounded by `within`.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // Old emulators store the frames of a streamed checksum as part of the object.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        match &self.endpoint {
            Endpoint::Aws => config.build(),
            Endpoint::Url(url) => config.endpoint_url(url).build(),
        }
    }
}

/// What a call gives if it ends in time, else `ServiceUnreachable`.
pub(super) async fn within<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, call)
        .await
        .unwrap_or_else(|_| Err(Failure::unreachable(format!("no answer within {} s", limit.as_secs()))))
}

/// A failure of a call as the service calls it.
pub(super) fn failure<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match (error.code(), error.raw_response()) {
        (Some(code), _) => Failure {
            code: code.to_owned(),
            message: error.message().unwrap_or("(the service gives no reason)").to_owned(),
        },
        // Something answered that does not speak the protocol, such as a proxy.
        (None, Some(response)) => Failure {
            code: "UnknownError".to_owned(),
            message: format!("HTTP status {} without an error code", response.status().as_u16()),
        },
        (None, None) => Failure::unreachable(root(error)),
    }
}

/// The innermost cause, which is the one that says something ("Connection refused"), in one line.
pub(super) fn root(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_without_end_is_cut_off() {
        let cut = within::<()>(Duration::ZERO, std::future::pending()).await.unwrap_err();
        assert_eq!(cut, Failure::unreachable("no answer within 0 s"));
    }
}
