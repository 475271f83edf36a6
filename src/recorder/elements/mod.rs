//! `requestParameters` and `responseElements` of forwarded calls: read in the protocol of the call, without what is secret,
//! in the names and forms that each service's records have.

mod dynamodb;
mod ec2;
mod form;
mod hiding;
mod rest;
mod s3;
mod spelling;
mod sqs;
mod typed;
pub(super) mod xml;

use crate::domain::category::Category;
use crate::recorder::catalog::Protocol;
use crate::recorder::cbor;
use crate::recorder::content::Content;
use crate::recorder::exchange::{Exchange, Reply};
use crate::recorder::identify::{self, Identified};
use crate::recorder::reply::CallError;
pub(super) use hiding::HIDDEN;
use hiding::Hiding;
use serde_json::{Map, Value};
use spelling::Spelling;
use xml::Element;

/// Services, by their keys, whose answers are wrapped in one member that records do not have.
const UNWRAPPED: &[&str] = &["docdb", "elasticache", "neptune", "rds", "redshift"];

/// Members that records have when nothing was sent: (service, operation, member, value).
const DEFAULTS: &[(&str, &str, &str, &str)] = &[
    ("kms", "Decrypt", "encryptionAlgorithm", "\"SYMMETRIC_DEFAULT\""),
    ("kms", "Encrypt", "encryptionAlgorithm", "\"SYMMETRIC_DEFAULT\""),
    ("rds", "DescribeDBClusterSnapshots", "includePublic", "false"),
    ("rds", "DescribeDBClusterSnapshots", "includeShared", "false"),
    ("rds", "DescribeDBSnapshots", "includePublic", "false"),
    ("rds", "DescribeDBSnapshots", "includeShared", "false"),
    ("ssm", "SendCommand", "interactive", "false"),
];

/// `requestParameters`: what was asked. `None` where records have `null`: there was nothing to ask, or AWS does not say.
pub(super) fn request(call: &Identified, exchange: &Exchange, refusal: Option<&CallError>) -> Option<Value> {
    if refusal.is_some_and(|refusal| is_silent(call, refusal)) {
        return None;
    }
    let content = Content::of(&exchange.head.headers, &exchange.body);
    let members = match call.service.key.as_str() {
        "s3" | "s3control" => s3::request(call, &exchange.head, &content),
        _ => shaped(call, sent(call, exchange, &content)),
    };
    (!members.is_empty()).then_some(Value::Object(members))
}

/// Whether records of calls that were refused like this say nothing of what was asked.
fn is_silent(call: &Identified, refusal: &CallError) -> bool {
    matches!(
        (call.service.key.as_str(), refusal.code.as_str()),
        ("sts", "AccessDenied") | ("ssm", "ThrottlingException" | "AccessDeniedException")
    )
}

/// The members as they went over the wire.
fn sent(call: &Identified, exchange: &Exchange, content: &Content<'_>) -> Map<String, Value> {
    let kinds = call.service.kinds();
    let streams = call.known.as_ref().is_some_and(|known| known.streams_in);
    let is_too_long = matches!(content, Content::TooLong) && !streams;
    let body = content.bytes().unwrap_or_default();
    match call.protocol {
        Protocol::Json | Protocol::Cbor | Protocol::Query | Protocol::Ec2 if is_too_long => omitted(),
        Protocol::Json => json(body),
        Protocol::Cbor => cbor(body),
        Protocol::Query | Protocol::Ec2 => {
            let mut pairs = identify::pairs(exchange.head.query());
            pairs.extend(identify::pairs(std::str::from_utf8(body).unwrap_or_default()));
            let members = form::members(pairs, kinds);
            match call.service.key.as_str() {
                "sqs" => sqs::members(members, &exchange.head),
                _ => members,
            }
        }
        Protocol::RestJson | Protocol::RestXml => {
            let mut members = rest::members(call, &exchange.head);
            if !streams {
                let body = if call.protocol == Protocol::RestJson { json(body) } else { xml(body, call) };
                members.extend(wrapped(call, body));
            }
            members
        }
    }
}

/// What stands for members that are too many.
fn omitted() -> Map<String, Value> {
    Map::from_iter([("omitted".to_owned(), true.into())])
}

/// API Gateway's records have the body of a request in a member of its own.
fn wrapped(call: &Identified, body: Map<String, Value>) -> Map<String, Value> {
    if call.service.key != "apigateway" || body.is_empty() {
        return body;
    }
    Map::from_iter([(format!("{}Input", call.operation), Value::Object(body))])
}

/// The members of a request as records have them.
fn shaped(call: &Identified, mut members: Map<String, Value>) -> Map<String, Value> {
    Hiding::of(call).apply(&mut members);
    match call.service.key.as_str() {
        "ec2" => ec2::request(&call.operation, is_young(call), members),
        "dynamodb" if call.facts().category == Category::Data => {
            Spelling::of(call).members(dynamodb::request(members))
        }
        _ => with_defaults(call, Spelling::of(call).members(members)),
    }
}

fn with_defaults(call: &Identified, mut members: Map<String, Value>) -> Map<String, Value> {
    for (service, operation, name, value) in DEFAULTS {
        if call.service.key == *service && call.operation == *operation && !members.contains_key(*name) {
            members.insert((*name).to_owned(), serde_json::from_str(value).unwrap_or_default());
        }
    }
    members
}

/// `responseElements`: what was answered. `None` for calls that only read, but for those that hand out a role's
/// credentials, for those that were refused, and where there is nothing in the answer.
pub(super) fn response(call: &Identified, reply: &Reply) -> Option<Value> {
    let hands_out_a_role = call.service.key == "sts" && call.operation.starts_with("AssumeRole");
    if reply.status >= 300 || (call.facts().read_only && !hands_out_a_role) {
        return None;
    }
    let streams = call.known.as_ref().is_some_and(|known| known.streams_out);
    let content = Content::of(&reply.headers, &reply.body);
    let body = content.bytes().unwrap_or_default();
    let members = match (call.service.key.as_str(), call.protocol) {
        ("s3", _) => s3::response(reply),
        ("dynamodb", _) if call.facts().category == Category::Data => Map::new(),
        _ if streams => Map::new(),
        _ if matches!(content, Content::TooLong) => omitted(),
        (_, Protocol::Ec2) => of_ec2(call, &Element::read(body)?),
        (_, Protocol::Query) => spelt(call, result(call, &Element::read(body)?)),
        (_, Protocol::RestXml) => spelt(call, xml(body, call)),
        (_, Protocol::Json | Protocol::RestJson) => spelt(call, json(body)),
        (_, Protocol::Cbor) => spelt(call, cbor(body)),
    };
    (!members.is_empty()).then_some(Value::Object(members))
}

/// Members of an answer as records have them.
fn spelt(call: &Identified, mut members: Map<String, Value>) -> Map<String, Value> {
    Hiding::of(call).apply(&mut members);
    match (call.service.key.as_str(), call.operation.as_str()) {
        // Of what was made or changed only the ARN, and that in small letters.
        ("secretsmanager", "CreateSecret" | "PutSecretValue" | "UpdateSecret") => {
            members.shift_remove("ARN").map(|arn| ("arn".to_owned(), arn)).into_iter().collect()
        }
        _ => Spelling::of(call).members(members),
    }
}

fn of_ec2(call: &Identified, answer: &Element) -> Map<String, Value> {
    let is_young = is_young(call);
    let mut members = match answer.as_it_stands() {
        Value::Object(members) if is_young => members,
        _ => answer.members(call.service.kinds()),
    };
    Hiding::of(call).apply(&mut members);
    match is_young {
        true => Map::from_iter([(format!("{}Response", call.operation), Value::Object(members))]),
        false => ec2::response(&call.operation, Spelling::of(call).members(members)),
    }
}

/// Whether records of an operation of EC2 show it as it went over the wire.
fn is_young(call: &Identified) -> bool {
    call.known.as_ref().is_none_or(|known| known.young)
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
