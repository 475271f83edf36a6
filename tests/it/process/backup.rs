//! A data folder in one file, taken while its server runs, and a server on what is made of it.

use super::{Contrail, DEADLINE, Outcome, contrail, event_id, ndjson, run};
use crate::support::http;
use contrail::clock::Clock;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn backup(folder: &Path, file: &Path) -> Outcome {
    run(contrail(&["backup", file.to_str().unwrap(), "--data-dir", folder.to_str().unwrap()]))
}

fn restore(file: &Path, folder: &Path) -> Outcome {
    run(contrail(&["restore", file.to_str().unwrap(), "--data-dir", folder.to_str().unwrap()]))
}

/// The one line on stderr of a command that failed.
fn refused(outcome: &Outcome) -> &str {
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{outcome:?}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    outcome.stderr.trim_end()
}

/// How many digests are in the trail's bucket.
async fn digests(server: &Contrail) -> usize {
    server.get("/my-bucket?list-type=2").await.text.matches(".json.gz</Key>").count()
        - server
            .get("/my-bucket?list-type=2&prefix=AWSLogs/000000000000/CloudTrail/")
            .await
            .text
            .matches(".json.gz</Key>")
            .count()
}

/// Flushes until there are so many digests. The server's own workers may be faster than the flush.
async fn flush_until(server: &Contrail, wanted: usize) {
    let clock = Clock::system();
    while digests(server).await < wanted {
        assert!(clock.elapsed() < DEADLINE, "no digest is delivered");
        let outcome = run(contrail(&["flush", "--url", &server.url]));
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
}

/// A server with a trail that validates its files, some events, and a log file and a digest in the embedded bucket store.
async fn used(folder: &Path) -> Contrail {
    let server = Contrail::start_with(folder, &["--era", "today"]);
    let trail = json!({"Name": "demo", "S3BucketName": "my-bucket", "EnableLogFileValidation": true});
    server.call("CreateTrail", trail).await;
    server.call("StartLogging", json!({"Name": "demo"})).await;
    assert_eq!(server.import(ndjson(1..=20)).await.status, 200);
    flush_until(&server, 1).await;
    server
}

/// What a client sees of a server's past.
async fn seen(server: &Contrail) -> Vec<Value> {
    let mut seen = vec![server.call("ListPublicKeys", json!({})).await.json()];
    for query in
        ["events?event_name=RunInstances", "events?event_name=CreateTrail", "trails?account=000000000000"]
    {
        seen.push(server.get(&format!("/_contrail/{query}")).await.text.into());
    }
    seen.push(
        server
            .call(
                "LookupEvents",
                json!({"LookupAttributes": [
        {"AttributeKey": "EventName", "AttributeValue": "RunInstances"}]}),
            )
            .await
            .json(),
    );
    // The answer names the keys of log files and digests.
    seen.push(server.get("/my-bucket?list-type=2").await.text.into());
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_goes_on_from_a_backup_of_another() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = used(folder.path()).await;
    let before = seen(&server).await;
    let file = other.path().join("backup.tar");
    let outcome = backup(folder.path(), &file);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    assert!(outcome.stdout.contains(" events, 1 trail, "), "{outcome:?}");
    let restored = other.path().join("data");
    let outcome = restore(&file, &restored);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:?}");
    server.stop();
    let server = Contrail::start_with(&restored, &["--era", "today"]);
    assert_eq!(seen(&server).await, before);
    // The chain of digests goes on.
    let wanted = digests(&server).await + 1;
    server.call("UpdateTrail", json!({"Name": "demo", "S3KeyPrefix": ""})).await;
    flush_until(&server, wanted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_server_at_work_is_of_one_moment() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = used(folder.path()).await;
    let acknowledged = Arc::new(AtomicU32::new(20));
    let (url, counted) = (server.url.clone(), Arc::clone(&acknowledged));
    let working = tokio::spawn(async move {
        for first in (21..).step_by(10) {
            let request = http().post(format!("{url}/_contrail/events")).body(ndjson(first..first + 10));
            assert_eq!(request.send().await.unwrap().status(), 200);
            counted.store(first + 9, Ordering::SeqCst);
        }
    });
    while acknowledged.load(Ordering::SeqCst) < 200 {
        tokio::task::yield_now().await;
    }
    let before = acknowledged.load(Ordering::SeqCst);
    let (from, file) = (folder.path().to_owned(), other.path().join("backup.tar"));
    let to = file.clone();
    let outcome = tokio::task::spawn_blocking(move || backup(&from, &to)).await.unwrap();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    // One batch may have been committed and not acknowledged yet.
    let after = acknowledged.load(Ordering::SeqCst) + 10;
    assert!(before + 10 < after, "the server was not at work");
    working.abort();
    let restored = other.path().join("data");
    assert_eq!(restore(&file, &restored).code, Some(0));
    let server = Contrail::start(&restored);
    let ids = server.event_ids().await;
    let events = u32::try_from(ids.len()).unwrap() - 2;
    assert!((before..=after).contains(&events), "{events} of {before} to {after}");
    assert!(events.is_multiple_of(10), "half a batch: {events}");
    for id in 1..=events {
        assert_eq!(ids.get(&event_id(id)), Some(&1), "{id} of {events}");
    }
    let figures = server.get("/_contrail/server").await.json();
    assert_eq!(figures["events"], events + 2, "what is counted is what is there");
    assert_eq!(figures["waiting"]["to_be_delivered"], events - 20, "and what waits to be delivered");
}

#[tokio::test]
async fn a_folder_that_a_crash_left_behind_can_be_backed_up() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    used(folder.path()).await.kill();
    let file = other.path().join("backup.tar");
    assert_eq!(backup(folder.path(), &file).code, Some(0));
    // A later one takes its place.
    let first = std::fs::read(&file).unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson([100])).await.status, 200);
    assert_eq!(backup(folder.path(), &file).code, Some(0));
    assert!(std::fs::read(&file).unwrap() != first);
    let left: Vec<_> =
        std::fs::read_dir(other.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["backup.tar"], "nothing else is left behind");
}

/// It holds the keys that sign digests, and tokens.
#[cfg(unix)]
#[tokio::test]
async fn a_backup_and_what_is_restored_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut start = contrail(&["--port", "0", "--data-dir", folder.path().to_str().unwrap()]);
    start.env("CONTRAIL__AUTH__OWN_PATHS", "token").env("CONTRAIL__TLS__ENABLED", "true");
    let _server = Contrail::spawn(start);
    let (file, restored) = (other.path().join("backup.tar"), other.path().join("data"));
    assert_eq!(backup(folder.path(), &file).code, Some(0));
    assert_eq!(restore(&file, &restored).code, Some(0));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&restored)), (0o600, 0o700));
    for name in ["contrail.db", "buckets.db", "admin.token", "read.token", "tls.key"] {
        assert_eq!(mode(&restored.join(name)), 0o600, "{name}");
    }
    for name in ["admin.token", "read.token", "tls.key", "tls.crt"] {
        let (from, to) = (folder.path().join(name), restored.join(name));
        assert!(std::fs::read(from).unwrap() == std::fs::read(to).unwrap(), "{name}");
    }
}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_and_leaves_nothing_behind() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    used(folder.path()).await.stop();
    let file = other.path().join("backup.tar");
    assert_eq!(backup(folder.path(), &file).code, Some(0));
    let whole = std::fs::read(&file).unwrap();
    let list = whole.windows(11).rposition(|window| window == b"backup.json").unwrap();
    let mut damaged = whole.clone();
    damaged[100_000] ^= 1;
    let mut elsewhere = tar::Builder::new(Vec::new());
    let mut head = tar::Header::new_gnu();
    head.as_old_mut().name[..11].copy_from_slice(b"../trail.db");
    head.set_size(1);
    head.set_cksum();
    elsewhere.append(&head, &b"x"[..]).unwrap();
    let restored = other.path().join("data");
    for (bytes, why) in [
        (whole[..list].to_vec(), "it was cut off: its list of files is missing"),
        (whole[..whole.len() / 2].to_vec(), "cut off"),
        (damaged, "contrail.db in it is damaged"),
        (elsewhere.into_inner().unwrap(), "\"../trail.db\" is no file of a data folder"),
        (b"no archive at all".to_vec(), "cut off"),
    ] {
        let bad = other.path().join("bad.tar");
        std::fs::write(&bad, bytes).unwrap();
        let outcome = restore(&bad, &restored);
        let line = refused(&outcome);
        assert!(line.starts_with("contrail: cannot restore ") && line.contains(why), "{line}");
        let left: Vec<_> =
            std::fs::read_dir(&restored).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["contrail.lock"]);
        assert!(!other.path().join("trail.db").exists());
    }
}

#[tokio::test]
async fn a_folder_that_is_in_use_or_has_a_database_is_left_alone() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = used(folder.path()).await;
    let file = other.path().join("backup.tar");
    assert_eq!(backup(folder.path(), &file).code, Some(0));
    let outcome = restore(&file, folder.path());
    assert!(refused(&outcome).contains("is in use by another contrail at "), "{outcome:?}");
    server.stop();
    let outcome = restore(&file, folder.path());
    assert!(
        refused(&outcome)
            .ends_with("contrail.db is there already: move it away, or name another folder with --data-dir")
    );
    let outcome = backup(&other.path().join("nowhere"), &file);
    assert!(refused(&outcome).contains("there is no data folder "), "{outcome:?}");
    let outcome = backup(folder.path(), Path::new("/nowhere/backup.tar"));
    assert!(refused(&outcome).starts_with("contrail: cannot write to /nowhere: "), "{outcome:?}");
}
