//! What callers sign with is in no log and in no file, whatever is logged.

use super::{Contrail, contrail, now};
use crate::support::signer::{Key, Request, encoded, sha256};
use std::path::Path;

/// All files below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn secrets_tokens_and_signatures_are_in_no_log_and_in_no_file() {
    let (folder, secrets) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = |name: &str, text: &str| {
        let path = secrets.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let ana = Key { id: "AKIAANA", secret: "ana-hides-this", token: None };
    let ci = Key { id: "ASIACI", secret: "ci-hides-that", token: Some("ci/hides+this/token") };
    let (credentials, ci_secret) = (
        file("credentials", "[a]\naws_access_key_id=AKIAANA\naws_secret_access_key=ana-hides-this\n"),
        file("ci", ci.secret),
    );
    let config = file(
        "config.toml",
        &format!(
            "[auth]\nmode = \"signed\"\ncredentials_file = {credentials:?}\n[[identities]]\naccess_key = \"ASIACI\"\n\
             account = \"111122223333\"\nrole = \"deployer\"\nsession = \"ci\"\nsecret_file = {ci_secret:?}\n\
             session_token_file = {:?}\n",
            file("token", ci.token.unwrap())
        ),
    );
    let args = ["--port", "0", "--data-dir", folder.path().to_str().unwrap(), "--config", &config];
    let mut command = contrail(&args);
    command.args(["--log-level", "trace,s3s=trace"]);
    let server = Contrail::spawn(command);
    let mut hidden: Vec<String> = [&ana, &ci].iter().map(|key| key.secret.to_owned()).collect();
    hidden.extend([ci.token.unwrap().to_owned(), encoded(ci.token.unwrap().as_bytes())]);
    let request = |service: &str, method: &str, path: &str| {
        Request::new(service, method, path, server.address(), now().parse().unwrap())
    };
    for key in [
        ana.clone(),
        ci.clone(),
        Key { secret: "another-that-is-hidden", ..ana },
        Key { token: Some("another/token"), ..ci },
    ] {
        hidden.extend([key.secret.to_owned()].into_iter().chain(key.token.map(str::to_owned)));
        let mut calls = Vec::new();
        let mut create = request("cloudtrail", "POST", "/");
        create.set("content-type", "application/x-amz-json-1.1");
        create.set("x-amz-target", "CloudTrail_20131101.CreateTrail");
        create.body =
            format!("{{\"Name\": \"trail-of-{}\", \"S3BucketName\": \"my-bucket\"}}", key.id).into();
        calls.push(create);
        let mut who = request("sts", "POST", "/");
        who.set("content-type", "application/x-www-form-urlencoded");
        who.body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
        calls.push(who);
        let mut put = request("s3", "PUT", "/my-bucket/key");
        put.body = b"hello".to_vec();
        put.set("x-amz-content-sha256", sha256("hello"));
        calls.push(put);
        for mut call in calls {
            call.sign(&key);
            call.send(&server.url).await;
            hidden.push(call.seed());
        }
        let mut get = request("s3", "GET", "/my-bucket/key");
        get.payload_hash = Some("UNSIGNED-PAYLOAD".into());
        get.presign(&key, 60);
        get.send(&server.url).await;
        hidden.push(get.query.rsplit('=').next().unwrap().to_owned());
    }
    server.process.signal("TERM");
    let outcome = server.process.ended();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("TRACE"), "nothing is traced");
    assert!(outcome.stderr.contains("other users can read this file of secrets"));
    let log = ("the log", outcome.stderr.into_bytes());
    let files = files(folder.path())
        .into_iter()
        .map(|path| (path.display().to_string(), std::fs::read(path).unwrap()));
    let places: Vec<_> = std::iter::once((log.0.to_owned(), log.1)).chain(files).collect();
    assert!(places.iter().any(|(_, bytes)| contains(bytes, "trail-of-ASIACI")), "nothing is stored");
    for secret in hidden {
        assert!(secret.len() > 8, "{secret}");
        for (place, bytes) in &places {
            if contains(bytes, &secret) {
                let text = String::from_utf8_lossy(bytes);
                let line = text.lines().find(|line| line.contains(&secret)).unwrap_or_default();
                panic!("{secret} is in {place}: {line}");
            }
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}
