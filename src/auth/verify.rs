//! Whether a signature is right: the request is signed again, and the two are compared.
//!
//! The order is AWS's: what can be read, a key that is known, time and scope, the signature, the session token.

use super::Refusal;
use super::chunks::{ChunkSignatures, Trailers};
use super::credentials::Credential;
use crate::aws::headers::Headers;
use crate::aws::protocol::is_s3;
use crate::aws::request::Request;
use crate::aws::signature::parameters::without_signature;
use crate::aws::signature::{BASIC_TIME, VerifiableSignature};
use crate::domain::digest::sha256;
use crate::domain::secret::is_same;
use aws_credential_types::Credentials as SigningCredentials;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::SystemTime;

/// How far a signature's time may be off. Services that speak JSON allow 5 minutes, S3 15.
const SKEW_MINUTES: i64 = 5;
const SKEW_MINUTES_S3: i64 = 15;

/// The service that a request is for, as signatures name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedService<'a>(pub &'a str);

impl SignedService<'_> {
    /// CloudTrail.
    pub const CLOUDTRAIL: SignedService<'static> = SignedService("cloudtrail");
    /// S3.
    pub const S3: SignedService<'static> = SignedService("s3");
    /// STS.
    pub const STS: SignedService<'static> = SignedService("sts");

    /// Whether paths are signed as they are written, and bodies may be signed as they come.
    pub fn is_s3(self) -> bool {
        is_s3(self.0)
    }
}

/// What is known of a request's body as its signature is checked.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// All of it.
    Body(&'a [u8]),
    /// What its sender says of it; whoever reads the body checks that.
    Declared,
}

/// Checks one request.
pub(super) struct Verifier<'a, H> {
    pub(super) request: &'a Request<H>,
    pub(super) service: SignedService<'a>,
    pub(super) signature: &'a VerifiableSignature<'a>,
    pub(super) now: DateTime<Utc>,
}

impl<H: Headers> Verifier<'_, H> {
    /// Whether the holder of `credential` has signed the request, and when; what checks the chunks of its body.
    pub(super) fn check(
        &self,
        credential: &Credential,
        payload: Payload<'_>,
    ) -> Result<Option<ChunkSignatures>, Refusal> {
        self.check_head()?;
        let hash = self.payload_hash(payload)?;
        let expected = self.signed_again(credential, &hash)?;
        if !is_same(&expected, self.signature.signature) {
            return Err(Refusal::Mismatch);
        }
        self.check_token(credential)?;
        let trailers = match hash.as_str() {
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Trailers::None,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Trailers::Signed,
            _ => return Ok(None),
        };
        let scope = &self.signature.scope;
        let time = self.signature.time;
        let key = v4::generate_signing_key(
            credential.secret.reveal(),
            SystemTime::from(time),
            scope.region,
            scope.service,
        );
        Ok(Some(ChunkSignatures::new(
            key.as_ref().to_vec(),
            format!(
                "{}\n{}/{}/{}/aws4_request",
                time.format(BASIC_TIME),
                scope.date,
                scope.region,
                scope.service
            ),
            expected,
            trailers,
        )))
    }

    /// What can be checked without a secret, and before there is a body: time, scope, which headers are signed.
    pub(super) fn check_head(&self) -> Result<(), Refusal> {
        self.check_time()?;
        self.check_scope()?;
        self.check_signed_headers()
    }

    fn check_time(&self) -> Result<(), Refusal> {
        let Verifier { signature, now, .. } = self;
        let minutes = if self.service.is_s3() { SKEW_MINUTES_S3 } else { SKEW_MINUTES };
        let skew = TimeDelta::minutes(minutes);
        let text = |time: DateTime<Utc>| time.format(BASIC_TIME).to_string();
        if signature.time > *now + skew {
            return Err(Refusal::OutOfTime(format!(
                "Signature not yet current: {} is still later than {} ({} + {minutes} min.)",
                text(signature.time),
                text(*now + skew),
                text(*now)
            )));
        }
        match signature.valid {
            None if signature.time < *now - skew => Err(Refusal::OutOfTime(format!(
                "Signature expired: {} is now earlier than {} ({} - {minutes} min.)",
                text(signature.time),
                text(*now - skew),
                text(*now)
            ))),
            Some(valid) if signature.time + valid < *now => {
                let (over, now) = (text(signature.time + valid), text(*now));
                Err(Refusal::PresignedExpired(format!("Signature expired: {over} is now earlier than {now}")))
            }
            _ => Ok(()),
        }
    }

    fn check_scope(&self) -> Result<(), Refusal> {
        let scope = &self.signature.scope;
        let wrong = |why: String| Err(Refusal::WrongScope(why));
        if scope.terminator != "aws4_request" {
            return wrong(format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'.",
                scope.terminator
            ));
        }
        if scope.service != self.service.0 {
            return wrong(format!("Credential should be scoped to correct service: '{}'.", self.service.0));
        }
        let date = self.signature.time.format("%Y%m%d").to_string();
        if scope.date != date {
            return wrong(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
                 '{date}', from '{}'.",
                scope.date,
                self.signature.time.format(BASIC_TIME)
            ));
        }
        Ok(())
    }

    /// `Host` has to be signed, and whatever begins with `x-amz-`; what is signed has to be there.
    fn check_signed_headers(&self) -> Result<(), Refusal> {
        let signed = |name: &str| self.signature.signed_headers.contains(&name);
        if !signed("host") {
            return Err(Refusal::HeaderNotSigned("Host".to_owned()));
        }
        let is_ours = |name: &str| name.starts_with("x-amz-");
        let lines = || self.request.headers.lines();
        if let Some((name, _)) = lines().find(|(name, _)| is_ours(name) && !signed(name)) {
            return Err(Refusal::HeaderNotSigned(name.to_owned()));
        }
        let is_there = |name: &str| self.request.headers.values_of(name).next().is_some();
        match self.signature.signed_headers.iter().find(|name| !is_there(name)) {
            Some(missing) => Err(Refusal::HeaderNotSigned((*missing).to_owned())),
            None => Ok(()),
        }
    }

    /// The last line of what is signed.
    fn payload_hash(&self, payload: Payload<'_>) -> Result<String, Refusal> {
        let header = self.request.header("x-amz-content-sha256");
        match (payload, self.signature.valid) {
            (Payload::Body(body), _) => {
                let hash = sha256(body);
                match header {
                    Some(declared) if declared != hash => Err(Refusal::WrongBody),
                    _ => Ok(hash),
                }
            }
            (Payload::Declared, None) => header.map(str::to_owned).ok_or(Refusal::NoBodyHash),
            (Payload::Declared, Some(_)) => {
                let hash = header.or(self.request.parameter("X-Amz-Content-Sha256"));
                Ok(hash.unwrap_or("UNSIGNED-PAYLOAD").to_owned())
            }
        }
    }

    /// The signature that the holder of `credential` would have made.
    fn signed_again(&self, credential: &Credential, hash: &str) -> Result<String, Refusal> {
        let Verifier { request, signature, .. } = self;
        let signed = |name: &str| signature.signed_headers.contains(&name);
        let mut headers = Vec::with_capacity(signature.signed_headers.len());
        for (name, value) in request.headers.lines().filter(|(name, _)| signed(name)) {
            // A value that is no text cannot have been signed.
            headers.push((name, std::str::from_utf8(value).map_err(|_| Refusal::Mismatch)?));
        }
        let target = match without_signature(request.query()) {
            query if query.is_empty() => request.path().to_owned(),
            query => format!("{}?{query}", request.path()),
        };
        let mut settings = SigningSettings::default();
        // The library signs the time in this header in any case; here it is signed where its sender has signed it.
        settings.excluded_headers = (!signed("x-amz-date")).then(|| vec!["x-amz-date".into()]);
        if self.service.is_s3() {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        // Without the session token, which is a header or a parameter like any other.
        let scope = &signature.scope;
        let identity =
            SigningCredentials::new(scope.access_key, credential.secret.reveal(), None, None, "contrail")
                .into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(scope.region)
            .name(scope.service)
            .time(SystemTime::from(signature.time))
            .settings(settings)
            .build()
            .map_err(|_| Refusal::Mismatch)?
            .into();
        // What the library logs as it signs holds tokens.
        tracing::dispatcher::with_default(&tracing::Dispatch::none(), || {
            let body = SignableBody::Precomputed(hash.to_owned());
            let signable = SignableRequest::new(request.method.as_str(), target, headers.into_iter(), body);
            let signed = signable.and_then(|signable| sign(signable, &parameters));
            signed.map(|signed| signed.signature().to_owned()).map_err(|_| Refusal::Mismatch)
        })
    }

    fn check_token(&self, credential: &Credential) -> Result<(), Refusal> {
        let header = self.request.header("x-amz-security-token");
        let token = header.or(self.request.parameter("X-Amz-Security-Token"));
        match (&credential.session_token, token) {
            (None, None) => {}
            (Some(known), Some(token)) if known.is(token) => {}
            _ => return Err(Refusal::WrongToken),
        }
        match credential.expires {
            Some(expires) if expires <= self.now => Err(Refusal::ExpiredToken),
            _ => Ok(()),
        }
    }
}
