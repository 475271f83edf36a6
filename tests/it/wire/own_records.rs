//! The records of Contrail's own calls.

use crate::support::{ACCOUNT, Reply, TestServer, arn};
use contrail::metrics::TextFormat;
use serde_json::{Value, json};

/// The names of an account's calls in a region that lookups list, oldest first. In the era of 2015 they are what changed
/// something while a trail was logging.
async fn listed_for(server: &TestServer, access_key: &str, region: &str) -> Vec<String> {
    // Lookups may be made once a second.
    server.wait(1);
    server.settle().await;
    let found = server.call_as(access_key, region, "LookupEvents", json!({"MaxResults": 50})).await.json();
    let names = found["Events"].as_array().unwrap().iter().rev();
    names.map(|event| event["EventName"].as_str().unwrap().to_owned()).collect()
}

/// The same for the default account and region.
async fn listed(server: &TestServer) -> Vec<String> {
    listed_for(server, "test", "us-east-1").await
}

/// The names of the default account's recorded calls, oldest first.
async fn recorded(server: &TestServer) -> Vec<String> {
    server.records().await.iter().map(|record| record["eventName"].as_str().unwrap().to_owned()).collect()
}

/// The reply to a call, and its record, which must be the latest.
async fn call(server: &TestServer, operation: &str, input: Value) -> (Reply, Value) {
    let before = server.records().await.len();
    let reply = server.call(operation, input).await;
    let records = server.records().await;
    assert_eq!(records.len(), before + 1, "{operation}: {}", reply.text);
    let record = records.last().unwrap().clone();
    assert_eq!(record["eventName"], operation);
    (reply, record)
}

/// `value` with the ids at `pointers`, which are another matter, left out.
fn without(value: &Value, pointers: &[&str]) -> Value {
    let mut value = value.clone();
    for pointer in pointers {
        *value.pointer_mut(pointer).unwrap() = json!("[id]");
    }
    value
}

fn members(record: &Value) -> Vec<&str> {
    record.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_call_that_changes_something_is_recorded_with_question_and_answer() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.wait(75);
    let input = json!({
        "Name": "other", "S3BucketName": "my-bucket", "EnableLogFileValidation": true, "SnsTopicName": "alerts",
        "TagsList": [{"Key": "Team", "Value": "A"}]
    });
    let (reply, record) = call(&server, "CreateTrail", input).await;
    assert_eq!(record["requestID"], reply.header("x-amzn-requestid"));
    assert_ne!(record["requestID"], record["eventID"]);
    for member in ["requestID", "eventID"] {
        assert_eq!(uuid::Uuid::parse_str(record[member].as_str().unwrap()).unwrap().get_version_num(), 4);
    }
    insta::assert_json_snapshot!(without(&record, &["/requestID", "/eventID"]), @r#"
    {
      "eventVersion": "1.11",
      "userIdentity": {
        "type": "Root",
        "principalId": "000000000000",
        "arn": "arn:aws:iam::000000000000:root",
        "accountId": "000000000000",
        "accessKeyId": "test"
      },
      "eventTime": "2026-11-22T05:31:15Z",
      "eventSource": "cloudtrail.amazonaws.com",
      "eventName": "CreateTrail",
      "awsRegion": "us-east-1",
      "sourceIPAddress": "127.0.0.1",
      "userAgent": "contrail-test/1.0",
      "requestParameters": {
        "name": "other",
        "s3BucketName": "my-bucket",
        "snsTopicName": "alerts",
        "enableLogFileValidation": true,
        "tagsList": [
          {
            "key": "Team",
            "value": "A"
          }
        ]
      },
      "responseElements": {
        "name": "other",
        "s3BucketName": "my-bucket",
        "snsTopicName": "alerts",
        "snsTopicARN": "arn:aws:sns:us-east-1:000000000000:alerts",
        "includeGlobalServiceEvents": true,
        "isMultiRegionTrail": false,
        "trailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/other",
        "logFileValidationEnabled": true,
        "isOrganizationTrail": false,
        "recursiveLogging": true
      },
      "requestID": "[id]",
      "eventID": "[id]",
      "readOnly": false,
      "eventType": "AwsApiCall",
      "managementEvent": true,
      "recipientAccountId": "000000000000",
      "eventCategory": "Management"
    }
    "#);
}

#[tokio::test]
async fn the_record_of_a_refused_call_says_why() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let (reply, record) = call(&server, "UpdateTrail", json!({"Name": "unknown", "S3KeyPrefix": ""})).await;
    assert_eq!(record["requestID"], reply.header("x-amzn-requestid"));
    assert_eq!(record["errorCode"], "TrailNotFoundException");
    assert_eq!(record["errorMessage"], reply.error().1);
    assert_eq!(record["requestParameters"], json!({"name": "unknown", "s3KeyPrefix": ""}));
    assert_eq!(record["responseElements"], Value::Null);
    assert_eq!(
        members(&record),
        [
            "eventVersion",
            "userIdentity",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
            "userAgent",
            "errorCode",
            "errorMessage",
            "requestParameters",
            "responseElements",
            "requestID",
            "eventID",
            "readOnly",
            "eventType",
            "managementEvent",
            "recipientAccountId",
            "eventCategory"
        ]
    );
}

#[tokio::test]
async fn every_operation_is_recorded_in_its_way() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let name = json!({"name": "demo"});
    let unknown = arn("us-east-1", "unknown");
    let demo = arn("us-east-1", "demo");
    let tags = |value: &str| json!({"ResourceId": demo, "TagsList": [{"Key": "k", "Value": value}]});
    let tagged = |value: &str| json!({"resourceId": demo, "tagsList": [{"key": "k", "value": value}]});
    for (operation, input, parameters, is_read_only) in [
        ("DescribeTrails", json!({}), Value::Null, true),
        (
            "DescribeTrails",
            json!({"trailNameList": ["demo"], "includeShadowTrails": false}),
            json!({"trailNameList": ["demo"], "includeShadowTrails": false}),
            true,
        ),
        ("GetTrailStatus", json!({"Name": "demo"}), name.clone(), true),
        ("GetTrailStatus", json!({"Name": unknown}), json!({"name": unknown}), true),
        ("GetTrail", json!({"Name": "demo"}), name.clone(), true),
        ("GetEventSelectors", json!({"TrailName": "demo"}), json!({"trailName": "demo"}), true),
        ("ListTrails", json!({}), Value::Null, true),
        ("ListTags", json!({"ResourceIdList": [demo]}), json!({"resourceIdList": [demo]}), true),
        ("LookupEvents", json!({"MaxResults": 3}), json!({"maxResults": 3}), true),
        ("AddTags", tags("v"), tagged("v"), false),
        ("RemoveTags", tags("other"), tagged("other"), false),
        ("StartLogging", json!({"Name": "demo"}), name.clone(), false),
        ("StartLogging", json!({}), Value::Null, false),
        ("UpdateTrail", json!({"Name": "demo"}), name.clone(), false),
        ("StopLogging", json!({"Name": "demo"}), name, false),
    ] {
        let (reply, record) = call(&server, operation, input).await;
        assert_eq!(record["requestParameters"], parameters, "{operation}");
        assert_eq!(record["readOnly"], is_read_only, "{operation}");
        assert_eq!(record["requestID"], reply.header("x-amzn-requestid"), "{operation}");
        assert_eq!(record.get("errorCode").is_some(), reply.status == 400, "{operation}");
        // What CloudTrail answers with nothing has no elements.
        assert_eq!(record["responseElements"].is_object(), operation == "UpdateTrail", "{operation}");
    }
}

#[tokio::test]
async fn an_update_is_recorded_with_what_it_cleared() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.ok("UpdateTrail", json!({"Name": "demo", "SnsTopicName": "alerts"})).await;
    let (reply, record) = call(&server, "UpdateTrail", json!({"Name": "demo", "SnsTopicName": ""})).await;
    assert_eq!(reply.json()["SnsTopicARN"], "");
    let answered = &record["responseElements"];
    assert_eq!((&answered["snsTopicName"], &answered["snsTopicARN"]), (&json!(""), &json!("")));
}

#[tokio::test]
async fn the_history_of_2015_begins_behind_the_first_start_and_ends_with_the_last_stop() {
    let server = TestServer::start().await;
    server.create_in("us-east-1", "demo", false).await;
    server.refused("StartLogging", json!({"Name": "unknown"})).await;
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    assert!(listed(&server).await.is_empty());
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    server.ok("GetTrailStatus", json!({"Name": "demo"})).await;
    assert_eq!(listed(&server).await, ["StartLogging", "StopLogging"]);
}

#[tokio::test]
async fn the_deletion_of_the_last_trail_is_history_and_nothing_behind_it() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    server.refused("DeleteTrail", json!({"Name": "demo"})).await;
    assert_eq!(listed(&server).await, ["DeleteTrail"]);
}

#[tokio::test]
async fn while_one_of_two_trails_logs_calls_are_history_once() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.create_in("us-east-1", "other", false).await;
    server.ok("StartLogging", json!({"Name": "other"})).await;
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    server.ok("DeleteTrail", json!({"Name": "demo"})).await;
    assert_eq!(listed(&server).await, ["CreateTrail", "StartLogging", "StopLogging", "DeleteTrail"]);
}

#[tokio::test]
async fn today_everything_is_recorded_without_any_trail() {
    let server = TestServer::with(&[("era", "today")]).await;
    server.ok("DescribeTrails", json!({})).await;
    server.refused("StartLogging", json!({"Name": "unknown"})).await;
    server.start_demo_trail().await;
    assert_eq!(recorded(&server).await, ["DescribeTrails", "StartLogging", "CreateTrail", "StartLogging"]);
    let found = server.sdk().lookup_events().send().await.unwrap();
    assert_eq!(found.events().len(), 4);
}

#[tokio::test]
async fn the_history_of_2015_has_what_a_trail_covers() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.create_in("eu-west-1", "early", false).await;
    assert_eq!(listed(&server).await, [""; 0]);
    assert_eq!(listed_for(&server, "test", "eu-west-1").await, [""; 0]);
    server.ok("UpdateTrail", json!({"Name": "demo", "IsMultiRegionTrail": true})).await;
    server.create_in("eu-west-1", "theirs", false).await;
    assert_eq!(listed(&server).await, ["UpdateTrail"]);
    assert_eq!(listed_for(&server, "test", "eu-west-1").await, ["CreateTrail"]);
}

#[tokio::test]
async fn the_trail_of_another_account_makes_no_history_of_ours() {
    const THEIRS: &str = "111122223333";
    let server = TestServer::start().await;
    let theirs = server.sdk_as(THEIRS, "us-east-1");
    theirs
        .create_trail()
        .name("demo")
        .s3_bucket_name("my-bucket")
        .is_multi_region_trail(true)
        .send()
        .await
        .unwrap();
    theirs.start_logging().name("demo").send().await.unwrap();
    server.create_in("us-east-1", "demo", false).await;
    theirs.stop_logging().name("demo").send().await.unwrap();
    assert_eq!(listed(&server).await, [""; 0]);
    assert_eq!(listed_for(&server, THEIRS, "us-east-1").await, ["StopLogging"]);
    let record =
        server.get(&format!("/_contrail/events?account={THEIRS}&event_name=StopLogging")).await.json();
    assert_eq!(record["recipientAccountId"], THEIRS);
    assert_eq!(record["userIdentity"]["arn"], "arn:aws:iam::111122223333:root");
}

/// What a test asks for is what it has done, whatever the era and its trails.
#[tokio::test]
async fn the_export_has_every_call_also_while_no_trail_is_logging() {
    let server = TestServer::start().await;
    server.ok("DescribeTrails", json!({})).await;
    server.create_in("us-east-1", "demo", false).await;
    server.refused("StartLogging", json!({"Name": "unknown"})).await;
    server.ok("GetTrailStatus", json!({"Name": "demo"})).await;
    assert_eq!(listed(&server).await, [""; 0]);
    let calls = ["DescribeTrails", "CreateTrail", "StartLogging", "GetTrailStatus", "LookupEvents"];
    assert_eq!(recorded(&server).await, calls);
    // Today it is history, too.
    let server = server.restart_with(&[("era", "today")]).await;
    assert_eq!(listed(&server).await, calls);
}

/// Reads wait for the next commit: it keeps the order in which one caller called.
#[tokio::test]
async fn reads_and_changes_of_one_second_stand_in_the_order_of_the_calls() {
    let server = TestServer::start().await;
    for name in ["one", "two"] {
        server.ok("DescribeTrails", json!({})).await;
        server.create_in("us-east-1", name, false).await;
        server.ok("GetTrail", json!({"Name": name})).await;
        server.refused("StartLogging", json!({"Name": "unknown"})).await;
        server.ok("ListTrails", json!({})).await;
    }
    let once = ["DescribeTrails", "CreateTrail", "GetTrail", "StartLogging", "ListTrails"];
    assert_eq!(recorded(&server).await, [once, once].concat());
    let commits = server.parts.metrics.render(TextFormat::Plain).unwrap();
    let commits =
        commits.lines().find_map(|line| line.strip_prefix("contrail_commit_seconds_count ")).unwrap();
    assert!(
        commits.parse::<u32>().unwrap() <= 4,
        "each refusal, and what is asked for at the end: {commits}"
    );
}

#[tokio::test]
async fn the_sdk_is_recorded_under_its_own_name() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.sdk().stop_logging().name("demo").send().await.unwrap();
    let records = server.records().await;
    let agent = records[2]["userAgent"].as_str().unwrap();
    assert!(agent.starts_with("aws-sdk-rust/"), "{agent}");
}

#[tokio::test]
async fn a_caller_without_a_user_agent_or_a_key_is_recorded_without_them() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let reply = crate::support::http()
        .post(&server.url)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "CloudTrail_20131101.StopLogging")
        .body(r#"{"Name":"demo"}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    let record = &server.records().await[2];
    assert_eq!((record.get("userAgent"), record["userIdentity"].get("accessKeyId")), (None, None));
    assert_eq!(record["userIdentity"]["type"], "Root");
}

#[tokio::test]
async fn users_and_roles_of_the_settings_are_recorded_as_such() {
    let server = TestServer::with(&[
        ("identities[0].access_key", "AKIAANA"),
        ("identities[0].account", ACCOUNT),
        ("identities[0].user", "ana"),
        ("identities[1].access_key", "ASIACI"),
        ("identities[1].account", ACCOUNT),
        ("identities[1].role", "deployer"),
        ("identities[1].session", "nightly"),
    ])
    .await;
    server.start_demo_trail().await;
    for key in ["AKIAANA", "ASIACI"] {
        let reply = server.call_as(key, "us-east-1", "UpdateTrail", json!({"Name": "demo"})).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    let records = server.records().await;
    let (ana, ci) = (&records[2]["userIdentity"], &records[3]["userIdentity"]);
    insta::assert_json_snapshot!(without(ana, &["/principalId"]), @r#"
    {
      "type": "IAMUser",
      "principalId": "[id]",
      "arn": "arn:aws:iam::000000000000:user/ana",
      "accountId": "000000000000",
      "accessKeyId": "AKIAANA",
      "userName": "ana"
    }
    "#);
    let shown = without(ci, &["/principalId", "/sessionContext/sessionIssuer/principalId"]);
    insta::assert_json_snapshot!(shown, @r#"
    {
      "type": "AssumedRole",
      "principalId": "[id]",
      "arn": "arn:aws:sts::000000000000:assumed-role/deployer/nightly",
      "accountId": "000000000000",
      "accessKeyId": "ASIACI",
      "sessionContext": {
        "sessionIssuer": {
          "type": "Role",
          "principalId": "[id]",
          "arn": "arn:aws:iam::000000000000:role/deployer",
          "accountId": "000000000000",
          "userName": "deployer"
        },
        "attributes": {
          "creationDate": "2026-11-22T05:30:00Z",
          "mfaAuthenticated": "false"
        }
      }
    }
    "#);
    let issuer = ci["sessionContext"]["sessionIssuer"]["principalId"].as_str().unwrap();
    assert_eq!(ci["principalId"], format!("{issuer}:nightly"));
    for (id, prefix) in [(ana["principalId"].as_str().unwrap(), "AIDA"), (issuer, "AROA")] {
        assert!(id.starts_with(prefix) && id.len() == 21, "{id}");
    }
    // Lookups find them by user name, which for a role is the session's.
    for user in ["ana", "nightly"] {
        let by_user = json!({"LookupAttributes": [{"AttributeKey": "Username", "AttributeValue": user}]});
        let found = server.ok("LookupEvents", by_user).await;
        assert_eq!(found["Events"].as_array().unwrap().len(), 1, "{user}");
        server.wait(1);
    }
}

#[tokio::test]
async fn what_is_too_long_for_a_record_is_cut_and_the_call_is_recorded() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let endless = "k".repeat(200_000);
    let (reply, record) = call(&server, "UpdateTrail", json!({"Name": "demo", "KmsKeyId": &endless})).await;
    assert!(reply.error().1.len() < 500, "the caller knows what was sent");
    let size = json!({"name": "demo", "kmsKeyId": endless}).to_string().len();
    let left_out = json!({"reason": "requestParameters too large", "omitted": true, "originalSize": size});
    assert_eq!(record["requestParameters"], left_out);
    assert_eq!(record["errorMessage"], reply.error().1);
}

#[tokio::test]
async fn what_callers_write_is_recorded_to_the_letter() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    for name in ["\u{0}", "a\u{0}b", "\"quoted\" \\ name", "tr\u{e4}il \u{1f980}", "' OR 1=1 --"] {
        let (_, record) = call(&server, "UpdateTrail", json!({"Name": name})).await;
        assert_eq!(record["requestParameters"], json!({"name": name}));
        assert_eq!(record["errorCode"], "InvalidTrailNameException");
    }
}

#[tokio::test]
async fn what_the_front_layer_refuses_is_not_recorded() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.call("Bogus", json!({})).await;
    server.call("ListChannels", json!({})).await;
    server.call("DeleteTrail", json!({"Name": 7})).await;
    assert_eq!(recorded(&server).await, ["CreateTrail", "StartLogging"]);
}
