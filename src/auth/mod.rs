//! Who may call: whether access keys must be known, and signatures right (AWS's Signature Version 4).
//!
//! A request is signed again with the secret that belongs to its access key, by the library that the Rust SDK signs with,
//! and the two signatures are compared. What the caller then may do is for policies to say, not for this room.
//!
//! Source: IAM's user guide, "AWS Signature Version 4 for API requests"; the texts are those that AWS's services answer.

mod chunks;
mod credentials;
mod refusal;
mod signature;
mod verify;

use crate::clock::Clock;
use crate::config::{AuthMode, Settings};
use crate::domain::caller::Signer;
use crate::recorder::callers::Callers;
pub use chunks::ChunkSignatures;
use credentials::Credentials;
pub use credentials::UnusableCredentials;
pub use refusal::{Answer, Refusal};
pub use signature::claimed_signer;
use signature::{Signature, region};
use std::sync::Arc;
use verify::Verifier;
pub use verify::{Payload, SignedService};

/// Checks requests as the settings want it, cheap to clone.
#[derive(Clone, Debug)]
pub struct Auth {
    mode: AuthMode,
    credentials: Arc<Credentials>,
    callers: Arc<Callers>,
    clock: Clock,
}

/// What is known of a request that was checked.
#[derive(Debug)]
pub struct Checked {
    /// Who has signed it; `None` if nobody has, where that is not asked.
    pub signer: Option<Signer>,
    /// What checks its body, when that is signed in chunks.
    pub chunks: Option<ChunkSignatures>,
}

/// The head of a request as it came over the wire.
pub struct RequestHead<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// The path, percent-encoded.
    pub path: &'a str,
    /// What stands behind the `?`, percent-encoded; empty without one.
    pub query: &'a str,
    /// Names in small letters, in the order of the wire for each name.
    pub headers: Vec<(&'a str, &'a [u8])>,
}

impl RequestHead<'_> {
    /// The values of a header that are text.
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.headers.iter().filter(move |(known, _)| *known == name);
        named.filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// A header's first value.
    fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }
}

impl Auth {
    /// As the settings have it. Reads the files that hold secrets.
    ///
    /// # Errors
    /// A file cannot be read, or a key has no secret and signatures are to be checked.
    pub async fn open(
        settings: &Settings,
        callers: Arc<Callers>,
        clock: Clock,
    ) -> Result<Auth, UnusableCredentials> {
        let credentials = Arc::new(Credentials::load(settings).await?);
        Ok(Auth { mode: settings.auth.mode, credentials, callers, clock })
    }

    /// Whether everybody may call.
    pub fn is_off(&self) -> bool {
        self.mode == AuthMode::Off
    }

    /// Refuses what can be refused before a request's body is there, so that nobody has bodies kept for nothing.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check_head(&self, request: &RequestHead<'_>, service: SignedService<'_>) -> Result<(), Refusal> {
        if self.mode != AuthMode::Signed {
            return self.check(request, service, Payload::Declared).map(drop);
        }
        let signature = Signature::read(request)?;
        self.credentials.get(&signature.scope.access_key).ok_or(Refusal::UnknownKey)?;
        Verifier { request, service, signature: &signature, now: self.clock.now() }.check_head()
    }

    /// Whether the sender of a request to `service` may call at all, and who that is.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(
        &self,
        request: &RequestHead<'_>,
        service: SignedService<'_>,
        payload: Payload<'_>,
    ) -> Result<Checked, Refusal> {
        match self.mode {
            AuthMode::Off => Ok(Checked { signer: claimed_signer(request)?, chunks: None }),
            AuthMode::Known => {
                let signer = claimed_signer(request)?.ok_or(Refusal::Unsigned)?;
                if !self.credentials.has(&signer.access_key) && !self.callers.knows(&signer.access_key) {
                    return Err(Refusal::UnknownKey);
                }
                Ok(Checked { signer: Some(signer), chunks: None })
            }
            AuthMode::Signed => {
                let signature = Signature::read(request)?;
                let access_key = &signature.scope.access_key;
                let credential = self.credentials.get(access_key).ok_or(Refusal::UnknownKey)?;
                let verifier = Verifier { request, service, signature: &signature, now: self.clock.now() };
                let chunks = verifier.check(credential, payload)?;
                let (access_key, region) = (access_key.clone(), region(&signature.scope.region)?);
                Ok(Checked { signer: Some(Signer { access_key, region }), chunks })
            }
        }
    }
}
