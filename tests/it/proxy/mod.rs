//! In front of another server: what passes, what is recorded.

mod callers;
mod data_events;
mod forwarding;
mod https;
mod queue;
mod recording;
mod sdk;
mod seen_at_once;
mod unclear;
mod unsigned;

use crate::support::upstream::Upstream;
use crate::support::{Reply, TestServer, http};
use contrail::clock::{Clock, Ids};
use contrail::config::Settings;
use contrail::server::{Server, bind};
use reqwest::Method;

/// A Contrail in front of a server, with some settings changed.
async fn in_front(more: &[(&'static str, &str)]) -> (TestServer, Upstream) {
    let upstream = Upstream::start().await;
    let mut settings = vec![("recorder.upstream", upstream.url.as_str())];
    settings.extend(more);
    (TestServer::with(&settings).await, upstream)
}

#[tokio::test]
async fn a_server_is_not_put_in_front_of_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::builtin(vec![("server.port", "0".into())]).unwrap();
    let listener = bind(&settings).unwrap();
    let upstream = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    settings.server.data_dir = folder.path().to_owned();
    settings.recorder.upstream = Some(upstream.clone());
    let refused = Server::build(settings, listener, Clock::system(), Ids::Random).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("the upstream {upstream} is this server itself"));
}

/// The `Authorization` header of a call to `service` by `access_key` in us-east-1.
fn signed_by(access_key: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/20261122/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// A call as SDKs send it, (headers, body) given, to a service in us-east-1.
async fn call(
    server: &TestServer,
    service: &str,
    (method, target): (Method, &str),
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Reply {
    let mut request = http()
        .request(method, format!("{}{target}", server.url))
        .header("authorization", signed_by("test", service));
    if !headers.iter().any(|(name, _)| *name == "user-agent") {
        request = request.header("user-agent", "contrail-test/1.0");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.body(body).send().await.unwrap()).await
}

/// A call of a service that speaks JSON.
async fn json_call(server: &TestServer, service: &str, target: &str, body: &str) -> Reply {
    let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.0")];
    call(server, service, (Method::POST, "/"), &headers, body.to_owned()).await
}

/// A call of a service that speaks the query protocol.
async fn form_call(server: &TestServer, service: &str, body: &str) -> Reply {
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    call(server, service, (Method::POST, "/"), &headers, body.to_owned()).await
}

/// The same by the holder of an access key.
async fn form_call_as(server: &TestServer, access_key: &str, service: &str, body: &str) -> Reply {
    let request = http()
        .post(&server.url)
        .header("authorization", signed_by(access_key, service))
        .header("content-type", "application/x-www-form-urlencoded");
    Reply::of(request.body(body.to_owned()).send().await.unwrap()).await
}
