//! The names of operations in a request: in its path, its headers, its query and its body.

use super::form::{Form, behind_semicolons};
use crate::aws::request::{Headers, Request};

/// Headers by which some servers take another method than the request line's.
const METHOD_OVERRIDES: &[&str] = &["x-http-method", "x-http-method-override", "x-method-override"];

/// Headers that a request has once at the most.
const SINGLE: &[&str] = &["x-amz-target", "smithy-protocol", "content-encoding", "x-amz-copy-source"];

/// All names that a request has for its operation.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// `/service/{prefix}/operation/{name}`, in a request that says that it is in CBOR.
    pub(super) cbor: Option<Target>,
    /// `X-Amz-Target: prefix.name`
    pub(super) targets: Vec<Target>,
    /// `Action` in the query, then in a form.
    pub(super) actions: Vec<String>,
    /// `Version` beside it.
    pub(super) version: Option<String>,
    /// What only some servers take for an `Action`.
    pub(super) stray_actions: Vec<String>,
    /// Whether something about them is doubled, or cannot be read.
    pub(super) are_odd: bool,
}

/// An operation of whatever has this prefix.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) prefix: String,
    pub(super) operation: String,
}

impl Names {
    pub(super) fn of(request: &Request, form: &Form) -> Names {
        let mut names = Names {
            stray_actions: form.stray_actions.clone(),
            are_odd: form.is_odd,
            cbor: of_cbor_path(request),
            ..Names::default()
        };
        names.read_headers(request);
        for (name, value) in request.parameters().iter().chain(&form.pairs) {
            match name.as_str() {
                "Action" => names.actions.push(value.clone()),
                "Version" => names.version.get_or_insert(value.clone()).clone_from(value),
                _ if name.trim().eq_ignore_ascii_case("action") => names.stray_actions.push(value.clone()),
                _ => {}
            }
        }
        names.stray_actions.extend(behind_semicolons(request.query()));
        let is_named = !names.actions.is_empty() || !names.targets.is_empty() || names.cbor.is_some();
        let is_rpc_method = matches!(request.method.as_str(), "POST" | "GET");
        names.are_odd |= is_named && !is_rpc_method;
        names
    }

    fn read_headers(&mut self, request: &Request) {
        let mut seen = [0_usize; SINGLE.len()];
        for (name, value) in request.headers.lines() {
            if let Some(at) = SINGLE.iter().position(|single| *single == name) {
                seen[at] += 1;
            }
            match name {
                "x-amz-target" => self.add_target(value),
                // Servers that turn headers into parameters where there are no others.
                "action" => self.stray_actions.push(String::from_utf8_lossy(value).into_owned()),
                _ if METHOD_OVERRIDES.contains(&name) => {
                    self.are_odd |= !value.eq_ignore_ascii_case(request.method.as_str().as_bytes());
                }
                // `X_Amz_Target` is another name for it to servers that know headers as variables.
                _ if name.contains('_') => {
                    let dashed = name.replace('_', "-");
                    let counts = SINGLE.contains(&dashed.as_str())
                        || METHOD_OVERRIDES.contains(&dashed.as_str())
                        || matches!(dashed.as_str(), "content-type" | "host" | "authorization");
                    self.are_odd |= counts;
                }
                _ => {}
            }
        }
        self.are_odd |= seen.iter().any(|count| *count > 1);
    }

    fn add_target(&mut self, value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        self.are_odd |= !text.bytes().all(is_plain);
        let (prefix, operation) = text.rsplit_once('.').unwrap_or(("", &text));
        self.targets.push(Target { prefix: prefix.to_owned(), operation: operation.to_owned() });
    }
}

fn of_cbor_path(request: &Request) -> Option<Target> {
    if request.header("smithy-protocol") != Some("rpc-v2-cbor") {
        return None;
    }
    let mut parts = request.path().rsplit('/');
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()?) {
        (operation, "operation", prefix, "service") => {
            Some(Target { prefix: prefix.to_owned(), operation: operation.to_owned() })
        }
        _ => None,
    }
}
