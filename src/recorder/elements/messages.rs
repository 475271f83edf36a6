//! Messages as members: what was sent and answered, read in the protocol of the call, with the names of the wire.

use super::xml::Element;
use super::{rest, sqs};
use crate::aws::form_members;
use crate::aws::identify::Identified;
use crate::aws::pairs::pairs;
use crate::aws::protocol::Protocol;
use crate::recorder::cbor;
use crate::recorder::content::Content;
use crate::recorder::exchange::Exchange;
use crate::recorder::omitted::omitted;
use serde_json::{Map, Value};

/// Services, by their keys, whose answers are wrapped in one member that records do not have.
const UNWRAPPED: &[&str] = &["docdb", "elasticache", "neptune", "rds", "redshift"];

/// The members of a request.
pub(super) fn sent(call: &Identified, exchange: &Exchange, content: &Content<'_>) -> Map<String, Value> {
    let kinds = call.service.kinds();
    let streams = call.known.as_ref().is_some_and(|known| known.streams_in);
    let left_out = match content {
        Content::TooLong(size) if !streams => Some(omitted("requestParameters", *size)),
        _ => None,
    };
    let body = content.bytes().unwrap_or_default();
    match (call.protocol, left_out) {
        (Protocol::Json | Protocol::Cbor | Protocol::Query | Protocol::Ec2, Some(left_out)) => left_out,
        (Protocol::Json, None) => json(body),
        (Protocol::Cbor, None) => cbor(body),
        (Protocol::Query | Protocol::Ec2, None) => {
            let form = exchange.form();
            // Whatever it is said to be, it is read as what the operation takes.
            let other = match form.is_form {
                true => Vec::new(),
                false => pairs(std::str::from_utf8(body).unwrap_or_default()),
            };
            let in_form = form.pairs.iter().filter(|_| content.bytes().is_some());
            let members = exchange.request.parameters().iter().chain(in_form).chain(&other);
            let members = form_members::members(members, kinds);
            match call.service.key.as_str() {
                "sqs" => sqs::members(members, &exchange.request),
                _ => members,
            }
        }
        (Protocol::RestJson | Protocol::RestXml | Protocol::S3, left_out) => {
            let mut members = rest::members(call, &exchange.request);
            members.extend(match (call.protocol, left_out) {
                _ if streams => Map::new(),
                (_, Some(left_out)) => left_out,
                (Protocol::RestJson, None) => wrapped(call, json(body)),
                _ => xml(body, call),
            });
            members
        }
    }
}

/// The members of an answer, but for EC2's, which are read by age.
pub(super) fn answered(call: &Identified, content: &Content<'_>) -> Map<String, Value> {
    let body = content.bytes().unwrap_or_default();
    match call.protocol {
        _ if let Content::TooLong(size) = content => omitted("responseElements", *size),
        Protocol::Query | Protocol::Ec2 => {
            Element::read(body).map(|answer| result(call, &answer)).unwrap_or_default()
        }
        Protocol::RestXml | Protocol::S3 => xml(body, call),
        Protocol::Json | Protocol::RestJson => json(body),
        Protocol::Cbor => cbor(body),
    }
}

/// API Gateway's records have the body of a request in a member of its own.
fn wrapped(call: &Identified, body: Map<String, Value>) -> Map<String, Value> {
    if call.service.key != "apigateway" || body.is_empty() {
        return body;
    }
    Map::from_iter([(format!("{}Input", call.operation), Value::Object(body))])
}

/// What is in `<OperationResult>`.
fn result(call: &Identified, answer: &Element) -> Map<String, Value> {
    let kinds = call.service.kinds();
    let Some(result) = answer.child(&format!("{}Result", call.operation)) else { return Map::new() };
    match result.children.as_slice() {
        _ if call.service.key == "sqs" => sqs::answered(result.members(kinds)),
        [wrapper] if UNWRAPPED.contains(&call.service.key.as_str()) => wrapper.members(kinds),
        _ => result.members(kinds),
    }
}

/// What is in a body in XML: the members of `<OperationRequest>` and `<OperationResponse>`, else one member.
fn xml(body: &[u8], call: &Identified) -> Map<String, Value> {
    let (Some(element), kinds) = (Element::read(body), call.service.kinds()) else { return Map::new() };
    let is_frame = ["Request", "Response", "Result"].iter().any(|end| element.name.ends_with(end));
    match is_frame {
        true => element.members(kinds),
        false => Map::from_iter([(element.name.clone(), element.typed(kinds))]),
    }
}

fn json(body: &[u8]) -> Map<String, Value> {
    present(serde_json::from_slice(body).ok())
}

fn cbor(body: &[u8]) -> Map<String, Value> {
    present(cbor::read(body))
}

/// The members that there are: `null` says that there is none.
fn present(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(members)) => {
            members.into_iter().filter_map(|(name, value)| Some((name, without_null(value)?))).collect()
        }
        _ => Map::new(),
    }
}

fn without_null(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(_) => Some(Value::Object(present(Some(value)))),
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without_null).collect())),
        other => Some(other),
    }
}
