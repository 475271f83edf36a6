//! Refusals of callers in S3's words.
//!
//! Source: S3's API reference, "Error responses".

use crate::auth::Refusal;
use crate::buckets::BodyFault;
use s3s::{S3Error, S3ErrorCode};

/// What a body is answered with that has another hash than its sender said.
pub(super) fn wrong_hash() -> BodyFault {
    // s3s does not know this code.
    let code = S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into());
    let message = "The provided 'x-amz-content-sha256' header does not match what was computed.".to_owned();
    BodyFault { code, message }
}

/// What a request is answered with whose signature is another one.
pub(super) const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check \
                                   your key and signing method.";

/// The error that S3 answers.
pub(super) fn s3_error(refusal: &Refusal) -> S3Error {
    let own = |code: S3ErrorCode| (code, refusal.message());
    let (code, message) = match refusal {
        Refusal::Unsigned => (S3ErrorCode::AccessDenied, "Access Denied".to_owned()),
        Refusal::Incomplete(_) | Refusal::WrongScope(_) => own(S3ErrorCode::AuthorizationHeaderMalformed),
        Refusal::OtherAlgorithm => {
            let why = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
            (S3ErrorCode::InvalidRequest, why.to_owned())
        }
        Refusal::TwoSignatures => own(S3ErrorCode::InvalidArgument),
        Refusal::UnknownKey => {
            let why = "The AWS Access Key Id you provided does not exist in our records.";
            (S3ErrorCode::InvalidAccessKeyId, why.to_owned())
        }
        Refusal::WrongToken => {
            let why = "The provided token is malformed or otherwise invalid.";
            (S3ErrorCode::InvalidToken, why.to_owned())
        }
        Refusal::ExpiredToken => (S3ErrorCode::ExpiredToken, "The provided token has expired.".to_owned()),
        Refusal::OutOfTime(_) => {
            let why = "The difference between the request time and the current time is too large.";
            (S3ErrorCode::RequestTimeTooSkewed, why.to_owned())
        }
        Refusal::PresignedExpired(_) => (S3ErrorCode::AccessDenied, "Request has expired".to_owned()),
        Refusal::HeaderNotSigned(name) => {
            let why = format!("There were headers present in the request which were not signed: {name}");
            (S3ErrorCode::AccessDenied, why)
        }
        Refusal::Mismatch => (S3ErrorCode::SignatureDoesNotMatch, MISMATCH.to_owned()),
        Refusal::WrongBody => return wrong_hash().answer(),
        Refusal::NoBodyHash => own(S3ErrorCode::InvalidRequest),
    };
    S3Error::with_message(code, message)
}
