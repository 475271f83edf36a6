//! The keys that conditions and variables may ask for: those that can be answered here.

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
    pub(super) fn parse(name: &str) -> Result<Key, String> {
        let found = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, key)| *key).ok_or_else(|| {
            let names: Vec<_> = KEYS.iter().map(|(name, _)| *name).collect();
            format!("the key {name:?} cannot be answered here, only {}", names.join(", "))
        })
    }

    /// The key's value in a request; `None` where there is none.
    pub(super) fn of<'a>(self, context: &'a PolicyContext<'_>) -> Option<Cow<'a, str>> {
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
        })
    }
}
