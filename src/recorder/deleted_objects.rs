//! The keys of a DeleteObjects call. AWS records the call, and each of its keys as a DeleteObject beside it.

use crate::recorder::content::ReadReply;
use crate::recorder::elements::xml::Element;
use serde_json::{Map, Value};

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
    let errors: Vec<&Element> = answer.iter().flat_map(|answer| named(answer, "Error")).collect();
    let object = |element: &Element| {
        let text = |of: &Element, name: &str| of.child(name).map(|child| child.text.clone());
        let key = text(element, "Key")?;
        let version_id = text(element, "VersionId");
        let is_this = |error: &&&Element| {
            text(error, "Key").as_deref() == Some(&key) && text(error, "VersionId") == version_id
        };
        let error = errors.iter().find(is_this).map(|error| {
            (text(error, "Code").unwrap_or_default(), text(error, "Message").unwrap_or_default())
        });
        Some(DeletedObject { key, version_id, error })
    };
    named(&asked, "Object").filter_map(object).take(MOST).collect()
}

fn named<'a>(element: &'a Element, name: &'static str) -> impl Iterator<Item = &'a Element> {
    element.children.iter().filter(move |child| child.name == name)
}
