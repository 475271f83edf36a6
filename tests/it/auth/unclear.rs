//! Calls that servers read differently: judged as everything that they may be, so that nothing is run that is not allowed.

use super::{ANA, request};
use crate::auth::proxied::{form, in_front, object, typed};
use crate::support::signer::Request;
use crate::support::upstream::Upstream;
use crate::support::{Reply, TestServer};
use serde_json::{Value, json};
use std::io::Write;

fn allow(action: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": "*"})
}

fn deny(action: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": "*"})
}

/// Signs and sends requests; the names of those that were forwarded.
async fn forwarded(server: &TestServer, upstream: &Upstream, calls: Vec<(&str, Request)>) -> Vec<String> {
    let mut forwarded = Vec::new();
    for (name, mut call) in calls {
        if !call.headers.iter().any(|(header, _)| header == "authorization")
            && !call.query.contains("X-Amz-Sig")
        {
            call.sign(&ANA);
        }
        let before = upstream.seen().len();
        let reply: Reply = call.send(&server.url).await;
        if upstream.seen().len() > before {
            forwarded.push(name.to_owned());
        } else {
            assert!((400..500).contains(&reply.status), "{name}: {} {}", reply.status, reply.text);
        }
    }
    forwarded
}

fn with(mut request: Request, headers: &[(&str, &str)]) -> Request {
    for (name, value) in headers {
        request.set(name, value);
    }
    request
}

fn with_query(mut request: Request, query: &str) -> Request {
    request.query = query.into();
    request
}

/// Signed for a query, which is then written in another way of the same meaning: its first letter is encoded.
fn encoded_later(request: Request, query: &str) -> Request {
    let mut request = with_query(request, query);
    request.sign(&ANA);
    let (first, rest) = query.split_at(1);
    with_query(request, &format!("%{:02X}{rest}", first.as_bytes()[0]))
}

fn packed(body: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// Each of these has a name of something that is allowed, and one of something else.
fn contradicting(server: &TestServer) -> Vec<(&'static str, Request)> {
    let s3 = |method: &str, path: &str| object(server, method, path, "");
    let iam = |body: &str| form(server, "iam", body);
    let list = "Action=ListUsers&Version=2010-05-08";
    let create = "Action=CreateUser&Version=2010-05-08&UserName=eve";
    let get = || typed(server, "dynamodb", "DynamoDB_20120810.GetItem", "{\"TableName\": \"t\"}");
    let lambda = |method: &str, path: &str| request(server, "lambda", method, path);
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"Action\"\r\n\r\nCreateUser\r\n--x--\r\n";
    let mut two_targets = get();
    two_targets.add("x-amz-target", "DynamoDB_20120810.DeleteTable");
    let mut gzip = with(with_query(iam(""), list), &[("content-encoding", "gzip")]);
    gzip.body = packed(create);
    let mut odd_header = with_query(request(server, "iam", "DELETE", "/box"), list);
    odd_header.sign(&ANA);
    let plain = odd_header.header("authorization");
    let parts: Vec<_> = plain.trim_start_matches("AWS4-HMAC-SHA256 ").split(", ").collect();
    odd_header.set("authorization", format!("AWS4-HMAC-SHA256 {}, {}, {}", parts[1], parts[0], parts[2]));
    let mut presigned = with_query(request(server, "iam", "DELETE", "/box"), list);
    presigned.presign(&ANA, 60);
    vec![
        ("an action in a query of S3", with_query(s3("DELETE", "/box/key"), "Action=GetObject")),
        ("a target in a header of S3", with(s3("DELETE", "/box/key"), &[("x-amz-target", "x.GetObject")])),
        ("a put with an action", with_query(s3("PUT", "/box"), "Action=GetObject")),
        ("two sub-resources", with_query(s3("GET", "/box"), "location&policy")),
        (
            "a copy beside a sub-resource",
            with(with_query(s3("PUT", "/box/key"), "acl"), &[("x-amz-copy-source", "/box/key")]),
        ),
        ("another action in the form", with_query(iam(create), list)),
        ("another action in the query", with_query(iam(list), create)),
        ("two actions in a form", iam(&format!("{list}&{create}"))),
        ("an action behind a semicolon", iam(&format!("{list}&x=1;{create}"))),
        (
            "a multipart form",
            with(with_query(iam(multipart), list), &[("content-type", "multipart/form-data; boundary=x")]),
        ),
        ("a form of no type", with(with_query(iam(create), list), &[("content-type", "text/plain")])),
        (
            "a form in other capitals",
            with(with_query(iam(create), list), &[("content-type", "Application/X-WWW-Form-URLencoded")]),
        ),
        ("a packed form", gzip),
        ("a name in other capitals", iam(&format!("{list}&action=CreateUser"))),
        ("an encoded name in a form", with_query(iam("%41ction=CreateUser&UserName=eve"), list)),
        ("an encoded name in a query", encoded_later(iam(list), "Action=CreateUser&UserName=eve")),
        (
            "another form of SQS",
            with_query(form(server, "sqs", "Action=DeleteQueue&Version=2012-11-05"), "Action=ListQueues"),
        ),
        (
            "a form beside a target of SQS",
            with(
                form(server, "sqs", "Action=DeleteQueue&Version=2012-11-05"),
                &[("x-amz-target", "AmazonSQS.ListQueues")],
            ),
        ),
        ("two targets", two_targets),
        ("an action beside a target", with_query(get(), "Action=DeleteTable&TableName=t")),
        ("an action in a header", with(get(), &[("action", "DeleteTable")])),
        ("an action in JSON", {
            let body = "{\"TableName\": \"t\", \"x\": \"&Action=delete_table&TableName=t&\"}";
            typed(server, "dynamodb", "DynamoDB_20120810.GetItem", body)
        }),
        ("another service's target", with(get(), &[("x-amz-target", "AmazonSQS.GetItem")])),
        ("a target in two words", with(get(), &[("x_amz_target", "DynamoDB_20120810.DeleteTable")])),
        (
            "another method",
            with(lambda("GET", "/2015-03-31/functions/"), &[("x-http-method-override", "DELETE")]),
        ),
        (
            "an action beside a path",
            with_query(lambda("GET", "/2015-03-31/functions/"), "Action=DeleteFunction"),
        ),
        ("an order that some do not read", odd_header),
        ("a signature that some do not read", presigned),
        ("another service's host", with(iam(list), &[("host", "dynamodb.us-east-1.amazonaws.com")])),
        ("a request for options", with_query(request(server, "iam", "OPTIONS", "/"), create)),
    ]
}

/// Each of these is not known for what it is by everybody.
fn oddly_written(server: &TestServer) -> Vec<(&'static str, Request)> {
    let create = "Action=CreateUser&Version=2010-05-08&UserName=eve";
    let iam = |query: &str| with_query(request(server, "iam", "GET", "/"), query);
    let lambda = |method: &str, path: &str| request(server, "lambda", method, path);
    let dotted = |service: &str| with_query(request(server, service, "GET", "/"), create);
    vec![
        ("an encoded name in a query", encoded_later(iam(""), "Action=CreateUser&UserName=eve")),
        ("an encoded name in a form", form(server, "iam", "%41ction=CreateUser&UserName=eve")),
        ("small letters", iam("action=CreateUser&UserName=eve")),
        ("an action as in a library", iam("Action=create_user&UserName=eve")),
        ("no name at all", iam("UserName=eve")),
        ("a bucket behind two slashes", object(server, "DELETE", "//box/key", "")),
        ("a bucket with its key in it", object(server, "DELETE", "/box%2Fkey", "")),
        ("a bucket behind a dot", object(server, "DELETE", "/./box/key", "")),
        ("a function behind two slashes", lambda("DELETE", "//2015-03-31/functions/f")),
        ("a function behind an encoded slash", lambda("DELETE", "/2015-03-31%2Ffunctions/f")),
        ("a service in capitals", dotted("IAM")),
        ("a service with a dot", dotted("iam.x")),
    ]
}

#[tokio::test]
async fn a_call_with_two_names_needs_everything_of_its_service() {
    let names =
        ["s3:GetObject", "iam:ListUsers", "sqs:ListQueues", "dynamodb:GetItem", "lambda:ListFunctions"];
    let (server, upstream, _secrets) = in_front(Some(names.map(allow).into_iter().collect())).await;
    let none: [&str; 0] = [];
    assert_eq!(forwarded(&server, &upstream, contradicting(&server)).await, none);
    assert_eq!(forwarded(&server, &upstream, oddly_written(&server)).await, none);
    let version = encoded_later(object(&server, "GET", "/box/key", ""), "versionId=null");
    assert_eq!(forwarded(&server, &upstream, vec![("a version, encoded", version)]).await, none);
    // What is allowed is, and with one name in two places it is still one.
    let list = "Action=ListUsers&Version=2010-05-08";
    let get = || typed(&server, "dynamodb", "DynamoDB_20120810.GetItem", "{\"x\": \"a=1&Action=Approve&b\"}");
    let plain = vec![
        ("S3", object(&server, "GET", "/box/a%20b/c", "")),
        ("S3 with a parameter", with_query(object(&server, "GET", "/box/key", ""), "Action=approve")),
        ("IAM", form(&server, "iam", list)),
        ("IAM twice", with_query(form(&server, "iam", list), list)),
        ("DynamoDB", with_query(get(), "Action=GetItem")),
        ("Lambda", request(&server, "lambda", "GET", "/2015-03-31/functions/")),
    ];
    let all: Vec<_> = plain.iter().map(|(name, _)| *name).collect();
    assert_eq!(forwarded(&server, &upstream, plain).await, all);
}

#[tokio::test]
async fn what_is_denied_of_a_service_is_not_passed_by_a_call_that_is_unclear() {
    let denied =
        ["iam:CreateUser", "s3:DeleteObject", "lambda:Delete*", "dynamodb:DeleteTable", "sqs:DeleteQueue"];
    let statements = std::iter::once(allow("*")).chain(denied.map(deny));
    let (server, upstream, _secrets) = in_front(Some(statements.collect())).await;
    let none: [&str; 0] = [];
    assert_eq!(forwarded(&server, &upstream, contradicting(&server)).await, none);
    assert_eq!(forwarded(&server, &upstream, oddly_written(&server)).await, none);
    let others = vec![("SNS", form(&server, "sns", "%41ction=ListTopics"))];
    assert_eq!(forwarded(&server, &upstream, others).await, ["SNS"], "of which nothing is denied");
}

#[tokio::test]
async fn a_policy_that_allows_everything_of_a_service_allows_its_unclear_calls() {
    let statements = ["s3:*", "iam:*", "sqs:*", "dynamodb:*", "lambda:*"].map(allow);
    let (server, upstream, _secrets) = in_front(Some(statements.into_iter().collect())).await;
    let calls = contradicting(&server);
    let names: Vec<_> = calls.iter().map(|(name, _)| *name).collect();
    assert_eq!(forwarded(&server, &upstream, calls).await, names);
}

#[tokio::test]
async fn what_an_emulator_may_take_for_unsigned_needs_what_it_may_take_it_for() {
    let (server, upstream, _secrets) = in_front(Some(json!([allow("s3:*")]))).await;
    let presigned = |method: &str, path: &str, kind: &str| {
        let mut request = request(&server, "s3", method, path);
        request.body = b"Action=DeleteDomain&Version=2009-04-15&DomainName=d".to_vec();
        request.payload_hash = Some("UNSIGNED-PAYLOAD".into());
        request.presign(&ANA, 60);
        with(request, &[("content-type", kind)])
    };
    let form = "application/x-www-form-urlencoded";
    let calls = vec![
        ("another service in the path", presigned("DELETE", "/lambda_us-east-1/functions/f", "text/plain")),
        ("the same, encoded", presigned("DELETE", "/lambda%5Fus-east-1/functions/f", "text/plain")),
        ("another service in the form", presigned("PUT", "/box/key", form)),
    ];
    let none: [&str; 0] = [];
    assert_eq!(forwarded(&server, &upstream, calls).await, none);
    let objects = ["/box/key_1", "/my_box/key", "/key_1"];
    let calls = objects.map(|path| (path, presigned("PUT", path, "text/plain")));
    assert_eq!(forwarded(&server, &upstream, calls.into()).await, objects);
}

#[tokio::test]
async fn bodies_of_s3_control_count() {
    let (server, upstream, _secrets) = in_front(Some(json!([allow("s3:ListJobs")]))).await;
    let jobs = |body: &str| object(&server, "GET", "/v20180820/jobs", body);
    let mut altered = jobs("a");
    altered.sign(&ANA);
    altered.body = b"b".to_vec();
    let none: [&str; 0] = [];
    let paths = ["/v20180820/jobs", "/%7620180820/jobs", "//v20180820/jobs", "/x/../v20180820/jobs"];
    let named = |path: &'static str| (path, object(&server, "GET", path, "Action=CreateJob"));
    let calls = paths.into_iter().map(named).chain([("another body", altered)]).collect();
    assert_eq!(forwarded(&server, &upstream, calls).await, none);
    assert_eq!(forwarded(&server, &upstream, vec![("jobs", jobs(""))]).await, ["jobs"]);
}

#[tokio::test]
async fn the_emulators_own_paths_are_for_callers_without_a_policy() {
    let (server, upstream, _secrets) = in_front(Some(json!([allow("*")]))).await;
    let paths = [
        "/moto-api/reset",
        "/_localstack/state/reset",
        "/_ministack/reset",
        "/%6doto-api/reset",
        "//moto-api/reset",
        "/x/../moto-api/reset",
        "/latest/meta-data/iam",
    ];
    let calls = || paths.iter().map(|path| (*path, object(&server, "POST", path, ""))).collect();
    let none: [&str; 0] = [];
    assert_eq!(forwarded(&server, &upstream, calls()).await, none);
    let (server, upstream, _secrets) = in_front(None).await;
    let reset = vec![("reset", object(&server, "POST", "/moto-api/reset", ""))];
    assert_eq!(forwarded(&server, &upstream, reset).await, ["reset"]);
}

#[tokio::test]
async fn another_host_a_path_with_dots_and_an_odd_source_are_no_known_bucket() {
    let all =
        json!({"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::box", "arn:aws:s3:::box/*"]});
    let (server, upstream, _secrets) = in_front(Some(json!([all]))).await;
    let get = |path: &str| object(&server, "GET", path, "");
    let host = |host: &str| with(get("/box/key"), &[("host", host)]);
    let copy = |source: &str| with(object(&server, "PUT", "/box/copy", ""), &[("x-amz-copy-source", source)]);
    let mut two_sources = copy("/box/key");
    two_sources.add("x-amz-copy-source", "/other/key");
    let calls = vec![
        ("another name", host("other-bucket.foo")),
        ("AWS's name", host("other-bucket.s3.amazonaws.com")),
        ("a name with dots", host("other.bucket.localhost:4700")),
        ("a key with dots", get("/box/../other/key")),
        ("encoded dots", get("/box/%2e%2e/other/key")),
        ("a key with an empty part", get("/box//key")),
        ("a source with a question", copy("/box/key?x")),
        ("a source with a fragment", copy("/box/key#x")),
        ("a source behind two slashes", copy("//box/other/key")),
        ("two sources", two_sources),
        (
            "a form",
            with(
                object(&server, "POST", "/box", "--x\r\n\r\n--x--"),
                &[("content-type", "multipart/form-data; boundary=x")],
            ),
        ),
    ];
    let none: [&str; 0] = [];
    assert_eq!(forwarded(&server, &upstream, calls).await, none);
    let calls =
        vec![("path", get("/box/key")), ("host", with(get("/key"), &[("host", "box.localhost:4700")]))];
    assert_eq!(forwarded(&server, &upstream, calls).await, ["path", "host"]);
}

#[tokio::test]
async fn a_preflight_goes_on_bare_and_names_nothing() {
    let (server, upstream, _secrets) = in_front(Some(json!([allow("*")]))).await;
    let preflight = |query: &str| {
        let mut preflight = with_query(request(&server, "iam", "OPTIONS", "/box/key"), query);
        preflight.set("origin", "http://localhost:3000");
        preflight.set("access-control-request-method", "PUT");
        preflight.set("authorization", "AWS4-HMAC-SHA256 Credential=x/20261122/us-east-1/iam/aws4_request");
        preflight
    };
    let mut plain = preflight("X-Amz-Signature=00");
    plain.set("cookie", "a=b");
    plain.body = b"Action=CreateUser".to_vec();
    assert_eq!(plain.send(&server.url).await.status, 200);
    let seen = upstream.seen().pop().unwrap();
    assert_eq!(seen.request_line(), "OPTIONS /box/key?X-Amz-Signature=00 HTTP/1.1");
    assert_eq!((seen.header("authorization"), seen.header("cookie"), seen.body.len()), (None, None, 0));
    assert_eq!(seen.header("access-control-request-method"), Some("PUT"));
    let none: [&str; 0] = [];
    let calls = vec![
        ("action", preflight("Action=CreateUser&UserName=eve")),
        ("encoded action", preflight("%41ction=CreateUser&UserName=eve")),
        ("target", with(preflight(""), &[("x-amz-target", "DynamoDB_20120810.DeleteTable")])),
        ("path", Request { path: "/moto-api/reset".into(), ..preflight("") }),
    ];
    assert_eq!(forwarded(&server, &upstream, calls).await, none);
}

#[tokio::test]
async fn a_connection_changes_its_protocol_for_callers_without_a_policy_only() {
    for (policy, passed) in [(None, true), (Some(json!([allow("*")])), false)] {
        let (server, upstream, _secrets) = in_front(policy).await;
        let upgrade = |protocol: &str| {
            let get = object(&server, "GET", "/box/key", "");
            let mut upgrade = with(get, &[("connection", "upgrade"), ("upgrade", protocol)]);
            upgrade.unsigned = vec!["connection".into(), "upgrade".into()];
            upgrade
        };
        let calls = vec![("websocket", upgrade("websocket")), ("two", upgrade("h2c, foo"))];
        assert_eq!(forwarded(&server, &upstream, calls).await, ["websocket", "two"]);
        let seen = upstream.seen();
        let asked: Vec<_> = seen.iter().map(|seen| seen.header("upgrade")).collect();
        assert_eq!(asked, [Some("websocket").filter(|_| passed), None]);
    }
}
