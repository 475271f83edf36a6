//! The signature of a request: read from its `Authorization` header, or from the query of a presigned URL.

use super::{Refusal, RequestHead};
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
                _ => continue,
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

/// The access key that a request names, whatever it is signed with.
pub(super) fn access_key(request: &RequestHead<'_>) -> Option<String> {
    let of_scope = |scope: &str| CredentialScope::read(scope).ok().map(|scope| scope.access_key);
    let of_header = |value: &str| match value.split_once(' ')? {
        // S3's older signatures: `AWS key:signature`
        ("AWS", rest) => rest.split(':').next().map(str::to_owned),
        (_, rest) => of_scope(rest.split_once("Credential=")?.1.split([',', ' ']).next()?),
    };
    let of_query = || match query_value(request.query, "X-Amz-Credential") {
        Some(scope) => of_scope(&scope),
        None => query_value(request.query, "AWSAccessKeyId").map(Cow::into_owned),
    };
    request.header("authorization").and_then(of_header).or_else(of_query).filter(|key| !key.is_empty())
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
