//! TLS: certificates of the server's own and of others, what records say of it, and what does not speak it.

use crate::support::signer::{Key, Request};
use crate::support::tls::{Trust, certificate};
use crate::support::upstream::Upstream;
use crate::support::{Reply, TestServer, account};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const ANYBODY: Key = Key { id: "test", secret: "test", token: None };

fn own_certificate(server: &TestServer) -> PathBuf {
    server.folder.path().join("tls.crt")
}

async fn encrypted(more: &[(&'static str, &str)]) -> TestServer {
    TestServer::with(&[&[("tls.enabled", "true"), ("era", "today")], more].concat()).await
}

fn call(server: &TestServer, operation: &str, input: &Value) -> Request {
    let host = server.url.trim_start_matches("https://");
    let mut request = Request::new("cloudtrail", "POST", "/", host, server.clock.now());
    request.set("content-type", "application/x-amz-json-1.1");
    request.set("x-amz-target", format!("CloudTrail_20131101.{operation}"));
    request.body = input.to_string().into();
    request.sign(&ANYBODY);
    request
}

async fn trails(server: &TestServer, trust: &Trust) -> Reply {
    call(server, "DescribeTrails", &json!({})).send_over_tls(&server.url, trust).await
}

/// The records of a server, oldest first.
async fn records(server: &TestServer, trust: &Trust) -> Vec<Value> {
    server.settle().await;
    let host = server.url.trim_start_matches("https://");
    let mut request = Request::new("", "GET", "/_contrail/events", host, server.clock.now());
    request.query = format!("account={}", account("000000000000"));
    let reply = request.send_over_tls(&server.url, trust).await;
    reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_server_makes_a_certificate_that_clients_can_trust_and_records_say_what_was_spoken() {
    let server = encrypted(&[]).await;
    let certificate = own_certificate(&server);
    let trust = Trust::in_file(&certificate);
    assert_eq!(trails(&server, &trust).await.status, 200);
    let old = Trust::speaking(&certificate, &[&rustls::version::TLS12]);
    assert_eq!(trails(&server, &old).await.status, 200);
    let records = records(&server, &trust).await;
    let host = server.url.trim_start_matches("https://");
    let details = |version: &str, suite: &str| json!({"tlsVersion": version, "cipherSuite": suite, "clientProvidedHostHeader": host});
    let found: Vec<_> = records.iter().map(|record| record["tlsDetails"].clone()).collect();
    let key_exchange = |details: &Value| details["keyExchange"].clone();
    assert_eq!(found.iter().map(key_exchange).collect::<Vec<_>>(), ["X25519", "X25519"]);
    let mut shown = found;
    for details in &mut shown {
        details.as_object_mut().unwrap().remove("keyExchange");
    }
    assert_eq!(shown[0], details("TLSv1.3", "TLS_AES_256_GCM_SHA384"));
    assert_eq!(shown[1], details("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = std::fs::metadata(server.folder.path().join("tls.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_certificate_of_its_own_is_for_the_names_of_the_settings_and_is_kept() {
    let server = encrypted(&[("server.allowed_hosts", "trail.team.test, 192.0.2.7")]).await;
    let trust = Trust::in_file(&own_certificate(&server));
    let address = server.url.trim_start_matches("https://").to_owned();
    for name in ["localhost", "127.0.0.1", "::1", "trail.team.test", "192.0.2.7"] {
        assert!(trust.connect_as(&address, name).await.is_ok(), "{name}");
    }
    assert!(trust.connect_as(&address, "evil.test").await.is_err());
    let made = std::fs::read(own_certificate(&server)).unwrap();
    let server = server.restart_with(&[]).await;
    assert_eq!(std::fs::read(own_certificate(&server)).unwrap(), made);
    // Another name needs another certificate.
    let server = server.restart_with(&[("server.allowed_hosts", "other.team.test")]).await;
    assert_ne!(std::fs::read(own_certificate(&server)).unwrap(), made);
    let address = server.url.trim_start_matches("https://").to_owned();
    assert!(
        trust.connect_as(&address, "localhost").await.is_err(),
        "the old one is not trusted for the new one"
    );
    assert!(Trust::in_file(&own_certificate(&server)).connect_as(&address, "other.team.test").await.is_ok());
}

#[tokio::test]
async fn a_certificate_from_files_is_read_again_when_it_has_changed_and_a_broken_one_is_not_taken() {
    let files = tempfile::tempdir().unwrap();
    let (crt, key) = certificate(files.path(), "one.test");
    let server = encrypted(&[("tls.cert", &crt), ("tls.key", &key)]).await;
    let address = server.url.trim_start_matches("https://");
    let one = Trust::in_file(Path::new(&crt));
    assert!(one.connect_as(address, "one.test").await.is_ok());
    certificate(files.path(), "two.test");
    let two = Trust::in_file(Path::new(&crt));
    assert!(two.connect_as(address, "two.test").await.is_err(), "it is not read again by itself");
    let tls = server.tls.as_ref().unwrap();
    tls.reload().unwrap();
    assert!(two.connect_as(address, "two.test").await.is_ok());
    assert!(one.connect_as(address, "one.test").await.is_err());
    for (path, text) in [(&key, ""), (&crt, "no certificate")] {
        let good = std::fs::read(path).unwrap();
        std::fs::write(path, text).unwrap();
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains(&crt) && error.contains(&key), "{error}");
        std::fs::write(path, good).unwrap();
    }
    // A key that belongs to another certificate.
    let other = tempfile::tempdir().unwrap();
    let (_, other_key) = certificate(other.path(), "two.test");
    std::fs::copy(&other_key, &key).unwrap();
    assert!(tls.reload().is_err());
    assert!(two.connect_as(address, "two.test").await.is_ok(), "the one before is kept");
}

#[tokio::test]
async fn whoever_speaks_plain_http_is_told_that_the_port_speaks_tls() {
    let server = encrypted(&[]).await;
    let reply =
        call(&server, "DescribeTrails", &json!({})).send(server.url.trim_start_matches("https://")).await;
    assert_eq!(
        (reply.status, reply.json()["error"].as_str()),
        (400, Some("this port speaks TLS: its URL begins with https://"))
    );
}

#[tokio::test]
async fn a_port_can_speak_tls_and_plain_http_as_each_caller_does() {
    let upstream = Upstream::start().await;
    for more in [&[][..], &[("recorder.upstream", upstream.url.as_str())]] {
        let server = encrypted(&[&[("tls.plain_http", "true")], more].concat()).await;
        let trust = Trust::in_file(&own_certificate(&server));
        assert_eq!(trails(&server, &trust).await.status, 200);
        let address = server.url.trim_start_matches("https://");
        assert_eq!(call(&server, "ListTrails", &json!({})).send(address).await.status, 200);
        let records = records(&server, &trust).await;
        let spoken: Vec<_> =
            records.iter().map(|record| (&record["eventName"], record["tlsDetails"].is_object())).collect();
        assert_eq!(spoken, [(&json!("DescribeTrails"), true), (&json!("ListTrails"), false)]);
    }
}

#[tokio::test]
async fn a_certificate_of_its_own_is_for_buckets_before_its_names_too() {
    let server = encrypted(&[]).await;
    let trust = Trust::in_file(&own_certificate(&server));
    let address = server.url.trim_start_matches("https://");
    for name in [
        "localhost.localstack.cloud",
        "bucket.s3.localhost.localstack.cloud",
        "sqs.localhost.localstack.cloud",
    ] {
        assert!(trust.connect_as(address, name).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn in_front_of_an_emulator_it_is_the_same() {
    let upstream = Upstream::start().await;
    let server = encrypted(&[("recorder.upstream", &upstream.url)]).await;
    let trust = Trust::in_file(&own_certificate(&server));
    assert_eq!(trails(&server, &trust).await.status, 200);
    let host = server.url.trim_start_matches("https://");
    let mut create = Request::new("sqs", "POST", "/", host, server.clock.now());
    create.set("content-type", "application/x-amz-json-1.0");
    create.set("x-amz-target", "AmazonSQS.CreateQueue");
    create.body = br#"{"QueueName": "q"}"#.to_vec();
    create.sign(&ANYBODY);
    upstream.will_say("200 OK", "application/x-amz-json-1.0", "{}");
    assert_eq!(create.send_over_tls(&server.url, &trust).await.status, 200);
    let records = records(&server, &trust).await;
    let mut found: Vec<_> = records
        .iter()
        .map(|record| {
            (record["eventName"].as_str().unwrap(), record["tlsDetails"]["tlsVersion"].as_str().unwrap())
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, [("CreateQueue", "TLSv1.3"), ("DescribeTrails", "TLSv1.3")]);
    assert_eq!(records[0]["tlsDetails"]["clientProvidedHostHeader"], host);
}

#[tokio::test]
async fn policies_can_ask_for_tls_and_browsers_get_a_cookie_for_tls_only() {
    let files = tempfile::tempdir().unwrap();
    let policy = files.path().join("policy.json");
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": true}}});
    std::fs::write(&policy, json!({"Version": "2012-10-17", "Statement": statement}).to_string()).unwrap();
    let policy = policy.display().to_string();
    let settings = [
        ("auth.mode", "known"),
        ("auth.own_paths", "token"),
        ("identities[0].access_key", "test"),
        ("identities[0].account", "000000000000"),
        ("identities[0].user", "ana"),
        ("identities[0].policy_file", policy.as_str()),
    ];
    let plain = TestServer::with(&settings).await;
    assert_eq!(plain.call("DescribeTrails", json!({})).await.code(), "AccessDeniedException");
    let server = encrypted(&settings).await;
    let trust = Trust::in_file(&own_certificate(&server));
    assert_eq!(trails(&server, &trust).await.status, 200);
    let host = server.url.trim_start_matches("https://");
    let mut login = Request::new("", "POST", "/_contrail/login", host, server.clock.now());
    login.set("content-type", "application/x-www-form-urlencoded");
    let token = std::fs::read_to_string(server.folder.path().join("read.token")).unwrap();
    login.body = format!("token={}", token.trim()).into();
    let reply = login.send_over_tls(&server.url, &trust).await;
    assert!(reply.header("set-cookie").ends_with("; SameSite=Strict; Secure"), "{:?}", reply.headers);
}

#[tokio::test]
async fn a_certificate_of_its_own_that_is_over_soon_is_made_anew_at_a_start() {
    let server = encrypted(&[]).await;
    for (days, is_kept) in [(20, false), (40, true)] {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        let mut parameters = rcgen::CertificateParams::new(names).unwrap();
        let end = contrail::clock::Clock::system().now() + chrono::TimeDelta::days(days);
        let date = end.date_naive().to_string();
        let part = |at: std::ops::Range<usize>| date[at].parse::<u8>().unwrap();
        parameters.not_after = rcgen::date_time_ymd(date[..4].parse().unwrap(), part(5..7), part(8..10));
        let key = rcgen::KeyPair::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let written = parameters.self_signed(&key).unwrap().pem();
        std::fs::write(folder.path().join("tls.crt"), &written).unwrap();
        std::fs::write(folder.path().join("tls.key"), key.serialize_pem()).unwrap();
        let settings = [("tls.enabled", "true"), ("recorder.base_hosts", "localhost")]
            .map(|(key, value)| (key, value.to_owned()))
            .to_vec();
        let started = TestServer::on(folder, settings, server.clock.clone()).await;
        let found = std::fs::read_to_string(own_certificate(&started)).unwrap();
        assert_eq!(found == written, is_kept, "{days} days");
        assert!(trails(&started, &Trust::in_file(&own_certificate(&started))).await.status == 200);
    }
}
