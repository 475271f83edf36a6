//! The keys of a DeleteObjects call. AWS records the call, and each of its keys as a DeleteObject beside it.

use crate::recorder::content::ReadReply;
use crate::recorder::elements::xml::Element;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The most that a call can have (API reference, DeleteObjects).
const MOST: usize = 1000;

/// One of them, and what became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DeletedObject {
    pub(super) key: String,
    pub(super) version_id: Option<String>,
    /// Code and message, if it was not deleted.
    pub(super) error: Option<(String, String)>,
}

impl DeletedObject {
    /// `requestParameters` of its record, beside those that say which bucket it is.
    pub(super) fn parameters(&self, of_call: Option<&Value>) -> Map<String, Value> {
        let of_bucket = ["bucketName", "Host"].into_iter();
        let of_bucket = of_bucket.filter_map(|name| Some((name.to_owned(), of_call?.get(name)?.clone())));
        let version = self.version_id.iter().map(|id| ("versionId".to_owned(), id.as_str().into()));
        of_bucket.chain([("key".to_owned(), self.key.as_str().into())]).chain(version).collect()
    }
}

/// All keys of a call with this body, as its reply has them.
pub(super) fn of_call(body: &[u8], reply: Option<&ReadReply<'_>>) -> Vec<DeletedObject> {
    let Some(asked) = Element::read(body) else { return Vec::new() };
    let answer = reply.and_then(|reply| Element::read(reply.content.bytes()?));
    let errors = answer.iter().flat_map(|answer| named(answer, "Error"));
    let errors: HashMap<_, _> = errors.map(|error| (version(error), error)).collect();
    let object = |element: &Element| {
        let (key, version_id) = version(element);
        let error = errors.get(&(key, version_id)).map(|error| {
            let said = |name| text(error, name).unwrap_or_default().to_owned();
            (said("Code"), said("Message"))
        });
        Some(DeletedObject { key: key?.to_owned(), version_id: version_id.map(str::to_owned), error })
    };
    named(&asked, "Object").filter_map(object).take(MOST).collect()
}

/// The key and the version that an element names.
fn version(element: &Element) -> (Option<&str>, Option<&str>) {
    (text(element, "Key"), text(element, "VersionId"))
}

fn text<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.child(name).map(|child| child.text.as_str())
}

fn named<'a>(element: &'a Element, name: &'static str) -> impl Iterator<Item = &'a Element> {
    element.children.iter().filter(move |child| child.name == name)
}
