//! What stands in a record for elements that are too large for it (observed; the types of its members are documented).

use serde_json::{Map, Value, json};

/// `element`: `requestParameters` or `responseElements`; `size` in bytes, as far as it is known of something that is not
/// here any more: that of the body.
pub(super) fn omitted(element: &str, size: u64) -> Map<String, Value> {
    Map::from_iter([
        ("reason".to_owned(), format!("{element} too large").into()),
        ("omitted".to_owned(), true.into()),
        ("originalSize".to_owned(), json!(size)),
    ])
}
