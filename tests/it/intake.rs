//! Putting records in over HTTP: forms, reports, bounds.

use crate::support::{ACCOUNT, TestServer, record};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn three() -> Vec<Value> {
    (1..=3).map(|i| record(i, &format!("2026-11-22T05:00:0{i}Z"), &format!("Change{i}"))).collect()
}

fn ndjson(records: &[Value]) -> String {
    records.iter().map(|r| format!("{r}\n")).collect()
}

#[tokio::test]
async fn ndjson_an_array_and_a_log_file_are_taken_packed_or_not() {
    let want = json!({"accepted": 3, "duplicates": 0, "rejected": [], "rejected_count": 0});
    for body in [
        ndjson(&three()),
        json!(three()).to_string(),
        json!({"Records": three()}).to_string(),
        serde_json::to_string_pretty(&json!({"Records": three()})).unwrap(),
    ] {
        for body in [body.clone().into_bytes(), gzip(body.as_bytes())] {
            let server = TestServer::start().await;
            let reply = server.post("/_contrail/events", body).await;
            assert_eq!((reply.status, reply.json()), (200, want.clone()));
            let kept: Vec<Value> = server.records().await;
            assert_eq!(kept, three());
        }
    }
}

#[tokio::test]
async fn a_record_comes_out_byte_for_byte_as_it_went_in() {
    let server = TestServer::start().await;
    let odd = r#"{"eventVersion":"1.08","zebra":1e2,"eventTime":"2026-11-22T05:00:00Z","eventSource":"x.amazonaws.com","eventName":"Odd","awsRegion":"us-east-1","text":"a\u0000\u00fc \/ \"b\"","eventID":"e-1"}"#;
    assert_eq!(server.post("/_contrail/events", odd).await.json()["accepted"], 1);
    assert_eq!(server.get("/_contrail/events").await.text, format!("{odd}\n"));
}

#[tokio::test]
async fn a_saved_answer_of_lookup_events_is_taken_pretty_or_compact() {
    let server = TestServer::with(&[("era", "today")]).await;
    server.import(&three()).await;
    let answer = server.ok("LookupEvents", json!({})).await;
    assert_eq!(answer["Events"].as_array().unwrap().len(), 3);
    let mut events = three();
    events.sort_by_key(|record| record["eventTime"].to_string());
    for body in [
        answer.to_string(),
        serde_json::to_string_pretty(&answer).unwrap(),
        ndjson(answer["Events"].as_array().unwrap()),
    ] {
        let other = TestServer::start().await;
        let reply = other.post("/_contrail/events", body).await;
        assert_eq!((reply.status, &reply.json()["accepted"]), (200, &json!(3)), "{}", reply.text);
        assert_eq!(other.records().await, events);
    }
}

#[tokio::test]
async fn of_what_is_no_record_the_reason_says_what_it_looks_like() {
    let server = TestServer::start().await;
    for (body, reason) in [
        (json!({"Events": [{"EventId": "e", "EventName": "A"}]}), "without its CloudTrailEvent"),
        (json!({"Events": [{"CloudTrailEvent": "gone"}]}), "its CloudTrailEvent is not a JSON object"),
        (json!({"digestStartTime": "2026-11-22T05:00:00Z", "logFiles": []}), "looks like a digest file"),
        (json!({"trailList": []}), "looks like an answer of DescribeTrails"),
        (json!({"Name": "ana", "Age": 7}), "looks like an object with the members Age, Name"),
    ] {
        let reply = server.post("/_contrail/events", body.to_string()).await;
        let found = reply.json()["rejected"][0]["reason"].as_str().unwrap_or_default().to_owned();
        assert!(reply.status == 400 && found.contains(reason), "{body}: {}", reply.text);
    }
}

#[tokio::test]
async fn null_is_refused_by_its_place_like_any_other_value() {
    let server = TestServer::start().await;
    let good = record(1, "2026-11-22T05:00:01Z", "A");
    let report = server.post("/_contrail/events", format!("null\n{good}\nnull\n")).await.json();
    let refused = |index: u32| json!({"index": index, "reason": "not a JSON object"});
    assert_eq!(report["rejected"], json!([refused(0), refused(2)]));
    assert_eq!(report["accepted"], 1);
}

#[tokio::test]
async fn the_same_event_again_is_a_duplicate_but_not_in_another_account_or_region() {
    let server = TestServer::start().await;
    server.import(&three()).await;
    let mut elsewhere = record(1, "2026-11-22T05:00:01Z", "Change1");
    elsewhere["awsRegion"] = "eu-west-1".into();
    let mut theirs = record(1, "2026-11-22T05:00:01Z", "Change1");
    theirs["recipientAccountId"] = "111122223333".into();
    let twice = record(7, "2026-11-22T05:00:07Z", "Change7");
    let body = ndjson(&[three(), vec![elsewhere, theirs, twice.clone(), twice]].concat());
    let report = server.post("/_contrail/events", body).await.json();
    assert_eq!((&report["accepted"], &report["duplicates"]), (&json!(3), &json!(4)));
}

#[tokio::test]
async fn each_refused_record_is_named_with_its_place_and_its_reason_and_the_others_go_in() {
    let server = TestServer::start().await;
    let mut no_time = record(2, "2026-11-22T05:00:02Z", "NoTime");
    no_time.as_object_mut().unwrap().remove("eventTime");
    let huge = json!({"pad": "x".repeat(300_000)});
    let body = format!(
        "{}\n{no_time}\nnot json\n{huge}\n{}",
        record(1, "2026-11-22T05:00:01Z", "A"),
        record(3, "2026-11-22T05:00:03Z", "B")
    );
    let reply = server.post("/_contrail/events", body).await;
    assert_eq!(reply.status, 200);
    insta::assert_json_snapshot!(reply.json(), @r#"
    {
      "accepted": 2,
      "duplicates": 0,
      "rejected": [
        {
          "index": 1,
          "reason": "eventTime is missing"
        },
        {
          "index": 2,
          "reason": "not a JSON object"
        },
        {
          "index": 3,
          "reason": "larger than 256 KB"
        }
      ],
      "rejected_count": 3
    }
    "#);
}

#[tokio::test]
async fn a_body_of_which_nothing_is_good_is_a_bad_request_with_the_first_hundred_reasons() {
    let server = TestServer::start().await;
    let reply = server.post("/_contrail/events", "{}\n".repeat(250)).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["rejected"].as_array().unwrap().len(), 100);
    assert_eq!(reply.json()["rejected_count"], 250);
    assert_eq!(server.post("/_contrail/events", "").await.status, 200, "nothing is not bad");
}

#[tokio::test]
async fn a_record_without_an_account_belongs_to_the_caller() {
    let server = TestServer::start().await;
    let mut anonymous = record(1, "2026-11-22T05:00:01Z", "A");
    anonymous["recipientAccountId"] = Value::Null;
    anonymous["userIdentity"] = Value::Null;
    let scope = "111122223333/20261122/us-east-1/cloudtrail/aws4_request";
    let put = crate::support::http().post(format!("{}/_contrail/events", server.url)).header(
        "authorization",
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
    );
    assert_eq!(put.body(anonymous.to_string()).send().await.unwrap().status(), 200);
    assert_eq!(server.get("/_contrail/events?account=111122223333").await.text.lines().count(), 1);
    anonymous["eventID"] = "other".into();
    assert_eq!(server.post("/_contrail/events", anonymous.to_string()).await.status, 200);
    assert_eq!(server.get(&format!("/_contrail/events?account={ACCOUNT}")).await.text.lines().count(), 1);
}

#[tokio::test]
async fn rebasing_makes_the_newest_record_happen_now_and_keeps_the_distances() {
    let server = TestServer::start().await;
    let old = [record(1, "2019-03-01T10:00:00Z", "A"), record(2, "2019-03-01T10:05:00Z", "B")];
    for body in [ndjson(&old).into_bytes(), gzip(ndjson(&old).as_bytes())] {
        server.post("/_contrail/reset?everything=yes", "").await;
        let reply = server.post("/_contrail/events?rebase=now", body).await;
        assert_eq!((reply.status, &reply.json()["accepted"]), (200, &json!(2)));
        let times: Vec<_> = server.records().await.iter().map(|r| r["eventTime"].clone()).collect();
        assert_eq!(times, ["2026-11-22T05:25:00Z", "2026-11-22T05:30:00Z"]);
    }
    server.wait(1);
    let found = server.call("LookupEvents", json!({})).await.json();
    assert_eq!(found["Events"].as_array().unwrap().len(), 2);
    assert_eq!(server.post("/_contrail/events?rebase=then", "").await.status, 400);
    assert_eq!(server.post("/_contrail/events?rebased=now", "").await.status, 400);
}

#[tokio::test]
async fn a_gzip_bomb_is_refused_and_what_came_before_it_is_kept() {
    let server = TestServer::with(&[("intake.max_unpacked_bytes", "1000000")]).await;
    let mut body = ndjson(&three()).into_bytes();
    body.resize(5_000_000, b' ');
    let reply = server.post("/_contrail/events", gzip(&body)).await;
    assert_eq!(reply.status, 413);
    assert!(reply.json()["error"].as_str().unwrap().contains("unpacks to too much"));
    assert_eq!(reply.json()["accepted"], 3);
    let damaged = gzip(ndjson(&[record(9, "2026-11-22T05:00:09Z", "Last")]).as_bytes());
    let reply = server.post("/_contrail/events", damaged[..damaged.len() - 10].to_vec()).await;
    assert_eq!(reply.status, 400);
    assert!(reply.json()["error"].as_str().unwrap().contains("damaged"));
}

#[tokio::test]
async fn gzip_may_be_declared_and_other_packings_are_refused() {
    let server = TestServer::start().await;
    let put = async |encoding: &'static str, body: Vec<u8>| {
        let request = crate::support::http().post(format!("{}/_contrail/events", server.url));
        request.header("content-encoding", encoding).body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(put("gzip", gzip(ndjson(&three()).as_bytes())).await, 200);
    assert_eq!(put("br", ndjson(&three()).into_bytes()).await, 415);
    assert_eq!(server.records().await.len(), 3);
}

#[tokio::test]
async fn a_body_that_stops_coming_is_cut_off() {
    let server = TestServer::with(&[("server.chunk_timeout", "50ms")]).await;
    let mut connection =
        tokio::net::TcpStream::connect(server.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /_contrail/events HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn many_records_go_in_at_once_in_their_order() {
    let server = TestServer::start().await;
    let many: Vec<_> = (0..4321).map(|i| record(i, "2026-11-22T05:00:00Z", "Change")).collect();
    server.import(&many).await;
    assert_eq!(server.records().await, many);
}

#[tokio::test]
async fn bodies_wait_for_their_turn_when_there_are_as_many_as_there_may_be() {
    let server = TestServer::with(&[("limits.imports", "1")]).await;
    let line = |id: u32| format!("{}\n", record(id, "2026-11-22T05:00:00Z", "Change"));
    let send = |body: reqwest::Body| {
        crate::support::http().post(format!("{}/_contrail/events", server.url)).body(body).send()
    };
    let (more, pieces) = tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(1);
    let pieces =
        futures_util::stream::unfold(pieces, |mut pieces| async { Some((pieces.recv().await?, pieces)) });
    let first = tokio::spawn(send(reqwest::Body::wrap_stream(pieces)));
    more.send(Ok(line(1))).await.unwrap();
    while server.get("/_contrail/metrics").await.text.lines().all(|line| line != "contrail_connections 2") {
        tokio::task::yield_now().await;
    }
    let second = tokio::spawn(send(line(2).into()));
    for _ in 0..20 {
        assert_eq!(server.get("/_contrail/health").await.status, 200, "others are not kept waiting");
    }
    assert!(!second.is_finished());
    drop(more);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(second.await.unwrap().unwrap().status(), 200);
    assert_eq!(server.records().await.len(), 2);
}
