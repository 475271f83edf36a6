//! What the server says when it starts and while it runs, and what it never says.

use super::{Contrail, contrail, event, now};
use crate::support::http;
use crate::support::upstream::Upstream;
use serde_json::{Value, json};
use std::path::Path;

/// Stops a server; all that it logged.
fn log(server: Contrail) -> Vec<String> {
    server.process.signal("TERM");
    let outcome = server.process.ended();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.stderr.lines().map(str::to_owned).collect()
}

#[test]
fn the_banner_tells_where_what_and_how() {
    let folder = tempfile::tempdir().unwrap();
    let none = "  lookups list nothing yet: no trail is logging (--era today lists calls without one)\n";
    for (era, other, lookups) in [("2015", "today", none), ("today", "2015", "")] {
        let server = Contrail::start_with(folder.path(), &["--era", era, "--account", "000000000012"]);
        let Contrail { url, banner, .. } = &server;
        assert!(!url.ends_with(":0"), "{url}");
        assert_eq!(
            *banner,
            format!(
                "Contrail {} listens on {url}\n  data    {}\n  era     {era} (the other one: --era {other})\n\
                 {lookups}  account 000000000012\n  console {url}/_contrail/\n\nTo use it, paste into another terminal:\n  \
                 export AWS_ENDPOINT_URL_CLOUDTRAIL={url} AWS_ENDPOINT_URL_S3={url}\n  export AWS_ACCESS_KEY_ID=test \
                 AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1\n\n",
                env!("CARGO_PKG_VERSION"),
                folder.path().display()
            )
        );
    }
}

#[tokio::test]
async fn the_banner_warns_of_empty_lookups_only_while_no_trail_is_logging() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    assert!(server.banner.contains("no trail is logging"), "{}", server.banner);
    server.call("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"})).await;
    server.call("StartLogging", json!({"Name": "demo"})).await;
    server.stop();
    let server = Contrail::start(folder.path());
    assert!(!server.banner.contains("no trail is logging"), "{}", server.banner);
}

#[tokio::test]
async fn in_front_of_an_emulator_the_banner_names_it_and_the_log_says_once_that_it_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let upstream = format!("http://user:secret@{closed}");
    let server = Contrail::start_with(folder.path(), &["--upstream", &upstream, "--strict", "--data-events"]);
    let Contrail { url, banner, .. } = &server;
    assert!(banner.contains(&format!("  forwards to http://{closed}\n")), "{banner}");
    assert!(banner.contains(&format!("  export AWS_ENDPOINT_URL={url}\n")), "{banner}");
    let shown: Value =
        http().get(format!("{url}/_contrail/server")).send().await.unwrap().json().await.unwrap();
    let recorder = &shown["settings"]["recorder"];
    assert_eq!((&recorder["strict"], &recorder["data_events"]), (&json!(true), &json!(true)), "{shown}");
    for _ in 0..3 {
        assert_eq!(http().get(format!("{url}/bucket")).send().await.unwrap().status(), 503);
    }
    let lines = log(server);
    assert_eq!(lines.iter().filter(|line| line.contains("does not answer")).count(), 1, "{lines:?}");
    assert!(!lines.concat().contains("secret"), "{lines:?}");
}

#[tokio::test]
async fn an_emulator_that_answers_for_another_account_is_noticed_once() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = Upstream::start().await;
    let server = Contrail::start_with(folder.path(), &["--upstream", &upstream.url]);
    // Whoever has an account as a key means it.
    let calls = [
        ("111122223333", "123456789012"),
        ("test", "000000000000"),
        ("test", "123456789012"),
        ("test", "123456789012"),
    ];
    for (key, account) in calls {
        let answer = format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{account}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        upstream.will_say("200 OK", "text/xml", &answer);
        let request = http().post(&server.url).header("content-type", "application/x-www-form-urlencoded");
        let scope = format!("Credential={key}/20261122/us-east-1/sts/aws4_request");
        let request = request.header("authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"));
        request.body("Action=GetCallerIdentity&Version=2011-06-15").send().await.unwrap();
    }
    let lines = log(server);
    let hints: Vec<_> = lines.iter().filter(|line| line.contains("start with --account")).collect();
    assert_eq!(hints.len(), 1, "{lines:?}");
    assert!(hints[0].contains("--account 123456789012") && hints[0].contains("000000000000"), "{hints:?}");
}

#[test]
fn a_relative_folder_is_shown_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = contrail(&["--port", "0"]);
    command.current_dir(folder.path());
    let server = Contrail::spawn(command);
    let data = folder.path().join("data").display().to_string();
    assert!(server.banner.contains(&format!("  data    {data}\n")), "{}", server.banner);
}

#[tokio::test]
async fn what_is_open_to_the_network_is_said_loudly_and_nothing_else() {
    let upstream = Upstream::start().await;
    let files = tempfile::tempdir().unwrap();
    let credentials = files.path().join("credentials");
    std::fs::write(&credentials, "[a]\naws_access_key_id = AKIAANA\naws_secret_access_key = secret\n")
        .unwrap();
    let credentials = credentials.display().to_string();
    let (paths, apis, emulator, plain) =
        ("under /_contrail/", "call AWS's APIs here", "call the upstream", "not encrypted");
    let signed =
        [("CONTRAIL__AUTH__MODE", "signed"), ("CONTRAIL__AUTH__CREDENTIALS_FILE", credentials.as_str())];
    let (tls, open) = (("CONTRAIL__TLS__ENABLED", "true"), ("CONTRAIL__AUTH__OWN_PATHS", "open"));
    let checked = ("CONTRAIL__AUTH__PROXY", "true");
    let front = ["--host", "0.0.0.0", "--upstream", &upstream.url];
    let cases = [
        (&["--host", "127.0.0.1"][..], vec![open], vec![]),
        (&front[..2], vec![], vec![apis, plain]),
        (&front[..2], vec![open], vec![paths, apis, plain]),
        (&front[..2], vec![tls], vec![apis]),
        (&front[..2], [&signed[..], &[tls]].concat(), vec![]),
        (&front[..], [&signed[..], &[tls]].concat(), vec![emulator]),
        (&front[..], [&signed[..], &[tls, checked]].concat(), vec![]),
    ];
    for (args, variables, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let mut command = contrail(&["--port", "0", "--data-dir", folder.path().to_str().unwrap()]);
        command.args(args).envs(variables.iter().copied());
        let server = Contrail::spawn(command);
        let is_warning = |line: &String| {
            line.contains(r#""level":"WARN""#) && line.contains(r#""target":"contrail::cli::serve""#)
        };
        let warned: Vec<_> = log(server).into_iter().filter(is_warning).collect();
        assert_eq!(warned.len(), expected.len(), "{args:?} {variables:?}: {warned:?}");
        for (line, part) in warned.iter().zip(expected) {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}

#[test]
fn where_callers_need_keys_of_their_own_the_banner_says_so() {
    let files = tempfile::tempdir().unwrap();
    let credentials = files.path().join("credentials");
    std::fs::write(&credentials, "[a]\naws_access_key_id = AKIAANA\naws_secret_access_key = secret\n")
        .unwrap();
    for (mode, keys) in [
        ("off", "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"),
        ("known", "AWS_ACCESS_KEY_ID=<yours> AWS_SECRET_ACCESS_KEY=test"),
        ("signed", "AWS_ACCESS_KEY_ID=<yours> AWS_SECRET_ACCESS_KEY=<yours>"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = contrail(&["--port", "0", "--data-dir", folder.path().to_str().unwrap()]);
        command.env("CONTRAIL__AUTH__MODE", mode).env("CONTRAIL__AUTH__CREDENTIALS_FILE", &credentials);
        let server = Contrail::spawn(command);
        assert!(server.banner.contains(&format!("  export {keys} AWS_DEFAULT_REGION")), "{}", server.banner);
        assert!(
            !server.banner.contains("tokens") && !server.banner.contains("AWS_CA_BUNDLE"),
            "{}",
            server.banner
        );
    }
}

#[test]
fn where_tokens_or_trust_are_needed_the_banner_says_where_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let mut command = contrail(&["--port", "0", "--data-dir", &data]);
    command.env("CONTRAIL__AUTH__OWN_PATHS", "token").env("CONTRAIL__TLS__ENABLED", "true");
    let server = Contrail::spawn(command);
    for line in [
        "  tokens  admin.token, read.token in the data folder, or the environment's\n".to_owned(),
        format!("  export AWS_CA_BUNDLE={data}/tls.crt\n\n"),
    ] {
        assert!(server.banner.contains(&line), "{}", server.banner);
    }
}

#[tokio::test]
async fn the_log_is_json_a_line_when_nobody_sits_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start_with(folder.path(), &["--log-level", "debug"]);
    // Line breaks and quotes of a caller stay inside their line.
    let reply = server.call("CreateTrail", json!({"Name": "a\nb\"c", "S3BucketName": "my-bucket"})).await;
    assert_eq!(reply.status, 400);
    let reply = server.call("Nothing\"Here", json!({})).await;
    assert_eq!(reply.status, 400);
    let id = reply.header("x-amzn-requestid").to_owned();
    let mut calls = 0;
    for line in log(server) {
        let entry: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        for member in ["timestamp", "level", "message", "target"] {
            assert!(entry[member].is_string(), "{member} is missing: {line}");
        }
        if entry["message"] == "call" && entry["request_id"] == id.as_str() {
            assert_eq!((&entry["account"], &entry["region"]), (&json!("000000000000"), &json!("us-east-1")));
            assert_eq!(entry["code"], "UnknownOperationException");
            calls += 1;
        }
    }
    assert_eq!(calls, 1);
}

#[test]
fn the_log_can_be_made_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let lines = log(Contrail::start_with(folder.path(), &["--log-format", "human"]));
    let line = lines.iter().find(|line| line.contains("listening")).unwrap();
    assert!(line.contains(" INFO contrail::cli::serve: listening address=127.0.0.1:"), "{line}");
    assert!(lines.iter().all(|line| !line.starts_with('{') && !line.contains('\u{1b}')), "{lines:#?}");
}

#[test]
fn the_log_can_be_made_quiet() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(log(Contrail::start_with(folder.path(), &["--log-level", "error"])), Vec::<String>::new());
}

/// Files of a data folder in which `text` stands.
fn kept_in(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn secrets_of_callers_are_never_logged_nor_kept() {
    const SIGNATURE: &str = "5ec2e75164a7u2e0f7e57";
    const TOKEN: &str = "5ec2e770cen0f7e57";
    const KEY: &str = "AKIAKN0WNT0A11";
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start_with(folder.path(), &["--log-level", "trace", "--era", "today"]);
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/20261122/us-east-1/cloudtrail/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={SIGNATURE}"
    );
    let presigned = format!(
        "X-Amz-Credential={KEY}%2F20261122%2Fus-east-1%2Fcloudtrail%2Faws4_request&X-Amz-Signature={SIGNATURE}&\
         X-Amz-Security-Token={TOKEN}"
    );
    let bad = format!("AWS4-HMAC-SHA256 Credential={KEY}/nonsense, Signature={SIGNATURE}");
    for (operation, input) in [
        ("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"})),
        ("CreateTrail", json!({"Name": "?", "S3BucketName": "my-bucket"})),
        ("LookupEvents", json!({})),
        ("Nothing", json!({})),
        ("CreateTrail", json!(["not an object"])),
    ] {
        let to = |url: String| {
            http()
                .post(url)
                .header("content-type", "application/x-amz-json-1.1")
                .header("x-amz-target", format!("CloudTrail_20131101.{operation}"))
                .body(input.to_string())
        };
        for authorization in [&authorization, &bad] {
            let request = to(server.url.clone()).header("authorization", authorization);
            request.header("x-amz-security-token", TOKEN).send().await.unwrap();
        }
        to(format!("{}/?{presigned}", server.url)).send().await.unwrap();
    }
    let intake = http().post(format!("{}/_contrail/events", server.url)).body(event(1).to_string());
    let intake = intake.header("authorization", &authorization).header("x-amz-security-token", TOKEN);
    assert_eq!(intake.send().await.unwrap().status(), 200);
    http().get(format!("{}/nothing?{presigned}", server.url)).send().await.unwrap();

    // While it runs (in the write-ahead log), and after it has stopped.
    for secret in [SIGNATURE, TOKEN] {
        assert_eq!(kept_in(folder.path(), secret), Vec::<String>::new(), "{}", now());
    }
    let log = log(server);
    assert!(log.iter().any(|line| line.contains("TRACE")), "there is no trace to look at");
    for secret in [SIGNATURE, TOKEN] {
        let found: Vec<_> = log.iter().filter(|line| line.contains(secret)).collect();
        assert!(found.is_empty(), "{found:#?}");
        assert_eq!(kept_in(folder.path(), secret), Vec::<String>::new());
    }
    // The search finds what is there: who it was is no secret.
    assert!(!kept_in(folder.path(), KEY).is_empty());
}
