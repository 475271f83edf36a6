//! A forwarded call as it went over the wire: the request, the reply, and when.

use crate::aws::form::Form;
use crate::aws::identify::{Finding, Identifier};
use crate::aws::request::Request;
use crate::aws::signature::{Claim, Signature};
use crate::domain::routing::LoggingTrails;
use crate::domain::tls::TlsDetails;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

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

impl fmt::Debug for KeptBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptBody")
            .field("total", &self.total)
            .field("ended", &self.ended)
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
#[derive(Debug)]
pub struct Exchange {
    /// The request without its body.
    pub request: Arc<Request>,
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
    /// What the body holds of names, as soon as that was asked.
    form: OnceLock<Form>,
    /// The signature in it, likewise.
    form_claim: OnceLock<Option<Claim>>,
    /// What the request is, likewise.
    finding: OnceLock<Finding>,
}

impl Exchange {
    /// A request of which nothing else is known yet.
    pub fn new(request: Arc<Request>, time: DateTime<Utc>) -> Exchange {
        Exchange {
            request,
            body: KeptBody::default(),
            reply: None,
            time,
            source_ip: String::new(),
            tls: None,
            trails: LoggingTrails::default(),
            form: OnceLock::new(),
            form_claim: OnceLock::new(),
            finding: OnceLock::new(),
        }
    }

    /// What the request is, by what is kept of its body as this is asked for the first time.
    pub fn finding(&self, identifier: &Identifier) -> &Finding {
        self.finding.get_or_init(|| identifier.identify(&self.request, self.claim(), self.form()))
    }

    /// The same by its body, before that is kept.
    pub fn finding_by(&self, identifier: &Identifier, body: &[u8]) -> &Finding {
        let form = Form::of(&self.request, body);
        let finding = self.finding.get_or_init(|| identifier.identify(&self.request, self.claim(), &form));
        if body.len() <= MAX_KEPT {
            // An error means that it has been read before.
            let _ = self.form.set(form);
        }
        finding
    }

    /// What is kept of the body, as names and values.
    pub fn form(&self) -> &Form {
        self.form.get_or_init(|| Form::of(&self.request, &self.body.bytes))
    }

    /// The claim of its signature; `None` for an unsigned request.
    pub fn claim(&self) -> Option<&Claim> {
        self.request.signature().claim().ok().flatten().or_else(|| self.form_claim())
    }

    /// The same by the form that the body is: older clients of the query protocol sign there. To be asked when the body is
    /// here.
    pub fn form_claim(&self) -> Option<&Claim> {
        if !matches!(self.request.signature(), Signature::None) || self.body.bytes.is_empty() {
            return None;
        }
        self.form_claim.get_or_init(|| Claim::of_form(&self.form().pairs)).as_ref()
    }

    /// How much of the call is kept, in bytes: heads and bodies, and what has been read of them.
    pub fn kept_bytes(&self) -> usize {
        let of_headers = |headers: &HeaderMap| -> usize {
            headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
        };
        let of_reply = |reply: &Reply| of_headers(&reply.headers) + reply.body.bytes.len();
        let head = self.request.target.len() + of_headers(&self.request.headers);
        let form = self.form.get().map_or(0, Form::memory);
        head + self.body.bytes.len() + form + self.reply.as_ref().map_or(0, of_reply)
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
        let request = Request::new(http::Method::PUT, target, headers.clone());
        let mut exchange = Exchange::new(Arc::new(request), DateTime::UNIX_EPOCH);
        exchange.body = body.clone();
        exchange.reply = Some(Reply { status: 200, headers, body });
        let shown = format!("{exchange:?}");
        assert!(shown.contains("/b-1/k") && !shown.contains(secret), "{shown}");
    }
}
