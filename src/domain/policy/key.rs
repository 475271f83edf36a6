//! The keys that conditions and variables may ask for: those that can be answered here.

use super::service_request::{ServiceKey, ServiceRequest};
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::net::IpAddr;

/// What is known of a request as it is decided on.
#[derive(Debug, Clone)]
pub struct PolicyContext<'a> {
    /// The caller's address; `None` when it is no IP address.
    pub source_ip: Option<IpAddr>,
    /// The region of the call.
    pub region: &'a str,
    /// When it came.
    pub time: DateTime<Utc>,
    /// The name of an IAM user; others have none.
    pub user_name: Option<&'a str>,
    /// The caller's unique id.
    pub user_id: &'a str,
    /// The caller's ARN; of a role's session the role's.
    pub principal_arn: &'a str,
    /// The caller's account.
    pub account: &'a str,
    /// `User`, `AssumedRole`, `FederatedUser`, `Account`
    pub principal_type: &'static str,
    /// The `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// Whether it came over TLS.
    pub is_secure: bool,
    /// What is asked when it is not a caller but a service of AWS that makes the request: nothing of the above that is
    /// about callers has a value then.
    pub service: Option<&'a ServiceRequest<'a>>,
}

/// Of whose requests a policy is asked, and so which keys are understood as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Callers': those that can be answered here.
    OfCallers,
    /// Those of a service of AWS, of which everything is known: a key that is not known has no value.
    OfServices,
}

/// A key of the request's context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    CurrentTime,
    EpochTime,
    PrincipalAccount,
    PrincipalArn,
    PrincipalType,
    RequestedRegion,
    SecureTransport,
    SourceIp,
    UserAgent,
    UserId,
    UserName,
    /// One that only services' requests have, or that no request has.
    OfService(ServiceKey),
}

const KEYS: [(&str, Key); 11] = [
    ("aws:CurrentTime", Key::CurrentTime),
    ("aws:EpochTime", Key::EpochTime),
    ("aws:PrincipalAccount", Key::PrincipalAccount),
    ("aws:PrincipalArn", Key::PrincipalArn),
    ("aws:PrincipalType", Key::PrincipalType),
    ("aws:RequestedRegion", Key::RequestedRegion),
    ("aws:SecureTransport", Key::SecureTransport),
    ("aws:SourceIp", Key::SourceIp),
    ("aws:UserAgent", Key::UserAgent),
    ("aws:userid", Key::UserId),
    ("aws:username", Key::UserName),
];

impl Key {
    /// A key by its name, in which capitals do not count.
    ///
    /// # Errors
    /// It cannot be answered here; which ones can.
    pub(super) fn parse(name: &str, keys: Keys) -> Result<Key, String> {
        let found = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, key)| *key);
        if keys == Keys::OfServices {
            return Ok(found.unwrap_or_else(|| Key::OfService(ServiceKey::of(name))));
        }
        found.ok_or_else(|| {
            let names: Vec<_> = KEYS.iter().map(|(name, _)| *name).collect();
            format!("the key {name:?} cannot be answered here, only {}", names.join(", "))
        })
    }

    /// The key's value in a request; `None` where there is none.
    pub(super) fn of<'a>(self, context: &'a PolicyContext<'_>) -> Option<Cow<'a, str>> {
        if let Some(request) = context.service {
            let is_about_callers = matches!(
                self,
                Key::PrincipalAccount
                    | Key::PrincipalArn
                    | Key::PrincipalType
                    | Key::SourceIp
                    | Key::UserAgent
                    | Key::UserId
                    | Key::UserName
            );
            match self {
                Key::OfService(key) => return request.value_of(key).map(Cow::Borrowed),
                _ if is_about_callers => return None,
                _ => {}
            }
        }
        Some(match self {
            Key::CurrentTime => context.time.format("%Y-%m-%dT%H:%M:%SZ").to_string().into(),
            Key::EpochTime => context.time.timestamp().to_string().into(),
            Key::PrincipalAccount => context.account.into(),
            Key::PrincipalArn => context.principal_arn.into(),
            Key::PrincipalType => context.principal_type.into(),
            Key::RequestedRegion => context.region.into(),
            Key::SecureTransport => context.is_secure.to_string().into(),
            Key::SourceIp => context.source_ip?.to_string().into(),
            Key::UserAgent => context.user_agent?.into(),
            Key::UserId => context.user_id.into(),
            Key::UserName => context.user_name?.into(),
            Key::OfService(_) => return None,
        })
    }
}
