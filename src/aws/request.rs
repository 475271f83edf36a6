//! The head of a request, and what can be read of it, each once and when it is first asked for.

use super::pairs::pairs;
use super::signature::Signature;
use http::{HeaderMap, Method};
use std::fmt;
use std::sync::OnceLock;

/// The headers of a request, whichever library has read them. Names are in small letters.
pub trait Headers {
    /// The values of a header, in the order of the wire.
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;
    /// Names and values, those of one name in the order of the wire.
    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])>;
}

impl Headers for HeaderMap {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).into_iter().map(http::HeaderValue::as_bytes)
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}

/// As a list of them.
impl Headers for Vec<(&str, &[u8])> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().copied()
    }
}

/// The head of a request. Shown without its query and its headers, which hold signatures and tokens.
pub struct Request<H = HeaderMap> {
    /// `GET`, …
    pub method: Method,
    /// Path and query exactly as received, not decoded.
    pub target: String,
    /// As received.
    pub headers: H,
    parameters: OnceLock<Vec<(String, String)>>,
    signature: OnceLock<Signature>,
}

impl<H> fmt::Debug for Request<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

impl<H> Request<H> {
    /// A request of which nothing has been read yet.
    pub fn new(method: Method, target: impl Into<String>, headers: H) -> Request<H> {
        let (parameters, signature) = (OnceLock::new(), OnceLock::new());
        Request { method, target: target.into(), headers, parameters, signature }
    }

    /// The path, not decoded.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// What follows the `?`, not decoded; empty without one.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Names and values of the query, decoded.
    pub fn parameters(&self) -> &[(String, String)] {
        self.parameters.get_or_init(|| pairs(self.query()))
    }

    /// The first value of a parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl<H: Headers> Request<H> {
    /// A header's first value, if it is text.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.headers.values_of(name).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// How it is signed, and what the signature says of itself.
    pub fn signature(&self) -> &Signature {
        self.signature.get_or_init(|| Signature::read(self))
    }
}
