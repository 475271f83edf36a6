//! The head of a request, and what can be read of it, each once and when it is first asked for.

use crate::aws::headers::{Headers, first};
use crate::aws::pairs::{first_value, pairs};
use crate::aws::signature::Signature;
use crate::aws::signature::parameters::is_secret_parameter;
use http::{HeaderMap, Method};
use std::fmt;
use std::sync::OnceLock;

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
        first_value(self.parameters(), name)
    }
}

impl<H: Headers> Request<H> {
    /// A header's first value, if it is text.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        first(&self.headers, name)
    }

    /// Whether its content type is a form's, whatever parameters that has.
    pub fn has_form_type(&self) -> bool {
        const FORM: &str = "application/x-www-form-urlencoded";
        let kind = self.header("content-type").and_then(|kind| kind.get(..FORM.len()));
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case(FORM))
    }

    /// The signature and the session token that it carries, wherever they stand.
    pub fn secrets(&self) -> Vec<&str> {
        let in_query = self.parameters().iter().filter(|(name, _)| is_secret_parameter(name));
        let header = self.header("authorization").and_then(|header| header.split_once("Signature="));
        let mut secrets: Vec<_> = in_query.map(|(_, value)| value.as_str()).collect();
        secrets.extend(self.header("x-amz-security-token"));
        secrets.extend(header.map(|(_, signature)| signature));
        secrets
    }

    /// How it is signed, and what the signature says of itself.
    pub fn signature(&self) -> &Signature {
        self.signature.get_or_init(|| Signature::read(&self.headers, self.parameters()))
    }
}
