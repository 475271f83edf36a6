//! Reads `calls.txt`: a session over sixteen services and some more, as calls and what records have of them.
//!
//! A block there is a call. `## service eventName`, method and target, headers, `> ` the body; `< ` the status, headers of
//! the reply, `< ` its body; and what the record is to have. The requests are as boto3 sends them, the replies in part
//! shorter than an emulator gives them. Secret values in them have `s3cr3t` in them, or its base64 form.

use bytes::Bytes;
use contrail::aws::catalog::Catalog;
use contrail::aws::host::HostNames;
use contrail::aws::identify::Identifier;
use contrail::aws::request::Request;
use contrail::callers::Callers;
use contrail::clock::Ids;
use contrail::config::Settings;
use contrail::recorder::bucket_regions::BucketRegions;
use contrail::recorder::exchange::{Exchange, KeptBody, Reply};
use contrail::recorder::forwarded_call::ForwardedCallRecorder;
use http::{HeaderMap, HeaderName};
use serde_json::Value;
use std::sync::Arc;

const CALLS: &str = include_str!("calls.txt");

/// A block of the file.
pub(crate) struct Call {
    pub(crate) title: &'static str,
    pub(crate) exchange: Exchange,
    pub(crate) request_parameters: Value,
    pub(crate) response_elements: Value,
}

/// A body that is all there.
pub(crate) fn body(text: &str) -> KeptBody {
    KeptBody {
        bytes: Bytes::copy_from_slice(text.as_bytes()),
        total: text.len() as u64,
        ended: true,
        ..KeptBody::default()
    }
}

fn add(headers: &mut HeaderMap, line: &str) {
    let (name, value) = line.split_once(": ").expect("a header");
    headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
}

impl Call {
    fn read(block: &'static str) -> Call {
        let mut lines = block.lines();
        let title = lines.next().unwrap();
        let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
        let service = title.split(' ').next().unwrap();
        let (mut headers, mut reply_headers) = (HeaderMap::new(), HeaderMap::new());
        let scope = format!("Credential=123456789012/20261129/us-east-1/{service}/aws4_request");
        add(
            &mut headers,
            &format!("authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"),
        );
        add(&mut headers, "host: localhost:4700");
        let (mut sent, mut answered, mut status) = ("", "", None);
        let (mut request_parameters, mut response_elements) = (Value::Null, Value::Null);
        for line in lines {
            if let Some(text) = line.strip_prefix("> ") {
                sent = text;
            } else if let Some(text) = line.strip_prefix("< ") {
                match status {
                    None => status = Some(text.parse().unwrap()),
                    Some(_) => answered = text,
                }
            } else if let Some(text) = line.strip_prefix("requestParameters ") {
                request_parameters = serde_json::from_str(text).unwrap();
            } else if let Some(text) = line.strip_prefix("responseElements ") {
                response_elements = serde_json::from_str(text).unwrap();
            } else {
                add(if status.is_none() { &mut headers } else { &mut reply_headers }, line);
            }
        }
        if sent.contains("Action=") {
            add(&mut headers, "content-type: application/x-www-form-urlencoded; charset=utf-8");
        }
        let request = Request::new(method.parse().unwrap(), target, headers);
        let reply = Reply { status: status.unwrap(), headers: reply_headers, body: body(answered) };
        let mut exchange = Exchange::new(Arc::new(request), "2026-11-29T05:30:00Z".parse().unwrap());
        exchange.source_ip = "192.0.2.7".to_owned();
        exchange.body = body(sent);
        exchange.reply = Some(reply);
        Call { title, exchange, request_parameters, response_elements }
    }
}

/// All of them, in their order.
pub(crate) fn calls() -> Vec<Call> {
    CALLS.split("## ").skip(1).map(|block| Call::read(block.trim_end())).collect()
}

/// The same call of a service that speaks JSON in CBOR.
pub(crate) fn in_cbor(exchange: &Exchange) -> Exchange {
    let packed = |body: &KeptBody| {
        let value: serde_json::Value = serde_json::from_slice(&body.bytes).unwrap_or_default();
        let mut bytes = Vec::new();
        ciborium::into_writer(&value, &mut bytes).expect("CBOR");
        KeptBody { total: bytes.len() as u64, bytes: Bytes::from(bytes), ended: true, ..KeptBody::default() }
    };
    let mut headers = exchange.request.headers.clone();
    let target = headers.remove("x-amz-target").expect("a target");
    let (service, operation) = target.to_str().expect("text").rsplit_once('.').expect("an operation");
    headers.insert("smithy-protocol", "rpc-v2-cbor".parse().expect("a value"));
    let target = format!("/service/{service}/operation/{operation}");
    let request = Request::new(exchange.request.method.clone(), target, headers);
    let mut packed_exchange = with_request(exchange, request);
    packed_exchange.body = packed(&exchange.body);
    if let Some(reply) = &mut packed_exchange.reply {
        reply.body = packed(&reply.body);
    }
    packed_exchange
}

/// The same exchange, of which nothing has been read yet.
pub(crate) fn unread(exchange: &Exchange) -> Exchange {
    let Request { method, target, headers, .. } = &*exchange.request;
    with_request(exchange, Request::new(method.clone(), target.clone(), headers.clone()))
}

fn with_request(exchange: &Exchange, request: Request) -> Exchange {
    let mut other = Exchange::new(Arc::new(request), exchange.time);
    other.source_ip = exchange.source_ip.clone();
    other.body = exchange.body.clone();
    other.reply = exchange.reply.clone();
    other
}

/// A recorder of all calls.
pub(crate) fn recorder() -> ForwardedCallRecorder {
    let settings = vec![("recorder.data_events", "true".to_owned())];
    let settings = Arc::new(Settings::builtin(settings).unwrap());
    let hosts = HostNames::new([], settings.recorder.base_hosts.iter().map(String::as_str));
    ForwardedCallRecorder {
        identifier: Arc::new(Identifier { catalog: Catalog::embedded(), hosts }),
        callers: Arc::new(Callers::open(&settings).unwrap()),
        settings,
        ids: Ids::Random,
        bucket_regions: BucketRegions::default(),
    }
}
