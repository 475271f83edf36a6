//! The signature of a request: the only reader of what signs it, wherever that stands. Whether it is right is for others to
//! check.
//!
//! Sources: IAM's user guide, "AWS Signature Version 4 for API requests"; S3's and EC2's guides on Signature Version 2.

pub mod chunk;
mod claim;
pub mod parameters;
mod v4;

use crate::aws::headers::Headers;
use crate::aws::pairs::first_value;
use claim::incomplete;
pub use claim::{Claim, Place, SignatureFault, Version};
use memchr::memchr2;
use v4::Source;
pub use v4::{BASIC_TIME, CredentialScope, SignatureV4, VerifiableSignature};

/// How a request is signed.
#[derive(Debug)]
pub enum Signature {
    /// Not at all.
    None,
    /// It has an `Authorization` of another kind, such as a bearer token.
    OtherScheme,
    /// With Signature Version 4.
    V4(SignatureV4),
    /// With 4A or 2, which are not verified here.
    Other(Claim),
    /// It is, but the access key cannot be read.
    Unreadable(SignatureFault),
}

impl Signature {
    /// How a request with these headers is signed, and these parameters in its query.
    pub(super) fn read(headers: &impl Headers, parameters: &[(String, String)]) -> Signature {
        tracing::trace!("a signature is read");
        let mut lines = headers.values_of("authorization");
        let (header, another) = (lines.next(), lines.next());
        let mut signature = match header.map(std::str::from_utf8) {
            None => return Signature::of_query(parameters).unwrap_or(Signature::None),
            Some(Err(_)) => return Signature::Unreadable(incomplete("The Authorization header is no text")),
            Some(Ok(header)) => Signature::of_header(header.trim()),
        };
        let in_query = Signature::of_query(parameters);
        if matches!(signature, Signature::OtherScheme)
            && let Some(in_query) = in_query
        {
            signature = in_query;
        } else if in_query.is_none() && another.is_none() {
            return signature;
        }
        match signature {
            Signature::V4(SignatureV4 { claim, .. }) => {
                Signature::V4(SignatureV4 { claim, source: Source::Two })
            }
            other => other,
        }
    }

    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, or `AWS key:signature`
    fn of_header(header: &str) -> Signature {
        let (scheme, rest) = header.split_once(' ').unwrap_or((header, ""));
        if scheme == "AWS" {
            let access_key = rest.rsplit_once(':').map_or(rest, |(key, _)| key).trim().to_owned();
            if access_key.is_empty() {
                return Signature::Unreadable(incomplete("Authorization header names no access key"));
            }
            let service = Some("s3".to_owned());
            let (version, place) = (Version::V2, Place::Header);
            return Signature::Other(Claim { access_key, service, version, place, region: None });
        }
        let found = match rest.strip_prefix("Credential=") {
            // As clients write it.
            Some(credential) => Some(("", credential)),
            None => rest.split_once("Credential="),
        };
        let claim = match found {
            None => Err(incomplete("Authorization header requires 'Credential' parameter")),
            Some((before, rest)) => {
                let place = if before.is_empty() { Place::Header } else { Place::OddHeader };
                let end = memchr2(b',', b' ', rest.as_bytes()).unwrap_or(rest.len());
                Claim::of_credential(&rest[..end], place)
            }
        };
        match (scheme, claim) {
            (v4::ALGORITHM, claim) => Signature::V4(SignatureV4 { claim, source: Source::Header }),
            (_, Ok(claim)) => Signature::Other(claim),
            (_, Err(fault)) if scheme.starts_with("AWS4-") => Signature::Unreadable(fault),
            _ => Signature::OtherScheme,
        }
    }

    /// `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=…&…`, or `AWSAccessKeyId=…&Signature=…`
    fn of_query(parameters: &[(String, String)]) -> Option<Signature> {
        let names = ["X-Amz-Algorithm", "X-Amz-Signature", "X-Amz-Credential"];
        if !names.iter().any(|name| first_value(parameters, name).is_some()) {
            return Claim::of_version_2(parameters, Place::Query).map(Signature::Other);
        }
        let credential = first_value(parameters, "X-Amz-Credential").unwrap_or_default();
        let claim = Claim::of_credential(credential, Place::Query);
        Some(Signature::V4(SignatureV4 { claim, source: Source::Query }))
    }

    /// The signer, as claimed; `None` for an unsigned request.
    ///
    /// # Errors
    /// It is signed, but no access key can be read.
    pub fn claim(&self) -> Result<Option<&Claim>, &SignatureFault> {
        match self {
            Signature::None | Signature::OtherScheme => Ok(None),
            Signature::V4(SignatureV4 { claim, .. }) => claim.as_ref().map(Some),
            Signature::Other(claim) => Ok(Some(claim)),
            Signature::Unreadable(fault) => Err(fault),
        }
    }

    /// Whether a service may take the request for signed: it is signed for that service, or for none that can be read.
    pub fn may_be_for(&self, service: &str) -> bool {
        match self.claim() {
            Ok(claim) => {
                claim.is_some_and(|claim| claim.service.as_deref().is_none_or(|name| name == service))
            }
            Err(_) => true,
        }
    }

    /// Whether there are two signatures, which may be two callers'.
    pub fn is_doubled(&self) -> bool {
        matches!(self, Signature::V4(SignatureV4 { source: Source::Two, .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::pairs::pairs;
    use crate::domain::region::Region;
    use http::HeaderMap;

    fn headers(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if !authorization.is_empty() {
            headers.insert("authorization", authorization.parse().unwrap());
        }
        headers
    }

    fn read(authorization: &str, query: &str) -> Signature {
        Signature::read(&headers(authorization), &pairs(query))
    }

    fn claimed(authorization: &str, query: &str) -> Option<(String, Option<String>, Option<String>)> {
        let signature = read(authorization, query);
        let claim = signature.claim().unwrap()?;
        let region = claim.region.as_ref().map(Region::to_string);
        Some((claim.access_key.clone(), region, claim.service.clone()))
    }

    fn in_header(scope: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00")
    }

    #[test]
    fn a_signature_names_a_key_a_region_and_a_service_wherever_it_stands() {
        let named = |key: &str, region: Option<&str>, service: Option<&str>| {
            Some((key.to_owned(), region.map(str::to_owned), service.map(str::to_owned)))
        };
        let scope = in_header("AKIAANA/20261122/mars-north-1/cloudtrail/aws4_request");
        assert_eq!(claimed(&scope, ""), named("AKIAANA", Some("mars-north-1"), Some("cloudtrail")));
        for not_a_region in ["localhost", "0", "aws-global"] {
            let scope = in_header(&format!("test/20261122/{not_a_region}/sts/aws4_request"));
            assert_eq!(claimed(&scope, ""), named("test", None, Some("sts")));
        }
        let many = in_header("AKIAANA/20261122/s3/aws4_request");
        assert_eq!(claimed(&many, ""), named("AKIAANA", None, Some("s3")));
        assert_eq!(claimed("AWS AKIAANA:c2ln", ""), named("AKIAANA", None, Some("s3")));
        let old = "AWSAccessKeyId=AKIAANA&Signature=c2ln";
        assert_eq!(claimed("", old), named("AKIAANA", None, Some("s3")));
        assert_eq!(claimed("", &format!("{old}&SignatureVersion=2")), named("AKIAANA", None, None));
        let presigned = "X-Amz-Credential=444455556666%2F20261122%2Feu-west-1%2Fiam%2Faws4_request";
        assert_eq!(claimed("", presigned), named("444455556666", Some("eu-west-1"), Some("iam")));
        assert_eq!(claimed("", ""), None);
        assert!(matches!(read("Bearer x", "a=1"), Signature::OtherScheme));
    }

    #[test]
    fn no_signature_names_a_key_without_a_letter() {
        for header in ["AWS", "AWS ", "AWS :c2ln"] {
            assert!(read(header, "").claim().is_err(), "{header:?}");
        }
        assert_eq!(claimed("", "AWSAccessKeyId=&Signature=c2ln"), None);
    }

    #[test]
    fn half_a_signature_is_incomplete() {
        for scope in [
            "",
            "AKIA",
            "AKIA/20261122/us-east-1/cloudtrail",
            "/20261122/us-east-1/cloudtrail/aws4_request",
            "AKIA/20261122/US EAST/cloudtrail/aws4_request",
        ] {
            let signature = read(&in_header(scope), "");
            assert!(matches!(signature.claim(), Err(SignatureFault::Incomplete(_))), "{scope}");
        }
        let without = read("AWS4-HMAC-SHA256 SignedHeaders=host", "");
        assert!(matches!(without.claim(), Err(SignatureFault::Incomplete(_))));
    }

    #[test]
    fn an_order_that_not_everybody_reads_and_a_second_signature_are_noticed() {
        let scope = "AKIA/20261122/us-east-1/iam/aws4_request";
        let place = |header: &str, query: &str| match read(header, query) {
            Signature::V4(signature) => {
                let fault = signature.verifiable(&headers(header), &pairs(query)).err();
                (signature.claim.unwrap().place, fault)
            }
            other => panic!("{other:?}"),
        };
        let odd = format!("AWS4-HMAC-SHA256 SignedHeaders=host, Credential={scope}, Signature=00");
        assert_eq!(place(&odd, "").0, Place::OddHeader);
        assert_eq!(place(&in_header(scope), "").0, Place::Header);
        assert_eq!(place(&in_header(scope), "X-Amz-Signature=00").1, Some(SignatureFault::Two));
    }
}
