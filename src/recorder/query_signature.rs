//! The signature of a call that stands in its query or in its form.

/// Members of it that say nothing to anybody else.
const PUBLIC: &[&str] = &[
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
    "X-Amz-Algorithm",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
];

/// Members that are never shown: what could be used again, and the key that it belongs to.
const SECRET: &[&str] = &[
    "AWSAccessKeyId",
    "SecurityToken",
    "Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
];

/// Whether a member belongs to a signature, and not to what is asked.
pub(super) fn is_part(name: &str) -> bool {
    PUBLIC.contains(&name) || is_secret_part(name)
}

/// Whether a member belongs to a signature and must not be shown.
pub(super) fn is_secret_part(name: &str) -> bool {
    SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}
