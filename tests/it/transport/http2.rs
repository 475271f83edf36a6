//! HTTP/2, with callers that speak nothing else.

use crate::support::tls::Trust;
use crate::support::upstream::Upstream;
use crate::support::{Reply, TestServer};
use contrail::proxy::door::Door;
use contrail::transport::application::Application;
use contrail::transport::stream::{Connection, Protocol, Stream};
use futures_util::future::join_all;
use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

type Sender = SendRequest<Full<Bytes>>;

async fn speak<S>(stream: S) -> Sender
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    sender
}

/// A connection to a server, begun without asking whether it knows HTTP/2.
async fn connect(server: &TestServer) -> Sender {
    speak(TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap()).await
}

/// A call to a host, signed for a service.
fn call(host: &str, service: &str, target: &str, body: &str) -> Request<Full<Bytes>> {
    let scope = format!("Credential=test/20261122/us-east-1/{service}/aws4_request");
    Request::post(format!("http://{host}/"))
        .version(Version::HTTP_2)
        .header("content-type", "application/x-amz-json-1.1")
        .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"))
        .header("x-amz-target", target)
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap()
}

fn describe_trails() -> Request<Full<Bytes>> {
    call("trail.test", "cloudtrail", "CloudTrail_20131101.DescribeTrails", "{}")
}

async fn send(sender: &Sender, request: Request<Full<Bytes>>) -> Reply {
    let reply = sender.clone().send_request(request).await.unwrap();
    assert_eq!(reply.version(), Version::HTTP_2);
    let (parts, body): (_, Incoming) = reply.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    Reply { status: parts.status.as_u16(), headers: parts.headers, text }
}

#[tokio::test]
async fn calls_are_answered_many_at_a_time_on_one_connection() {
    let server = TestServer::with(&[("era", "today")]).await;
    let sender = connect(&server).await;
    let replies = join_all((0..50).map(|_| send(&sender, describe_trails()))).await;
    for reply in replies {
        assert_eq!((reply.status, reply.json()["trailList"].clone()), (200, json!([])), "{}", reply.text);
    }
    assert_eq!(server.records().await.len(), 50);
}

#[tokio::test]
async fn an_answer_that_goes_on_does_not_keep_others_waiting() {
    let server = TestServer::start().await;
    let host = server.url.trim_start_matches("http://").to_owned();
    let sender = connect(&server).await;
    let live = Request::get(format!("http://{host}/_contrail/events/stream?account=000000000000"));
    let live = live.body(Full::new(Bytes::new())).unwrap();
    let mut events = sender.clone().send_request(live).await.unwrap().into_body();
    assert_eq!(send(&sender, describe_trails()).await.status, 200);
    let mut heard = String::new();
    while !heard.contains("DescribeTrails") {
        let frame = events.frame().await.expect("the stream goes on").unwrap();
        heard.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
}

#[tokio::test]
async fn upstreams_get_calls_as_they_would_in_http_1() {
    let upstream = Upstream::start().await;
    let server = TestServer::with(&[("recorder.upstream", &upstream.url)]).await;
    let sender = connect(&server).await;
    let mut create = call("sqs.test:99", "sqs", "AmazonSQS.CreateQueue", "{\"QueueName\": \"q\"}");
    for crumb in ["a=1", "b=2"] {
        create.headers_mut().append("cookie", crumb.parse().unwrap());
    }
    upstream.will_say("200 OK", "application/x-amz-json-1.0", "{\"QueueUrl\": \"http://q\"}");
    let reply = send(&sender, create).await;
    assert_eq!((reply.status, reply.json()["QueueUrl"].as_str()), (200, Some("http://q")));
    let seen = &upstream.seen()[0];
    assert_eq!(seen.request_line(), "POST / HTTP/1.1");
    assert_eq!((seen.header("host"), seen.header("cookie")), (Some("sqs.test:99"), Some("a=1; b=2")));
    assert_eq!(seen.body, b"{\"QueueName\": \"q\"}");
    // Its own calls go on the same connection.
    assert_eq!(send(&sender, describe_trails()).await.status, 200);
    let names: Vec<_> = server.records().await.iter().map(|record| record["eventName"].clone()).collect();
    assert_eq!(names, ["CreateQueue", "DescribeTrails"]);
    // It does not say which of two hosts is meant.
    let mut unclear = call("sqs.test", "sqs", "AmazonSQS.ListQueues", "{}");
    unclear.headers_mut().insert("host", "other.test".parse().unwrap());
    assert_eq!(send(&sender, unclear).await.status, 400);
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn over_tls_it_is_spoken_with_callers_that_know_nothing_else() {
    let server = TestServer::with(&[("era", "today"), ("tls.enabled", "true")]).await;
    let trust = Trust::in_file(&server.folder.path().join("tls.crt"));
    let both = trust.knowing(&["h2", "http/1.1"]).connect(&server.url).await.unwrap();
    assert_eq!(both.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let stream = trust.knowing(&["h2"]).connect(&server.url).await.unwrap();
    let sender = speak(stream).await;
    assert_eq!(send(&sender, describe_trails()).await.status, 200);
    // Records are read over the same connection.
    let host = server.url.trim_start_matches("https://");
    server.settle().await;
    let events = Request::get(format!("https://{host}/_contrail/events?account=000000000000"));
    let events = send(&sender, events.body(Full::new(Bytes::new())).unwrap()).await;
    let record: serde_json::Value = serde_json::from_str(events.text.trim()).unwrap();
    assert_eq!(record["tlsDetails"]["clientProvidedHostHeader"], "trail.test");
}

#[tokio::test]
async fn a_greeting_may_come_in_pieces() {
    let server = TestServer::start().await;
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in [&b"P"[..], b"RI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\x04\0\0\0\0\0"] {
        stream.write_all(piece).await.unwrap();
        stream.flush().await.unwrap();
    }
    // The server's settings: a frame of type 4 of stream 0.
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!((head[3], &head[5..]), (4, &[0, 0, 0, 0][..]));
}

#[tokio::test]
async fn a_connection_without_calls_is_closed() {
    let local = tokio::task::LocalSet::new();
    let closed = local.run_until(async {
        let application = Application::new(|_| {}, actix_http::KeepAlive::Os, None).await.unwrap();
        let shutdown = actix_web::dev::Server::build().graceful_shutdown_signal();
        let door = Door { proxy: None, idle: Duration::from_millis(20), application, shutdown };
        let connection = |stream| {
            let connection = Connection::new(Stream::Memory(stream), "127.0.0.1:9".parse().unwrap(), None);
            connection.with_protocol(Protocol::Http2)
        };
        let (ours, theirs) = tokio::io::duplex(4096);
        let (sender, ()) = tokio::join!(
            async {
                let sender = speak(ours).await;
                let request = Request::get("http://a/").body(Full::new(Bytes::new())).unwrap();
                assert_eq!(send(&sender, request).await.status, 404);
                sender
            },
            door.serve(connection(theirs)),
        );
        assert!(sender.is_closed());
        // One that does not even begin to speak.
        let (mut ours, theirs) = tokio::io::duplex(4096);
        ours.write_all(b"PRI").await.unwrap();
        door.serve(connection(theirs)).await;
    });
    tokio::time::timeout(Duration::from_secs(30), closed).await.expect("they are closed");
}
