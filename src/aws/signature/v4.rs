//! Signature Version 4, as far as verifying it takes.
//!
//! Source: IAM's user guide, "AWS Signature Version 4 for API requests"; the texts are those that AWS's services answer.

use super::claim::{Claim, SignatureFault, incomplete, wrong_elements};
use crate::aws::headers::{Headers, first};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The form of `X-Amz-Date`.
pub const BASIC_TIME: &str = "%Y%m%dT%H%M%SZ";

/// The longest that a presigned URL may be valid, in seconds.
const LONGEST_PRESIGNED: i64 = 7 * 24 * 3600;

/// A signature of version 4.
#[derive(Debug)]
pub struct SignatureV4 {
    pub(super) claim: Result<Claim, SignatureFault>,
    pub(super) source: Source,
}

/// Where its parts are read from when it is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Header,
    Query,
    /// From both, or from two headers.
    Two,
}

/// The parts of a signature as they are written.
struct Parts<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    date: &'a str,
    /// Of a presigned URL.
    expires: Option<&'a str>,
}

/// A signature that can be verified.
#[derive(Debug)]
pub struct VerifiableSignature<'a> {
    /// Whose key signs for what.
    pub scope: CredentialScope<'a>,
    /// Names in small letters, in order.
    pub signed_headers: Vec<&'a str>,
    /// 64 hex digits, if its sender is honest.
    pub signature: &'a str,
    /// When it was made.
    pub time: DateTime<Utc>,
    /// How long a presigned URL is valid.
    pub valid: Option<TimeDelta>,
}

/// `key/date/region/service/aws4_request`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the form says it")]
pub struct CredentialScope<'a> {
    pub access_key: &'a str,
    pub date: &'a str,
    pub region: &'a str,
    pub service: &'a str,
    pub terminator: &'a str,
}

impl<'a> Parts<'a> {
    fn of_header(headers: &'a impl Headers) -> Result<Parts<'a>, SignatureFault> {
        let header = first(headers, "authorization").unwrap_or_default();
        let (_, text) = header.trim().split_once(' ').unwrap_or_default();
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for parameter in text.split(',').map(str::trim).filter(|parameter| !parameter.is_empty()) {
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
        let date = first(headers, "x-amz-date").or(first(headers, "date"));
        let mut missing: Vec<_> =
            [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]
                .into_iter()
                .filter(|(_, value)| value.is_none_or(str::is_empty))
                .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
                .collect();
        if date.is_none() {
            let what = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
            missing.push(what.to_owned());
        }
        let (Some(credential), Some(signature), Some(signed_headers), Some(date), true) =
            (credential, signature, signed_headers, date, missing.is_empty())
        else {
            return Err(SignatureFault::Incomplete(missing.join(" ")));
        };
        if headers.values_of("x-amz-date").count() > 1 {
            return Err(incomplete("There is more than one X-Amz-Date header"));
        }
        Ok(Parts { credential, signed_headers, signature, date, expires: None })
    }

    fn of_query(parameters: &'a [(String, String)]) -> Result<Parts<'a>, SignatureFault> {
        let value = |name: &str| {
            let mut values = parameters.iter().filter(|(known, _)| known == name);
            match (values.next(), values.next()) {
                (_, Some(_)) => Err(incomplete(&format!("The query has '{name}' more than once"))),
                (Some((_, value)), None) if !value.is_empty() => Ok(value.as_str()),
                _ => {
                    let why = format!("AWS query-string parameters must include '{name}'.");
                    Err(SignatureFault::Incomplete(why))
                }
            }
        };
        if value("X-Amz-Algorithm")? != ALGORITHM {
            return Err(SignatureFault::OtherAlgorithm);
        }
        Ok(Parts {
            credential: value("X-Amz-Credential")?,
            signature: value("X-Amz-Signature")?,
            date: value("X-Amz-Date")?,
            signed_headers: value("X-Amz-SignedHeaders")?,
            expires: Some(value("X-Amz-Expires")?),
        })
    }
}

impl SignatureV4 {
    /// What verifying it takes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn verifiable<'a>(
        &self,
        headers: &'a impl Headers,
        parameters: &'a [(String, String)],
    ) -> Result<VerifiableSignature<'a>, SignatureFault> {
        let parts = match self.source {
            Source::Header => Parts::of_header(headers)?,
            Source::Query => Parts::of_query(parameters)?,
            Source::Two => return Err(SignatureFault::Two),
        };
        let valid = parts.expires.map(|expires| {
            let seconds = expires.parse().ok().filter(|seconds| (0..=LONGEST_PRESIGNED).contains(seconds));
            seconds.map(TimeDelta::seconds).ok_or_else(|| {
                incomplete(&format!(
                    "X-Amz-Expires must be a number of seconds, and at most {LONGEST_PRESIGNED}"
                ))
            })
        });
        Ok(VerifiableSignature {
            scope: CredentialScope::read(parts.credential)?,
            time: time(parts.date)?,
            signed_headers: header_names(parts.signed_headers)?,
            signature: parts.signature,
            valid: valid.transpose()?,
        })
    }
}

impl<'a> CredentialScope<'a> {
    fn read(text: &'a str) -> Result<CredentialScope<'a>, SignatureFault> {
        let parts: Vec<_> = text.split('/').collect();
        match parts.as_slice() {
            [access_key, date, region, service, terminator]
                if ![access_key, date, region, service].contains(&&"") =>
            {
                Ok(CredentialScope { access_key, date, region, service, terminator })
            }
            _ => Err(wrong_elements()),
        }
    }
}

/// `host;x-amz-date`: in order, none twice.
fn header_names(text: &str) -> Result<Vec<&str>, SignatureFault> {
    let names: Vec<_> = text.split(';').collect();
    let is_name = |name: &&str| !name.is_empty() && !name.bytes().any(|b| b.is_ascii_uppercase());
    if !names.iter().all(is_name) || !names.is_sorted_by(|one, next| one < next) {
        return Err(incomplete("SignedHeaders must be names in small letters, in order, with ';' between"));
    }
    Ok(names)
}

/// A time in the form of `X-Amz-Date`, or in that of the `Date` header.
fn time(text: &str) -> Result<DateTime<Utc>, SignatureFault> {
    let basic = NaiveDateTime::parse_from_str(text, BASIC_TIME).map(|time| time.and_utc());
    let time = basic.or_else(|_| DateTime::parse_from_rfc2822(text).map(|time| time.to_utc()));
    time.map_err(|_| incomplete("Date must be in ISO-8601 'basic format', like 20151231T235959Z"))
}
