//! Requests that are no calls of AWS's APIs, although they come to the same port: applications behind an emulator (API
//! Gateway, function URLs, distributions), registries of images, keys of user pools, health probes. AWS records none of them.

use super::names::Names;
use crate::aws::host::{HostMeaning, HostNames};
use crate::aws::request::Request;
use crate::aws::signature::Claim;

/// What stands behind the first part of a host's name where that names an application.
const APPLICATIONS: &[&str] =
    &["appsync-api", "appsync-realtime-api", "cloudfront", "elb", "execute-api", "lambda-url", "opensearch"];

/// What signs requests to applications behind API Gateway, and to the connections of its web sockets.
const EXECUTE_API: &str = "execute-api";

/// Whether a request is none of AWS's APIs. One that is signed for another service may be taken for that one's call by servers
/// that do not look at its host or path.
pub(super) fn is_no_call(
    request: &Request,
    claim: Option<&Claim>,
    names: &Names<'_>,
    hosts: &HostNames,
) -> bool {
    match claim.map(|claim| claim.service.as_deref()) {
        None => {
            is_of_application(request) || is_common_file(request.path()) || is_probe(request, names, hosts)
        }
        Some(Some(EXECUTE_API)) => !request.path().contains("/@connections") && is_of_application(request),
        Some(_) => false,
    }
}

fn is_of_application(request: &Request) -> bool {
    let path = request.path();
    // `/restapis/ID/STAGE/_user_request_/…`, which emulators have beside host names.
    if path.starts_with("/restapis/") && path.split('/').nth(4) == Some("_user_request_") {
        return true;
    }
    let host = request.header("host").unwrap_or_default().to_ascii_lowercase();
    let name = host.split(':').next().unwrap_or_default();
    let mut behind = name.split('.').skip(1);
    // A bucket may be called like one of them.
    let is_bucket = name.split('.').any(|label| label == "s3");
    !is_bucket && behind.any(|label| APPLICATIONS.contains(&label))
}

/// A registry's `/v2/…`, which is too short for a bucket's name, and the keys of a user pool.
fn is_common_file(path: &str) -> bool {
    path == "/v2" || path.starts_with("/v2/") || path.ends_with("/jwks.json") || path == "/jwks.json"
}

/// `GET /` without anything that names an operation: a health probe, or a browser.
fn is_probe(request: &Request, names: &Names<'_>, hosts: &HostNames) -> bool {
    let is_read = matches!(request.method.as_str(), "GET" | "HEAD");
    let host = hosts.meaning(request.header("host").unwrap_or_default());
    let has_bucket = matches!(host, HostMeaning::Bucket(_) | HostMeaning::Other(Some(_)));
    is_read && request.path() == "/" && request.query().is_empty() && !names.has_any() && !has_bucket
}
