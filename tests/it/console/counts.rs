//! Counting by time and by value, and what there is at all.

use crate::console::{ask, filled, numbers};
use crate::support::{TestServer, record};
use serde_json::{Value, json};

#[tokio::test]
async fn a_histogram_has_reads_writes_and_failures_of_each_span() {
    let server = filled().await;
    let counts = ask(&server, "events/histogram?from=1795323600&to=1795323605&buckets=3").await;
    assert_eq!(
        counts,
        json!({
            "from": 1_795_323_600, "step": 2, "total": 6, "sampled": false,
            "buckets": [[1, 0, 1], [0, 1, 1], [0, 2, 0]]
        })
    );
}

/// A record of each of 100 hours, at minute 7, and every third a failure.
async fn hours() -> TestServer {
    let server = TestServer::start().await;
    let records: Vec<_> = (0..100u32)
        .map(|i| {
            let time = format!("2026-11-{:02}T{:02}:07:00Z", 1 + i / 24, i % 24);
            let mut record = record(i, &time, "Change");
            if i % 3 == 0 {
                record["errorCode"] = "AccessDenied".into();
            }
            if i % 2 == 0 {
                record["recipientAccountId"] = "111122223333".into();
            }
            record
        })
        .collect();
    server.import(&records).await;
    server
}

#[tokio::test]
async fn whole_hours_and_the_ends_of_the_time_make_the_same_counts_as_the_events_one_by_one() {
    let server = hours().await;
    let first = 1_793_491_200; // 2026-11-01T00:00:00Z
    for (from, to) in [
        (first, first + 100 * 3600),
        (first + 7 * 60, first + 99 * 3600 + 7 * 60),
        (first + 7 * 60 + 1, first + 99 * 3600 + 7 * 60 - 1),
        (first + 3599, first + 50 * 3600),
        (first - 86_400 * 40, first + 86_400 * 40),
        (first + 30, first + 3000),
    ] {
        for filter in ["", "&account=111122223333", "&account=!111122223333&region=us-*"] {
            let query = format!("from={from}&to={to}&buckets=20{filter}");
            let fast = ask(&server, &format!("events/histogram?{query}")).await;
            // A filter that all events pass: they are counted one by one.
            let slow = ask(&server, &format!("events/histogram?{query}&event_name=C*")).await;
            assert_eq!(fast, slow, "{query}");
            let rows = ask(&server, &format!("events?view=rows&from={from}&to={to}{filter}")).await;
            assert_eq!(fast["total"], rows["events"].as_array().unwrap().len(), "{query}");
        }
    }
}

#[tokio::test]
async fn counts_go_with_the_events_that_a_reset_or_age_removes() {
    let server = hours().await;
    assert_eq!(ask(&server, "scopes").await["total"], 100);
    server.post("/_contrail/reset?account=111122223333", "").await;
    let scopes = ask(&server, "scopes").await;
    assert_eq!((&scopes["total"], &scopes["accounts"]), (&json!(50), &json!([["000000000000", 50]])));
    server.wait(91 * 86_400);
    server.step().await;
    let scopes = ask(&server, "scopes").await;
    assert_eq!((&scopes["total"], &scopes["oldest"]), (&json!(0), &json!(null)));
    let counts = ask(&server, "events/histogram?from=1793491200&to=1795399999").await;
    assert_eq!(counts["total"], 0);
    assert_eq!(ask(&server, "events?view=rows").await["events"], json!([]));
}

#[tokio::test]
async fn facets_count_values_and_a_field_ignores_its_own_filter() {
    let server = filled().await;
    let facets = ask(&server, "events/facets?fields=username,event_source,error_code&limit=2").await;
    assert_eq!(
        facets,
        json!({"sampled": false, "facets": {
            "username": {"values": [["ana", 4], ["autoscaling.amazonaws.com", 1]], "distinct": 3},
            "event_source": {"values": [["ec2.amazonaws.com", 5], ["iam.amazonaws.com", 1]], "distinct": 2},
            "error_code": {"values": [["AccessDenied", 1], ["Client.UnauthorizedOperation", 1]], "distinct": 2}
        }})
    );
    let facets = ask(&server, "events/facets?fields=username,event_source&username=bob").await;
    assert_eq!(facets["facets"]["username"]["distinct"], 3);
    assert_eq!(facets["facets"]["event_source"]["values"], json!([["iam.amazonaws.com", 1]]));
    let all = ask(&server, "events/facets").await;
    let names: Vec<&String> = all["facets"].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 9);
}

#[tokio::test]
async fn scopes_say_what_there_is() {
    let server = filled().await;
    server.wait(60);
    let scopes = ask(&server, "scopes").await;
    assert_eq!(
        scopes,
        json!({
            "server": {"version": env!("CARGO_PKG_VERSION"), "era": "2015", "started": 1_795_325_400},
            "now": 1_795_325_460, "total": 6,
            "accounts": [["000000000000", 5], ["111122223333", 1]],
            "regions": [["us-east-1", 5], ["eu-west-1", 1]],
            "oldest": 1_795_323_600, "window_days": 7
        })
    );
    let empty = ask(&TestServer::with(&[("history.window_days", "0")]).await, "scopes").await;
    assert_eq!(
        (&empty["oldest"], &empty["window_days"], &empty["accounts"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
}

#[tokio::test]
async fn the_server_says_what_it_holds_what_waits_and_how_it_is_set() {
    let server = filled().await;
    server.start_demo_trail().await;
    server.import(&[record(9, "2026-11-22T05:00:00Z", "Change")]).await;
    server.wait(90);
    let mut answer = ask(&server, "server").await;
    let answer = answer.as_object_mut().unwrap();
    assert!(answer.shift_remove("database_bytes").unwrap().as_i64().unwrap() > 8192);
    let settings = answer.shift_remove("settings").unwrap();
    assert_eq!(
        (&settings["server"]["workers"], &settings["console"]["read_timeout"]),
        (&json!(1), &json!("2s"))
    );
    assert_eq!(
        Value::Object(answer.clone()),
        json!({
            "version": env!("CARGO_PKG_VERSION"), "era": "2015", "started": 1_795_325_400, "now": 1_795_325_490,
            "events": 9, "oldest": 1_795_323_600,
            "scopes": [["000000000000", "eu-west-1", 1], ["000000000000", "us-east-1", 7], ["111122223333", "us-east-1", 1]],
            "waiting": {
                "to_be_stored": 0, "to_be_delivered": 1, "oldest_stored": 1_795_325_400, "log_files": 0,
                "failing_destinations": 0
            }
        })
    );
}

#[tokio::test]
async fn what_would_take_long_is_answered_from_the_newest_events_and_says_so() {
    let server = TestServer::with(&[("console.search_records", "4"), ("console.facet_events", "5")]).await;
    let records: Vec<_> =
        (0..10).map(|i| record(i, &format!("2026-11-22T05:00:0{i}Z"), &format!("Change{i}"))).collect();
    server.import(&records).await;
    // "i-7" stands in the third newest record, "i-1" in the ninth: two pages end early before it is found.
    let page = ask(&server, "events?view=rows&q=%22i-7%22").await;
    assert_eq!((numbers(&page), &page["searched"]), ("7".to_owned(), &json!(4)));
    let (mut query, mut found) = ("events?view=rows&q=%22i-1%22".to_owned(), Vec::new());
    loop {
        let page = ask(&server, &query).await;
        found.push((numbers(&page), page["searched"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("events?view=rows&q=%22i-1%22&before={next}");
    }
    let none = String::new();
    assert_eq!(found, [(none.clone(), json!(4)), (none, json!(4)), ("1".to_owned(), json!(null))]);
    let counts = ask(&server, "events/histogram?from=1795323600&to=1795323609&q=Change").await;
    assert_eq!((&counts["sampled"], &counts["total"]), (&json!(4), &json!(4)));
    let facets = ask(&server, "events/facets?fields=username").await;
    assert_eq!(
        (&facets["sampled"], &facets["facets"]["username"]["values"]),
        (&json!(5), &json!([["ana", 5]]))
    );
    let few = ask(&server, "events/facets?fields=username&event_name=Change1&event_name=Change2").await;
    assert_eq!(
        (&few["sampled"], &few["facets"]["username"]["values"]),
        (&json!(false), &json!([["ana", 2]]))
    );
}

/// A record of sign-in, as its answer and its message say how it went.
fn sign_in(id: u32, name: &str, answer: Value, message: Value) -> Value {
    let mut record = record(id, "2026-11-22T05:00:00Z", name);
    record["eventSource"] = "signin.amazonaws.com".into();
    record["responseElements"] = answer;
    record["errorMessage"] = message;
    record
}

#[tokio::test]
async fn a_failure_without_a_code_counts_as_one() {
    let server = TestServer::start().await;
    let of = |name: &str, outcome: &str| json!({name: outcome});
    let records = [
        sign_in(1, "ConsoleLogin", of("ConsoleLogin", "Failure"), json!("Failed authentication")),
        sign_in(2, "ConsoleLogin", of("ConsoleLogin", "Failure"), Value::Null),
        sign_in(3, "SwitchRole", of("SwitchRole", "Failure"), Value::Null),
        sign_in(4, "CheckMfa", of("CheckMfa", "Failure"), json!("")),
        sign_in(5, "PasswordRecoveryRequested", Value::Null, json!("unknown user")),
        sign_in(6, "ConsoleLogin", of("ConsoleLogin", "Success"), Value::Null),
        sign_in(7, "SwitchRole", of("ConsoleLogin", "Failure"), json!("")),
        sign_in(8, "CreateThing", json!({"text": "Failure"}), Value::Null),
    ];
    server.import(&records).await;
    let rows = ask(&server, "events?view=rows&error=true").await;
    let mut names: Vec<_> =
        rows["events"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    names.sort_by_key(Value::to_string);
    assert_eq!(
        names,
        ["CheckMfa", "ConsoleLogin", "ConsoleLogin", "PasswordRecoveryRequested", "SwitchRole"]
    );
    assert!(rows["events"].as_array().unwrap().iter().all(|row| row["error"] == "Failure"));
    let counts = ask(&server, "events/histogram?from=1795323600&to=1795323600&buckets=1").await;
    assert_eq!(counts["buckets"], json!([[0, 3, 5]]));
    // What was stored before this was known is corrected.
    let database = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    database
        .execute_batch(
            "UPDATE events SET error_code = NULL; UPDATE event_summaries SET error_code = NULL;
             UPDATE event_counts SET writes = 8, failures = 0;
             UPDATE counters SET value = 1 WHERE name = 'facts_version';",
        )
        .unwrap();
    let whole_hour = "events/histogram?from=1795320000&to=1795327199&buckets=1";
    assert_eq!(ask(&server, whole_hour).await["buckets"], json!([[0, 8, 0]]));
    let server = server.restart_with(&[]).await;
    assert_eq!(ask(&server, whole_hour).await["buckets"], json!([[0, 3, 5]]));
    assert_eq!(ask(&server, "events?view=rows&error=true").await, rows);
}
