//! Pages of rows, and one event.

use crate::console::{ask, filled, numbers};
use crate::support::{ACCOUNT, TestServer, record};
use contrail::domain::event_filter::EventFilter;
use contrail::store::Session;
use serde_json::json;

#[tokio::test]
async fn a_row_says_what_a_list_shows() {
    let server = filled().await;
    let page = ask(&server, "events?view=rows&limit=6").await;
    assert_eq!(page["next"], json!(null));
    let rows = page["events"].as_array().unwrap();
    let mut row = rows[3].clone();
    assert!(row["cursor"].as_str().unwrap().parse::<i64>().is_ok());
    row.as_object_mut().unwrap().shift_remove("cursor");
    assert_eq!(
        row,
        json!({
            "id": "00000000-0000-4000-a000-000000000002", "time": 1_795_323_602, "name": "DeleteVolume",
            "source": "ec2.amazonaws.com", "region": "us-east-1", "account": "000000000000", "actor": "ana", "role": null,
            "actor_type": "IAMUser", "access_key": "AKIAEXAMPLE", "source_ip": "192.0.2.7", "kind": "delete",
            "read_only": false, "error": "Client.UnauthorizedOperation", "targets": [], "target_count": 0
        })
    );
    assert_eq!(rows[2]["targets"], json!([{"type": "AWS::EC2::Instance", "name": "i-3"}]));
    assert_eq!((&rows[5]["kind"], &rows[0]["kind"]), (&json!("read"), &json!("write")));
    assert_eq!(rows[1]["access_key"], json!(null));
}

#[tokio::test]
async fn a_row_begins_with_the_resource_that_the_call_was_about_and_says_how_many_there_are() {
    let server = TestServer::start().await;
    let mut assumed = record(1, "2026-11-22T05:00:01Z", "AssumeRole");
    assumed["eventSource"] = "sts.amazonaws.com".into();
    assumed["userIdentity"] =
        json!({"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/admin/ci"});
    assumed["requestParameters"] =
        json!({"roleArn": "arn:aws:iam::111122223333:role/deployer", "roleSessionName": "ci"});
    assumed["responseElements"] = json!({
        "credentials": {"accessKeyId": "ASIANEW", "expiration": "later"},
        "assumedRoleUser": {"assumedRoleId": "AROAX:ci", "arn": "arn:aws:sts::111122223333:assumed-role/deployer/ci"}
    });
    server.import(&[assumed]).await;
    let page = ask(&server, "events?view=rows").await;
    let row = &page["events"][0];
    assert_eq!((&row["actor"], &row["role"]), (&json!("ci"), &json!("admin")));
    assert_eq!((&row["target_count"], row["targets"].as_array().map(Vec::len)), (&json!(5), Some(3)));
    assert_eq!(
        row["targets"][0],
        json!({"type": "AWS::IAM::Role", "name": "arn:aws:iam::111122223333:role/deployer"})
    );
    // One event has all of them, its lookup has AWS's order.
    let one = ask(&server, &format!("events/{}", row["id"].as_str().unwrap())).await;
    assert_eq!(one["event"]["targets"].as_array().map(Vec::len), Some(5));
    assert_eq!(one["event"]["targets"][0], row["targets"][0]);
    let found = server.ok("LookupEvents", json!({})).await;
    let listed = found["Events"][0]["Resources"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 5);
    assert_ne!(listed[0]["ResourceName"], row["targets"][0]["name"]);
}

#[tokio::test]
async fn a_data_event_is_found_by_its_object_and_its_bucket_and_by_no_lookup() {
    let server = TestServer::start().await;
    let mut read = record(1, "2026-11-22T05:00:01Z", "GetObject");
    read["eventSource"] = "s3.amazonaws.com".into();
    (read["managementEvent"], read["eventCategory"]) = (false.into(), "Data".into());
    read["requestParameters"] = json!({"bucketName": "b-1", "key": "a/k.txt"});
    read["resources"] = json!([
        {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b-1/a/k.txt"},
        {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b-1"}
    ]);
    // Names that hold the others, or look like what is stored.
    let mut odd = read.clone();
    odd["eventID"] = "00000000-0000-4000-a000-000000000003".into();
    odd["requestParameters"] = json!({"bucketName": "b-10", "key": "\"ResourceName\":\"b-1\"}"});
    odd["resources"] = json!([{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b-1/a/k.txt.gz"}]);
    server.import(&[read, record(2, "2026-11-22T05:00:02Z", "Change"), odd]).await;
    // What names several containers is found by each.
    for name in ["arn:aws:s3:::b-1/a/k.txt.gz", "b-10"] {
        let page = ask(&server, &format!("events?view=rows&resource={name}")).await;
        assert_eq!(numbers(&page), "3", "{name}");
    }
    for name in ["arn:aws:s3:::b-1/a/k.txt", "arn:aws:s3:::b-1", "b-1"] {
        let page = ask(&server, &format!("events?view=rows&resource={name}")).await;
        assert_eq!(numbers(&page), "1", "{name}");
        assert_eq!(page["events"][0]["targets"][0]["name"], "arn:aws:s3:::b-1/a/k.txt");
        let page = ask(
            &server,
            &format!("events?view=rows&event_source=!cloudtrail.amazonaws.com&resource=!{name}"),
        )
        .await;
        assert_eq!(numbers(&page), "23", "{name}");
        server.wait(2);
        let attribute = json!([{"AttributeKey": "ResourceName", "AttributeValue": name}]);
        let found = server.ok("LookupEvents", json!({"LookupAttributes": attribute})).await;
        assert_eq!(found["Events"], json!([]), "{name}");
    }
    server.wait(2);
    let attribute = json!([{"AttributeKey": "ResourceType", "AttributeValue": "AWS::S3::Bucket"}]);
    let found = server.ok("LookupEvents", json!({"LookupAttributes": attribute})).await;
    assert_eq!(found["Events"], json!([]));
    // They go with their events.
    let db = rusqlite::Connection::open(server.folder.path().join("contrail.db")).unwrap();
    let stored =
        || db.query_row("SELECT count(*) FROM data_event_resources", [], |r| r.get::<_, i64>(0)).unwrap();
    assert_eq!(stored(), 2);
    server.post("/_contrail/reset?everything=yes", "").await;
    assert_eq!(stored(), 0);
}

#[tokio::test]
async fn rows_have_members_of_their_records_that_are_asked_for() {
    let server = TestServer::start().await;
    let mut odd = record(2, "2026-11-22T05:00:02Z", "Change");
    (odd["userAgent"], odd["requestID"]) = ("".into(), json!(7));
    server.import(&[record(1, "2026-11-22T05:00:01Z", "Change"), odd]).await;
    let page = ask(&server, "events?view=rows&also=user_agent,request_id").await;
    let asked =
        |row: usize| (page["events"][row]["user_agent"].clone(), page["events"][row]["request_id"].clone());
    assert_eq!(asked(0), (json!(null), json!(null)));
    assert_eq!(asked(1), (json!("test"), json!("00000000-0000-4000-9000-000000000001")));
    let page = ask(&server, "events?view=rows&also=user_agent").await;
    assert_eq!(
        (page["events"][1].get("user_agent"), page["events"][1].get("request_id")),
        (Some(&json!("test")), None)
    );
    for query in ["view=rows&also=record", "view=rows&also=", "also=user_agent"] {
        let reply = server.get(&format!("/_contrail/events?{query}")).await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.text.contains("also: "), "{}", reply.text);
    }
}

#[tokio::test]
async fn pages_neither_repeat_nor_hide_events_while_others_arrive() {
    let server = filled().await;
    let mut seen = String::new();
    let mut before = String::new();
    for i in 10.. {
        let page = ask(&server, &format!("events?view=rows&limit=2{before}")).await;
        seen.push_str(&numbers(&page));
        // One in between the pages, older than all that is still to come, and one newer than everything.
        server.import(&[record(i, "2026-11-22T05:20:00Z", "New")]).await;
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(seen, "543210");
}

#[tokio::test]
async fn an_event_is_found_by_its_id_with_its_record() {
    let server = TestServer::start().await;
    let mut records =
        [record(1, "2026-11-22T05:00:00Z", "Change"), record(1, "2026-11-22T05:00:01Z", "Change")];
    records[1]["awsRegion"] = "eu-west-1".into();
    server.import(&records).await;
    let path = "events/00000000-0000-4000-a000-000000000001";
    let newest = ask(&server, path).await;
    assert_eq!(newest["record"], records[1]);
    assert_eq!(newest["event"]["region"], "eu-west-1");
    let other = ask(&server, &format!("{path}?region=us-east-1&account=000000000000")).await;
    assert_eq!(other["record"], records[0]);
    let missing = server.get(&format!("/_contrail/{path}?account=111122223333")).await;
    assert_eq!((missing.status, missing.json()), (404, json!({"error": "there is no such event"})));
}

#[tokio::test]
async fn every_answer_tells_browsers_what_may_not_be_done_with_it() {
    let server = filled().await;
    for path in ["events?view=rows", "events", "events/facets", "events/x", "scopes", "trails", "events?x=1"]
    {
        let reply = server.get(&format!("/_contrail/{path}")).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'"));
        assert!(reply.header("access-control-allow-origin").is_empty());
    }
}

#[tokio::test]
async fn other_origins_and_other_hosts_cannot_read() {
    let server = filled().await;
    for (name, value) in
        [("origin", "http://evil.test"), ("sec-fetch-site", "cross-site"), ("host", "evil.test")]
    {
        for path in ["events?view=rows", "events/histogram?from=0&to=1", "events/stream", "scopes", "trails"]
        {
            let request = crate::support::http().get(format!("{}/_contrail/{path}", server.url));
            let reply = request.header(name, value).send().await.unwrap();
            assert_eq!(reply.status(), 403, "{name} {path}");
        }
    }
}

#[tokio::test]
async fn what_takes_too_long_is_ended_and_says_what_to_do() {
    let server = TestServer::with(&[("console.read_timeout", "0ms")]).await;
    let many: Vec<_> = (0..300).map(|i| record(i, "2026-11-22T05:00:00Z", "Change")).collect();
    server.import(&many).await;
    let reply = server.get("/_contrail/events/histogram?from=0&to=1795399999&error=false").await;
    let want = json!({"error": "too much to read: narrow the time"});
    assert_eq!((reply.status, reply.json()), (503, want));
    // The connections can be used again, and nobody else is concerned.
    assert_eq!(server.get("/_contrail/events/histogram?from=0&to=1&error=false").await.status, 200);
    assert_eq!(server.records().await.len(), 300);
}

#[tokio::test]
async fn no_page_sorts() {
    let server = filled().await;
    let mut session = server.parts.store.read().await.unwrap();
    for (parameter, value) in [
        ("from", "0"),
        ("event_name", "Delete*"),
        ("username", "!ana"),
        ("account", "000000000000"),
        ("error", "true"),
        ("read_only", "false"),
        ("resource", "!i-3"),
        ("q", "text"),
    ] {
        let mut filter = EventFilter::default();
        filter.take(parameter, value).unwrap();
        let plan = session.events().page_plan(&filter).await.unwrap().join("\n");
        assert!(!plan.contains("TEMP B-TREE"), "{parameter}: {plan}");
        assert!(
            plan.contains("SEARCH s USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
            "{parameter}: {plan}"
        );
    }
    let mut filter = EventFilter::default();
    filter.take("resource", "i-3").unwrap();
    let plan = session.events().page_plan(&filter).await.unwrap().join("\n");
    assert!(plan.contains("data_event_resources_by_container (container=? AND key>? AND key<?)"), "{plan}");
    assert!(
        plan.contains("event_resources_by_name (account=? AND region=? AND listing=? AND resource_name=?"),
        "{plan}"
    );
}
