//! The names of operations in a request: in its path, its headers, its query and its body.

use crate::aws::form::{Form, MOST_NAMES, behind_semicolons};
use crate::aws::headers::Headers;
use crate::aws::request::Request;
use memchr::memchr;
use std::borrow::Cow;

/// Headers that a request has once at the most.
const SINGLE: &[&str] = &["x-amz-target", "smithy-protocol", "x-amz-copy-source"];

/// Headers that say what a request is, by their names with dashes.
const COUNTING: &[&str] = &[
    "authorization",
    "content-encoding",
    "content-type",
    "host",
    "smithy-protocol",
    "x-amz-copy-source",
    "x-amz-target",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// All names that a request has for its operation.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// `/service/{prefix}/operation/{name}`, in a request that says that it is in CBOR.
    pub(super) cbor: Option<Target<'a>>,
    /// `X-Amz-Target: prefix.name`
    pub(super) targets: Vec<Target<'a>>,
    /// `Action` in the query, then in a form.
    pub(super) actions: Vec<&'a str>,
    /// `Version` beside it.
    pub(super) version: Option<&'a str>,
    /// What only some servers take for an `Action`.
    pub(super) stray_actions: Vec<Cow<'a, str>>,
    /// Whether something about them is doubled, or cannot be read.
    pub(super) are_odd: bool,
}

/// An operation of whatever has this prefix.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) prefix: &'a str,
    pub(super) operation: &'a str,
}

impl<'a> Names<'a> {
    pub(super) fn of(request: &'a Request, form: &'a Form) -> Names<'a> {
        let mut names = Names {
            stray_actions: form.stray_actions.iter().map(Cow::from).collect(),
            are_odd: form.is_odd,
            cbor: of_cbor_path(request),
            ..Names::default()
        };
        names.read_headers(request);
        for (name, value) in request.parameters().iter().chain(&form.pairs) {
            if names.actions.len() + names.stray_actions.len() >= MOST_NAMES {
                names.are_odd = true;
                break;
            }
            match name.as_str() {
                "Action" => names.actions.push(value),
                "Version" => names.version = Some(value),
                _ if name.trim().eq_ignore_ascii_case("action") => names.stray_actions.push(value.into()),
                _ => {}
            }
        }
        names.stray_actions.extend(behind_semicolons(request.query()).take(MOST_NAMES).map(Cow::from));
        names
    }

    /// Whether there is a name, or what only some servers take for one.
    pub(super) fn has_any(&self) -> bool {
        let Names { cbor, targets, actions, stray_actions, .. } = self;
        cbor.is_some() || !targets.is_empty() || !actions.is_empty() || !stray_actions.is_empty()
    }

    fn read_headers(&mut self, request: &'a Request) {
        let mut previous = "";
        for (name, value) in request.headers.lines() {
            // Those of one name come one behind the other.
            self.are_odd |= name == previous && SINGLE.contains(&name);
            previous = name;
            match name {
                "x-amz-target" => self.add_target(value),
                // Servers that turn headers into parameters where there are no others.
                "action" => self.stray_actions.push(String::from_utf8_lossy(value)),
                "x-http-method" | "x-http-method-override" | "x-method-override" => {
                    self.are_odd |= !value.eq_ignore_ascii_case(request.method.as_str().as_bytes());
                }
                // `X_Amz_Target` is another name for it to servers that know headers as variables.
                _ if memchr(b'_', name.as_bytes()).is_some() => {
                    self.are_odd |= COUNTING.contains(&&*name.replace('_', "-"))
                }
                _ => {}
            }
        }
    }

    fn add_target(&mut self, value: &'a [u8]) {
        let Ok(text) = std::str::from_utf8(value) else {
            self.are_odd = true;
            return;
        };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        self.are_odd |= !text.bytes().all(is_plain);
        let (prefix, operation) = text.rsplit_once('.').unwrap_or(("", text));
        self.targets.push(Target { prefix, operation });
    }
}

fn of_cbor_path(request: &Request) -> Option<Target<'_>> {
    if request.header("smithy-protocol") != Some("rpc-v2-cbor") {
        return None;
    }
    let mut parts = request.path().rsplit('/');
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()?) {
        (operation, "operation", prefix, "service") => Some(Target { prefix, operation }),
        _ => None,
    }
}
