//! `contrail doctor`: what works, and of what does not the cause.

use super::{Contrail, Outcome, contrail, database, ndjson, run};
use contrail::database_file::{Depth, Schema, Soundness, examine};
use serde_json::json;
use std::io::{Seek, SeekFrom, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn doctor(folder: &Path, args: &[&str]) -> Command {
    let mut command = contrail(&["doctor", "--data-dir", folder.to_str().unwrap()]);
    command.args(args);
    command
}

/// The page, whose only failures are these, in the words behind their subjects.
fn fails(command: Command, expected: &[&str]) -> Outcome {
    let outcome = run(command);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""), "{outcome:?}");
    let found: Vec<&str> =
        outcome.stdout.lines().filter_map(|line| line.strip_prefix("  FAILS    ")).collect();
    assert_eq!(found.len(), expected.len(), "{}", outcome.stdout);
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{expected:?} is not in {found:?}");
    }
    outcome
}

/// A page without failures, and with so many warnings.
fn works(command: Command, warnings: usize) -> String {
    let outcome = run(command);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    assert!(outcome.stdout.contains("\n0 of "), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.matches("\n  warning  ").count(), warnings, "{}", outcome.stdout);
    outcome.stdout
}

/// A port that was free a moment ago.
fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

#[tokio::test]
async fn a_server_that_works_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let page = works(doctor(&folder.path().join("data"), &["--port", &free_port()]), 0);
    assert!(
        page.contains("is made at the first start") && page.contains("none runs on this data folder"),
        "{page}"
    );
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson(1..=3)).await.status, 200);
    let page = works(doctor(folder.path(), &[]), 0);
    let version = env!("CARGO_PKG_VERSION");
    assert!(page.starts_with(&format!("Contrail {version} on ")), "{page}");
    for line in [
        "contrail.db is sound",
        "buckets.db is sound",
        "3 events; 0 trails, 0 of them logging; 0 events to deliver",
        &format!("available: Contrail {version} at {}, era 2015", server.url),
    ] {
        assert!(page.contains(line), "{line} is not in {page}");
    }
}

#[test]
fn settings_are_named_with_their_source_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contrail.toml");
    let text = "era = \"today\"\n[delivery]\nwebhook = \"http://me:5ecret@hook.test/5ecret\"\n[recorder.upstreams]\n\
                s3 = \"http://me:5ecret@127.0.0.1:9\"\n[[identities]]\naccess_key = \"AKIAANA\"\n\
                account = \"111122223333\"\nuser = \"ana\"";
    std::fs::write(&file, text).unwrap();
    let port = free_port();
    let mut command =
        doctor(&folder.path().join("data"), &["--config", file.to_str().unwrap(), "--port", &port]);
    command.env("CONTRAIL_LOG_LEVEL", "warn").env("CONTRAIL__LIMITS__IMPORTS", "3");
    command.env("CONTRAIL_ADMIN_TOKEN", "5ecret-5ecret-5ecret");
    let page = works(command, 0);
    let file = file.display();
    for line in [
        format!("era = \"today\"  ({file})"),
        format!("delivery.webhook = \"http://hook.test\"  ({file})"),
        format!("identities = 1  ({file})"),
        format!("server.port = {port}  (flag)"),
        "server.log_level = \"warn\"  (environment)".to_owned(),
        "limits.imports = 3  (CONTRAIL__LIMITS__IMPORTS)".to_owned(),
    ] {
        assert!(page.contains(&format!("  {line}\n")), "{line} is not in {page}");
    }
    assert!(page.contains("  recorder.upstreams = "), "{page}");
    assert!(!page.contains("5ecret") && !page.contains("AKIAANA"), "{page}");
    assert!(!page.contains("retention_days"), "what is built in is left out: {page}");
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = doctor(folder.path(), &[]);
    command.env("CONTRAIL__LIMITS__IMPORTS", "many");
    fails(command, &["limits.imports"]);
    let mut command = doctor(folder.path(), &["--port", &free_port()]);
    command
        .env("CONTRAIL__AUTH__MODE", "signed")
        .env("CONTRAIL__AUTH__CREDENTIALS_FILE", "/nowhere/credentials");
    fails(command, &["/nowhere/credentials"]);
    let mut command = doctor(folder.path(), &["--port", &free_port()]);
    command.env("CONTRAIL__TLS__ENABLED", "true").env("CONTRAIL__TLS__CERT", "/nowhere/crt");
    command.env("CONTRAIL__TLS__KEY", "/nowhere/key");
    fails(command, &["cannot use the certificate /nowhere/crt"]);
    let mut command = doctor(folder.path(), &["--port", &free_port()]);
    command.env("CONTRAIL__RECORDER__UPSTREAM_CA", "/nowhere/ca.pem");
    fails(command, &["recorder.upstream_ca: /nowhere/ca.pem: No such file"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    fails(doctor(folder.path(), &["--port", &port]), &[&format!("cannot listen on 127.0.0.1:{port}: ")]);
}

#[tokio::test]
async fn a_database_that_is_damaged_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson(1..=500)).await.status, 200);
    server.stop();
    let mut file = std::fs::OpenOptions::new().write(true).open(folder.path().join("contrail.db")).unwrap();
    file.seek(SeekFrom::Start(20 * 8192)).unwrap();
    file.write_all(&[0xAA; 8192]).unwrap();
    let outcome = run(doctor(folder.path(), &["--port", &free_port()]));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let is_named = |line: &str| line.starts_with("  FAILS    database ") && line.contains("contrail.db: ");
    assert!(outcome.stdout.lines().any(is_named), "{}", outcome.stdout);
    std::fs::write(folder.path().join("buckets.db"), "no database, but long enough to look like one")
        .unwrap();
    let outcome = run(doctor(folder.path(), &["--port", &free_port()]));
    assert!(outcome.stdout.contains("buckets.db: "), "{}", outcome.stdout);
}

#[tokio::test]
async fn a_destination_that_fails_is_named_with_what_the_service_says() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    server.call("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"})).await;
    server.call("StartLogging", json!({"Name": "demo"})).await;
    server.call("UpdateTrail", json!({"Name": "demo", "S3KeyPrefix": "audit"})).await;
    let client = crate::support::http();
    assert_eq!(client.delete(format!("{}/my-bucket", server.url)).send().await.unwrap().status(), 409);
    let listed = server.get("/my-bucket?list-type=2").await.text;
    for key in listed.split("<Key>").skip(1).map(|rest| rest.split('<').next().unwrap()) {
        assert_eq!(
            client.delete(format!("{}/my-bucket/{key}", server.url)).send().await.unwrap().status(),
            204
        );
    }
    assert_eq!(client.delete(format!("{}/my-bucket", server.url)).send().await.unwrap().status(), 204);
    let flush = run(contrail(&["flush", "--url", &server.url]));
    assert_eq!(flush.code, Some(1), "{flush:?}");
    assert!(flush.stderr.contains("NoSuchBucket"), "{flush:?}");
    fails(
        doctor(folder.path(), &[]),
        &["log file of trail demo of account 000000000000, us-east-1: 1 failure in a row, last NoSuchBucket"],
    );
}

#[tokio::test]
async fn a_clock_that_was_set_back_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson([1])).await.status, 200);
    server.stop();
    let mut database = database(folder.path()).await;
    let ahead = sqlx::query("UPDATE events SET stored_at = stored_at + 3600000");
    ahead.execute(&mut database).await.unwrap();
    sqlx::Connection::close(database).await.unwrap();
    fails(doctor(folder.path(), &["--port", &free_port()]), &["it was set back"]);
}

/// Nothing is wrong with it, and nothing is counted in tables that it does not have yet.
#[tokio::test]
async fn a_database_of_an_older_version_works() {
    let folder = tempfile::tempdir().unwrap();
    Contrail::start(folder.path()).stop();
    let mut database = database(folder.path()).await;
    for statement in ["DELETE FROM _sqlx_migrations WHERE version > 7", "DROP TABLE event_counts"] {
        sqlx::query(statement).execute(&mut database).await.unwrap();
    }
    sqlx::Connection::close(database).await.unwrap();
    let page = works(doctor(folder.path(), &["--port", &free_port()]), 0);
    assert!(
        page.contains("it was written by an older contrail; the next start brings it up to date"),
        "{page}"
    );
}

#[tokio::test]
async fn a_database_that_lacks_a_table_is_named() {
    let folder = tempfile::tempdir().unwrap();
    Contrail::start(folder.path()).stop();
    let mut database = database(folder.path()).await;
    sqlx::query("DROP TABLE event_counts").execute(&mut database).await.unwrap();
    sqlx::Connection::close(database).await.unwrap();
    fails(doctor(folder.path(), &["--port", &free_port()]), &["event_counts"]);
}

#[cfg(unix)]
#[test]
fn a_server_that_does_not_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    server.process.signal("STOP");
    let outcome =
        fails(doctor(folder.path(), &[]), &["the one that uses this data folder: it does not answer"]);
    assert!(outcome.stdout.contains("contrail.db is sound"), "{}", outcome.stdout);
    server.process.signal("CONT");
}

#[test]
fn an_endpoint_that_leads_elsewhere_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    let mut command = doctor(folder.path(), &[]);
    command.env("AWS_ENDPOINT_URL", "http://me:5ecret@moto:5000");
    command.env("AWS_ENDPOINT_URL_S3", server.url.replace("127.0.0.1", "localhost"));
    command.env("AWS_ENDPOINT_URL_STS", "127 0 0 1");
    let page = works(command, 2);
    assert!(page.contains("AWS_ENDPOINT_URL_STS is no URL"), "{page}");
    let elsewhere = format!("AWS_ENDPOINT_URL leads elsewhere: http://moto:5000, not {}\n", server.url);
    assert!(page.contains(&elsewhere) && page.contains("AWS_ENDPOINT_URL_S3 leads to this server"), "{page}");
    assert!(!page.contains("5ecret"), "{page}");
}

/// A file of some GB would take minutes on a slow disk.
#[tokio::test]
async fn a_database_is_read_for_a_while_only_unless_all_of_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson(1..=2000)).await.status, 200);
    let (path, kind) = (folder.path().join("contrail.db"), contrail::store::database_kind());
    for (depth, is_whole) in
        [(Depth::Quick(Duration::ZERO), false), (Depth::Quick(super::DEADLINE), true), (Depth::Whole, true)]
    {
        assert_eq!(
            examine(&path, kind, depth).await,
            Soundness { problems: Vec::new(), is_whole, schema: Schema::Known },
            "{depth:?}"
        );
    }
    let page = works(doctor(folder.path(), &["--whole"]), 0);
    assert!(page.contains("contrail.db is sound"), "{page}");
}
