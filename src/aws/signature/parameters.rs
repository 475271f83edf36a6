//! The parameters of a query or a form that belong to a signature.

use crate::aws::pairs::{decode, written_pairs};

/// Parameters of a query or a form that belong to a signature and are no parameters of the operation.
const PUBLIC_PARAMETERS: &[&str] = &[
    "SignatureMethod",
    "SignatureVersion",
    "Timestamp",
    "X-Amz-Algorithm",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
];

/// Parameters that are never shown: what could be used again, and the key that it belongs to.
const SECRET_PARAMETERS: &[&str] = &[
    "AWSAccessKeyId",
    "SecurityToken",
    "Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
];

/// What presigned URLs of S3 have, of version 4 or 2.
const OF_PRESIGNED: &[&str] = &[
    "AWSAccessKeyId",
    "Expires",
    "Signature",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
];

/// Whether a parameter of a query or a form belongs to a signature, and not to what is asked.
pub fn is_parameter(name: &str) -> bool {
    PUBLIC_PARAMETERS.contains(&name) || is_secret_parameter(name)
}

/// Whether a parameter belongs to a signature and must not be shown.
pub fn is_secret_parameter(name: &str) -> bool {
    SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// A query without its signature, which cannot sign itself.
pub fn without_signature(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let kept = pairs.filter(|pair| decode(pair.split('=').next().unwrap_or_default()) != "X-Amz-Signature");
    kept.collect::<Vec<_>>().join("&")
}

/// The query of a URL as it was before it was presigned for S3.
pub fn without_presigning(query: &str) -> String {
    let is_one = |name: &str, of: &[&str]| of.iter().any(|known| known.eq_ignore_ascii_case(name));
    let is_signed = written_pairs(query)
        .any(|(name, _)| name == "Signature" || is_one(&decode(name), &["X-Amz-Signature"]));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let kept = pairs.filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !(is_signed && is_one(&decode(name), OF_PRESIGNED))
    });
    kept.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signs_is_taken_off_and_nothing_else() {
        let signed = "versionId=null&X-Amz-Algorithm=A&X-Amz-Credential=C%2F&X-Amz-Signature=0&x";
        assert_eq!(without_presigning(signed), "versionId=null&x");
        assert_eq!(without_presigning("AWSAccessKeyId=A&Signature=x&Expires=1"), "");
        assert_eq!(without_presigning("expires=1&list-type=2"), "expires=1&list-type=2");
        assert_eq!(without_signature("a=b&X-Amz-Signature=0&X-Amz-Date=1"), "a=b&X-Amz-Date=1");
    }
}
