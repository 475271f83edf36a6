//! `additionalEventData` of forwarded calls.

use crate::aws::identify::Identified;
use crate::aws::signature::{Claim, Place, Version};
use crate::recorder::exchange::{Exchange, Reply};
use serde_json::{Map, Value};

/// What S3 says of every call: how it was signed and encrypted, and how much went over the wire. Of a call that is unclear,
/// all operations that it may have been.
pub(super) fn of_call(call: &Identified, exchange: &Exchange, candidates: &[Identified]) -> Option<Value> {
    let mut data = Map::new();
    if !candidates.is_empty() {
        let name = |call: &Identified| format!("{}:{}", call.event_source, call.event_name());
        data.insert("candidateOperations".into(), candidates.iter().map(name).collect());
    }
    if ["s3", "s3control"].contains(&call.service.key.as_str()) {
        if let Some(claim) = exchange.claim() {
            let (version, method) = signature(claim);
            data.insert("SignatureVersion".into(), version.into());
            data.insert("AuthenticationMethod".into(), method.into());
        }
        if let Some(tls) = &exchange.tls {
            data.insert("CipherSuite".into(), tls.cipher_suite().into());
        }
        let replied = exchange.reply.as_ref();
        if let Some(encryption) = replied.and_then(|reply| encryption(call, exchange, reply)) {
            data.insert("SSEApplied".into(), encryption.into());
        }
        data.insert("bytesTransferredIn".into(), exchange.body.total.into());
        data.insert("bytesTransferredOut".into(), replied.map_or(0, |reply| reply.body.total).into());
        let id = replied.and_then(|reply| reply.headers.get("x-amz-id-2"));
        if let Some(id) = id.and_then(|value| value.to_str().ok()) {
            data.insert("x-amz-id-2".into(), id.into());
        }
    }
    (!data.is_empty()).then_some(Value::Object(data))
}

/// Calls that write an object, or begin to.
const WRITES: &[&str] = &["CopyObject", "CreateMultipartUpload", "PostObject", "PutObject"];

/// How an object is encrypted by S3, as far as it was asked for: `Default_…` where it was not.
fn encryption(call: &Identified, exchange: &Exchange, reply: &Reply) -> Option<&'static str> {
    let request = &exchange.request;
    if request.header("x-amz-server-side-encryption-customer-algorithm").is_some() {
        return Some("SSE_C");
    }
    if reply.status >= 300 || !WRITES.contains(&call.operation.as_str()) {
        return None;
    }
    let is_kms = |value: &str| value.starts_with("aws:kms");
    match request.header("x-amz-server-side-encryption") {
        Some(value) => Some(if is_kms(value) { "SSE_KMS" } else { "SSE_S3" }),
        None => {
            let applied = reply.headers.get("x-amz-server-side-encryption");
            let applied = applied.and_then(|value| value.to_str().ok()).unwrap_or_default();
            Some(if is_kms(applied) { "Default_SSE_KMS" } else { "Default_SSE_S3" })
        }
    }
}

fn signature(claim: &Claim) -> (&'static str, &'static str) {
    let version = match claim.version {
        Version::V4 => "SigV4",
        Version::V2 => "SigV2",
    };
    let method = match claim.place {
        Place::Header | Place::OddHeader => "AuthHeader",
        Place::Query | Place::Form => "QueryString",
    };
    (version, method)
}
