//! The head of a request: query, signature, host, form, and which operation it is.
#![no_main]

use contrail::auth::{Payload, SignedService, claimed_signer};
use contrail::aws::catalog::Catalog;
use contrail::aws::host::HostNames;
use contrail::aws::identify::{Identifier, may_be_emulators_own, names_operation};
use contrail::aws::protocol::Protocol;
use contrail::aws::request::Request;
use contrail::recorder::exchange::{Exchange, KeptBody};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};

static IDENTIFIER: LazyLock<Identifier> = LazyLock::new(|| Identifier {
    catalog: Catalog::embedded(),
    hosts: HostNames::new(["trail.team.test"], ["localhost"]),
});

/// A request as it is written: a line with method and target, lines of headers, an empty line, the body.
fn read(data: &[u8]) -> Option<(Request, &[u8])> {
    let end = data.windows(2).position(|two| two == b"\n\n").unwrap_or(data.len());
    let (head, body) = (&data[..end], data.get(end + 2..).unwrap_or_default());
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, target) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
    }
    Some((Request::new(Method::from_bytes(method.as_bytes()).ok()?, target, headers), body))
}

fuzz_target!(|data: &[u8]| {
    let Some((request, body)) = read(data) else { return };
    _ = claimed_signer(&request);
    if let Ok(Some(claim)) = request.signature().claim() {
        assert!(!claim.access_key.is_empty());
    }
    if let contrail::aws::signature::Signature::V4(signature) = request.signature()
        && let Ok(verifiable) = signature.verifiable(&request.headers, request.parameters())
    {
        assert!(!verifiable.scope.access_key.is_empty());
    }
    _ = (Protocol::of(&request), names_operation(&request), may_be_emulators_own(request.path()));
    _ = IDENTIFIER.hosts.meaning(request.header("host").unwrap_or_default());
    _ = (SignedService::S3, Payload::Declared);
    let mut exchange = Exchange::new(Arc::new(request), chrono::DateTime::UNIX_EPOCH);
    let bytes = bytes::Bytes::copy_from_slice(body);
    exchange.body = KeptBody { total: body.len() as u64, bytes, ended: true, ..KeptBody::default() };
    _ = exchange.finding_by(&IDENTIFIER, body);
    _ = exchange.form_claim();
});
