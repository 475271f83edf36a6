//! `contrail import`: into the server that holds the data folder, into one that is named, into the folder itself.

use super::{Contrail, Outcome, contrail, event, event_id, ndjson, now, run, run_with_input};
use crate::support::record;
use contrail::clock::Clock;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn import(data: &Path, args: &[&str]) -> Outcome {
    let mut command = contrail(&["import", "--data-dir"]);
    command.arg(data).args(args);
    run(command)
}

fn packed(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

fn file(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

fn list(ids: impl IntoIterator<Item = u32>) -> Value {
    ids.into_iter().map(event).collect()
}

/// What an import that went well says.
fn is_report(outcome: &Outcome, report: &str) {
    assert_eq!((outcome.code, outcome.stdout.trim_end(), outcome.stderr.as_str()), (Some(0), report, ""));
}

/// A data folder and a folder with files, one in each form that records come in.
struct Forms {
    data: TempDir,
    files: TempDir,
    paths: Vec<String>,
}

fn forms() -> Forms {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let paths = vec![
        file(&files, "lines.ndjson", ndjson(1..=3)),
        file(&files, "array.json", list(4..=5).to_string()),
        file(&files, "log.json", json!({"Records": list(6..=7)}).to_string()),
        file(&files, "packed.json.gz", packed(&json!({"Records": list(8..=9)}).to_string())),
        file(&files, "packed.jsonl.gz", packed(&ndjson([10]))),
    ];
    Forms { data, files, paths }
}

async fn are_there(server: &Contrail, ids: impl IntoIterator<Item = u32>) {
    let want: Vec<_> = ids.into_iter().map(|id| (event_id(id), 1)).collect();
    assert_eq!(server.event_ids().await.into_iter().collect::<Vec<_>>(), want);
}

#[tokio::test]
async fn every_form_goes_into_the_folder_when_no_server_runs() {
    let Forms { data, files: _files, paths } = forms();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    is_report(&import(data.path(), &paths), "10 accepted, 0 duplicates, 0 rejected");
    is_report(&import(data.path(), &paths), "0 accepted, 10 duplicates, 0 rejected");
    are_there(&Contrail::start(data.path()), 1..=10).await;
}

#[tokio::test]
async fn every_form_goes_into_the_server_that_holds_the_folder() {
    let Forms { data, files: _files, paths } = forms();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let server = Contrail::start(data.path());
    is_report(&import(data.path(), &paths), "10 accepted, 0 duplicates, 0 rejected");
    are_there(&server, 1..=10).await;
    is_report(&import(data.path(), &paths), "0 accepted, 10 duplicates, 0 rejected");
}

#[tokio::test]
async fn a_server_can_be_named() {
    let Forms { data, files, .. } = forms();
    let server = Contrail::start(data.path());
    let other = files.path().join("not-made");
    for url in [server.url.clone(), format!("{}/", server.url)] {
        let outcome = import(&other, &["--url", &url, files.path().to_str().unwrap()]);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{}", outcome.stdout);
    }
    are_there(&server, 1..=10).await;
    assert!(!other.exists());
}

#[tokio::test]
async fn a_folder_is_read_whole_but_for_digests_and_other_files() {
    let Forms { data, files, .. } = forms();
    file(&files, "AWSLogs/000000000000/CloudTrail/us-east-1/2026/11/22/a.json.gz", packed(&ndjson([11])));
    file(
        &files,
        "AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2026/11/22/d.json.gz",
        packed(&ndjson([12])),
    );
    file(&files, "notes.txt", ndjson([13]));
    file(&files, "UPPER.JSON", ndjson([14]));
    let outcome = import(data.path(), &[files.path().to_str().unwrap()]);
    is_report(&outcome, "12 accepted, 0 duplicates, 0 rejected");
    let server = Contrail::start(data.path());
    are_there(&server, (1..=11).chain([14])).await;
}

#[tokio::test]
async fn stdin_is_a_file_too() {
    let data = tempfile::tempdir().unwrap();
    for input in [ndjson(1..=2).into_bytes(), packed(&ndjson(3..=4))] {
        let mut command = contrail(&["import", "-", "--data-dir"]);
        command.arg(data.path());
        let outcome = run_with_input(command, &input);
        is_report(&outcome, "2 accepted, 0 duplicates, 0 rejected");
    }
    let server = Contrail::start(data.path());
    let mut command = contrail(&["import", "-", "--data-dir"]);
    command.arg(data.path());
    is_report(&run_with_input(command, ndjson(4..=5).as_bytes()), "1 accepted, 1 duplicates, 0 rejected");
    are_there(&server, 1..=5).await;
}

#[tokio::test]
async fn a_saved_answer_of_lookup_events_is_imported() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let found =
        |id| json!({"EventId": event_id(id), "CloudTrailEvent": event(id).to_string(), "Resources": []});
    let answer = json!({"Events": [found(1), found(2)], "NextToken": "t"});
    let path = file(&files, "saved.json", serde_json::to_string_pretty(&answer).unwrap());
    is_report(&import(data.path(), &[&path]), "2 accepted, 0 duplicates, 0 rejected");
    let server = Contrail::start(data.path());
    is_report(&import(data.path(), &[&path]), "0 accepted, 2 duplicates, 0 rejected");
    are_there(&server, 1..=2).await;
    let other = file(&files, "trails.json", json!({"trailList": []}).to_string());
    let outcome = import(data.path(), &[&other]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("this looks like an answer of DescribeTrails"), "{}", outcome.stderr);
}

#[tokio::test]
async fn records_that_are_refused_are_shown_with_their_place_and_why() {
    for running in [false, true] {
        let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let server = running.then(|| Contrail::start(data.path()));
        let mut nameless = event(2);
        nameless.as_object_mut().unwrap().remove("eventName");
        let text = format!("{}\n{nameless}\nhello\n{}\n", event(1), event(3));
        let path = file(&files, "mixed.ndjson", text);
        let outcome = import(data.path(), &[&path]);
        assert_eq!(
            (outcome.code, outcome.stdout.trim_end()),
            (Some(0), "2 accepted, 0 duplicates, 2 rejected")
        );
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{}", outcome.stderr);
        assert!(lines[0].starts_with(&format!("{path}: record 1: ")), "{}", lines[0]);
        assert!(lines[0].contains("eventName"), "{}", lines[0]);
        assert_eq!(lines[1], format!("{path}: record 2: not a JSON object"));
        // A file of which nothing is of use is a mistake; many refusals are not shown one by one.
        let path = file(&files, "letters.ndjson", "dear diary\n".repeat(25));
        let outcome = import(data.path(), &[&path]);
        assert_eq!(
            (outcome.code, outcome.stdout.trim_end()),
            (Some(1), "0 accepted, 0 duplicates, 25 rejected")
        );
        assert_eq!(outcome.stderr.lines().count(), 11, "{}", outcome.stderr);
        assert!(outcome.stderr.ends_with(": 15 more records were refused\n"), "{}", outcome.stderr);
        drop(server);
        are_there(&Contrail::start(data.path()), [1, 3]).await;
    }
}

#[tokio::test]
async fn rebasing_makes_the_newest_record_of_all_files_now() {
    for running in [false, true] {
        let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let server = running.then(|| Contrail::start(data.path()));
        let old = [(1, "2019-03-01T10:00:00Z"), (2, "2019-03-01T12:00:00Z"), (3, "2019-03-01T11:30:00Z")];
        let paths: Vec<PathBuf> = old
            .iter()
            .map(|(id, time)| record(*id, time, "RunInstances").to_string())
            .enumerate()
            .map(|(n, text)| file(&files, &format!("{n}.json"), text).into())
            .collect();
        let before = Clock::system().now().timestamp();
        let mut args = vec!["--rebase", "now"];
        args.extend(paths.iter().map(|path| path.to_str().unwrap()));
        is_report(&import(data.path(), &args), "3 accepted, 0 duplicates, 0 rejected");
        let after = Clock::system().now().timestamp();
        let server = server.unwrap_or_else(|| Contrail::start(data.path()));
        let found = server.call("LookupEvents", json!({})).await.json();
        let times: Vec<i64> = found["Events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["EventTime"].as_f64().unwrap() as i64)
            .collect();
        assert!((before..=after).contains(&times[0]), "{times:?} is not about {}", now());
        let order: Vec<i64> = times.iter().map(|time| times[0] - time).collect();
        assert_eq!(order, [0, 30 * 60, 2 * 60 * 60]);
    }
}

#[test]
fn a_file_that_is_not_there_is_named_before_anything_is_stored() {
    let Forms { data, files: _files, paths } = forms();
    let new = data.path().join("new");
    let outcome = import(&new, &[&paths[0], "nowhere.json"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("contrail: cannot read nowhere.json: "), "{}", outcome.stderr);
    assert!(!new.exists());
}

#[tokio::test]
async fn damaged_files_are_reported_and_do_not_stop_the_others() {
    for running in [false, true] {
        let Forms { data, files, paths } = forms();
        let server = running.then(|| Contrail::start(data.path()));
        let mut bytes = packed(&ndjson(20..=40));
        bytes.truncate(bytes.len() - 20);
        let broken = file(&files, "broken.json.gz", bytes);
        let outcome = import(data.path(), &[&broken, &paths[0]]);
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let reason = format!("{broken}: the gzip data is damaged: ");
        assert!(outcome.stderr.lines().any(|line| line.starts_with(&reason)), "{}", outcome.stderr);
        drop(server);
        let ids = Contrail::start(data.path()).event_ids().await;
        assert!((1..=3).all(|id| ids.contains_key(&event_id(id))), "{ids:?}");
    }
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let Forms { data, files: _files, paths } = forms();
    // Nobody listens on a port that was given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let outcome = import(data.path(), &["--url", &url, &paths[0]]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with(&format!("contrail: cannot reach {url}: ")), "{}", outcome.stderr);
}

#[test]
fn only_now_is_a_time_to_rebase_to() {
    let Forms { data, files: _files, paths } = forms();
    let outcome = import(data.path(), &["--rebase", "yesterday", &paths[0]]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("yesterday") && outcome.stderr.contains("now"), "{}", outcome.stderr);
}

/// The shell's limit stands for the machine's.
#[cfg(unix)]
#[test]
fn a_folder_may_hold_more_files_than_a_process_may_open() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for id in 1..=300 {
        file(&files, &format!("{id}.json"), event(id).to_string());
    }
    for rebase in ["", "--rebase now"] {
        let binary = env!("CARGO_BIN_EXE_contrail");
        let (data, files) = (data.path().display(), files.path().display());
        let line = format!("ulimit -n 100; exec {binary} import --data-dir {data} {rebase} {files}");
        let mut command = std::process::Command::new("sh");
        super::clear(command.args(["-c", &line]));
        let outcome = run(command);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stdout.starts_with(if rebase.is_empty() { "300 accepted" } else { "0 accepted" }));
    }
}

#[cfg(unix)]
#[test]
fn pipes_devices_and_circles_in_a_folder_are_passed_over() {
    use std::os::unix::fs::symlink;
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    file(&files, "one.json", event(1).to_string());
    let at = |name: &str| files.path().join(name);
    assert!(std::process::Command::new("mkfifo").arg(at("pipe.json")).status().unwrap().success());
    symlink("/dev/zero", at("endless.json")).unwrap();
    symlink("nowhere", at("gone.json")).unwrap();
    symlink(files.path(), at("circle")).unwrap();
    let outcome = import(data.path(), &[files.path().to_str().unwrap()]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "1 accepted, 0 duplicates, 0 rejected\n"));
    for name in ["pipe.json", "endless.json"] {
        assert!(outcome.stderr.contains(&format!("{name} is no file")), "{}", outcome.stderr);
    }
}
