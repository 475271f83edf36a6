//! One grammar of filters, whatever is asked with it.

use crate::console::{ask, filled, numbers};

#[tokio::test]
async fn each_filter_narrows_the_page() {
    let server = filled().await;
    for (query, want) in [
        ("", "543210"),
        ("&event_name=Change3", "3"),
        ("&event_name=Change3&event_name=Change5", "53"),
        ("&event_name=Change*", "5431"),
        ("&event_name=!Change*", "20"),
        ("&event_name=Change*&event_name=!Change5", "431"),
        ("&event_name=change3", ""),
        ("&event_name=Change%5C*", ""),
        ("&event_source=iam.amazonaws.com", "5"),
        ("&username=bob", "5"),
        ("&username=autoscaling.amazonaws.com", "4"),
        ("&username=!ana", "54"),
        ("&actor_type=AWSService", "4"),
        ("&error=true", "21"),
        ("&error=false", "5430"),
        ("&error=AccessDenied", "1"),
        ("&error_code=AccessDenied&error_code=Client.*", "21"),
        ("&error_code=!AccessDenied", "54320"),
        ("&access_key=AKIABOB", "5"),
        ("&access_key=!AKIABOB", "43210"),
        ("&source_ip=198.51.100.*", "3"),
        ("&region=eu-west-1", "3"),
        ("&account=111122223333", "4"),
        ("&account=999999999999", ""),
        ("&read_only=true", "0"),
        ("&read_only=false", "54321"),
        ("&resource=i-3", "3"),
        ("&resource=i-3&resource=i-5", "3"),
        ("&resource=!i-3", "54210"),
        ("&q=i-4", "4"),
        ("&q=%22userName%22:%22bob%22", "5"),
        ("&q=I-4", ""),
        ("&from=2026-11-22T05:00:04Z", "54"),
        ("&from=1795323601&to=1795323602", "21"),
        ("&to=1795323601", "10"),
        ("&region=us-east-1&error=false&username=ana", "0"),
    ] {
        let page = ask(&server, &format!("events?view=rows{query}")).await;
        assert_eq!(numbers(&page), want, "{query}");
        // What counts and what reads out agree with it.
        let time = if query.contains("from=") || query.contains("to=") { "" } else { "&from=0" };
        let end = if query.contains("to=") { "" } else { "&to=1795399999" };
        let start = if query.contains("from=") || !time.is_empty() { "" } else { "&from=0" };
        let counts = ask(&server, &format!("events/histogram?buckets=400{query}{time}{start}{end}")).await;
        assert_eq!(counts["total"], want.len(), "{query}");
        let read_out = server.get(&format!("/_contrail/events?order=desc{query}")).await;
        assert_eq!(read_out.text.lines().count(), want.len(), "{query}");
        let facets = ask(&server, &format!("events/facets?fields=event_name{query}")).await;
        if !query.contains("event_name") {
            let values = facets["facets"]["event_name"]["values"].as_array().unwrap();
            let total: i64 = values.iter().map(|value| value[1].as_i64().unwrap()).sum();
            assert_eq!(total, want.len() as i64, "{query}");
        }
    }
}

#[tokio::test]
async fn a_failed_call_is_found_by_the_resources_that_it_asked_for() {
    let server = filled().await;
    assert_eq!(numbers(&ask(&server, "events?view=rows&resource=i-1").await), "1");
    assert_eq!(numbers(&ask(&server, "events?view=rows&q=i-1").await), "1");
}

#[tokio::test]
async fn a_text_is_found_as_it_stands_and_as_json_writes_it() {
    let server = crate::support::TestServer::start().await;
    let mut record = crate::support::record(1, "2026-11-22T05:00:00Z", "PutBucketPolicy");
    record["requestParameters"] = serde_json::json!({"policy": "{\"Effect\":\"Allow\"}", "name": "grün"});
    server.import(&[record]).await;
    for text in ["%22Effect%22:%22Allow%22", "%5C%22Effect%5C%22", "gr%C3%BCn"] {
        assert_eq!(numbers(&ask(&server, &format!("events?view=rows&q={text}")).await), "1", "{text}");
    }
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_by_the_name_of_its_parameter() {
    let server = filled().await;
    let many = "&resource=x".repeat(21);
    for (path, name) in [
        ("events?view=rows&form=1", "form"),
        ("events?view=columns", "view"),
        ("events?view=rows&limit=0", "limit"),
        ("events?view=rows&limit=1001", "limit"),
        ("events?view=rows&limit=-1", "limit"),
        ("events?view=rows&limit=1.5", "limit"),
        ("events?view=rows&limit=99999999999999999999", "limit"),
        ("events?view=rows&limit=1&limit=2", "limit"),
        ("events?view=rows&before=x", "before"),
        ("events?view=rows&order=asc", "order"),
        ("events?view=rows&format=csv", "format"),
        ("events?view=rows&event_name=", "event_name"),
        ("events?view=rows&read_only=yes", "read_only"),
        ("events?view=rows&from=yesterday", "from"),
        ("events?view=rows&from=10&to=9", "from"),
        ("events?before=1", "before"),
        ("events?format=xml", "format"),
        ("events?order=up", "order"),
        ("events/histogram?to=1", "from"),
        ("events/histogram?from=1", "to"),
        ("events/histogram?from=1&to=2&buckets=401", "buckets"),
        ("events/facets?fields=event_name,nothing", "fields"),
        ("events/facets?limit=51", "limit"),
        ("events/stream?limit=1", "limit"),
        ("events/x?form=1", "form"),
        ("trails?files=1001", "files"),
        ("trails?region=us-east-1", "region"),
        ("scopes?account=000000000000", "account"),
        ("server?x=1", "x"),
        ("events/x?account=1", "account"),
        (&format!("events?view=rows{many}"), "resource"),
    ] {
        let reply = server.get(&format!("/_contrail/{path}")).await;
        assert_eq!(reply.status, 400, "{path}");
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(name), "{path}: {error}");
    }
}
