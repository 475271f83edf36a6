//! SQS's older protocol: its forms have other names than its model, which speaks JSON.

use crate::aws::form_members::map;
use crate::aws::request::Request;
use serde_json::{Map, Value};

/// What is in answers: (as it is there, in the model)
const ANSWERED: &[(&str, &str)] = &[
    ("BatchResultErrorEntry", "Failed"),
    ("ChangeMessageVisibilityBatchResultEntry", "Successful"),
    ("DeleteMessageBatchResultEntry", "Successful"),
    ("SendMessageBatchResultEntry", "Successful"),
];

/// (in a form, in the model)
const NAMES: &[(&str, &str)] = &[
    ("AttributeName", "AttributeNames"),
    ("ChangeMessageVisibilityBatchRequestEntry", "Entries"),
    ("DeleteMessageBatchRequestEntry", "Entries"),
    ("MessageAttributeName", "MessageAttributeNames"),
    ("SendMessageBatchRequestEntry", "Entries"),
    ("TagKey", "TagKeys"),
];

/// (a list of names and values in a form, the map in the model)
const MAPS: &[(&str, &str)] =
    &[("Attribute", "Attributes"), ("MessageAttribute", "MessageAttributes"), ("Tag", "Tags")];

/// Members with the names of the model, and the queue whose URL was called.
pub(super) fn members(members: Map<String, Value>, request: &Request) -> Map<String, Value> {
    let mut shown: Map<String, Value> = members.into_iter().map(renamed).collect();
    if !shown.contains_key("QueueUrl") && request.path().len() > 1 {
        let host = request.header("host").unwrap_or_default();
        shown.insert("QueueUrl".to_owned(), format!("http://{host}{}", request.path()).into());
    }
    shown
}

/// Members of an answer with the names of the model.
pub(super) fn answered(members: Map<String, Value>) -> Map<String, Value> {
    let renamed = |(name, value): (String, Value)| match ANSWERED.iter().find(|(wire, _)| *wire == name) {
        Some((_, list)) if value.is_array() => ((*list).to_owned(), value),
        Some((_, list)) => ((*list).to_owned(), Value::Array(vec![value])),
        None => (name, value),
    };
    members.into_iter().map(renamed).collect()
}

fn renamed((name, value): (String, Value)) -> (String, Value) {
    let model_name = |names: &[(&str, &str)]| {
        names.iter().find(|(form, _)| *form == name).map(|(_, model)| (*model).to_owned())
    };
    match value {
        Value::Array(items) => {
            if let Some(name) = model_name(MAPS) {
                return (name, map(items));
            }
            let within = |item| match item {
                Value::Object(members) => Value::Object(members.into_iter().map(renamed).collect()),
                other => other,
            };
            let items = items.into_iter().map(within).collect();
            (model_name(NAMES).unwrap_or(name), Value::Array(items))
        }
        other => (name, other),
    }
}
