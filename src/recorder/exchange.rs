//! A forwarded call as it went over the wire: the request, the reply, and when.

use crate::domain::routing::LoggingTrails;
use crate::domain::tls::TlsDetails;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method};
use std::fmt;
use std::sync::Arc;

/// How much of a body is kept for reading, in bytes.
pub const MAX_KEPT: usize = 256 * 1024;

/// How much is kept of a longer one: a form says at its beginning which operation it is for.
pub const BEGINNING: usize = 4 * 1024;

/// A body, or what is kept of one that is too long. Shown without its bytes, which can hold secrets.
#[derive(Clone, Default)]
pub struct KeptBody {
    /// At most [`MAX_KEPT`] bytes, as they went over the wire.
    pub bytes: Bytes,
    /// Whether it is JSON that was too long, all of it but for long texts, which are empty here; else the beginning of a
    /// body that was too long.
    pub is_abridged: bool,
    /// The bytes that there were.
    pub total: u64,
    /// Whether the body came to its end; a broken connection leaves it open.
    pub ended: bool,
}

impl KeptBody {
    /// The whole body, but for long texts; `None` when only a part of it is here.
    pub fn whole(&self) -> Option<&[u8]> {
        let is_whole = self.is_abridged || self.total == self.bytes.len() as u64;
        (self.ended && is_whole).then_some(&self.bytes[..])
    }
}

/// The head of a request. Shown without its query and its headers, which hold signatures and tokens.
#[derive(Clone)]
pub struct Head {
    /// `GET`, …
    pub method: Method,
    /// Path and query exactly as received, not decoded.
    pub target: String,
    /// As received; names in lower case.
    pub headers: HeaderMap,
}

impl fmt::Debug for KeptBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptBody")
            .field("total", &self.total)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", &self.method)
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

impl Head {
    /// A header's value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The path, not decoded.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// What follows the `?`, not decoded; empty without one.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// What came back. Shown without its headers, which can hold cookies and tokens.
#[derive(Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// As received; names in lower case.
    pub headers: HeaderMap,
    /// As received, packed or not.
    pub body: KeptBody,
}

/// A request and what became of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request without its body.
    pub head: Arc<Head>,
    /// The request's body.
    pub body: KeptBody,
    /// The reply; `None` when the caller went away before there was one.
    pub reply: Option<Reply>,
    /// When the call was complete.
    pub time: DateTime<Utc>,
    /// The caller's address.
    pub source_ip: String,
    /// What TLS has agreed on with the caller; `None` for plain HTTP.
    pub tls: Option<TlsDetails>,
    /// The caller's trails that were logging as the call arrived.
    pub trails: LoggingTrails,
}

impl Exchange {
    /// How much of the call is kept, in bytes: heads and bodies.
    pub fn kept_bytes(&self) -> usize {
        let of_headers = |headers: &HeaderMap| -> usize {
            headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
        };
        let of_reply = |reply: &Reply| of_headers(&reply.headers) + reply.body.bytes.len();
        let head = self.head.target.len() + of_headers(&self.head.headers);
        head + self.body.bytes.len() + self.reply.as_ref().map_or(0, of_reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let secret = "s3cr3t";
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-security-token", secret.parse().unwrap());
        let body = KeptBody { bytes: Bytes::from(secret), total: 6, ended: true, ..KeptBody::default() };
        let target = format!("/b-1/k?X-Amz-Signature={secret}");
        let exchange = Exchange {
            head: Arc::new(Head { method: Method::PUT, target, headers: headers.clone() }),
            body: body.clone(),
            reply: Some(Reply { status: 200, headers, body }),
            time: DateTime::UNIX_EPOCH,
            source_ip: "192.0.2.7".to_owned(),
            tls: None,
            trails: LoggingTrails::default(),
        };
        let shown = format!("{exchange:?}");
        assert!(shown.contains("/b-1/k") && !shown.contains(secret), "{shown}");
    }
}
