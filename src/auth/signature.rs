//! The signature of a request: read from its `Authorization` header, or from the query of a presigned URL.

use super::{Refusal, RequestHead};
use crate::domain::caller::Signer;
use crate::domain::region::Region;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The form of `X-Amz-Date`.
pub(super) const BASIC_TIME: &str = "%Y%m%dT%H%M%SZ";

/// The longest that a presigned URL may be valid.
const LONGEST_PRESIGNED: i64 = 7 * 24 * 3600;

/// A signature and what it says of itself.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) scope: CredentialScope,
    /// Names in small letters, in order.
    pub(super) signed_headers: Vec<String>,
    /// 64 hex digits, if its sender is honest.
    pub(super) signature: String,
    pub(super) time: DateTime<Utc>,
    pub(super) place: Place,
}

/// Where a signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the `Authorization` header.
    Header,
    /// In the query of a presigned URL, which is valid for so long.
    Query {
        /// `X-Amz-Expires`
        valid: TimeDelta,
    },
}

/// Whose key signs for what: `key/date/region/service/aws4_request`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CredentialScope {
    pub(super) access_key: String,
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) terminator: String,
}

impl CredentialScope {
    fn read(text: &str) -> Result<CredentialScope, Refusal> {
        let parts: Vec<_> = text.split('/').collect();
        let [access_key @ .., date, region, service, terminator] = parts.as_slice() else {
            return Err(incomplete("Credential must have at least 5 slash-delimited elements"));
        };
        let access_key = access_key.join("/");
        if [access_key.as_str(), date, region, service].contains(&"") {
            return Err(incomplete("Credential must have at least 5 slash-delimited elements"));
        }
        let owned = |part: &&str| (*part).to_owned();
        Ok(CredentialScope {
            access_key,
            date: owned(date),
            region: owned(region),
            service: owned(service),
            terminator: owned(terminator),
        })
    }
}

fn incomplete(why: &str) -> Refusal {
    Refusal::Incomplete(format!("{why}."))
}

impl Signature {
    /// The signature of a request.
    ///
    /// # Errors
    /// It has none, or one that cannot be read.
    pub(super) fn read(request: &RequestHead<'_>) -> Result<Signature, Refusal> {
        let is_presigned = query_value(request.query, "X-Amz-Algorithm").is_some()
            || query_value(request.query, "X-Amz-Signature").is_some();
        let mut headers = request.headers.iter().filter(|(name, _)| *name == "authorization");
        match (headers.next(), headers.next()) {
            (Some(_), _) if is_presigned => Err(Refusal::TwoSignatures),
            (Some(_), Some(_)) => Err(incomplete("There is more than one Authorization header")),
            (Some((_, value)), None) => {
                let value = std::str::from_utf8(value);
                let value = value.map_err(|_| incomplete("The Authorization header is no text"))?;
                Signature::of_header(value.trim(), request)
            }
            (None, _) if is_presigned => Signature::of_query(request),
            (None, _) if query_value(request.query, "AWSAccessKeyId").is_some() => {
                Err(Refusal::OtherAlgorithm)
            }
            (None, _) => Err(Refusal::Unsigned),
        }
    }

    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`
    fn of_header(value: &str, request: &RequestHead<'_>) -> Result<Signature, Refusal> {
        let (algorithm, parameters) = value.split_once(' ').unwrap_or((value, ""));
        if algorithm != ALGORITHM {
            return Err(Refusal::OtherAlgorithm);
        }
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for parameter in parameters.split(',').map(str::trim).filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or_else(|| {
                incomplete("Invalid key=value pair (missing equal-sign) in Authorization header")
            })?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => {
                    return Err(incomplete(&format!(
                        "Authorization header has an unknown parameter '{name}'"
                    )));
                }
            };
            if place.replace(value).is_some() {
                return Err(incomplete(&format!("Authorization header has '{name}' more than once")));
            }
        }
        let date = request.header("x-amz-date").or(request.header("date"));
        let mut missing: Vec<_> =
            [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]
                .into_iter()
                .filter(|(_, value)| value.is_none_or(str::is_empty))
                .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
                .collect();
        if date.is_none() {
            missing.push(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
                    .to_owned(),
            );
        }
        let (Some(credential), Some(signature), Some(signed_headers), Some(date), true) =
            (credential, signature, signed_headers, date, missing.is_empty())
        else {
            return Err(Refusal::Incomplete(missing.join(" ")));
        };
        if request.values("x-amz-date").count() > 1 {
            return Err(incomplete("There is more than one X-Amz-Date header"));
        }
        Ok(Signature {
            scope: CredentialScope::read(credential)?,
            signed_headers: header_names(signed_headers)?,
            signature: signature.to_owned(),
            time: time(date)?,
            place: Place::Header,
        })
    }

    /// `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=…&…`
    fn of_query(request: &RequestHead<'_>) -> Result<Signature, Refusal> {
        let value = |name: &str| {
            let missing =
                || Refusal::Incomplete(format!("AWS query-string parameters must include '{name}'."));
            if pairs(request.query).filter(|(known, _)| known == name).count() > 1 {
                return Err(incomplete(&format!("The query has '{name}' more than once")));
            }
            query_value(request.query, name).filter(|value| !value.is_empty()).ok_or_else(missing)
        };
        if value("X-Amz-Algorithm")? != ALGORITHM {
            return Err(Refusal::OtherAlgorithm);
        }
        let scope = CredentialScope::read(&value("X-Amz-Credential")?)?;
        let (signature, time) = (value("X-Amz-Signature")?.into_owned(), time(&value("X-Amz-Date")?)?);
        let signed_headers = header_names(&value("X-Amz-SignedHeaders")?)?;
        let valid =
            value("X-Amz-Expires")?.parse().ok().filter(|seconds| (0..=LONGEST_PRESIGNED).contains(seconds));
        let valid = valid.ok_or_else(|| {
            incomplete(&format!("X-Amz-Expires must be a number of seconds, and at most {LONGEST_PRESIGNED}"))
        })?;
        let place = Place::Query { valid: TimeDelta::seconds(valid) };
        Ok(Signature { scope, signed_headers, signature, time, place })
    }
}

/// Whom a request names as its signer, in whatever way it is signed, whether or not that is true; `None` if it is not signed.
///
/// # Errors
/// It is signed, but no access key or region can be read.
pub fn claimed_signer(request: &RequestHead<'_>) -> Result<Option<Signer>, Refusal> {
    let credential = match request.header("authorization") {
        Some(value) if value.starts_with("AWS4-") => {
            let rest = value.split_once("Credential=").map(|(_, rest)| rest);
            let credential = rest.and_then(|rest| rest.split([',', ' ']).next());
            Some(
                credential
                    .ok_or_else(|| incomplete("Authorization header requires 'Credential' parameter"))?
                    .into(),
            )
        }
        Some(value) if value.starts_with("AWS ") => {
            let access_key = value["AWS ".len()..].split(':').next().unwrap_or_default();
            return Ok(Some(Signer { access_key: access_key.to_owned(), region: Region::us_east_1() }));
        }
        _ => query_value(request.query, "X-Amz-Credential"),
    };
    let Some(credential) = credential else {
        let access_key = query_value(request.query, "AWSAccessKeyId").map(Cow::into_owned);
        return Ok(access_key.map(|access_key| Signer { access_key, region: Region::us_east_1() }));
    };
    let parts: Vec<_> = credential.split('/').collect();
    let (access_key, region_name) = match parts.as_slice() {
        [access_key, _, region, _, "aws4_request"] => (*access_key, region),
        // SigV4A signs for a set of regions, which stands elsewhere.
        [access_key, _, _, "aws4_request"] => (*access_key, &""),
        _ => return Err(incomplete("Credential must have the form key/date/region/service/aws4_request")),
    };
    if access_key.is_empty() {
        return Err(incomplete("Credential names no access key"));
    }
    let region = if region_name.is_empty() { Region::us_east_1() } else { region(region_name)? };
    Ok(Some(Signer { access_key: access_key.to_owned(), region }))
}

/// The region that a scope names.
///
/// # Errors
/// It is none.
pub(super) fn region(name: &str) -> Result<Region, Refusal> {
    let region =
        Region::parse(name).ok_or_else(|| incomplete("Credential should be scoped to a valid region"))?;
    // boto 2 reads the region off the host's name: "localhost", or "0" from 127.0.0.1.
    Ok(if region.contains('-') { region } else { Region::us_east_1() })
}

/// `host;x-amz-date`: in order, none twice.
fn header_names(text: &str) -> Result<Vec<String>, Refusal> {
    let names: Vec<_> = text.split(';').map(str::to_owned).collect();
    let is_name = |name: &String| !name.is_empty() && !name.bytes().any(|b| b.is_ascii_uppercase());
    if !names.iter().all(is_name) || !names.is_sorted_by(|one, next| one < next) {
        return Err(incomplete("SignedHeaders must be names in small letters, in order, with ';' between"));
    }
    Ok(names)
}

/// A time in the form of `X-Amz-Date`, or in that of the `Date` header.
fn time(text: &str) -> Result<DateTime<Utc>, Refusal> {
    let basic = NaiveDateTime::parse_from_str(text, BASIC_TIME).map(|time| time.and_utc());
    let time = basic.or_else(|_| DateTime::parse_from_rfc2822(text).map(|time| time.to_utc()));
    time.map_err(|_| incomplete("Date must be in ISO-8601 'basic format', like 20151231T235959Z"))
}

/// A parameter of a query, decoded.
pub(super) fn query_value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    pairs(query).find(|(known, _)| known == name).map(|(_, value)| value)
}

/// The parameters of a query, decoded.
fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    query.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// A query without its signature, which cannot sign itself.
pub(super) fn without_signature(query: &str) -> String {
    let kept = query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        percent_decode_str(name).decode_utf8_lossy() != "X-Amz-Signature"
    });
    kept.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(authorization: &str, query: &str) -> Result<Option<(String, String)>, Refusal> {
        let headers = vec![("authorization", authorization.as_bytes())];
        let headers = if authorization.is_empty() { Vec::new() } else { headers };
        let signer = claimed_signer(&RequestHead { method: "POST", path: "/", query, headers })?;
        Ok(signer.map(|signer| (signer.access_key, signer.region.to_string())))
    }

    fn in_header(scope: &str) -> Result<Option<(String, String)>, Refusal> {
        claimed(&format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"), "")
    }

    #[test]
    fn a_signature_names_a_key_and_a_region_wherever_it_stands() {
        let named = |key: &str, region: &str| Ok(Some((key.to_owned(), region.to_owned())));
        assert_eq!(
            in_header("AKIAANA/20261122/mars-north-1/cloudtrail/aws4_request"),
            named("AKIAANA", "mars-north-1")
        );
        for not_a_region in ["localhost", "0"] {
            let scope = format!("test/20261122/{not_a_region}/cloudtrail/aws4_request");
            assert_eq!(in_header(&scope), named("test", "us-east-1"));
        }
        assert_eq!(in_header("AKIAANA/20261122/s3/aws4_request"), named("AKIAANA", "us-east-1"));
        assert_eq!(claimed("AWS AKIAANA:c2ln", ""), named("AKIAANA", "us-east-1"));
        assert_eq!(claimed("", "AWSAccessKeyId=AKIAANA&Signature=c2ln"), named("AKIAANA", "us-east-1"));
        let presigned = "X-Amz-Credential=444455556666%2F20261122%2Feu-west-1%2Fcloudtrail%2Faws4_request";
        assert_eq!(claimed("", presigned), named("444455556666", "eu-west-1"));
        assert_eq!(claimed("", ""), Ok(None));
        assert_eq!(claimed("Bearer x", "a=1"), Ok(None));
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
            assert!(matches!(in_header(scope), Err(Refusal::Incomplete(_))), "{scope}");
        }
        assert!(matches!(claimed("AWS4-HMAC-SHA256 SignedHeaders=host", ""), Err(Refusal::Incomplete(_))));
    }
}
