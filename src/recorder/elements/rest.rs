//! Members of a call that stand in its path, its query and its headers.

use crate::aws::catalog::Kinds;
use crate::aws::identify::Identified;
use crate::aws::request::Request;
use crate::aws::signature::parameters;
use crate::aws::typed::scalar;
use serde_json::{Map, Value};

/// What SDKs put into a query to say which operation they mean.
const OPERATION_HINT: &str = "x-id";

/// The members, with the names of the model.
pub(super) fn members(call: &Identified, request: &Request) -> Map<String, Value> {
    let kinds = call.service.kinds();
    let mut members = Map::new();
    for (wire, text) in &call.labels {
        let name = model_name(kinds, wire);
        members.insert(name.to_owned(), scalar(text, name, kinds));
    }
    for (wire, text) in request.parameters() {
        let is_member = wire != OPERATION_HINT && !parameters::is_parameter(wire);
        if is_member && !is_literal(call, wire) {
            add(&mut members, model_name(kinds, wire), text, kinds);
        }
    }
    for (wire, value) in &request.headers {
        // Others (`Content-Type`, `If-Match`) come with every call.
        let name = kinds.renamed.get(wire.as_str()).filter(|_| wire.as_str().starts_with("x-"));
        if let (Some(name), Ok(text)) = (name, value.to_str()) {
            add(&mut members, name, text, kinds);
        }
    }
    members
}

/// Whether a name of the query belongs to the operation's path: `?publish` tells which operation it is.
fn is_literal(call: &Identified, name: &str) -> bool {
    let path = call.known.as_ref().map_or("", |known| known.path.as_str());
    let literals = path.split_once('?').map_or("", |(_, literals)| literals);
    literals.split('&').any(|literal| literal.split('=').next() == Some(name))
}

fn model_name<'a>(kinds: &'a Kinds, wire: &'a str) -> &'a str {
    kinds.renamed.get(wire).map_or(wire, String::as_str)
}

/// A member that comes several times is a list.
fn add(members: &mut Map<String, Value>, name: &str, text: &str, kinds: &Kinds) {
    let value = scalar(text, name, kinds);
    let is_list = kinds.lists.contains_key(name);
    match members.get_mut(name) {
        Some(Value::Array(items)) => items.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
        None if is_list && !value.is_array() => {
            members.insert(name.to_owned(), Value::Array(vec![value]));
        }
        None => {
            members.insert(name.to_owned(), value);
        }
    }
}
