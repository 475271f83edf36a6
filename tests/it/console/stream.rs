//! The live stream.

use crate::support::{TestServer, http, record};
use futures_util::StreamExt;
use serde_json::{Value, json};

/// A reader of a stream.
struct Reader {
    body: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

/// A message: its id, kind and data.
#[derive(Debug)]
struct Message {
    id: String,
    kind: String,
    data: Value,
}

impl Reader {
    async fn open(server: &TestServer, query: &str, last: Option<&str>) -> Reader {
        let mut request = http().get(format!("{}/_contrail/events/stream{query}", server.url));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Reader { body: response.bytes_stream().boxed(), text: String::new() }
    }

    /// The next message; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = message.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
                    line.unwrap_or_default().to_owned()
                };
                let data = serde_json::from_str(&field("data")).unwrap_or_default();
                let found = Message { id: field("id"), kind: field("event"), data };
                self.text = rest.to_owned();
                return Some(found);
            }
            self.text.push_str(std::str::from_utf8(&self.body.next().await?.ok()?).unwrap());
        }
    }

    /// The names of the events of the next message, and its id.
    async fn names(&mut self) -> (Vec<String>, String) {
        let message = self.next().await.unwrap();
        assert_eq!(message.kind, "events", "{message:?}");
        let names =
            message.data.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned());
        (names.collect(), message.id)
    }
}

async fn put(server: &TestServer, ids: std::ops::Range<u32>, time: &str) {
    let records: Vec<_> = ids.map(|i| record(i, time, &format!("Change{i}"))).collect();
    server.import(&records).await;
}

#[tokio::test]
async fn new_events_come_in_the_order_of_their_arrival_and_a_reader_resumes() {
    let server = TestServer::start().await;
    put(&server, 0..3, "2026-11-22T05:00:00Z").await;
    let mut reader = Reader::open(&server, "", None).await;
    let hello = reader.next().await.unwrap();
    assert!(!hello.id.is_empty() && hello.kind.is_empty(), "a place, and nothing of what was there before");
    put(&server, 3..5, "2026-11-22T05:10:00Z").await;
    let (names, id) = reader.names().await;
    assert_eq!(names, ["Change3", "Change4"]);
    drop(reader);
    // Older than what the reader has, and it comes all the same.
    put(&server, 5..6, "2026-11-22T04:00:00Z").await;
    let mut reader = Reader::open(&server, "", Some(&id)).await;
    reader.next().await.unwrap();
    assert_eq!(reader.names().await.0, ["Change5"]);
}

#[tokio::test]
async fn a_call_that_changes_something_is_followed_like_any_other_event() {
    let server = TestServer::with(&[("era", "today")]).await;
    let mut reader = Reader::open(&server, "?event_name=Create*", None).await;
    reader.next().await.unwrap();
    server.start_demo_trail().await;
    assert_eq!(reader.names().await.0, ["CreateTrail"]);
}

#[tokio::test]
async fn rows_of_the_stream_have_members_of_their_records_that_are_asked_for() {
    let server = TestServer::start().await;
    let mut reader = Reader::open(&server, "?also=user_agent", None).await;
    reader.next().await.unwrap();
    put(&server, 0..1, "2026-11-22T05:00:00Z").await;
    let rows = reader.next().await.unwrap().data;
    assert_eq!((&rows[0]["user_agent"], rows[0].get("request_id")), (&json!("test"), None));
    let refused = server.get("/_contrail/events/stream?also=record").await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_filter_holds_back_what_does_not_pass_and_the_place_goes_on() {
    let server = TestServer::start().await;
    let mut reader = Reader::open(&server, "?event_name=Change2&event_name=Change4", None).await;
    let hello = reader.next().await.unwrap();
    put(&server, 0..2, "2026-11-22T05:00:00Z").await;
    let nothing = reader.next().await.unwrap();
    assert!(nothing.kind.is_empty() && nothing.id != hello.id, "{nothing:?}");
    put(&server, 2..5, "2026-11-22T05:00:00Z").await;
    assert_eq!(reader.names().await.0, ["Change2", "Change4"]);
}

#[tokio::test]
async fn who_falls_too_far_behind_or_comes_from_an_earlier_start_learns_of_a_gap() {
    let server = TestServer::start().await;
    let mut reader = Reader::open(&server, "", None).await;
    let id = reader.next().await.unwrap().id;
    drop(reader);
    put(&server, 0..1001, "2026-11-22T05:00:00Z").await;
    for last in [id.as_str(), "1.5", "nonsense"] {
        let mut reader = Reader::open(&server, "", Some(last)).await;
        let mut message = reader.next().await.unwrap();
        if message.kind.is_empty() {
            message = reader.next().await.unwrap();
        }
        assert_eq!(message.kind, "gap", "{last}");
        // And from there on it goes on.
        put(&server, 2000..2001, "2026-11-22T05:00:00Z").await;
        assert_eq!(reader.names().await.0, ["Change2000"]);
        server.post("/_contrail/reset?everything=yes", "").await;
    }
}

#[tokio::test]
async fn sixty_four_read_and_the_next_one_is_refused() {
    let server = TestServer::start().await;
    let mut readers = Vec::new();
    for _ in 0..64 {
        readers.push(Reader::open(&server, "", None).await);
    }
    assert_eq!(server.get("/_contrail/events/stream").await.status, 503);
}

#[tokio::test]
async fn a_server_that_stops_ends_the_streams_first() {
    let server = TestServer::start().await;
    let mut reader = Reader::open(&server, "", None).await;
    reader.next().await.unwrap();
    let server = server.restart_with(&[]).await;
    assert!(reader.next().await.is_none());
    drop(server);
}

#[tokio::test]
async fn the_place_of_a_reader_that_has_gone_is_free_at_once() {
    let server = TestServer::start().await;
    let mut readers = Vec::new();
    for _ in 0..64 {
        let mut reader = Reader::open(&server, "", None).await;
        reader.next().await.unwrap();
        readers.push(reader);
    }
    let full = server.get("/_contrail/events/stream").await;
    assert_eq!((full.status, full.json()["error"].as_str().unwrap().contains("too many")), (503, true));
    // Nothing is ever sent to them: only their going tells.
    drop(readers);
    let clock = contrail::clock::Clock::system();
    loop {
        let request = http().get(format!("{}/_contrail/events/stream", server.url)).send().await.unwrap();
        if request.status() == 200 {
            break;
        }
        assert!(clock.elapsed().as_secs() < 5, "the places are still taken");
    }
}
