//! What a caller's policy has to allow before a call is forwarded: what the call is, for every server that may be behind.

use crate::aws::catalog::AwsService;
use crate::aws::host::HostMeaning;
use crate::aws::identify::{
    Finding, Identified, Identifier, S3_CONTROL, may_be_emulators_own, may_begin_with,
};
use crate::aws::request::Request;
use crate::aws::signature::{Claim, Place};
use crate::domain::caller::Caller;
use crate::domain::policy::Target;
use crate::domain::policy::permissions::{AskedFor, permissions, service_of};
use crate::recorder::exchange::Exchange;
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whether the caller may make a call with this body.
///
/// # Errors
/// The text of AWS's `AccessDenied`.
pub(super) fn check(
    identifier: &Identifier,
    caller: &Caller,
    exchange: &Exchange,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<(), String> {
    if caller.policy.is_none() {
        return Ok(());
    }
    let request = &*exchange.request;
    if may_be_emulators_own(request.path()) {
        // No policy has a word for them.
        return Err("The emulator's own paths are for callers without a policy.".to_owned());
    }
    let claim = exchange.claim();
    let host = identifier.hosts.meaning(request.header("host").unwrap_or_default());
    let mut services = misread_services(identifier, claim, &host, request);
    let finding = exchange.finding_by(identifier, body);
    if let Finding::Call(call) = finding {
        let is_certain = call.has_certain_labels && !matches!(host, HostMeaning::Other(_));
        check_call(caller, request, call, is_certain, now)?;
    } else {
        services.extend(services_of(identifier, claim, finding));
    }
    services.iter().try_for_each(|service| caller.authorize_everything(service.as_deref(), now))
}

/// The services, as policies call them, all of which an unclear call needs; `None` for all there are.
fn services_of(
    identifier: &Identifier,
    claim: Option<&Claim>,
    finding: &Finding,
) -> BTreeSet<Option<String>> {
    let mut services = BTreeSet::new();
    let name = claim.and_then(|claim| claim.service.as_deref()).unwrap_or_default();
    let signed_for = identifier.catalog.signing_as(name);
    if signed_for.is_empty() {
        // Emulators have names of their own for some services.
        services.insert(None);
    }
    let named = match finding {
        Finding::Unclear(candidates) => candidates.as_slice(),
        Finding::Call(_) | Finding::Ignored => &[],
    };
    let sources = signed_for.iter().map(|service| &service.event_source);
    for source in sources.chain(named.iter().map(|call| &call.event_source)) {
        services.insert(Some(service_of(source).to_owned()));
    }
    services
}

/// Services that a server may take a request to be for, because it does not read the signature, or goes by the host's name.
fn misread_services(
    identifier: &Identifier,
    claim: Option<&Claim>,
    host: &HostMeaning,
    request: &Request,
) -> BTreeSet<Option<String>> {
    let mut services = BTreeSet::new();
    let name = claim.and_then(|claim| claim.service.as_deref()).unwrap_or_default();
    let known = || identifier.catalog.services().iter();
    let called = |label: &str| {
        let label = label.to_owned();
        known().filter(move |service| service.signing_name == label || service.endpoint_prefix == label)
    };
    let policy_name = |service: &Arc<AwsService>| Some(service_of(&service.event_source).to_owned());
    if claim.is_some_and(|claim| claim.place != Place::Header) {
        // moto does not read these signatures. It goes by the form or the path, and everything else is S3's.
        if name != "s3" {
            services.insert(Some("s3".to_owned()));
        } else if request.has_form_type() {
            services.extend(["sdb", "sts"].map(|service| Some(service.to_owned())));
        }
        match service_in_path(request.path()).as_deref() {
            Some(service) if service.contains('.') => _ = services.insert(None),
            Some(service) => services.extend(called(service).map(policy_name)),
            None => {}
        }
    }
    if host.bucket().is_some() && may_begin_with(request.path(), S3_CONTROL) {
        // An account before the host's name is a bucket's name to servers that do not know S3 Control.
        services.insert(Some("s3".to_owned()));
    }
    if name == "execute-api" {
        // moto's iot signs with this name.
        services.insert(Some("iot".to_owned()));
    }
    if matches!(host, HostMeaning::Other(_)) {
        let host = request.header("host").unwrap_or_default().to_ascii_lowercase();
        for label in host.split(['.', ':']) {
            services.extend(called(label).filter(|service| service.signing_name != name).map(policy_name));
        }
    }
    services
}

/// `iam` of `/iam_us-east-1/…`, a form of paths by which moto calls itself.
fn service_in_path(path: &str) -> Option<String> {
    let path = percent_decode_str(path).decode_utf8_lossy().to_ascii_lowercase();
    let (first, _) = path.trim_start_matches('/').split_once('/')?;
    first.split_once('_').map(|(service, _)| service.to_owned())
}

/// One operation.
fn check_call(
    caller: &Caller,
    request: &Request,
    call: &Identified,
    is_certain: bool,
    now: DateTime<Utc>,
) -> Result<(), String> {
    let headers: Vec<_> = request.headers.keys().map(|name| name.as_str()).collect();
    let asked = AskedFor {
        event_source: &call.event_source,
        operation: &call.operation,
        method: request.method.as_str(),
        parameters: request.parameters(),
        headers: &headers,
    };
    let arn = s3_arn(call).filter(|_| is_certain);
    let target = arn.as_deref().map_or(Target::Unknown, Target::Arn);
    for action in permissions(&asked) {
        caller.authorize(&action, target, now)?;
    }
    match request.header("x-amz-copy-source") {
        Some(source) if call.service.key == "s3" => {
            let (action, arn) = copied_from(source);
            caller.authorize(action, arn.as_deref().map_or(Target::Unknown, Target::Arn), now)
        }
        _ => Ok(()),
    }
}

/// The bucket or object that a call of S3 names. Other services' resources are not known before they have answered, nor
/// which objects a list or a form in a body names.
fn s3_arn(call: &Identified) -> Option<String> {
    if call.event_source != "s3.amazonaws.com"
        || matches!(call.operation.as_str(), "DeleteObjects" | "PostObject")
    {
        return None;
    }
    let label =
        |name: &str| call.labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let bucket = label("Bucket")?;
    Some(match label("Key") {
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        None => format!("arn:aws:s3:::{bucket}"),
    })
}

/// What is needed of the object that an `x-amz-copy-source` names; which one it is, unless that is said by an access point,
/// or in a way that servers read differently.
fn copied_from(source: &str) -> (&'static str, Option<String>) {
    let (path, version) =
        source.split_once("?versionId=").map_or((source, None), |(path, id)| (path, Some(id)));
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let written = path.strip_prefix('/').unwrap_or(path);
    let decoded = percent_decode_str(written).decode_utf8_lossy();
    let is_odd = written.contains(['?', '#', ';'])
        || decoded.starts_with("arn:")
        || decoded.contains('\\')
        // The last part may be empty: a key that ends in a slash.
        || decoded.trim_end_matches('/').split('/').any(|part| matches!(part, "" | "." | ".."))
        || written.split('/').next().is_some_and(|bucket| bucket.contains('%'));
    let named = decoded.split_once('/').filter(|_| !is_odd);
    (action, named.map(|(bucket, key)| format!("arn:aws:s3:::{bucket}/{key}")))
}
