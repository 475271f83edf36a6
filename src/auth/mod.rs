//! Who may call: whether access keys must be known, and signatures right (AWS's Signature Version 4).
//!
//! A request is signed again with the secret that belongs to its access key, by the library that the Rust SDK signs with,
//! and the two signatures are compared. What the caller then may do is for policies to say, not for this room.
//!
//! Source: IAM's user guide, "AWS Signature Version 4 for API requests"; the texts are those that AWS's services answer.

mod chunks;
mod credentials;
mod refusal;
mod verify;

use crate::aws::headers::Headers;
use crate::aws::request::Request;
use crate::aws::signature::{Claim, Signature, VerifiableSignature};
use crate::callers::Callers;
use crate::clock::Clock;
use crate::config::{AuthMode, Settings};
use crate::domain::caller::Signer;
use crate::domain::region::Region;
pub use chunks::ChunkSignatures;
use credentials::Credentials;
pub use credentials::UnusableCredentials;
pub use refusal::Refusal;
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

/// The signer that a request claims, by any version of signatures, not verified; `None` if it is not signed.
///
/// # Errors
/// It is signed, but no access key or region can be read.
pub fn claimed_signer<H: Headers>(request: &Request<H>) -> Result<Option<Signer>, Refusal> {
    let claim = request.signature().claim().map_err(|fault| Refusal::from(fault.clone()))?;
    claim.map_or(Ok(()), Claim::check_key)?;
    Ok(claim.map(signer))
}

fn signer(claim: &Claim) -> Signer {
    let region = claim.region.clone().unwrap_or_else(Region::us_east_1);
    Signer { access_key: claim.access_key.clone(), region }
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
    pub fn check_head<H: Headers>(
        &self,
        request: &Request<H>,
        service: SignedService<'_>,
    ) -> Result<(), Refusal> {
        if self.mode != AuthMode::Signed {
            return self.check(request, service, Payload::Declared).map(drop);
        }
        let signature = verifiable(request)?;
        self.credentials.get(signature.scope.access_key).ok_or(Refusal::UnknownKey)?;
        Verifier { request, service, signature: &signature, now: self.clock.now() }.check_head()
    }

    /// Whether the sender of a request to `service` may call at all, and who that is.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check<H: Headers>(
        &self,
        request: &Request<H>,
        service: SignedService<'_>,
        payload: Payload<'_>,
    ) -> Result<Checked, Refusal> {
        match self.mode {
            AuthMode::Off => Ok(Checked { signer: claimed_signer(request)?, chunks: None }),
            AuthMode::Known => {
                let signer = claimed_signer(request)?.ok_or(Refusal::Unsigned)?;
                if request.signature().is_doubled() {
                    return Err(Refusal::TwoSignatures);
                }
                if !self.credentials.has(&signer.access_key) && !self.callers.knows(&signer.access_key) {
                    return Err(Refusal::UnknownKey);
                }
                Ok(Checked { signer: Some(signer), chunks: None })
            }
            AuthMode::Signed => {
                let signature = verifiable(request)?;
                let credential =
                    self.credentials.get(signature.scope.access_key).ok_or(Refusal::UnknownKey)?;
                let verifier = Verifier { request, service, signature: &signature, now: self.clock.now() };
                let chunks = verifier.check(credential, payload)?;
                // The key whose secret has verified the signature, whatever else the request says.
                let access_key = signature.scope.access_key.to_owned();
                let region = claimed_signer(request)?.map_or_else(Region::us_east_1, |signer| signer.region);
                Ok(Checked { signer: Some(Signer { access_key, region }), chunks })
            }
        }
    }
}

/// The signature of a request, if it is one that can be verified.
fn verifiable<H: Headers>(request: &Request<H>) -> Result<VerifiableSignature<'_>, Refusal> {
    match request.signature() {
        Signature::V4(signature) => Ok(signature.verifiable(&request.headers, request.parameters())?),
        Signature::None => Err(Refusal::Unsigned),
        Signature::Other(_) | Signature::OtherScheme => Err(Refusal::OtherAlgorithm),
        Signature::Unreadable(fault) => Err(fault.clone().into()),
    }
}
