//! SIGHUP: a server that speaks TLS reads its certificate again, and every server goes on.
#![cfg(unix)]

use super::{Contrail, contrail};
use crate::support::tls::{Trust, send_over};
use http_body_util::Full;
use std::path::Path;

#[tokio::test]
async fn a_new_certificate_is_taken_at_a_hangup_and_a_broken_one_is_not() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (certificate, key) = (files.path().join("crt"), files.path().join("key"));
    let make = || {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    };
    make();
    let mut command = contrail(&["--port", "0", "--data-dir", folder.path().to_str().unwrap()]);
    command.env("CONTRAIL__TLS__ENABLED", "true").env("CONTRAIL__TLS__CERT", &certificate);
    command.env("CONTRAIL__TLS__KEY", &key);
    let mut server = Contrail::spawn(command);
    let is_trusted = async |url: &str, trust: &Path| Trust::in_file(trust).connect(url).await.is_ok();
    let old = files.path().join("old");
    std::fs::copy(&certificate, &old).unwrap();
    let open = Trust::in_file(&old).connect(&server.url).await.unwrap();
    make();
    server.process.signal("HUP");
    server.process.logged("the certificate was read again");
    assert!(is_trusted(&server.url, &certificate).await);
    assert!(!is_trusted(&server.url, &old).await);
    let new = files.path().join("new");
    std::fs::copy(&certificate, &new).unwrap();
    std::fs::write(&certificate, "no certificate").unwrap();
    server.process.signal("HUP");
    let error = server.process.logged("the certificate before is kept");
    assert!(error.contains("cannot use the certificate"), "{error}");
    assert!(is_trusted(&server.url, &new).await);
    let health = http::Request::get("/_contrail/health").header("host", "localhost");
    let reply = send_over(open, health.body(Full::default()).unwrap()).await;
    assert_eq!(reply.status, 200, "what was open goes on");
    server.stop();
}

/// `systemctl reload`, a rotation of logs and a terminal that closes send it.
#[tokio::test]
async fn a_hangup_does_not_end_a_server_without_tls() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Contrail::start(folder.path());
    server.process.signal("HUP");
    server.process.logged("there is nothing to read again");
    assert_eq!(server.get("/_contrail/health").await.status, 200);
    server.stop();
}
