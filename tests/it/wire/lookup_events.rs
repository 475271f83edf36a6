//! LookupEvents: what it finds, in which order, and what it refuses.

use crate::support::{ACCOUNT, TestServer, record};
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use serde_json::{Value, json};

/// A lookup a second after the last one.
async fn lookup(server: &TestServer, input: Value) -> Value {
    server.wait(1);
    let reply = server.call("LookupEvents", input).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

/// The names of the events that a lookup finds, but for the lookups themselves, which today's history lists as well.
async fn names(server: &TestServer, input: Value) -> Vec<String> {
    let found = lookup(server, input).await;
    let names =
        found["Events"].as_array().unwrap().iter().map(|e| e["EventName"].as_str().unwrap().to_owned());
    names.filter(|name| name != "LookupEvents").collect()
}

async fn by(server: &TestServer, key: &str, value: &str) -> Vec<String> {
    names(server, json!({"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]})).await
}

/// `record`, changed.
fn changed(id: u32, time: &str, name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut record = record(id, time, name);
    change(&mut record);
    record
}

#[tokio::test]
async fn the_sdk_finds_what_was_called() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let sdk = server.sdk();
    sdk.update_trail().name("demo").s3_key_prefix("logs").send().await.unwrap();
    let found = sdk
        .lookup_events()
        .lookup_attributes(
            LookupAttribute::builder()
                .attribute_key(LookupAttributeKey::EventName)
                .attribute_value("UpdateTrail")
                .build()
                .unwrap(),
        )
        .send()
        .await
        .unwrap();
    let [event] = found.events() else { panic!("{found:?}") };
    assert_eq!(event.username(), Some("root"));
    assert_eq!(event.read_only(), Some("false"));
    assert_eq!(event.access_key_id(), Some("test"));
    assert_eq!(event.event_source(), Some("cloudtrail.amazonaws.com"));
    assert_eq!(event.event_time().unwrap().secs(), server.clock.now().timestamp());
    let names: Vec<_> = event.resources().iter().map(|r| r.resource_name().unwrap()).collect();
    assert_eq!(names, ["arn:aws:cloudtrail:us-east-1:000000000000:trail/demo", "demo", "my-bucket"]);
    let record: Value = serde_json::from_str(event.cloud_trail_event().unwrap()).unwrap();
    assert_eq!(record["eventID"], event.event_id().unwrap());
    assert_eq!(record["requestParameters"], json!({"name": "demo", "s3KeyPrefix": "logs"}));
    assert_eq!(found.next_token(), None);
}

#[tokio::test]
async fn an_entry_has_exactly_these_members() {
    let server = TestServer::start().await;
    server.import(&[record(1, "2026-11-22T05:00:00Z", "AttachVolume")]).await;
    let mut found = lookup(&server, json!({})).await;
    let shown: Value = serde_json::from_str(found["Events"][0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(shown, record(1, "2026-11-22T05:00:00Z", "AttachVolume"));
    found["Events"][0]["CloudTrailEvent"] = "…".into();
    insta::assert_json_snapshot!(found, @r#"
    {
      "Events": [
        {
          "EventId": "00000000-0000-4000-a000-000000000001",
          "EventName": "AttachVolume",
          "ReadOnly": "false",
          "AccessKeyId": "AKIAEXAMPLE",
          "EventTime": 1795323600,
          "EventSource": "ec2.amazonaws.com",
          "Username": "ana",
          "Resources": [
            {
              "ResourceType": "Instance",
              "ResourceName": "i-1"
            }
          ],
          "CloudTrailEvent": "…"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn what_a_service_did_has_neither_user_nor_key_and_resources_are_never_absent() {
    let server = TestServer::start().await;
    let by_service = changed(1, "2026-11-22T05:00:00Z", "Rotate", |r| {
        r["userIdentity"] = json!({"type": "AWSService", "invokedBy": "kms.amazonaws.com"});
        r["requestParameters"] = Value::Null;
    });
    server.import(&[by_service]).await;
    let entry = lookup(&server, json!({})).await["Events"][0].clone();
    assert_eq!(entry["Resources"], json!([]));
    assert_eq!((entry.get("Username"), entry.get("AccessKeyId")), (None, None));
}

#[tokio::test]
async fn each_of_the_eight_attributes_finds_whole_values_only() {
    let server = TestServer::with(&[("era", "today")]).await;
    server
        .import(&[
            record(1, "2026-11-22T05:00:01Z", "RunInstances"),
            changed(2, "2026-11-22T05:00:02Z", "CreateUser", |r| {
                r["eventSource"] = "iam.amazonaws.com".into();
                r["requestParameters"] = json!({"userName": "eve"});
                r["userIdentity"]["accessKeyId"] = "AKIAOTHER".into();
            }),
            changed(3, "2026-11-22T05:00:03Z", "ListUsers", |r| {
                r["eventSource"] = "iam.amazonaws.com".into();
                r["readOnly"] = true.into();
                r["userIdentity"]["userName"] = "bob".into();
            }),
        ])
        .await;
    assert_eq!(by(&server, "EventId", "00000000-0000-4000-a000-000000000002").await, ["CreateUser"]);
    assert_eq!(by(&server, "EventName", "RunInstances").await, ["RunInstances"]);
    assert_eq!(by(&server, "EventSource", "iam.amazonaws.com").await, ["ListUsers", "CreateUser"]);
    assert_eq!(by(&server, "Username", "bob").await, ["ListUsers"]);
    assert_eq!(by(&server, "AccessKeyId", "AKIAOTHER").await, ["CreateUser"]);
    assert_eq!(by(&server, "ReadOnly", "true").await, ["ListUsers"]);
    assert_eq!(by(&server, "ReadOnly", "false").await, ["CreateUser", "RunInstances"]);
    assert_eq!(by(&server, "ResourceName", "eve").await, ["CreateUser"]);
    assert_eq!(by(&server, "ResourceType", "AWS::IAM::User").await, ["CreateUser"]);
    for (key, value) in
        [("EventName", "runinstances"), ("EventName", "Run"), ("ResourceType", "AWS::Else::User")]
    {
        assert_eq!(by(&server, key, value).await, [""; 0], "{key} {value}");
    }
}

#[tokio::test]
async fn a_resource_type_is_found_in_both_spellings_and_shown_in_the_eras() {
    let server = TestServer::start().await;
    server.import(&[record(1, "2026-11-22T05:00:00Z", "AttachVolume")]).await;
    for spelling in ["Instance", "AWS::EC2::Instance"] {
        assert_eq!(by(&server, "ResourceType", spelling).await, ["AttachVolume"], "{spelling}");
    }
    let server = server.restart_with(&[("era", "today")]).await;
    assert_eq!(by(&server, "ResourceType", "Instance").await, ["AttachVolume"]);
    // By name: in this era the lookup before is an event too.
    let by_name =
        json!({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "AttachVolume"}]});
    let entry = lookup(&server, by_name).await["Events"][0].clone();
    assert_eq!(entry["Resources"][0]["ResourceType"], "AWS::EC2::Instance");
}

#[tokio::test]
async fn an_event_with_a_resource_twice_is_found_once() {
    let server = TestServer::start().await;
    let twice = changed(1, "2026-11-22T05:00:00Z", "CopyThem", |r| {
        r["responseElements"] = json!({"instances": [{"instanceId": "i-2"}, {"instanceId": "i-3"}]});
    });
    server.import(&[twice]).await;
    let found = lookup(
        &server,
        json!({"LookupAttributes": [{"AttributeKey": "ResourceType", "AttributeValue": "Instance"}]}),
    )
    .await;
    assert_eq!(found["Events"].as_array().unwrap().len(), 1);
    assert_eq!(found["Events"][0]["Resources"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_newest_comes_first_and_of_one_second_the_latest_to_arrive() {
    let server = TestServer::start().await;
    for (id, time, name) in [
        (1, "05:00:01", "Second"),
        (2, "05:00:00", "First"),
        (3, "05:00:01", "Third"),
        (4, "05:00:02", "Fourth"),
    ] {
        server.import(&[record(id, &format!("2026-11-22T{time}Z"), name)]).await;
    }
    assert_eq!(names(&server, json!({})).await, ["Fourth", "Third", "Second", "First"]);
}

#[tokio::test]
async fn a_time_range_includes_both_its_ends() {
    let server = TestServer::start().await;
    for second in 0..5 {
        server
            .import(&[record(second, &format!("2026-11-22T05:00:0{second}Z"), &format!("At{second}"))])
            .await;
    }
    let at = 1_795_323_600;
    let range = json!({"StartTime": at + 1, "EndTime": at + 3});
    assert_eq!(names(&server, range).await, ["At3", "At2", "At1"]);
    let fractions = json!({"StartTime": f64::from(at) + 0.5, "EndTime": f64::from(at) + 2.999});
    assert_eq!(names(&server, fractions).await, ["At2", "At1"]);
    assert_eq!(names(&server, json!({"StartTime": at + 4, "EndTime": at + 4})).await, ["At4"]);
}

#[tokio::test]
async fn lookups_reach_back_7_days_in_2015_and_90_today() {
    let server = TestServer::start().await;
    server
        .import(&[
            record(1, "2026-11-22T05:00:00Z", "Now"),
            record(2, "2026-11-15T05:30:10Z", "SevenDays"),
            record(3, "2026-11-15T05:29:59Z", "Older"),
            record(4, "2026-08-24T05:30:10Z", "NinetyDays"),
            record(5, "2026-08-24T05:29:59Z", "Ancient"),
        ])
        .await;
    assert_eq!(names(&server, json!({})).await, ["Now", "SevenDays"]);
    assert_eq!(
        names(&server, json!({"StartTime": 0})).await,
        ["Now", "SevenDays"],
        "a start is moved into the window"
    );
    assert_eq!(names(&server, json!({"StartTime": 0, "EndTime": 1_700_000_000})).await, [""; 0]);
    let server = server.restart_with(&[("era", "today")]).await;
    assert_eq!(names(&server, json!({})).await, ["Now", "SevenDays", "Older", "NinetyDays"]);
    let server = server.restart_with(&[("history.window_days", "0")]).await;
    assert_eq!(names(&server, json!({})).await.len(), 5);
}

#[tokio::test]
async fn the_era_of_2015_lists_changes_made_while_a_trail_was_logging() {
    let server = TestServer::start().await;
    server.call("CreateTrail", json!({"Name": "before", "S3BucketName": "my-bucket"})).await;
    server.start_demo_trail().await;
    server.call("DescribeTrails", json!({})).await;
    server.call("UpdateTrail", json!({"Name": "demo", "S3KeyPrefix": "x"})).await;
    server.call("StopLogging", json!({"Name": "demo"})).await;
    server.call("UpdateTrail", json!({"Name": "demo", "S3KeyPrefix": "y"})).await;
    assert_eq!(names(&server, json!({})).await, ["StopLogging", "UpdateTrail"]);
}

#[tokio::test]
async fn the_era_of_today_lists_every_management_event() {
    let server = TestServer::with(&[("era", "today")]).await;
    server.call("CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"})).await;
    server.wait(1);
    server.call("DescribeTrails", json!({})).await;
    server.settle().await;
    assert_eq!(names(&server, json!({})).await, ["DescribeTrails", "CreateTrail"]);
    // What no trail saw is not history in 2015.
    let server = server.restart_with(&[("era", "2015")]).await;
    assert_eq!(names(&server, json!({})).await, [""; 0]);
}

#[tokio::test]
async fn a_page_holds_10_in_2015_and_50_today() {
    let server = TestServer::start().await;
    let many: Vec<_> = (0..60).map(|i| record(i, &format!("2026-11-22T05:00:{i:02}Z"), "Change")).collect();
    server.import(&many).await;
    assert_eq!(names(&server, json!({})).await.len(), 10);
    assert_eq!(names(&server, json!({"MaxResults": 50})).await.len(), 50);
    assert_eq!(names(&server, json!({"MaxResults": 1})).await.len(), 1);
    let server = server.restart_with(&[("era", "today")]).await;
    assert_eq!(lookup(&server, json!({})).await["Events"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn data_events_are_in_no_lookup_and_insights_only_when_asked_for() {
    let server = TestServer::with(&[("era", "today")]).await;
    server
        .import(&[
            changed(1, "2026-11-22T05:00:00Z", "GetObject", |r| {
                r["eventCategory"] = "Data".into();
                r["managementEvent"] = false.into();
            }),
            json!({
                "eventVersion": "1.08", "eventTime": "2026-11-22T05:00:01Z", "awsRegion": "us-east-1",
                "eventID": "00000000-0000-4000-a000-000000000002", "eventType": "AwsCloudTrailInsight",
                "recipientAccountId": ACCOUNT, "eventCategory": "Insight",
                "insightDetails": {"eventSource": "ssm.amazonaws.com", "eventName": "UpdateThing", "state": "Start"}
            }),
        ])
        .await;
    assert_eq!(names(&server, json!({})).await, [""; 0]);
    assert_eq!(names(&server, json!({"EventCategory": "insight"})).await, ["UpdateThing"]);
    let by_source = json!({"EventCategory": "insight",
        "LookupAttributes": [{"AttributeKey": "EventSource", "AttributeValue": "ssm.amazonaws.com"}]});
    assert_eq!(names(&server, by_source).await, ["UpdateThing"]);
}

#[tokio::test]
async fn accounts_and_regions_are_kept_apart() {
    let server = TestServer::start().await;
    server
        .import(&[
            record(1, "2026-11-22T05:00:00Z", "Here"),
            changed(2, "2026-11-22T05:00:00Z", "Elsewhere", |r| r["awsRegion"] = "eu-west-1".into()),
            changed(3, "2026-11-22T05:00:00Z", "Theirs", |r| r["recipientAccountId"] = "111122223333".into()),
        ])
        .await;
    for (key, region, want) in [
        ("test", "us-east-1", "Here"),
        ("test", "eu-west-1", "Elsewhere"),
        ("111122223333", "us-east-1", "Theirs"),
    ] {
        server.wait(1);
        let found = server.call_as(key, region, "LookupEvents", json!({})).await.json();
        let events = found["Events"].as_array().unwrap();
        assert_eq!((events.len(), events[0]["EventName"].as_str()), (1, Some(want)));
    }
}

#[tokio::test]
async fn bad_input_gets_the_error_that_aws_gives() {
    let server = TestServer::with(&[("limits.lookup_events_per_second", "0")]).await;
    let attribute = |key: &str, value: &str| json!({"AttributeKey": key, "AttributeValue": value});
    let one = attribute("EventName", "x");
    let now = server.clock.now().timestamp();
    for (input, code) in [
        (json!({"MaxResults": 0}), "InvalidMaxResultsException"),
        (json!({"MaxResults": 51}), "InvalidMaxResultsException"),
        (json!({"MaxResults": "ten"}), "SerializationException"),
        (json!({"MaxResults": 1.5}), "SerializationException"),
        (json!({"StartTime": now, "EndTime": now - 1}), "InvalidTimeRangeException"),
        (json!({"StartTime": now + 60}), "InvalidTimeRangeException"),
        (json!({"StartTime": "yesterday"}), "SerializationException"),
        (json!({"StartTime": "2026-11-22T05:00:00Z"}), "SerializationException"),
        (json!({"EndTime": "1795000000"}), "SerializationException"),
        (json!({"EventCategory": "data"}), "InvalidEventCategoryException"),
        (json!({"LookupAttributes": [one, one]}), "InvalidLookupAttributesException"),
        (json!({"LookupAttributes": [attribute("Bogus", "x")]}), "InvalidLookupAttributesException"),
        (json!({"LookupAttributes": [attribute("EventName", "")]}), "InvalidLookupAttributesException"),
        (json!({"LookupAttributes": [attribute("ReadOnly", "True")]}), "InvalidLookupAttributesException"),
        (json!({"LookupAttributes": [{}]}), "InvalidLookupAttributesException"),
        (
            json!({"EventCategory": "insight", "LookupAttributes": [attribute("Username", "x")]}),
            "InvalidLookupAttributesException",
        ),
        (json!({"LookupAttributes": "EventName"}), "SerializationException"),
        (json!({"NextToken": "garbage"}), "InvalidNextTokenException"),
        (json!({"NextToken": ""}), "InvalidNextTokenException"),
    ] {
        let reply = server.call("LookupEvents", input.clone()).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{input}");
    }
}

#[tokio::test]
async fn what_was_imported_with_a_nul_character_is_found_by_it() {
    let server = TestServer::with(&[("limits.lookup_events_per_second", "0")]).await;
    let mut odd = record(1, "2026-11-22T05:00:01Z", "Na\0me");
    odd["eventID"] = "e\0id".into();
    odd["eventSource"] = "so\0urce".into();
    odd["userIdentity"]["userName"] = "us\0er".into();
    odd["userIdentity"]["accessKeyId"] = "ke\0y".into();
    odd["errorCode"] = "Err\0or".into();
    let other = record(2, "2026-11-22T05:00:02Z", "Other");
    let named = changed(3, "2026-11-22T05:00:03Z", "AttachVolume", |r| {
        r["requestParameters"] = json!({"volumeId": "vol-\0"});
    });
    server.import(&[odd, other, named]).await;
    for (key, value) in [
        ("EventId", "e\0id"),
        ("EventName", "Na\0me"),
        ("EventSource", "so\0urce"),
        ("Username", "us\0er"),
        ("AccessKeyId", "ke\0y"),
        ("ResourceName", "vol-\0"),
    ] {
        let attribute = json!([{"AttributeKey": key, "AttributeValue": value}]);
        let found = server.ok("LookupEvents", json!({"LookupAttributes": attribute})).await;
        assert_eq!(found["Events"].as_array().unwrap().len(), 1, "{key}");
    }
    for filter in ["event_name=Na%00me", "event_source=so%00urce", "username=us%00er", "error=Err%00or"] {
        let found = server.get(&format!("/_contrail/events?{filter}")).await;
        assert_eq!(found.text.lines().count(), 1, "{filter}");
    }
    let behind = server.get("/_contrail/events?after=e%00id&event_name=!LookupEvents").await;
    assert_eq!(behind.text.lines().count(), 2);
}
