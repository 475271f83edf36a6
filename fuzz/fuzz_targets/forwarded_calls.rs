//! Forwarded calls as they are recorded: requests and replies in CBOR, XML, JSON and forms. The first byte says which service
//! and protocol, the rest is the body of the request and, behind a line of dashes, that of the reply.
#![no_main]

use contrail::aws::catalog::Catalog;
use contrail::aws::host::HostNames;
use contrail::aws::identify::Identifier;
use contrail::aws::request::Request;
use contrail::callers::Callers;
use contrail::clock::Ids;
use contrail::config::Settings;
use contrail::recorder::bucket_regions::BucketRegions;
use contrail::recorder::exchange::{Exchange, KeptBody, Reply};
use contrail::recorder::forwarded_call::{ForwardedCallRecorder, Recorded};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};

static RECORDER: LazyLock<ForwardedCallRecorder> = LazyLock::new(|| {
    let settings = vec![("recorder.data_events", "true".to_owned())];
    let settings = Arc::new(Settings::builtin(settings).expect("good settings"));
    let hosts = HostNames::new([], settings.recorder.base_hosts.iter().map(String::as_str));
    ForwardedCallRecorder {
        identifier: Arc::new(Identifier { catalog: Catalog::embedded(), hosts }),
        callers: Arc::new(Callers::open(&settings).expect("no policies")),
        settings,
        ids: Ids::Random,
        bucket_regions: BucketRegions::default(),
    }
});

/// Service, method, target, and headers beside the signature.
type Call = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.0");
const CBOR: &[(&str, &str)] = &[("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];

const CALLS: [Call; 12] = [
    ("sqs", "POST", "/service/AmazonSQS/operation/SendMessage", CBOR),
    ("monitoring", "POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", CBOR),
    ("iam", "POST", "/", &[FORM]),
    ("sts", "POST", "/", &[FORM]),
    ("ec2", "POST", "/", &[FORM]),
    ("dynamodb", "POST", "/", &[JSON, ("x-amz-target", "DynamoDB_20120810.PutItem")]),
    ("kms", "POST", "/", &[JSON, ("x-amz-target", "TrentService.Encrypt")]),
    ("s3", "PUT", "/box?policy", &[]),
    ("s3", "POST", "/box?delete", &[]),
    ("s3", "PUT", "/box?lifecycle", &[]),
    ("lambda", "POST", "/2015-03-31/functions", &[("content-type", "application/json")]),
    ("cloudfront", "POST", "/2020-05-31/distribution", &[]),
];

fn kept(bytes: &[u8]) -> KeptBody {
    let total = bytes.len() as u64;
    KeptBody { bytes: bytes::Bytes::copy_from_slice(bytes), total, ended: true, ..KeptBody::default() }
}

fuzz_target!(|data: &[u8]| {
    let Some((which, rest)) = data.split_first() else { return };
    let (service, method, target, more) = CALLS[usize::from(*which) % CALLS.len()];
    let line = b"\n--\n";
    let end = rest.windows(line.len()).position(|bytes| bytes == line).unwrap_or(rest.len());
    let (question, answer) = (&rest[..end], rest.get(end + line.len()..).unwrap_or_default());
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let mut headers = HeaderMap::new();
    headers.insert("authorization", signed.parse().expect("text"));
    headers.insert("host", HeaderValue::from_static("localhost:4700"));
    for (name, value) in more {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut exchange =
        Exchange::new(Arc::new(Request::new(method, target, headers)), chrono::DateTime::UNIX_EPOCH);
    exchange.source_ip = "127.0.0.1".to_owned();
    exchange.body = kept(question);
    let status = if which & 0x80 == 0 { 200 } else { 400 };
    let mut headers = HeaderMap::new();
    if service == "sqs" || service == "monitoring" {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    exchange.reply = Some(Reply { status, headers, body: kept(answer) });
    RECORDER.learn(&exchange);
    if let Recorded::Events(events) = RECORDER.record(&exchange) {
        for captured in events {
            serde_json::from_str::<serde_json::Value>(&captured.event.record).expect("a record is JSON");
        }
    }
});
