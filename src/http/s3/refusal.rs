//! Refusals of callers, as s3s and the bodies of requests carry them.

use crate::auth::Refusal;
use crate::aws::protocol::Protocol;
use crate::buckets::BodyFault;
use s3s::{S3Error, S3ErrorCode};

/// As the body of a request breaks off.
pub(super) fn body_fault(refusal: &Refusal) -> BodyFault {
    let error = refusal.error(Protocol::S3);
    let code = error.code.name();
    // s3s does not know every code of S3's.
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or_else(|| S3ErrorCode::Custom(code.into()));
    BodyFault { code, message: error.message.into_owned() }
}

/// As an answer.
pub(super) fn s3_error(refusal: &Refusal) -> S3Error {
    body_fault(refusal).answer()
}
