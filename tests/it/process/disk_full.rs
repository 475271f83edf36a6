//! A full disk is an error for everybody who writes; the server stays up, can be read, and writes again when there is room.
#![cfg(target_os = "linux")]

use super::{Contrail, clear, database, event_id, ndjson};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The largest file that the server may write at first, in blocks of 512 bytes.
const BLOCKS: u32 = 4000;

/// A server whose files may not grow beyond a limit; to it that is a write error like a full disk.
fn start_confined(folder: &Path) -> Contrail {
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -S -f {BLOCKS}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_contrail"), "--port", "0", "--data-dir"]);
    command.arg(folder).args(["--era", "today"]).env("CONTRAIL__LIMITS__LOOKUP_EVENTS_PER_SECOND", "0");
    clear(&mut command);
    Contrail::spawn(command)
}

/// Gives the server all the room there is. `false` if there is no `prlimit` here.
fn make_room(server: &Contrail) -> bool {
    let pid = server.process.child.id().to_string();
    let limit = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:unlimited"]).status();
    limit.is_ok_and(|status| status.success())
}

async fn create(server: &Contrail, name: &str) -> crate::support::Reply {
    server.call("CreateTrail", json!({"Name": name, "S3BucketName": "my-bucket"})).await
}

#[tokio::test]
async fn a_full_disk_costs_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let server = start_confined(folder.path());
    assert_eq!(create(&server, "before").await.status, 200);

    let mut acknowledged = BTreeSet::new();
    let mut next = 1;
    // Ever smaller batches, until not even one event finds room, also not when it is tried again: a failed write may
    // make room by folding the write-ahead log into the database, as long as that one can grow.
    let mut sizes = [100, 10, 1].into_iter().flat_map(|size| [size; 3]);
    let mut size = sizes.next().unwrap();
    let refused = loop {
        let ids = next..next + size;
        next = ids.end;
        let reply = server.import(ndjson(ids.clone())).await;
        if reply.status == 200 {
            assert_eq!(reply.json()["accepted"], size);
            acknowledged.extend(ids.map(event_id));
        } else if let Some(smaller) = sizes.next() {
            size = smaller;
        } else {
            break reply;
        }
        assert!(next < 100_000, "the disk does not get full");
    };
    assert_eq!(refused.status, 500);
    assert_eq!(refused.json()["accepted"], 0, "{}", refused.text);
    let why = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(why.starts_with("the event could not be stored: "), "{why}");

    // Small changes may find room in pages that are there already; sooner or later that is over as well.
    for attempt in 0.. {
        let reply = create(&server, &format!("during-{attempt}")).await;
        if reply.status == 500 {
            assert_eq!(reply.header("x-amzn-errortype"), "InternalFailure");
            assert_eq!(reply.json(), json!({"__type": "InternalFailure"}));
            assert!(!reply.header("x-amzn-requestid").is_empty());
            break;
        }
        assert_eq!((reply.status, attempt < 4), (200, true), "{}", reply.text);
    }
    let trails = server.call("DescribeTrails", json!({})).await.json();

    // Again and again, and whatever is tried: it stays up and is read.
    for _ in 0..3 {
        assert_eq!(server.import(ndjson(next..next + 1000)).await.status, 500);
        assert_eq!(
            server
                .call("UpdateTrail", json!({"Name": "before", "S3KeyPrefix": "x".repeat(150)}))
                .await
                .status,
            500
        );
    }
    assert_eq!(server.get("/_contrail/health").await.status, 200);
    assert_eq!(server.call("LookupEvents", json!({})).await.json()["Events"].as_array().unwrap().len(), 50);
    assert_eq!(server.call("DescribeTrails", json!({})).await.json(), trails);
    let there = server.event_ids().await;
    assert!(acknowledged.iter().all(|id| there.get(id) == Some(&1)));

    if !make_room(&server) {
        eprintln!("skipped: without prlimit the disk stays full");
        return;
    }
    let reply = server.import(ndjson(next..next + 1000)).await;
    assert_eq!((reply.status, &reply.json()["accepted"]), (200, &json!(1000)), "{}", reply.text);
    acknowledged.extend((next..next + 1000).map(event_id));
    let reply = server.call("UpdateTrail", json!({"Name": "before", "S3KeyPrefix": "after"})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    server.stop();

    let server = Contrail::start(folder.path());
    let there = server.event_ids().await;
    let lost: Vec<_> = acknowledged.iter().filter(|id| there.get(*id) != Some(&1)).collect();
    assert!(lost.is_empty(), "{} of {} are lost", lost.len(), acknowledged.len());
    let trails = server.call("DescribeTrails", json!({"trailNameList": ["before"]})).await.json();
    assert_eq!(trails["trailList"][0]["S3KeyPrefix"], "after", "{trails}");
    let mut db = database(folder.path()).await;
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut db).await.unwrap();
    assert_eq!(sound, "ok");
}

#[tokio::test]
async fn what_was_refused_when_the_disk_was_full_can_be_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = start_confined(folder.path());
    // One body of many batches: those before the wall are stored and counted, the others are not there.
    let reply = server.import(ndjson(1..=10_000)).await;
    let report: Value = reply.json();
    let stored = report["accepted"].as_u64().unwrap();
    assert_eq!(reply.status, 500, "{}", reply.text);
    assert!(stored < 10_000, "{}", reply.text);
    assert_eq!(server.event_ids().await.len() as u64, stored);
    if !make_room(&server) {
        eprintln!("skipped: without prlimit the disk stays full");
        return;
    }
    let report = server.import(ndjson(1..=10_000)).await.json();
    assert_eq!(
        (report["duplicates"].as_u64(), report["accepted"].as_u64()),
        (Some(stored), Some(10_000 - stored))
    );
    let there = server.event_ids().await;
    assert_eq!((there.len(), there.values().max()), (10_000, Some(&1)));
}
