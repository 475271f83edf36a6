//! Nothing of a call changes on its way.

use super::{call, form_call, in_front, json_call, signed_by};
use crate::support::TestServer;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends raw bytes and reads until the other side closes.
async fn raw(server: &TestServer, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    String::from_utf8_lossy(&reply).into_owned()
}

/// Reads until the other side has said `last`.
async fn until(stream: &mut TcpStream, last: &str) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(last.as_bytes()) {
        assert!(stream.read_buf(&mut heard).await.unwrap() > 0, "closed after {heard:?}");
    }
    String::from_utf8(heard).unwrap()
}

#[tokio::test]
async fn target_host_headers_and_body_arrive_as_they_were_sent() {
    let (server, upstream) = in_front(&[]).await;
    let target = "/b-1//a%2Fb/../%C3%A9+c'd?x=%20&y&z==&list-type=2";
    let auth = signed_by("test", "s3");
    let request = format!(
        "PUT {target} HTTP/1.1\r\nHost: b-1.s3.example.test:9\r\nAuthorization: {auth}\r\nX-Amz-Meta-A: one\r\n\
         x-amz-META-a: two\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nx-AMZ-b: \r\nContent-Length: 5\r\n\r\nhello"
    );
    let reply = raw(&server, request.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    let seen = &upstream.seen()[0];
    assert_eq!(seen.request_line(), format!("PUT {target} HTTP/1.1"));
    assert_eq!(seen.header("host"), Some("b-1.s3.example.test:9"));
    assert_eq!(seen.header("authorization"), Some(auth.as_str()));
    assert_eq!(seen.body, b"hello");
    let headers: Vec<_> =
        seen.head.lines().skip(1).filter(|line| !line.starts_with("Authorization")).collect();
    let as_sent = [
        "Host: b-1.s3.example.test:9",
        "X-Amz-Meta-A: one",
        "x-amz-META-a: two",
        "x-AMZ-b:",
        "Content-Length: 5",
    ];
    assert_eq!(headers, as_sent, "in their order, and as they were written");
}

#[tokio::test]
async fn the_answer_comes_back_as_it_was_given() {
    let (server, upstream) = in_front(&[]).await;
    let head = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere.test/\r\ncontent-ENCODING: gzip\r\n\
                ETag: \"e\"\r\nx-amz-id-2: abc\r\nContent-Length: 8\r\nDate: Sun, 22 Nov 2026 05:30:00 GMT";
    upstream.will_answer(format!("{head}\r\nConnection: keep-alive\r\n\r\nnot-gzip"));
    let auth = signed_by("test", "s3");
    let request =
        format!("GET /b-1/k HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nConnection: close\r\n\r\n");
    let reply = raw(&server, request.as_bytes()).await;
    assert_eq!(reply, format!("{head}\r\nConnection: close\r\n\r\nnot-gzip"));
}

#[tokio::test]
async fn a_browser_is_told_that_the_emulators_pages_are_none_of_ours() {
    let (server, upstream) = in_front(&[]).await;
    let browser = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0");
    let answer = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}content-length: 2\r\n\r\nhi");
    let rules = |reply: &crate::support::Reply| {
        let rules = reply.headers.get_all("content-security-policy").into_iter();
        rules.map(|rule| rule.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let sandbox = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts";
    for (said, expected) in [
        ("", vec![sandbox]),
        ("content-security-policy: default-src 'self'\r\n", vec!["default-src 'self'", sandbox]),
    ] {
        upstream.will_answer(answer(said));
        let reply = call(&server, "s3", (Method::GET, "/b-1/page.html"), &[browser], "").await;
        assert_eq!(rules(&reply), expected);
    }
    upstream.will_answer(answer(""));
    let reply = call(&server, "s3", (Method::GET, "/b-1/page.html"), &[], "").await;
    assert!(rules(&reply).is_empty(), "programs get what the emulator says");
}

#[tokio::test]
async fn a_reply_without_a_date_or_a_length_gets_none() {
    let (server, upstream) = in_front(&[]).await;
    upstream.will_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    let auth = signed_by("test", "s3");
    let request =
        format!("GET /b-1/k HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nConnection: close\r\n\r\n");
    let reply = raw(&server, request.as_bytes()).await;
    let expected =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert_eq!(reply, expected);
}

#[tokio::test]
async fn an_answer_to_head_has_a_length_and_no_body() {
    let (server, upstream) = in_front(&[]).await;
    upstream.will_answer("HTTP/1.1 200 OK\r\ncontent-length: 12345\r\netag: \"e\"\r\n\r\n");
    let reply = call(&server, "s3", (Method::HEAD, "/b-1/k"), &[], "").await;
    assert_eq!((reply.status, reply.headers["content-length"].to_str().unwrap()), (200, "12345"));
    assert_eq!(reply.headers["etag"], "\"e\"");
}

#[tokio::test]
async fn large_bodies_pass_with_and_without_a_length() {
    let (server, upstream) = in_front(&[]).await;
    let body: Vec<u8> = (0..5_000_000u32).map(|i| (i % 251) as u8).collect();
    let reply = call(&server, "s3", (Method::PUT, "/b-1/long"), &[], body.clone()).await;
    assert_eq!(reply.status, 200);
    let pieces: Vec<_> = body.chunks(70_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let reply = call(&server, "s3", (Method::PUT, "/b-1/chunked"), &[], stream).await;
    assert_eq!(reply.status, 200);
    let seen = upstream.seen();
    assert!(seen.iter().all(|request| request.body == body));
    assert_eq!(seen[0].header("content-length"), Some("5000000"));
    assert_eq!(seen[1].header("transfer-encoding"), Some("chunked"));
}

#[tokio::test]
async fn clouds_own_calls_and_our_own_paths_do_not_pass() {
    let (server, upstream) = in_front(&[]).await;
    assert_eq!(server.call("DescribeTrails", serde_json::json!({})).await.status, 200);
    let unsigned = [
        ("x-amz-target", "CloudTrail_20131101.DescribeTrails"),
        ("content-type", "application/x-amz-json-1.1"),
    ];
    assert_eq!(call(&server, "cloudtrail", (Method::POST, "/"), &unsigned, "{}").await.status, 200);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let asked = "Action=DescribeTrails&Version=2013-11-01";
    let reply = call(&server, "cloudtrail", (Method::POST, "/"), &form, asked).await;
    assert!(reply.text.contains("<DescribeTrailsResult>"), "{}", reply.text);
    assert_eq!(server.get("/_contrail/health").await.json()["edition"], "contrail");
    assert_eq!(server.get("/_contrail/nothing").await.status, 404);
    assert!(upstream.seen().is_empty());
    assert_eq!(server.get("/_localstack/health").await.text, "{}");
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn a_service_may_have_a_server_of_its_own() {
    let other = crate::support::upstream::Upstream::start().await;
    let (server, upstream) = in_front(&[("recorder.upstreams.s3", &other.url)]).await;
    call(&server, "s3", (Method::GET, "/"), &[], "").await;
    json_call(&server, "sqs", "AmazonSQS.ListQueues", "{}").await;
    assert_eq!((other.seen().len(), upstream.seen().len()), (1, 1));
}

#[tokio::test]
async fn while_the_upstream_is_down_each_protocol_gets_its_own_503() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let upstream = format!("http://{nobody}");
    let settings = [("recorder.upstream", upstream.as_str()), ("recorder.data_events", "true")];
    let server = TestServer::with(&settings).await;
    let says = |reply: crate::support::Reply, what: &[&str]| {
        assert_eq!(reply.status, 503, "{}", reply.text);
        assert_eq!(reply.headers["x-amzn-errortype"], "ServiceUnavailable");
        for what in what {
            assert!(reply.text.contains(what), "{} has no {what}", reply.text);
        }
    };
    let json = json_call(&server, "sqs", "AmazonSQS.ListQueues", "{}").await;
    assert_eq!(json.headers["content-type"], "application/x-amz-json-1.0");
    says(json, &["\"__type\":\"ServiceUnavailable\""]);
    says(form_call(&server, "iam", "Action=ListUsers&Version=2010-05-08").await, &["<ErrorResponse><Error>"]);
    says(form_call(&server, "ec2", "Action=DescribeVpcs&Version=2016-11-15").await, &["<Response><Errors>"]);
    says(call(&server, "s3", (Method::GET, "/b-1"), &[], "").await, &["<Error><Code>ServiceUnavailable"]);
    says(call(&server, "lambda", (Method::GET, "/2015-03-31/functions"), &[], "").await, &["{\"__type\""]);
    let cbor = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
    let target = (Method::POST, "/service/GraniteServiceVersion20100801/operation/ListMetrics");
    let reply = call(&server, "monitoring", target, &cbor, "").await;
    assert_eq!(reply.headers["smithy-protocol"], "rpc-v2-cbor");
    says(reply, &["__typerServiceUnavailable"]);
    let recorded = server.records().await;
    let recorded: Vec<_> = recorded
        .iter()
        .map(|r| [&r["eventName"], &r["errorCode"]].map(|text| text.as_str().unwrap()))
        .collect();
    let unavailable = "ServiceUnavailable";
    assert_eq!(
        recorded,
        [
            ["ListQueues", unavailable],
            ["ListUsers", unavailable],
            ["DescribeVpcs", "Server.ServiceUnavailable"],
            ["ListObjects", unavailable],
            ["ListFunctions20150331", unavailable],
            ["ListMetrics", unavailable],
        ]
    );
}

#[tokio::test]
async fn an_upstream_that_goes_away_gives_503_until_it_is_back() {
    let (server, mut upstream) = in_front(&[]).await;
    let create = || json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{}");
    assert_eq!(create().await.status, 200);
    upstream.stop().await;
    for _ in 0..2 {
        assert_eq!(create().await.status, 503);
    }
    assert_eq!(server.get("/_contrail/health").await.status, 200);
    upstream.come_back().await;
    assert_eq!(create().await.status, 200);
    let records = server.records().await;
    let errors: Vec<_> = records.iter().map(|record| record["errorCode"].as_str()).collect();
    assert_eq!(errors, [None, Some("ServiceUnavailable"), Some("ServiceUnavailable"), None]);
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_the_forwarded_call_along() {
    let (server, upstream) = in_front(&[]).await;
    upstream.will_answer("");
    let auth = signed_by("test", "sqs");
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nX-Amz-Target: AmazonSQS.CreateQueue\r\n\
         Content-Length: 2\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    while upstream.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(stream);
    upstream.hung_up().await;
    while server.records().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let record = &server.records().await[0];
    assert_eq!((&record["eventName"], &record["responseElements"]), (&json!("CreateQueue"), &json!(null)));
}

#[tokio::test]
async fn a_caller_that_waits_for_the_word_to_send_its_body_gets_it() {
    let (server, upstream) = in_front(&[]).await;
    let auth = signed_by("test", "s3");
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "PUT /b-1/k HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nExpect: 100-continue\r\n\
         Content-Length: 5\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(until(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    assert!(until(&mut stream, "\r\n\r\n{}").await.starts_with("HTTP/1.1 200 OK\r\n"));
    let seen = &upstream.seen()[0];
    assert_eq!((seen.header("expect"), seen.body.as_slice()), (Some("100-continue"), &b"hello"[..]));
}

#[tokio::test]
async fn a_caller_that_stops_sending_its_body_is_told_so() {
    let (server, upstream) = in_front(&[("server.chunk_timeout", "50ms")]).await;
    let auth = signed_by("test", "s3");
    let head = format!(
        "PUT /b-1?acl HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nContent-Length: 50\r\n\r\nhalf"
    );
    let reply = raw(&server, head.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{reply}");
    assert!(reply.contains("<Error><Code>RequestTimeout</Code>"), "{reply}");
    assert_eq!(upstream.seen().len(), 0, "it has not got a whole request");
    let record = &server.records().await[0];
    assert_eq!(
        (&record["eventName"], &record["errorCode"]),
        (&json!("PutBucketAcl"), &json!("RequestTimeout"))
    );
}

#[tokio::test]
async fn an_offer_of_http2_is_not_taken() {
    let (server, upstream) = in_front(&[]).await;
    let http2 =
        [("connection", "upgrade, http2-settings"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABk")];
    assert_eq!(call(&server, "s3", (Method::GET, "/b-1"), &http2, "").await.status, 200);
    let seen = upstream.seen();
    assert_eq!((seen.len(), seen[0].header("upgrade"), seen[0].header("http2-settings")), (1, None, None));
}

#[tokio::test]
async fn a_web_socket_is_a_tunnel() {
    let (server, upstream) = in_front(&[]).await;
    // What follows the head is the new protocol; the upstream says a word and repeats what it hears.
    upstream.will_answer(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello ",
    );
    let auth = signed_by("test", "execute-api");
    let request = format!(
        "GET /dev HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nConnection: keep-alive, Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = until(&mut stream, "hello ").await;
    assert!(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{head}");
    assert!(head.to_lowercase().contains("\r\nupgrade: websocket\r\n"), "{head}");
    for word in ["one", "two"] {
        stream.write_all(word.as_bytes()).await.unwrap();
        assert_eq!(until(&mut stream, word).await, word);
    }
    let seen = &upstream.seen()[0];
    assert_eq!((seen.header("upgrade"), seen.header("connection")), (Some("websocket"), Some("Upgrade")));
}

#[tokio::test]
async fn an_upstream_that_knows_no_web_sockets_answers_as_ever() {
    let (server, upstream) = in_front(&[]).await;
    upstream.will_say("426 Upgrade Required", "text/plain", "no");
    let web_socket = [("connection", "upgrade"), ("upgrade", "websocket")];
    let reply = call(&server, "execute-api", (Method::GET, "/dev"), &web_socket, "").await;
    assert_eq!((reply.status, reply.text.as_str()), (426, "no"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_handed_on_as_whole() {
    let (server, upstream) = in_front(&[]).await;
    let auth = signed_by("test", "s3");
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    let head =
        format!("PUT /b-1/k HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\nContent-Length: 50\r\n\r\nhalf");
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    assert_eq!(call(&server, "s3", (Method::GET, "/b-1"), &[], "").await.status, 200);
    assert!(upstream.seen().iter().all(|request| request.request_line().starts_with("GET")));
}
