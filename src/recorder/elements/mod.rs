//! `requestParameters` and `responseElements` of forwarded calls: read in the protocol of the call, without what is secret,
//! in the names and forms that each service's records have.

mod dynamodb;
mod ec2;
mod hiding;
mod messages;
mod rest;
mod s3;
mod spelling;
mod sqs;
pub(super) mod xml;

use crate::aws::identify::Identified;
use crate::domain::category::Category;
use crate::recorder::content::{Content, ReadReply};
use crate::recorder::exchange::Exchange;
use crate::recorder::reply::CallError;
use hiding::Hiding;
use serde_json::{Map, Value};
use spelling::Spelling;
use xml::Element;

/// `requestParameters`: what was asked. `None` where records have `null`: there was nothing to ask, or AWS does not say.
pub(super) fn request(call: &Identified, exchange: &Exchange, refusal: Option<&CallError>) -> Option<Value> {
    if refusal.is_some_and(|refusal| is_silent(call, refusal)) {
        return None;
    }
    let content = Content::of(&exchange.request.headers, &exchange.body);
    let members = match call.service.key.as_str() {
        "s3" | "s3control" => s3::request(call, &exchange.request, &content),
        _ => shaped(call, messages::sent(call, exchange, &content)),
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

/// The members of a request as records have them.
fn shaped(call: &Identified, mut members: Map<String, Value>) -> Map<String, Value> {
    Hiding::of(call).apply(&mut members);
    match call.service.key.as_str() {
        "ec2" => ec2::request(&call.operation, is_young(call), members),
        "dynamodb" if call.facts().category == Category::Data => {
            Spelling::of(call).members(dynamodb::request(members))
        }
        _ => spelling::of_request(call, members),
    }
}

/// `responseElements`: what was answered. `None` for calls that only read, but for those that hand out a role's
/// credentials, for those that were refused, and where there is nothing in the answer.
pub(super) fn response(call: &Identified, read: &ReadReply<'_>) -> Option<Value> {
    let ReadReply { reply, content } = read;
    let hands_out_a_role = call.service.key == "sts" && call.operation.starts_with("AssumeRole");
    if reply.status >= 300 || (call.facts().read_only && !hands_out_a_role) {
        return None;
    }
    let streams = call.known.as_ref().is_some_and(|known| known.streams_out);
    let members = match call.service.key.as_str() {
        "s3" => s3::response(reply),
        "dynamodb" if call.facts().category == Category::Data => Map::new(),
        "ec2" if content.bytes().is_some() => of_ec2(call, &Element::read(content.bytes()?)?),
        _ if streams => Map::new(),
        _ => spelt(call, messages::answered(call, content)),
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
