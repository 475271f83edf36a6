//! What records of S3 show: not the members of its model, but bucket and key, the query and some headers as they were sent,
//! and the body as JSON.

use super::hiding::is_secret;
use super::xml::Element;
use crate::aws::identify::Identified;
use crate::aws::request::Request;
use crate::aws::signature::parameters;
use crate::domain::record::HIDDEN;
use crate::recorder::content::Content;
use crate::recorder::exchange::Reply;
use serde_json::{Map, Value};

/// Headers that records have; those that end with `-` stand for all that begin so.
const HEADERS: &[&str] = &[
    "x-amz-acl",
    "x-amz-bucket-object-lock-enabled",
    "x-amz-bypass-governance-retention",
    "x-amz-copy-source",
    "x-amz-copy-source-if-",
    "x-amz-copy-source-range",
    "x-amz-expected-bucket-owner",
    "x-amz-grant-",
    "x-amz-metadata-directive",
    "x-amz-object-lock-",
    "x-amz-object-ownership",
    "x-amz-request-payer",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-source-expected-bucket-owner",
    "x-amz-storage-class",
    "x-amz-tagging-directive",
    "x-amz-website-redirect-location",
];

/// Headers of a reply that records have.
const REPLY_HEADERS: &[&str] = &[
    "x-amz-copy-source-version-id",
    "x-amz-delete-marker",
    "x-amz-expiration",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-version-id",
];

/// Operations whose bodies records leave out: what is in them has no place there.
const WITHOUT_BODY: &[&str] =
    &["DeleteObjects", "CompleteMultipartUpload", "PostObject", "SelectObjectContent"];

/// `requestParameters`
pub(super) fn request(call: &Identified, request: &Request, content: &Content<'_>) -> Map<String, Value> {
    let mut members = Map::new();
    let label = |name: &str| call.labels.iter().find(|(label, _)| label == name).map(|(_, text)| text);
    let in_record = [("Bucket", "bucketName"), ("Key", "key")];
    for (label, name) in in_record.iter().filter_map(|(name, shown)| Some((label(name)?, *shown))) {
        members.insert(name.to_owned(), label.as_str().into());
    }
    if let Some(host) = request.header("host") {
        members.insert("Host".to_owned(), host.into());
    }
    for (name, text) in request.parameters() {
        if !parameters::is_secret_parameter(name) && !members.contains_key(name) {
            let text = if is_secret(name) { HIDDEN } else { text };
            members.insert(name.clone(), text.into());
        }
    }
    for (name, value) in &request.headers {
        let is_shown = HEADERS.iter().any(|shown| {
            name.as_str() == *shown || (shown.ends_with('-') && name.as_str().starts_with(shown))
        });
        if let Some(text) = value.to_str().ok().filter(|_| is_shown) {
            members.insert(name.to_string(), text.into());
        }
    }
    let streams = call.known.as_ref().is_none_or(|known| known.streams_in);
    if !streams && !WITHOUT_BODY.contains(&call.operation.as_str()) {
        members.extend(body(content));
    }
    members
}

/// The body as a member: XML by the name of its outermost element, JSON as the policy that it is.
fn body(content: &Content<'_>) -> Option<(String, Value)> {
    let bytes = content.bytes()?;
    if let Some(element) = Element::read(bytes) {
        return Some((element.name.clone(), element.as_it_stands()));
    }
    let policy: Value = serde_json::from_slice(bytes).ok()?;
    policy.is_object().then(|| ("bucketPolicy".to_owned(), policy))
}

/// `responseElements` of a call that changes something.
pub(super) fn response(reply: &Reply) -> Map<String, Value> {
    let shown = |name: &&str| {
        let text = reply.headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), text.into()))
    };
    REPLY_HEADERS.iter().filter_map(shown).collect()
}
