//! What records have of a session over sixteen services and some more.

mod calls;

use bytes::Bytes;
use calls::{Call, calls, in_cbor, recorder, unread};
use contrail::aws::request::Request;
use contrail::recorder::exchange::{Exchange, KeptBody};
use contrail::recorder::forwarded_call::{ForwardedCallRecorder, Recorded};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, LazyLock};

/// Secret values, plain and in base64.
const SECRETS: &[&str] = &["s3cr3t", "czNjcjN0"];

/// The request of an exchange, to be changed.
fn request_of(exchange: &mut Exchange) -> &mut Request {
    Arc::get_mut(&mut exchange.request).unwrap()
}

fn record(recorder: &ForwardedCallRecorder, exchange: &Exchange) -> Value {
    match recorder.record(exchange) {
        Recorded::Events(events) => serde_json::from_str(&events[0].event.record).unwrap(),
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

/// What a record has in `resources`, of the first call of this name.
fn resources_of(event_name: &str) -> Value {
    let all = calls();
    let call = all.iter().find(|call| call.title.split(' ').nth(1) == Some(event_name)).unwrap();
    record(&recorder(), &call.exchange)["resources"].clone()
}

#[test]
fn records_of_some_services_name_what_the_call_was_about() {
    let arn = |arn: &str| json!({"accountId": "123456789012", "ARN": arn});
    let typed = |resource_type: &str, arn: &str| json!({"accountId": "123456789012", "type": resource_type, "ARN": arn});
    let parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/a/b";
    assert_eq!(resources_of("PutParameter"), json!([arn(parameter)]));
    assert_eq!(resources_of("GetParameters"), json!([arn(parameter)]));
    assert_eq!(resources_of("DescribeParameters"), Value::Null);
    assert_eq!(
        resources_of("CreateRepository"),
        json!([arn("arn:aws:ecr:us-east-1:123456789012:repository/app")])
    );
    let role = typed("AWS::IAM::Role", "arn:aws:iam::123456789012:role/app");
    assert_eq!(resources_of("AssumeRole"), json!([role]));
    let key = &resources_of("Encrypt")[0];
    assert_eq!(key["type"], "AWS::KMS::Key");
    assert!(
        key["ARN"].as_str().unwrap().starts_with("arn:aws:kms:us-east-1:123456789012:key/"),
        "not its alias"
    );
    let refused = with("Encrypt", |exchange| exchange.reply.as_mut().unwrap().body = calls::body("{}"));
    assert_eq!(refused["requestParameters"]["keyId"], "alias/a");
    assert_eq!(refused["resources"], Value::Null, "nobody has said which key that is");
    assert_eq!(resources_of("ListKeys"), Value::Null);
    assert_eq!(
        resources_of("ListObjects"),
        json!([
            {"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::b-1/"},
            typed("AWS::S3::Bucket", "arn:aws:s3:::b-1")
        ])
    );
    assert_eq!(resources_of("CreateUser"), Value::Null);
}

#[test]
fn some_services_say_the_version_of_their_api_and_s3_puts_brackets_around_the_agent() {
    let recorder = recorder();
    let mut versions = std::collections::BTreeMap::new();
    for mut call in calls() {
        let head = request_of(&mut call.exchange);
        head.headers.insert("user-agent", "agent/1".parse().unwrap());
        let record = record(&recorder, &call.exchange);
        let source = record["eventSource"].as_str().unwrap().to_owned();
        assert_eq!(record["userAgent"], if source.starts_with("s3.") { "[agent/1]" } else { "agent/1" });
        if let Some(version) = record["apiVersion"].as_str() {
            versions.entry(source).or_insert_with(std::collections::BTreeSet::new).insert(version.to_owned());
        }
    }
    let versions: Vec<String> =
        versions.into_iter().map(|(source, found)| format!("{source} {found:?}")).collect();
    assert_eq!(
        versions,
        [
            r#"dynamodb.amazonaws.com {"2012-08-10"}"#,
            r#"elasticloadbalancing.amazonaws.com {"2012-06-01", "2015-12-01"}"#,
            r#"logs.amazonaws.com {"20140328"}"#,
            r#"route53.amazonaws.com {"2013-04-01"}"#,
        ]
    );
}

#[test]
fn a_call_in_cbor_is_recorded_like_one_in_json() {
    let recorder = recorder();
    let (mut compared, mut refused) = (0, 0);
    for call in calls() {
        if !call.exchange.request.headers.contains_key("x-amz-target") {
            continue;
        }
        let json = record(&recorder, &call.exchange);
        let cbor = record(&recorder, &in_cbor(&call.exchange));
        for member in
            ["eventName", "requestParameters", "responseElements", "resources", "errorCode", "errorMessage"]
        {
            assert_eq!(cbor[member], json[member], "{} {member}", call.title);
        }
        compared += 1;
        refused += usize::from(json["errorCode"].is_string());
    }
    assert!(compared > 50 && refused > 0, "{compared}, {refused}");
}

/// A call of the session with another body, and what its record has then.
fn with(event_name: &str, change: impl FnOnce(&mut Exchange)) -> Value {
    let mut call = calls().into_iter().find(|call| call.title.ends_with(&format!(" {event_name}"))).unwrap();
    change(&mut call.exchange);
    record(&recorder(), &call.exchange)
}

#[test]
fn what_is_packed_is_unpacked_and_what_is_too_long_or_broken_is_left_out() {
    let plain = with("CreateTable", |_| ());
    let packed = with("CreateTable", |exchange| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&exchange.body.bytes).unwrap();
        let bytes = Bytes::from(gzip.finish().unwrap());
        exchange.body = KeptBody { total: bytes.len() as u64, bytes, ended: true, ..KeptBody::default() };
        request_of(exchange).headers.insert("content-encoding", "gzip".parse().unwrap());
    });
    assert_eq!(packed["requestParameters"], plain["requestParameters"]);
    let too_long = with("CreateTable", |exchange| exchange.body.total = 300_000);
    let left_out = |element: &str| json!({"reason": format!("{element} too large"), "omitted": true, "originalSize": 300_000});
    assert_eq!(too_long["requestParameters"], left_out("requestParameters"));
    assert_eq!(too_long["responseElements"], plain["responseElements"]);
    let package = with("UpdateFunctionCode20150331v2", |exchange| exchange.body.total = 300_000);
    let mut with_path = left_out("requestParameters");
    with_path["functionName"] = json!("f");
    assert_eq!(package["requestParameters"], with_path);
    let too_long = with("CreateTable", |exchange| exchange.reply.as_mut().unwrap().body.total = 300_000);
    assert_eq!(too_long["responseElements"], left_out("responseElements"));
    let broken = with("CreateTable", |exchange| exchange.body.ended = false);
    assert_eq!(broken["requestParameters"], Value::Null);
    for garbage in ["", "[1]", "{", "\u{0}", "<a>"] {
        let record = with("CreateTable", |exchange| exchange.body = calls::body(garbage));
        assert_eq!(record["requestParameters"], Value::Null, "{garbage}");
    }
}

#[test]
fn the_request_id_is_the_bodys_where_the_header_has_another() {
    for (event_name, expected) in
        [("CreateUser", "r-1"), ("RunInstances", "r-of-ec2"), ("CreateTable", "h-1")]
    {
        let record = with(event_name, |exchange| {
            let reply = exchange.reply.as_mut().unwrap();
            reply.headers.insert("x-amzn-requestid", "h-1".parse().unwrap());
            if event_name == "RunInstances" {
                reply.body = calls::body(
                    "<RunInstancesResponse><requestId>r-of-ec2</requestId></RunInstancesResponse>",
                );
            }
        });
        assert_eq!(record["requestID"], expected, "{event_name}");
    }
    let refused = with("CreateUser", |exchange| {
        let reply = exchange.reply.as_mut().unwrap();
        reply.status = 400;
        reply.headers.insert("x-amzn-requestid", "h-1".parse().unwrap());
        reply.body = calls::body(
            "<ErrorResponse><Error><Code>E</Code></Error><RequestId>r-2</RequestId></ErrorResponse>",
        );
    });
    assert_eq!((&refused["requestID"], &refused["errorCode"]), (&json!("r-2"), &json!("E")));
}

#[test]
fn a_code_that_is_only_in_the_header_of_older_clients_counts() {
    for (body, code) in [("", "InternalError"), ("{}", "InternalError"), (r#"{"__type":"a#Other"}"#, "Other")]
    {
        let refused = with("CreateTable", |exchange| {
            let reply = exchange.reply.as_mut().unwrap();
            reply.status = 501;
            reply.headers.insert("x-amzn-query-error", "InternalError;Sender".parse().unwrap());
            reply.body = calls::body(body);
        });
        assert_eq!(refused["errorCode"], code, "{body}");
    }
}

#[test]
fn an_error_does_not_repeat_the_token_or_the_signature_of_the_call() {
    let record = with("DeleteRole", |exchange| {
        let headers = &mut request_of(exchange).headers;
        headers.insert("x-amz-security-token", "t0k3n-of-a-session".parse().unwrap());
        let reply = exchange.reply.as_mut().unwrap();
        reply.status = 403;
        reply.body = calls::body(
            "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>should have been 'POST / t0k3n-of-a-session', and not 0\
             </Message></Error></ErrorResponse>",
        );
    });
    assert_eq!(record["errorMessage"], "should have been 'POST / HIDDEN_DUE_TO_SECURITY_REASONS', and not 0");
}

#[test]
fn a_member_that_is_called_like_a_part_of_the_record_is_no_trouble() {
    let record = with("RunInstances", |exchange| {
        exchange.body =
            calls::body("Action=RunInstances&Version=2016-11-15&instancesSet=x&ImageId=ami-1&MinCount=1");
    });
    assert_eq!(
        record["requestParameters"]["instancesSet"],
        json!({"items": [{"imageId": "ami-1", "minCount": 1}]})
    );
}

/// Puts something into a body at some place of it, in the place of some bytes.
fn spoil(body: &KeptBody, (at, length): (usize, usize), with: &[u8]) -> KeptBody {
    let mut bytes = body.bytes.to_vec();
    let begin = at % (bytes.len() + 1);
    let end = (begin + length).min(bytes.len());
    bytes.splice(begin..end, with.iter().copied());
    KeptBody { total: bytes.len() as u64, bytes: bytes.into(), ended: true, ..KeptBody::default() }
}

/// Pieces of what is sent, and what is none.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "&instancesSet=x",
        "&Tag.1=&Tag.1.Key=",
        ".1.",
        "{",
        "[",
        "null",
        "<item>",
        "</item>",
        "<a/>",
        "&",
        "=",
        ".",
    ];
    prop_oneof![
        prop::sample::select(known.map(str::as_bytes).map(<[u8]>::to_vec).to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ]
}

proptest! {
    #[test]
    fn whatever_is_sent_and_answered_is_recorded(
        number in any::<prop::sample::Index>(),
        places in prop::array::uniform2((any::<u16>(), 0_usize..30)),
        (sent, answered) in (pieces(), pieces()),
    ) {
        static CALLS: LazyLock<(ForwardedCallRecorder, Vec<Call>)> = LazyLock::new(|| (recorder(), calls()));
        let (recorder, calls) = &*CALLS;
        let mut exchange = unread(&calls[number.index(calls.len())].exchange);
        let [first, second] = places.map(|(at, length)| (usize::from(at), length));
        exchange.body = spoil(&exchange.body, first, &sent);
        if let Some(reply) = &mut exchange.reply {
            reply.body = spoil(&reply.body, second, &answered);
        }
        // It may be none of a known operation any more.
        if let Recorded::Events(events) = recorder.record(&exchange) {
            for captured in events {
                let record: Value = serde_json::from_str(&captured.event.record).unwrap();
                for part in ["requestParameters", "responseElements"] {
                    prop_assert!(record[part].is_null() || record[part].is_object(), "{record}");
                }
            }
        }
    }
}
