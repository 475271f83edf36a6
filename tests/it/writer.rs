//! The writer when it cannot write at once.

use crate::support::{TestServer, record};
use contrail::domain::event::Event;
use contrail::domain::routing::CapturedEvent;
use contrail::recorder::arrivals::Since;
use serde_json::json;
use std::future::poll_fn;
use std::task::Poll;

#[tokio::test]
async fn while_another_program_writes_nothing_is_lost_and_nothing_refused() {
    let server = TestServer::with(&[("era", "today")]).await;
    let other = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // The record of a call that only reads, for which nobody waits, and records that somebody waits for.
    server.ok("DescribeTrails", json!({})).await;
    let body = record(1, "2026-11-22T05:00:01Z", "A").to_string();
    let import = server.post("/_contrail/events", body);
    let give_way = async {
        while server.parts.metrics.commit_retries.get() < 1 {
            tokio::task::yield_now().await;
        }
        other.execute_batch("ROLLBACK").unwrap();
    };
    let (reply, ()) = tokio::join!(import, give_way);
    assert_eq!((reply.status, &reply.json()["accepted"]), (200, &json!(1)), "{}", reply.text);
    let names: Vec<_> = server.records().await.iter().map(|r| r["eventName"].clone()).collect();
    assert_eq!(names, ["A", "DescribeTrails"]);
}

#[tokio::test]
async fn calls_that_wait_for_the_writer_keep_nobody_from_reading() {
    let server = TestServer::with(&[("era", "today")]).await;
    let session = server.parts.store.write().await.unwrap();
    let fill_queue = async || {
        let store = |_| {
            let writer = server.parts.writer.clone();
            tokio::spawn(async move { writer.store(Vec::new()).await })
        };
        let tasks: Vec<_> = (0..2000).map(store).collect();
        while !server.parts.writer.is_full() {
            tokio::task::yield_now().await;
        }
        tasks
    };
    // The writer takes the first ones and waits for the session; the second ones stay in the queue.
    let mut waiting = fill_queue().await;
    tokio::task::yield_now().await;
    waiting.extend(fill_queue().await);
    let reads = (0..8).map(|_| server.call("DescribeTrails", json!({})));
    let reads = futures_util::future::join_all(reads);
    let health = async {
        // As many as there are connections for reading.
        while server.parts.metrics.queue.get() < 4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.get("/_contrail/health").await.status, 200);
        drop(session);
    };
    let (replies, ()) = tokio::join!(reads, health);
    assert!(replies.iter().all(|reply| reply.status == 200));
    for task in waiting {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_event_whose_caller_goes_away_during_the_commit_is_news_all_the_same() {
    let server = TestServer::with(&[("era", "today")]).await;
    let parts = &server.parts;
    let event = |id| {
        let record = record(id, "2026-11-22T05:00:01Z", "A").to_string();
        let event = Event::from_record(&record, &parts.settings.account, 0, &*parts.catalog).unwrap();
        CapturedEvent { event, takers: Vec::new() }
    };
    let start = parts.arrivals.now();
    // Given up at each of its first points of waiting; what was stored is known.
    for points in 0..200 {
        let session = parts.store.write().await.unwrap();
        let captured = event(points);
        let mut commit = Box::pin(parts.writer.commit(session, &captured));
        for _ in 0..points {
            if poll_fn(|context| Poll::Ready(commit.as_mut().poll(context).is_ready())).await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    // Waits for the last one, too.
    drop(parts.store.write().await.unwrap());
    let stored = server.records().await.len();
    let news = || match parts.arrivals.since(start) {
        (Since::Keys(news), _) => news.len(),
        (Since::Gap, _) => panic!("a gap"),
    };
    for _ in 0..10_000 {
        tokio::task::yield_now().await;
    }
    assert!(stored > 0 && news() == stored, "{stored} stored, {} made known", news());
}
