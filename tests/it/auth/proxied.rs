//! Calls that are forwarded to an emulator, where they are checked first.

use super::{ANA, CI, request, signed_server};
use crate::support::signer::{Key, Request, sha256};
use crate::support::upstream::Upstream;
use crate::support::{Reply, TestServer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const WRONG: Key = Key { secret: "wrong", ..ANA };

/// A server in front of an emulator, with checks, and a policy for `ANA` if there is one.
pub(super) async fn in_front(policy: Option<Value>) -> (TestServer, Upstream, TempDir) {
    let upstream = Upstream::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings =
        vec![("recorder.upstream", upstream.url.as_str()), ("auth.proxy", "true"), ("era", "today")];
    let policy = policy.map(|statements| {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        super::file(folder.path(), "policy.json", &policy.to_string())
    });
    settings.extend(policy.as_deref().map(|path| ("identities[0].policy_file", path)));
    let (server, secrets) = signed_server(&settings).await;
    drop(folder);
    (server, upstream, secrets)
}

pub(super) fn typed(server: &TestServer, service: &str, target: &str, body: &str) -> Request {
    let mut request = request(server, service, "POST", "/");
    request.set("content-type", "application/x-amz-json-1.0");
    request.set("x-amz-target", target);
    request.body = body.into();
    request
}

pub(super) fn form(server: &TestServer, service: &str, body: &str) -> Request {
    let mut request = request(server, service, "POST", "/");
    request.set("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    request.body = body.into();
    request
}

pub(super) fn object(server: &TestServer, method: &str, path: &str, body: &str) -> Request {
    let mut request = request(server, "s3", method, path);
    request.body = body.into();
    request.set("x-amz-content-sha256", sha256(body));
    request
}

/// One request of each family of protocols, not signed.
fn families(server: &TestServer) -> Vec<(&'static str, Request)> {
    let mut cbor = request(server, "sqs", "POST", "/service/AmazonSQS/operation/ListQueues");
    cbor.set("smithy-protocol", "rpc-v2-cbor");
    cbor.set("content-type", "application/cbor");
    cbor.body = vec![0xa0];
    let mut rest = request(server, "lambda", "GET", "/2015-03-31/functions/");
    rest.query = "MaxItems=5&Marker=a%2Fb".into();
    vec![
        ("JSON", typed(server, "sqs", "AmazonSQS.ListQueues", "{}")),
        ("CBOR", cbor),
        ("query", form(server, "iam", "Action=ListUsers&Version=2010-05-08")),
        ("EC2", form(server, "ec2", "Action=DescribeVpcs&Version=2016-11-15")),
        ("REST", rest),
        ("S3", object(server, "PUT", "/box/a%20b", "hello")),
    ]
}

/// The code in an answer of any family.
fn code(reply: &Reply) -> &str {
    let xml = reply.text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    xml.map_or(reply.header("x-amzn-errortype"), |(code, _)| code)
}

async fn recorded(server: &TestServer) -> Vec<Value> {
    server.settle().await;
    let text = server.get("/_contrail/events").await.text;
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_is_signed_goes_on_as_it_came() {
    let (server, upstream, _secrets) = in_front(None).await;
    for key in [&ANA, &CI] {
        for (name, mut request) in families(&server) {
            request.sign(key);
            upstream.will_say("200 OK", "application/json", "{}");
            let reply = request.send(&server.url).await;
            assert_eq!(reply.status, 200, "{name}: {}", reply.text);
            let seen = upstream.seen().pop().unwrap();
            assert_eq!(
                seen.header("authorization"),
                Some(request.header("authorization").as_str()),
                "{name}"
            );
            assert_eq!(seen.body, request.body, "{name}");
        }
    }
    assert_eq!(recorded(&server).await.len(), 6, "those of IAM, EC2 and Lambda; the others are data events");
}

#[tokio::test]
async fn what_is_not_signed_rightly_goes_nowhere_and_each_family_says_it_in_its_own_way() {
    let (server, upstream, _secrets) = in_front(None).await;
    let expected = [
        ("JSON", (400, "InvalidSignatureException"), (400, "MissingAuthenticationTokenException")),
        ("CBOR", (400, "InvalidSignatureException"), (400, "MissingAuthenticationTokenException")),
        ("query", (403, "SignatureDoesNotMatch"), (403, "MissingAuthenticationToken")),
        ("EC2", (401, "AuthFailure"), (403, "MissingAuthenticationToken")),
        ("REST", (403, "InvalidSignatureException"), (403, "AccessDenied")),
        ("S3", (403, "SignatureDoesNotMatch"), (403, "AccessDenied")),
    ];
    for ((name, request), (known, wrong, unsigned)) in families(&server).into_iter().zip(expected) {
        assert_eq!(name, known);
        let reply = request.send(&server.url).await;
        assert_eq!((reply.status, code(&reply)), unsigned, "{name}: {}", reply.text);
        let mut signed = request.clone();
        signed.sign(&WRONG);
        let reply = signed.send(&server.url).await;
        assert_eq!((reply.status, code(&reply)), wrong, "{name}: {}", reply.text);
        let mut altered = request;
        altered.sign(&ANA);
        altered.body.push(b' ');
        let reply = altered.send(&server.url).await;
        let wrong = if name == "S3" { (400, "XAmzContentSHA256Mismatch") } else { wrong };
        assert_eq!((reply.status, code(&reply)), wrong, "{name}: {}", reply.text);
    }
    let reset = request(&server, "", "POST", "/moto-api/reset").send(&server.url).await;
    assert_eq!(reset.status, 403, "{}", reset.text);
    let mut gone = object(&server, "PUT", "/box/key", "hello");
    gone.sign(&ANA);
    gone.body = Vec::new();
    assert_eq!(code(&gone.send(&server.url).await), "XAmzContentSHA256Mismatch");
    let whole: Vec<_> = upstream.seen().into_iter().filter(|seen| !seen.body.is_empty()).collect();
    assert!(whole.is_empty(), "the upstream has got {:?}", whole.len());
    assert_eq!(recorded(&server).await.len(), 0);
    // A browser asks whether it may ask.
    upstream.will_say("200 OK", "text/plain", "");
    let mut preflight = request(&server, "", "OPTIONS", "/box/key");
    assert_eq!(preflight.send(&server.url).await.status, 403, "not a browser's");
    preflight.set("origin", "http://localhost:3000");
    preflight.set("access-control-request-method", "PUT");
    assert_eq!(preflight.send(&server.url).await.status, 200);
}

#[tokio::test]
async fn a_large_object_goes_on_as_it_comes_and_only_whole_if_its_hash_is_right() {
    let (server, upstream, _secrets) = in_front(None).await;
    let body = "0123456789abcdef".repeat(200_000);
    let mut put = object(&server, "PUT", "/box/key", &body);
    put.sign(&ANA);
    upstream.will_say("200 OK", "application/xml", "");
    assert_eq!(put.send(&server.url).await.status, 200);
    assert_eq!(upstream.seen().pop().unwrap().body.len(), body.len());
    let seen = upstream.seen().len();
    put.body[1_000_000] = b'X';
    let reply = put.send(&server.url).await;
    assert_eq!((reply.status, code(&reply)), (400, "XAmzContentSHA256Mismatch"), "{}", reply.text);
    assert!(
        upstream.seen()[seen.min(upstream.seen().len())..].iter().all(|seen| seen.body.len() < body.len())
    );
}

#[tokio::test]
async fn a_policy_says_what_is_forwarded_and_what_it_refuses_is_recorded() {
    let allow =
        |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let (server, upstream, _secrets) = in_front(Some(json!([
        allow("sqs:List*", "*"),
        allow("iam:ListUsers", "*"),
        allow("ec2:Describe*", "arn:aws:ec2:*:*:vpc/*"),
        allow("lambda:ListFunctions", "*"),
        allow("s3:PutObject", "arn:aws:s3:::box/ana/*"),
        allow("cloudtrail:ListTrails", "*"),
    ])))
    .await;
    let sent = async |mut request: Request| {
        request.sign(&ANA);
        upstream.will_say("200 OK", "application/json", "{}");
        let before = upstream.seen().len();
        let reply = request.send(&server.url).await;
        assert_eq!(upstream.seen().len() > before, reply.status == 200);
        (reply.status, code(&reply).to_owned())
    };
    let accepted = (200, String::new());
    assert_eq!(sent(typed(&server, "sqs", "AmazonSQS.ListQueues", "{}")).await, accepted);
    assert_eq!(sent(form(&server, "iam", "Action=ListUsers&Version=2010-05-08")).await, accepted);
    assert_eq!(sent(request(&server, "lambda", "GET", "/2015-03-31/functions/")).await, accepted);
    assert_eq!(sent(object(&server, "PUT", "/box/ana/key", "hello")).await, accepted);
    let denied = |status: u16, code: &str| (status, code.to_owned());
    let create = typed(&server, "sqs", "AmazonSQS.CreateQueue", "{\"QueueName\": \"q\"}");
    assert_eq!(sent(create).await, denied(400, "AccessDeniedException"));
    let create = form(&server, "iam", "Action=CreateUser&Version=2010-05-08&UserName=eve");
    assert_eq!(sent(create).await, denied(403, "AccessDenied"));
    // Which VPCs it is about is not known before the answer.
    let describe = form(&server, "ec2", "Action=DescribeVpcs&Version=2016-11-15");
    assert_eq!(sent(describe).await, denied(403, "UnauthorizedOperation"));
    let delete = request(&server, "lambda", "DELETE", "/2015-03-31/functions/demo");
    assert_eq!(sent(delete).await, denied(403, "AccessDeniedException"));
    assert_eq!(sent(object(&server, "PUT", "/box/bob/key", "hello")).await, denied(403, "AccessDenied"));
    let mut copy = object(&server, "PUT", "/box/ana/key", "");
    copy.set("x-amz-copy-source", "/box/bob/key");
    assert_eq!(sent(copy).await, denied(403, "AccessDenied"));
    assert_eq!(sent(typed(&server, "newer", "Newer.DoIt", "{}")).await, denied(400, "AccessDeniedException"));
    // Calls of CloudTrail are answered here, by the same policy.
    let mut own = typed(&server, "cloudtrail", "CloudTrail_20131101.ListTrails", "{}");
    own.sign(&ANA);
    assert_eq!(own.send(&server.url).await.status, 200);
    let records = recorded(&server).await;
    let refused = records.iter().filter(|record| record.get("errorCode").is_some());
    let refused: Vec<_> = refused.map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(refused, ["CreateQueue", "CreateUser", "DescribeVpcs", "DeleteFunction20150331"]);
    let create = records.iter().find(|record| record["eventName"] == "CreateUser").unwrap();
    assert_eq!(create["errorCode"], "AccessDenied");
    assert_eq!(create["userIdentity"]["userName"], "ana");
    assert_eq!(
        create["errorMessage"],
        "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: iam:CreateUser because no \
         identity-based policy allows the iam:CreateUser action"
    );
}

#[tokio::test]
async fn a_known_key_is_enough_where_signatures_are_not_checked() {
    let upstream = Upstream::start().await;
    let (server, _secrets) = signed_server(&[
        ("recorder.upstream", &upstream.url),
        ("auth.proxy", "true"),
        ("auth.mode", "known"),
    ])
    .await;
    let sent = async |key: &Key| {
        let mut request = typed(&server, "sqs", "AmazonSQS.ListQueues", "{}");
        request.sign(key);
        upstream.will_say("200 OK", "application/json", "{}");
        code(&request.send(&server.url).await).to_owned()
    };
    assert_eq!(sent(&WRONG).await, "");
    assert_eq!(sent(&Key { id: "AKIABOB", ..ANA }).await, "UnrecognizedClientException");
}

#[tokio::test]
async fn of_s3_calls_everything_that_they_do_has_to_be_allowed() {
    let allow =
        |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let (server, upstream, _secrets) = in_front(Some(json!([
        allow("s3:*", "arn:aws:s3:::box/ana/*"),
        allow("s3:GetObject", "arn:aws:s3:::box/public/*"),
        allow("s3:Delete*", "*"),
        {"Effect": "Deny", "Action": ["s3:DeleteObject", "s3:PutObjectTagging"], "Resource": "arn:aws:s3:::box/ana/kept"},
    ])))
    .await;
    let status = async |mut request: Request, headers: &[(&str, &str)]| {
        for (name, value) in headers {
            request.set(name, value);
        }
        request.sign(&ANA);
        upstream.will_say("200 OK", "application/xml", "");
        request.send(&server.url).await.status
    };
    let put = |path: &str| object(&server, "PUT", path, "");
    assert_eq!(status(put("/box/ana/a"), &[("x-amz-copy-source", "/box/public/a%20b")]).await, 200);
    assert_eq!(status(put("/box/ana/a"), &[("x-amz-copy-source", "box/ana/a")]).await, 200);
    assert_eq!(status(put("/box/ana/a"), &[("x-amz-copy-source", "/box/bob/a")]).await, 403);
    assert_eq!(status(put("/box/ana/a"), &[("x-amz-copy-source", "/box/public/a?versionId=1")]).await, 403);
    let point = "arn:aws:s3:us-east-1:111122223333:accesspoint/a/object/box/ana/a";
    assert_eq!(status(put("/box/ana/a"), &[("x-amz-copy-source", point)]).await, 403);
    assert_eq!(status(put("/box/ana/kept"), &[]).await, 200);
    assert_eq!(status(put("/box/ana/kept"), &[("x-amz-tagging", "a=b")]).await, 403);
    assert_eq!(status(object(&server, "DELETE", "/box/ana/a", ""), &[]).await, 200);
    assert_eq!(status(object(&server, "DELETE", "/box/ana/kept", ""), &[]).await, 403);
    // Which objects a list names is in its body, which goes through unread: one of them may be denied.
    let mut many = object(&server, "POST", "/box", "<Delete><Object><Key>ana/kept</Key></Object></Delete>");
    many.query = "delete=".into();
    assert_eq!(status(many, &[]).await, 403);
}

/// Long bodies take no memory while they come: they are kept in the data folder, without a name, and go on from there.
#[tokio::test]
async fn a_long_body_goes_on_whole_whatever_others_send_meanwhile() {
    let (server, upstream, _secrets) = in_front(None).await;
    // Each begins a body of the longest size, and sends no more.
    let mut others = Vec::new();
    for _ in 0..5 {
        let mut begun = typed(&server, "lambda", "AWSLambda.CreateFunction", "");
        begun.set("content-length", "83886080");
        begun.sign(&WRONG);
        let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
        let lines = begun
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}\r\n", String::from_utf8_lossy(value)));
        let head = format!("POST / HTTP/1.1\r\n{}\r\n", lines.collect::<String>());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; 1_500_000]).await.unwrap();
        others.push(stream);
    }
    for length in [1_000_000, 1_048_576, 1_048_577, 5_000_000] {
        let package = "QUJD".repeat(length / 4);
        let body = format!(r#"{{"FunctionName":"f","Code":{{"ZipFile":"{package}"}}}}"#);
        let mut request = request(&server, "lambda", "POST", "/2015-03-31/functions");
        request.set("content-type", "application/json");
        request.body = body.into_bytes();
        request.sign(&ANA);
        upstream.will_say("201 Created", "application/json", "{}");
        assert_eq!(request.send(&server.url).await.status, 201, "{length}");
        let seen = upstream.seen().pop().unwrap();
        assert!(seen.body == request.body, "{length}: {} bytes arrived", seen.body.len());
        assert_eq!(seen.header("content-length"), Some(request.body.len().to_string().as_str()));
    }
    let mut wrong = form(&server, "iam", &format!("Action=CreateUser&UserName={}", "a".repeat(3_000_000)));
    wrong.sign(&WRONG);
    assert_eq!(code(&wrong.send(&server.url).await), "SignatureDoesNotMatch");
    drop(others);
}
