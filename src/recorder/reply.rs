//! What a reply says of the call as a whole: the error it was refused with, and its request id. Both stand in the headers
//! or in the body, in places that depend on the protocol.

use crate::aws::identify::Identified;
use crate::aws::protocol::Protocol;
use crate::aws::request::Request;
use crate::domain::record::HIDDEN;
use crate::recorder::content::ReadReply;
use crate::recorder::exchange::Reply;
use memchr::memmem;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;

/// The shortest token or signature that is looked for in messages: what is shorter is made up, and part of words.
const SHORTEST_SECRET: usize = 16;

/// `errorCode` and `errorMessage` of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    /// The code without its namespace: `ResourceNotFoundException`, `Client.InvalidGroup.NotFound`.
    pub code: String,
    /// The message, when the reply has one.
    pub message: Option<String>,
}

/// Why the call was refused; `None` when it was not. What no body says (answers to `HEAD`), the status does.
pub(super) fn refusal(call: &Identified, read: &ReadReply<'_>) -> Option<CallError> {
    let ReadReply { reply, content } = read;
    if reply.status < 400 {
        return None;
    }
    let body = content.bytes().unwrap_or_default();
    let is_xml = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<');
    let json = content.json().filter(|_| !is_xml).unwrap_or_default();
    let member = |names: &[&str]| names.iter().find_map(|name| json.get(*name)?.as_str().map(str::to_owned));
    let code = header(reply, "x-amzn-errortype")
        .map(str::to_owned)
        .or_else(|| member(&["__type", "code", "Code"]))
        .or_else(|| xml_text(body, &["Code"]))
        .or_else(|| query_error(reply))
        .map(|code| without_namespace(&code).to_owned())
        .filter(|code| !code.is_empty())
        .unwrap_or_else(|| by_status(call, reply.status));
    let code = match call.protocol {
        // EC2's records say whose fault it was.
        Protocol::Ec2 if reply.status < 500 => format!("Client.{code}"),
        Protocol::Ec2 => format!("Server.{code}"),
        // The exception's name is longer than the code on the wire.
        Protocol::Query if call.service.key == "iam" && code == "NoSuchEntity" => format!("{code}Exception"),
        _ => code,
    };
    let message = member(&["message", "Message", "errorMessage"]).or_else(|| xml_text(body, &["Message"]));
    Some(CallError { code, message })
}

impl CallError {
    /// The same without the token and the signature of the call: answers to wrong signatures repeat what was signed.
    pub fn without_secrets_of(mut self, request: &Request) -> CallError {
        let secrets = request.secrets();
        let message = self.message.take();
        self.message = message.map(|message| {
            secrets
                .into_iter()
                .filter(|secret| secret.len() >= SHORTEST_SECRET)
                .fold(message, |message, secret| message.replace(secret, HIDDEN))
        });
        self
    }
}

/// The code of `x-amzn-query-error: Code;Sender`, which services have that have spoken the query protocol before.
fn query_error(reply: &Reply) -> Option<String> {
    header(reply, "x-amzn-query-error").and_then(|value| value.split(';').next()).map(str::to_owned)
}

/// `requestID`, if the reply has one: that of the body, which clients show, where an emulator has another in the header.
pub(super) fn request_id(call: &Identified, read: &ReadReply<'_>) -> Option<String> {
    let in_header = || {
        let names = ["x-amzn-requestid", "x-amz-request-id"];
        names.iter().find_map(|name| header(read.reply, name).map(str::to_owned))
    };
    let in_body = |body: &[u8]| xml_text(body, &["RequestId", "RequestID", "requestId"]);
    let body = read.content.bytes().unwrap_or_default();
    let at_its_end = match call.protocol {
        // It stands at the beginning of EC2's answers, and at the end of others, which may be long.
        Protocol::Ec2 => Some(body),
        Protocol::Query if read.reply.status < 400 => {
            memmem::rfind(body, b"<ResponseMetadata").map(|at| &body[at..])
        }
        Protocol::Query => Some(body),
        _ => None,
    };
    at_its_end.and_then(in_body).or_else(in_header).or_else(|| in_body(body))
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

/// `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException:http://…` → `ResourceNotFoundException`
fn without_namespace(code: &str) -> &str {
    let code = code.rsplit_once('#').map_or(code, |(_, code)| code);
    code.split(':').next().unwrap_or(code).trim()
}

/// The code for a reply that has nothing but its status.
fn by_status(call: &Identified, status: u16) -> String {
    let has_key = call.labels.iter().any(|(label, _)| label == "Key");
    match status {
        403 => "AccessDenied".to_owned(),
        404 if call.service.key == "s3" && has_key => "NoSuchKey".to_owned(),
        404 if call.service.key == "s3" => "NoSuchBucket".to_owned(),
        503 => "ServiceUnavailable".to_owned(),
        _ => status.to_string(),
    }
}

/// The text of the first element that has one of these names; `None` when there is none, or before it something that is
/// no XML.
fn xml_text(body: &[u8], names: &[&str]) -> Option<String> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start)
                if names.iter().any(|name| start.local_name().as_ref() == name.as_bytes()) =>
            {
                let text = reader.read_text(start.name()).ok()?.decode().ok()?.into_owned();
                return Some(unescape(&text).map_or(text.clone(), std::borrow::Cow::into_owned));
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}
