//! Who may call: access keys that are known, signatures that are right.

mod aws_door;
mod buckets;
mod credentials;
mod own_paths;
mod policies;
mod proxied;
mod random;
mod s3_door;
mod shared;
mod unclear;

use crate::support::signer::{Key, Request};
use crate::support::{TestServer, start_of_time};
use chrono::TimeDelta;
use std::path::Path;
use tempfile::TempDir;

const ANA: Key = Key { id: "AKIAANA", secret: "ana+secret/0123", token: None };
const CI: Key = Key { id: "ASIACI", secret: "ci-secret", token: Some("ci//token+0123==") };

/// A file with this text.
fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A server that checks signatures of a user, `ANA`, and of a role's session, `CI`, which ends after an hour.
async fn signed_server(more: &[(&'static str, &str)]) -> (TestServer, TempDir) {
    let secrets = tempfile::tempdir().unwrap();
    let folder = secrets.path();
    let ana = file(folder, "ana", &format!("{}\n", ANA.secret));
    let (ci, token) = (file(folder, "ci", CI.secret), file(folder, "token", CI.token.unwrap()));
    let mut settings = vec![
        ("auth.mode", "signed"),
        ("identities[0].access_key", ANA.id),
        ("identities[0].account", "111122223333"),
        ("identities[0].user", "ana"),
        ("identities[0].secret_file", ana.as_str()),
        ("identities[1].access_key", CI.id),
        ("identities[1].account", "111122223333"),
        ("identities[1].role", "deployer"),
        ("identities[1].session", "ci"),
        ("identities[1].secret_file", ci.as_str()),
        ("identities[1].session_token_file", token.as_str()),
        ("identities[1].expires", "2026-11-22T06:30:00Z"),
    ];
    settings.extend(more);
    (TestServer::with(&settings).await, secrets)
}

/// A request to `server` that is signed now.
fn request(server: &TestServer, service: &str, method: &str, path: &str) -> Request {
    Request::new(service, method, path, server.url.trim_start_matches("http://"), server.clock.now())
}

/// DescribeTrails, to be signed.
fn describe_trails(server: &TestServer) -> Request {
    let mut request = request(server, "cloudtrail", "POST", "/");
    request.set("content-type", "application/x-amz-json-1.1");
    request.set("x-amz-target", "CloudTrail_20131101.DescribeTrails");
    request.body = b"{}".to_vec();
    request
}

/// The beginning of time, some minutes later or earlier.
fn minutes(minutes: i64) -> chrono::DateTime<chrono::Utc> {
    start_of_time() + TimeDelta::minutes(minutes)
}
