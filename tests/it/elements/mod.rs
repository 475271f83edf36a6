//! What records have of a session over sixteen services and some more: `calls.txt`.
//!
//! A block there is a call. `## service eventName`, method and target, headers, `> ` the body; `< ` the status, headers of
//! the reply, `< ` its body; and what the record is to have. The requests are as boto3 sends them, the replies in part
//! shorter than an emulator gives them. Secret values in them have `s3cr3t` in them, or its base64 form.

use bytes::Bytes;
use contrail::clock::{Clock, Ids};
use contrail::config::Settings;
use contrail::domain::routing::LoggingTrails;
use contrail::recorder::callers::Callers;
use contrail::recorder::catalog::Catalog;
use contrail::recorder::exchange::{Exchange, Head, KeptBody, Reply};
use contrail::recorder::forwarded_call::{ForwardedCallRecorder, Recorded};
use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use std::sync::Arc;

const CALLS: &str = include_str!("calls.txt");

/// Secret values, plain and in base64.
const SECRETS: &[&str] = &["s3cr3t", "czNjcjN0"];

/// A block of the file.
struct Call {
    title: &'static str,
    exchange: Exchange,
    request_parameters: Value,
    response_elements: Value,
}

fn body(text: &str) -> KeptBody {
    KeptBody { bytes: Bytes::copy_from_slice(text.as_bytes()), total: text.len() as u64, ended: true }
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
        let head = Head { method: method.parse().unwrap(), target: target.to_owned(), headers };
        let reply = Reply { status: status.unwrap(), headers: reply_headers, body: body(answered) };
        Call {
            title,
            exchange: Exchange {
                head: Arc::new(head),
                body: body(sent),
                reply: Some(reply),
                time: "2026-11-29T05:30:00Z".parse().unwrap(),
                source_ip: "192.0.2.7".to_owned(),
                trails: LoggingTrails::default(),
            },
            request_parameters,
            response_elements,
        }
    }
}

fn calls() -> Vec<Call> {
    CALLS.split("## ").skip(1).map(|block| Call::read(block.trim_end())).collect()
}

fn recorder() -> ForwardedCallRecorder {
    let settings = vec![("recorder.data_events", "true".to_owned())];
    let settings = Arc::new(Settings::builtin(settings).unwrap());
    ForwardedCallRecorder {
        catalog: Catalog::embedded(),
        callers: Arc::new(Callers::new(&settings)),
        settings,
        ids: Ids::Random,
    }
}

fn record(recorder: &ForwardedCallRecorder, exchange: &Exchange) -> Value {
    match recorder.record(exchange) {
        Recorded::Event(captured) => serde_json::from_str(&captured.event.record).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_call_of_a_session_is_recorded_as_aws_records_it() {
    let (recorder, calls) = (recorder(), calls());
    assert!(calls.len() >= 200, "{}", calls.len());
    let mut wrong = Vec::new();
    for call in &calls {
        let record = record(&recorder, &call.exchange);
        let name = call.title.split(' ').nth(1).unwrap();
        let found = (&record["eventName"], &record["requestParameters"], &record["responseElements"]);
        if found != (&json!(name), &call.request_parameters, &call.response_elements) {
            wrong
                .push(format!("{}\nrequestParameters {}\nresponseElements {}", call.title, found.1, found.2));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), calls.len(), wrong.join("\n"));
}

#[test]
fn no_secret_of_a_session_is_in_its_records() {
    let recorder = recorder();
    let mut sent = 0;
    for call in calls() {
        let bodies = [&call.exchange.body, &call.exchange.reply.as_ref().unwrap().body];
        let text: String = bodies.iter().map(|body| String::from_utf8_lossy(&body.bytes)).collect();
        sent += usize::from(SECRETS.iter().any(|secret| text.contains(secret)));
        let record = record(&recorder, &call.exchange).to_string();
        assert!(!SECRETS.iter().any(|secret| record.contains(secret)), "{record}");
    }
    assert!(sent > 25, "{sent}");
}
