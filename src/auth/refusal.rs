//! Why a request is refused, and how AWS's services say it.

use crate::aws::protocol::Protocol;
use crate::aws::signature::SignatureFault;
use crate::error::{ApiError, Code};

/// Why a request is refused. What is the same for all services is the reason; each door has its own codes and status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It has no signature.
    Unsigned,
    /// Its signature cannot be read; the text says what is wrong with it.
    Incomplete(String),
    /// It is signed in another way than with Signature Version 4.
    OtherAlgorithm,
    /// It is signed in a header and in the URL at once.
    TwoSignatures,
    /// Nobody here has that access key.
    UnknownKey,
    /// The session token is missing or another one, or the key has none.
    WrongToken,
    /// The session of these temporary credentials is over.
    ExpiredToken,
    /// It was signed too long ago, or for a later time; the text says which.
    OutOfTime(String),
    /// A presigned URL is over.
    PresignedExpired(String),
    /// It was signed for something else: service, region, date. The text says which.
    WrongScope(String),
    /// A header that has to be signed is not.
    HeaderNotSigned(String),
    /// The signature is another one.
    Mismatch,
    /// The body has another hash than `x-amz-content-sha256` says.
    WrongBody,
    /// S3 alone: the header that says what the body is is missing.
    NoBodyHash,
}

impl From<SignatureFault> for Refusal {
    fn from(fault: SignatureFault) -> Refusal {
        match fault {
            SignatureFault::Incomplete(why) => Refusal::Incomplete(why),
            SignatureFault::OtherAlgorithm => Refusal::OtherAlgorithm,
            SignatureFault::Two => Refusal::TwoSignatures,
        }
    }
}

impl Refusal {
    /// The text, where services do not differ.
    pub fn message(&self) -> String {
        match self {
            Refusal::Unsigned => "Missing Authentication Token".to_owned(),
            Refusal::Incomplete(why)
            | Refusal::OutOfTime(why)
            | Refusal::PresignedExpired(why)
            | Refusal::WrongScope(why) => why.clone(),
            Refusal::OtherAlgorithm => {
                "The Authorization header must begin with AWS4-HMAC-SHA256: no other signatures are taken.".to_owned()
            }
            Refusal::TwoSignatures => "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, \
                                       Signature query string parameter or the Authorization header should be specified"
                .to_owned(),
            Refusal::UnknownKey | Refusal::WrongToken => {
                "The security token included in the request is invalid.".to_owned()
            }
            Refusal::ExpiredToken => "The security token included in the request is expired".to_owned(),
            Refusal::HeaderNotSigned(name) => {
                format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")
            }
            Refusal::Mismatch | Refusal::WrongBody => {
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details."
                    .to_owned()
            }
            Refusal::NoBodyHash => "Missing required header for this request: x-amz-content-sha256".to_owned(),
        }
    }

    /// As services of this protocol say it.
    pub fn error(&self, protocol: Protocol) -> ApiError {
        match protocol {
            Protocol::Json | Protocol::RestJson | Protocol::Cbor => self.typed_code().because(self.message()),
            Protocol::Query | Protocol::RestXml => self.query_code().because(self.message()),
            Protocol::Ec2 => {
                Code::AuthFailure.because("AWS was not able to validate the provided access credentials")
            }
            Protocol::S3 => self.in_s3(),
        }
    }

    /// The code of services that speak JSON or CBOR.
    fn typed_code(&self) -> Code {
        match self {
            Refusal::Unsigned => Code::MissingAuthenticationTokenException,
            Refusal::Incomplete(_) | Refusal::OtherAlgorithm | Refusal::TwoSignatures => {
                Code::IncompleteSignatureException
            }
            Refusal::UnknownKey | Refusal::WrongToken => Code::UnrecognizedClientException,
            Refusal::ExpiredToken => Code::ExpiredTokenException,
            Refusal::OutOfTime(_)
            | Refusal::PresignedExpired(_)
            | Refusal::WrongScope(_)
            | Refusal::HeaderNotSigned(_)
            | Refusal::Mismatch
            | Refusal::WrongBody
            | Refusal::NoBodyHash => Code::InvalidSignatureException,
        }
    }

    /// The code of services that speak the query protocol (STS, IAM, SNS …).
    fn query_code(&self) -> Code {
        match self.typed_code() {
            Code::MissingAuthenticationTokenException => Code::MissingAuthenticationToken,
            Code::IncompleteSignatureException => Code::IncompleteSignature,
            Code::UnrecognizedClientException => Code::InvalidClientTokenId,
            Code::ExpiredTokenException => Code::ExpiredToken,
            _ => Code::SignatureDoesNotMatch,
        }
    }

    /// As S3 answers. Source: S3's API reference, "Error responses".
    fn in_s3(&self) -> ApiError {
        let own = |code: Code| code.because(self.message());
        match self {
            Refusal::Unsigned => Code::AccessDenied.because("Access Denied"),
            Refusal::Incomplete(_) | Refusal::WrongScope(_) => own(Code::AuthorizationHeaderMalformed),
            Refusal::OtherAlgorithm => Code::InvalidRequest.because(
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            ),
            Refusal::TwoSignatures => own(Code::InvalidArgument),
            Refusal::UnknownKey => Code::InvalidAccessKeyId
                .because("The AWS Access Key Id you provided does not exist in our records."),
            Refusal::WrongToken => {
                Code::InvalidToken.because("The provided token is malformed or otherwise invalid.")
            }
            Refusal::ExpiredToken => Code::ExpiredToken.because("The provided token has expired."),
            Refusal::OutOfTime(_) => Code::RequestTimeTooSkewed
                .because("The difference between the request time and the current time is too large."),
            Refusal::PresignedExpired(_) => Code::AccessDenied.because("Request has expired"),
            Refusal::HeaderNotSigned(name) => Code::AccessDenied
                .because(format!("There were headers present in the request which were not signed: {name}")),
            Refusal::Mismatch => Code::SignatureDoesNotMatch.because(
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ),
            Refusal::WrongBody => Code::XAmzContentSHA256Mismatch
                .because("The provided 'x-amz-content-sha256' header does not match what was computed."),
            Refusal::NoBodyHash => own(Code::InvalidRequest),
        }
    }
}

/// As services answer that speak JSON.
impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        refusal.error(Protocol::Json)
    }
}
