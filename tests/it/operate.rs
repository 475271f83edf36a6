//! Health, metrics, reset, retention, and who may use our own paths.

use crate::support::{TestServer, http, record};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[tokio::test]
async fn health_is_answered_under_three_names() {
    let server = TestServer::start().await;
    for path in ["/_contrail/health", "/health", "/_localstack/health"] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.json()["services"], json!({"cloudtrail": "available"}));
        assert_eq!(reply.json()["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(reply.json()["forwarded_calls"], json!(null), "there is no upstream");
    }
}

#[tokio::test]
async fn metrics_count_calls_and_events() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.import(&[record(1, "2026-11-22T05:00:01Z", "A")]).await;
    server.call("DeleteTrail", json!({"Name": "nothing"})).await;
    server.call("UpdateTrail", json!({"Name": "demo"})).await;
    server.call("DescribeTrails", json!({})).await;
    server.settle().await;
    let reply = server.get("/_contrail/metrics").await;
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "# TYPE contrail_api_calls_total counter",
        "# HELP contrail_api_calls_total AWS API calls answered, by operation and error code.",
        r#"contrail_api_calls_total{operation="CreateTrail",code="OK"} 1"#,
        r#"contrail_api_calls_total{operation="DeleteTrail",code="TrailNotFoundException"} 1"#,
        r#"contrail_events_stored_total{source="intake"} 1"#,
        r#"contrail_events_stored_total{source="call"} 5"#,
        "contrail_write_queue 0",
        concat!(r#"contrail_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#"",era="2015"} 1"#),
        "process_start_time_seconds 1795325400",
    ] {
        assert!(reply.text.contains(line), "{line} is not in {}", reply.text);
    }
    let mut at_least_a_page = vec!["contrail_database_bytes ", "contrail_buckets_bytes "];
    if cfg!(target_os = "linux") {
        at_least_a_page.extend(["contrail_disk_free_bytes ", "process_resident_memory_bytes "]);
    }
    for name in at_least_a_page {
        let size = reply.text.lines().find_map(|line| line.strip_prefix(name));
        assert!(size.is_some_and(|size| size.parse::<f64>().unwrap() >= 4096.0), "{name} in {}", reply.text);
    }
    assert!(!reply.text.contains("# UNIT") && !reply.text.contains("# EOF"), "{}", reply.text);
}

#[tokio::test]
async fn a_scraper_that_asks_for_open_metrics_gets_them() {
    let server = TestServer::start().await;
    // As Prometheus asks.
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let request = http().get(format!("{}/_contrail/metrics", server.url)).header("accept", accept);
    let response = request.send().await.unwrap();
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = response.text().await.unwrap();
    assert!(text.contains("# TYPE contrail_events_duplicate counter\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn a_worker_that_dies_is_started_again_and_health_says_degraded_for_a_while() {
    let server = TestServer::start().await;
    let health = async || {
        let reply = server.get("/_contrail/health").await;
        (
            reply.status,
            reply.json()["services"]["cloudtrail"].clone(),
            reply.json()["failing_workers"].clone(),
        )
    };
    assert_eq!(health().await, (200, json!("available"), json!([])));
    let starts = Arc::new(AtomicU32::new(0));
    let work = || {
        let starts = Arc::clone(&starts);
        async move {
            assert!(starts.fetch_add(1, Ordering::SeqCst) >= 2, "it dies twice");
        }
    };
    server.workers.keep_alive("delivery", work).await;
    assert_eq!(starts.load(Ordering::SeqCst), 3);
    assert_eq!(health().await, (200, json!("degraded"), json!(["delivery"])));
    server.wait(20);
    assert_eq!(health().await, (200, json!("available"), json!([])));
}

/// What was measured before would pass for what is.
#[tokio::test]
async fn without_the_database_there_are_no_metrics_and_health_says_so() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/_contrail/metrics").await.status, 200);
    server.parts.store.close().await;
    let reply = server.get("/_contrail/metrics").await;
    assert_eq!(
        (reply.status, reply.text.contains("contrail_events_pending")),
        (503, false),
        "{}",
        reply.text
    );
    let reply = server.get("/_contrail/health").await;
    assert_eq!((reply.status, &reply.json()["services"]["cloudtrail"]), (503, &json!("error")));
}

#[tokio::test]
async fn a_body_that_is_rebased_is_bounded_and_moved_by_no_more_than_there_is() {
    let server = TestServer::with(&[("intake.max_unpacked_bytes", "100000")]).await;
    let body = record(1, "2026-11-22T05:00:01Z", "A").to_string();
    for shift in [i64::MAX, i64::MIN] {
        let reply = server.post(&format!("/_contrail/events?rebase=now&shift={shift}"), body.clone()).await;
        assert_eq!((reply.status, &reply.json()["accepted"]), (400, &json!(0)), "{}", reply.text);
        let reason = reply.json()["rejected"][0]["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("out of range"), "{reason}");
    }
    let long = vec![body.as_str(); 100_000 / body.len() + 1].join("\n");
    let reply = server.post("/_contrail/events?rebase=now", long).await;
    assert_eq!(reply.status, 413, "{}", reply.text);
    assert!(reply.text.contains("intake.max_unpacked_bytes"), "{}", reply.text);
    let reply = server.post("/_contrail/events?rebase=now", body.clone()).await;
    assert_eq!((reply.status, &reply.json()["accepted"]), (200, &json!(1)), "{}", reply.text);
}

#[tokio::test]
async fn a_bare_reset_wipes_nothing() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    for query in [
        "",
        "?everything=no",
        "?everything=",
        "?account=",
        "?account=12",
        "?account=000000000000&everything=yes",
        "?all=yes",
    ] {
        assert_eq!(server.post(&format!("/_contrail/reset{query}"), "").await.status, 400, "{query}");
    }
    assert_eq!(server.get("/_contrail/reset?everything=yes").await.status, 404, "only POST wipes");
    assert_eq!(server.call("GetTrailStatus", json!({"Name": "demo"})).await.status, 200);
}

#[tokio::test]
async fn a_reset_takes_one_account_or_all() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let mut theirs = record(1, "2026-11-22T05:00:01Z", "A");
    theirs["recipientAccountId"] = "111122223333".into();
    server.import(&[theirs, record(2, "2026-11-22T05:00:01Z", "B")]).await;
    let reply = server.post("/_contrail/reset?account=000000000000", "").await;
    assert_eq!((reply.status, reply.json()), (200, json!({"trails": 1, "events": 3})));
    assert_eq!(server.call("DescribeTrails", json!({})).await.json(), json!({"trailList": []}));
    let theirs = server.get("/_contrail/events?account=111122223333").await;
    assert_eq!(theirs.text.lines().count(), 1);
    // Theirs, and the call above.
    let reply = server.post("/_contrail/reset?everything=yes", "").await;
    assert_eq!(reply.json(), json!({"trails": 0, "events": 2}));
    assert_eq!(server.get("/_contrail/events").await.text, "");
}

/// Reads gather before they are stored: what was answered before a reset does not come behind it.
#[tokio::test]
async fn a_reset_removes_the_records_of_all_calls_that_were_answered_before() {
    let server = TestServer::start().await;
    for _ in 0..5 {
        server.ok("DescribeTrails", json!({})).await;
        let reply = server.post("/_contrail/reset?everything=yes", "").await;
        assert_eq!(reply.json(), json!({"trails": 0, "events": 1}));
    }
    assert_eq!(server.records().await.len(), 0);
}

#[tokio::test]
async fn our_own_paths_are_for_this_machine_and_no_foreign_page() {
    let server = TestServer::with(&[("server.allowed_hosts", "trail.team.test")]).await;
    let ask = async |name: &'static str, value: &'static str| {
        let request = http().get(format!("{}/_contrail/events", server.url)).header(name, value);
        let response = request.send().await.unwrap();
        assert!(response.headers().get("access-control-allow-origin").is_none());
        response.status().as_u16()
    };
    assert_eq!(ask("host", "evil.test").await, 403);
    assert_eq!(ask("host", "trail.team.test").await, 200);
    assert_eq!(ask("origin", "http://evil.test").await, 403);
    assert_eq!(ask("sec-fetch-site", "cross-site").await, 403);
    assert_eq!(ask("sec-fetch-site", "none").await, 200);
    for path in ["/_contrail/metrics", "/_contrail/events"] {
        let request = http().get(format!("{}{path}", server.url)).header("host", "evil.test");
        assert_eq!(request.send().await.unwrap().status(), 403, "{path}");
    }
    for path in ["/_contrail/reset?everything=yes", "/_contrail/events"] {
        let request = http().post(format!("{}{path}", server.url)).header("origin", "http://evil.test");
        assert_eq!(request.send().await.unwrap().status(), 403, "{path}");
    }
}

#[tokio::test]
async fn events_are_kept_for_their_time_counted_from_the_day_they_came() {
    let server = TestServer::start().await;
    server.import(&[record(1, "2019-01-01T00:00:00Z", "OldButNew")]).await;
    server.wait(10 * 86_400);
    server.import(&[record(2, "2026-12-01T00:00:00Z", "Later")]).await;
    let left = async || server.get("/_contrail/events").await.text.lines().count();
    server.wait(80 * 86_400);
    server.step().await;
    assert_eq!(left().await, 2, "nothing is older than ninety days");
    server.wait(3599);
    server.step().await;
    assert_eq!(left().await, 2, "the next look is an hour later");
    server.wait(1);
    server.step().await;
    let left = server.get("/_contrail/events").await.text;
    assert!(left.contains("Later") && !left.contains("OldButNew"), "{left}");
    let resources = server
        .call(
            "LookupEvents",
            json!({"LookupAttributes":
        [{"AttributeKey": "ResourceName", "AttributeValue": "i-1"}], "StartTime": 0}),
        )
        .await
        .json();
    assert_eq!(resources["Events"], json!([]));
}
