//! What was acknowledged is there after a crash, once.

use super::{Contrail, database, event, event_id, ndjson};
use crate::support::{Reply, call_at, http};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Something that was acknowledged to a client.
#[derive(Debug)]
enum Ack {
    /// Events with these numbers.
    Events(Vec<u32>),
    /// The trail of an account has this prefix; the id of the request that did it.
    Trail { account: String, prefix: u32, request: String },
}

/// Puts events in, `size` at a time, with numbers from `first`, until the server is gone.
async fn put_events(url: String, first: u32, size: u32, acks: UnboundedSender<Ack>) {
    let client = http();
    for batch in 0.. {
        let ids: Vec<u32> = (0..size).map(|i| first + batch * size + i).collect();
        // Single events as a plain object, batches as lines.
        let body = if size == 1 { event(ids[0]).to_string() } else { ndjson(ids.clone()) };
        let Ok(response) = client.post(format!("{url}/_contrail/events")).body(body).send().await else {
            return;
        };
        let Ok(reply) = Reply::read(response).await else { return };
        assert_eq!((reply.status, &reply.json()["accepted"]), (200, &json!(size)), "{}", reply.text);
        acks.send(Ack::Events(ids)).unwrap();
    }
}

/// Creates trails, each in an account of its own, and updates them, until the server is gone.
async fn change_trails(url: String, first: u32, acks: UnboundedSender<Ack>) {
    let client = http();
    for n in first.. {
        let account = format!("{n:012}");
        for (prefix, operation) in [(0, "CreateTrail"), (1, "UpdateTrail"), (2, "UpdateTrail")] {
            let input =
                json!({"Name": "demo", "S3BucketName": "my-bucket", "S3KeyPrefix": prefix.to_string()});
            let called = call_at(&client, &url, (&account, "us-east-1"), operation, input).await;
            let Ok(reply) = called else { return };
            assert_eq!(reply.status, 200, "{}", reply.text);
            let request = reply.header("x-amzn-requestid").to_owned();
            acks.send(Ack::Trail { account: account.clone(), prefix, request }).unwrap();
        }
    }
}

/// All that was acknowledged so far, and what is missing of it.
#[derive(Debug, Default)]
struct Books {
    events: BTreeSet<String>,
    trails: BTreeMap<String, u32>,
    requests: BTreeSet<String>,
    lost: Vec<String>,
    doubled: Vec<String>,
}

impl Books {
    fn enter(&mut self, ack: Ack) {
        match ack {
            Ack::Events(ids) => self.events.extend(ids.into_iter().map(event_id)),
            Ack::Trail { account, prefix, request } => {
                self.trails.insert(account, prefix);
                self.requests.insert(request);
            }
        }
    }

    fn size(&self) -> usize {
        self.events.len() + self.requests.len()
    }

    /// Compares with what a server has.
    async fn check(&mut self, server: &Contrail) {
        let mut found: BTreeMap<(&str, String), usize> = BTreeMap::new();
        let export = server.get("/_contrail/events").await;
        for line in export.text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let own = record["eventSource"] == "cloudtrail.amazonaws.com";
            let (kind, id) = if own { ("requestID", "requestID") } else { ("eventID", "eventID") };
            *found.entry((kind, record[id].as_str().unwrap().to_owned())).or_default() += 1;
        }
        self.doubled.extend(found.iter().filter(|(_, times)| **times > 1).map(|((_, id), _)| id.clone()));
        let events = self.events.iter().map(|id| ("eventID", id));
        for (kind, id) in events.chain(self.requests.iter().map(|id| ("requestID", id))) {
            if !found.contains_key(&(kind, id.clone())) {
                self.lost.push(id.clone());
            }
        }
        let client = http();
        for (account, prefix) in &self.trails {
            let who = (account.as_str(), "us-east-1");
            let reply = call_at(&client, &server.url, who, "DescribeTrails", json!({})).await.unwrap();
            let trails = reply.json()["trailList"].as_array().unwrap().clone();
            let kept = trails.first().and_then(|trail| trail["S3KeyPrefix"].as_str()).map(str::to_owned);
            match kept.and_then(|kept| kept.parse::<u32>().ok()) {
                // The next change may have been committed, and its acknowledgement lost.
                Some(kept) if (*prefix..=prefix + 1).contains(&kept) => {}
                _ => self.lost.push(format!("trail of {account}: {trails:?}")),
            }
            if trails.len() > 1 {
                self.doubled.push(format!("trail of {account}"));
            }
        }
    }
}

async fn integrity(folder: &std::path::Path) -> String {
    let mut db = database(folder).await;
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut db).await.unwrap();
    assert!(broken.is_empty(), "{} rows refer to nothing", broken.len());
    sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut db).await.unwrap()
}

async fn take(acks: &mut UnboundedReceiver<Ack>, books: &mut Books, until: usize) {
    while books.size() < until {
        let ack = tokio::time::timeout(super::DEADLINE, acks.recv()).await.unwrap();
        books.enter(ack.expect("the clients go on until the server is killed"));
    }
}

/// `CONTRAIL_TEST_KILL_ROUNDS` says how often; a few times are quick.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_kill_is_there_exactly_once() {
    let rounds = std::env::var("CONTRAIL_TEST_KILL_ROUNDS").map_or(3, |n| n.parse::<u32>().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut books = Books::default();
    for round in 0..rounds {
        let server = Contrail::start_with(folder.path(), &["--era", "today"]);
        let (send, mut acks) = unbounded_channel();
        let first = round * 1_000_000;
        let clients = [
            tokio::spawn(put_events(server.url.clone(), first, 1, send.clone())),
            tokio::spawn(put_events(server.url.clone(), first + 200_000, 1, send.clone())),
            tokio::spawn(put_events(server.url.clone(), first + 400_000, 50, send.clone())),
            tokio::spawn(put_events(server.url.clone(), first + 600_000, 1500, send.clone())),
            tokio::spawn(change_trails(server.url.clone(), first + 800_000, send.clone())),
            tokio::spawn(change_trails(server.url.clone(), first + 900_000, send)),
        ];
        // Another moment in every round.
        let until = books.size() + 500 + (round as usize * 613) % 3000;
        take(&mut acks, &mut books, until).await;
        server.kill();
        for client in clients {
            client.await.unwrap();
        }
        while let Some(ack) = acks.recv().await {
            books.enter(ack);
        }
        let server = Contrail::start(folder.path());
        // Trails of earlier rounds have been seen.
        books.check(&server).await;
        books.trails.clear();
        assert_eq!(integrity(folder.path()).await, "ok", "after round {round}");
        server.kill();
    }
    eprintln!(
        "{rounds} kills: {} events and {} changes of trails acknowledged, {} lost, {} doubled, integrity ok",
        books.events.len(),
        books.requests.len(),
        books.lost.len(),
        books.doubled.len()
    );
    assert_eq!((&books.lost, &books.doubled), (&vec![], &vec![]));
}

#[tokio::test]
async fn a_client_that_was_cut_off_may_send_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    assert_eq!(server.import(ndjson(1..=300)).await.json()["accepted"], 300);
    server.kill();
    let server = Contrail::start(folder.path());
    let report = server.import(ndjson(1..=400)).await.json();
    assert_eq!((&report["accepted"], &report["duplicates"]), (&json!(100), &json!(300)));
    let ids = server.event_ids().await;
    assert_eq!((ids.len(), ids.values().max()), (400, Some(&1)));
}

#[tokio::test]
async fn a_page_token_is_good_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    server.import(ndjson(1..=7)).await;
    let page = server.call("LookupEvents", json!({"MaxResults": 3})).await.json();
    let mut seen = page["Events"].as_array().unwrap().clone();
    let mut token = page["NextToken"].as_str().unwrap().to_owned();
    server.kill();
    let server = Contrail::start(folder.path());
    // What arrives meanwhile is newer, and belongs on no later page.
    server.import(ndjson(8..=9)).await;
    loop {
        let reply = server.call("LookupEvents", json!({"MaxResults": 3, "NextToken": token})).await;
        let page = reply.json();
        seen.extend(page["Events"].as_array().unwrap_or_else(|| panic!("{page}")).clone());
        match page["NextToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    let ids: Vec<_> = seen.iter().map(|event| event["EventId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (1..=7).rev().map(event_id).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_trail_goes_on_logging_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let server = Contrail::start(folder.path());
    for (operation, input) in [
        ("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket", "IsMultiRegionTrail": true})),
        ("StartLogging", json!({"Name": "demo"})),
        ("StopLogging", json!({"Name": "demo"})),
        ("StartLogging", json!({"Name": "demo"})),
    ] {
        assert_eq!(server.call(operation, input).await.status, 200);
    }
    let status = server.call("GetTrailStatus", json!({"Name": "demo"})).await.json();
    assert_eq!(status["IsLogging"], true);
    assert!(status["StopLoggingTime"].is_number(), "{status}");
    let trails = server.call("DescribeTrails", json!({})).await.json();
    server.kill();
    let server = Contrail::start(folder.path());
    assert_eq!(server.call("GetTrailStatus", json!({"Name": "demo"})).await.json(), status);
    assert_eq!(server.call("DescribeTrails", json!({})).await.json(), trails);
    // And it is still recorded what is done.
    server.call("UpdateTrail", json!({"Name": "demo", "S3KeyPrefix": "after"})).await;
    let found = server.call("LookupEvents", json!({})).await.json();
    assert_eq!(found["Events"][0]["EventName"], "UpdateTrail", "{found}");
}

#[tokio::test]
async fn a_strict_server_is_killed_right_behind_an_answer_and_has_its_record() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = crate::support::upstream::Upstream::start().await;
    let args = ["--era", "today", "--strict", "--upstream", &upstream.url];
    let client = http();
    for round in 1..=5 {
        let server = Contrail::start_with(folder.path(), &args);
        let create = client.post(&server.url).header("x-amz-target", "AmazonSQS.CreateQueue").header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0",
        );
        assert_eq!(Reply::read(create.body("{}").send().await.unwrap()).await.unwrap().status, 200);
        let read = server.call("DescribeTrails", json!({})).await;
        server.kill();
        assert_eq!(read.status, 200);
        let mut db = database(folder.path()).await;
        let count = "SELECT count(*) FROM events WHERE event_name IN ('CreateQueue', 'DescribeTrails')";
        let found: i64 = sqlx::query_scalar(count).fetch_one(&mut db).await.unwrap();
        assert_eq!(found, 2 * round);
    }
}
