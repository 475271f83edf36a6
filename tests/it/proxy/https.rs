//! Upstreams at https.

use super::{json_call, signed_by};
use crate::support::TestServer;
use crate::support::tls::certificate;
use crate::support::upstream::Upstream;
use contrail::clock::Clock;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// TLS before an upstream, with a certificate for `localhost` in a folder; its URL, and the file with the certificate.
async fn encrypted(upstream: &Upstream, folder: &Path) -> (String, String) {
    let (crt, key) = certificate(folder, "localhost");
    let chain = vec![CertificateDer::from_pem_file(&crt).unwrap()];
    let key = PrivateKeyDer::from_pem_file(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let behind = upstream.url.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut behind = TcpStream::connect(behind).await.unwrap();
                // Until either side is gone.
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
            });
        }
    });
    (url, crt)
}

#[tokio::test]
async fn an_upstream_at_https_gets_calls_as_they_were_sent() {
    let (upstream, files) = (Upstream::start().await, tempfile::tempdir().unwrap());
    let (url, crt) = encrypted(&upstream, files.path()).await;
    let settings = [("recorder.upstream", url.as_str()), ("recorder.upstream_ca", &crt)];
    let server = TestServer::with(&settings).await;
    upstream.will_say("200 OK", "application/x-amz-json-1.0", r#"{"QueueUrl": "http://q"}"#);
    let reply = json_call(&server, "sqs", "AmazonSQS.CreateQueue", "{\"QueueName\": \"q\"}").await;
    assert_eq!((reply.status, reply.json()["QueueUrl"].as_str()), (200, Some("http://q")));
    let seen = &upstream.seen()[0];
    assert_eq!(
        seen.header("host"),
        Some(server.url.trim_start_matches("http://")),
        "the caller's, not its own"
    );
    assert_eq!(seen.body, b"{\"QueueName\": \"q\"}");
    let record = &server.records().await[0];
    assert_eq!(record["eventName"], "CreateQueue");
    assert_eq!(record["tlsDetails"], serde_json::Value::Null, "the caller spoke plain HTTP");
}

#[tokio::test]
async fn connections_change_their_protocol_over_tls_too() {
    let (upstream, files) = (Upstream::start().await, tempfile::tempdir().unwrap());
    let (url, crt) = encrypted(&upstream, files.path()).await;
    let settings = [("recorder.upstream", url.as_str()), ("recorder.upstream_ca", &crt)];
    let server = TestServer::with(&settings).await;
    upstream.will_answer("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    let auth = signed_by("test", "sqs");
    let request = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: {auth}\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut heard).await.unwrap() > 0, "{heard:?}");
    }
    stream.write_all(b"over there").await.unwrap();
    let mut echo = [0; 10];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"over there");
}

#[tokio::test]
async fn an_upstream_with_an_untrusted_certificate_gets_nothing() {
    let (upstream, files) = (Upstream::start().await, tempfile::tempdir().unwrap());
    let (url, _) = encrypted(&upstream, files.path()).await;
    let other = tempfile::tempdir().unwrap();
    let (wrong, _) = certificate(other.path(), "localhost");
    let settings = [("recorder.upstream", url.as_str()), ("recorder.upstream_ca", &wrong)];
    let server = TestServer::with(&settings).await;
    let reply = json_call(&server, "sqs", "AmazonSQS.ListQueues", "{}").await;
    assert_eq!(reply.status, 503);
    assert!(reply.text.contains(&format!("The upstream {url} does not answer.")), "{}", reply.text);
    assert!(upstream.seen().is_empty());
}

#[tokio::test]
async fn a_file_without_a_certificate_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "nothing").unwrap();
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::on(data, Vec::new(), Clock::manual(crate::support::start_of_time())).await;
    let settings =
        [("recorder.upstream", "https://localhost:1"), ("recorder.upstream_ca", file.to_str().unwrap())];
    let refused = server.refused_restart_with(&settings).await;
    let file = file.display();
    assert_eq!(
        refused.to_string(),
        format!("bad config: recorder.upstream_ca: {file}: there is no certificate in it")
    );
}
