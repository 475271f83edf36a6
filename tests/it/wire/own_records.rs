//! What Contrail records of its own calls.

use crate::support::{TestServer, start_of_time};
use serde_json::{Value, json};

/// The record of the last call.
async fn last(server: &TestServer) -> Value {
    server.records().await.pop().expect("a record")
}

fn members(record: &Value) -> Vec<&str> {
    record.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_change_is_recorded_with_every_member_in_the_order_of_aws() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.wait(5);
    let reply = server.call("UpdateTrail", json!({"Name": "demo", "S3KeyPrefix": "p", "Unknown": 1})).await;
    let mut record = last(&server).await;
    assert_eq!(record["requestID"], reply.header("x-amzn-requestid"));
    assert!(uuid::Uuid::try_parse(record["eventID"].as_str().unwrap()).is_ok());
    assert_ne!(record["requestID"], record["eventID"]);
    record["requestID"] = "…".into();
    record["eventID"] = "…".into();
    insta::assert_json_snapshot!(record, @r#"
    {
      "eventVersion": "1.11",
      "userIdentity": {
        "type": "Root",
        "principalId": "000000000000",
        "arn": "arn:aws:iam::000000000000:root",
        "accountId": "000000000000",
        "accessKeyId": "test"
      },
      "eventTime": "2026-11-22T05:30:05Z",
      "eventSource": "cloudtrail.amazonaws.com",
      "eventName": "UpdateTrail",
      "awsRegion": "us-east-1",
      "sourceIPAddress": "127.0.0.1",
      "userAgent": "contrail-test/1.0",
      "requestParameters": {
        "name": "demo",
        "s3KeyPrefix": "p"
      },
      "responseElements": {
        "name": "demo",
        "s3BucketName": "my-bucket",
        "s3KeyPrefix": "p",
        "includeGlobalServiceEvents": true,
        "isMultiRegionTrail": false,
        "trailARN": "arn:aws:cloudtrail:us-east-1:000000000000:trail/demo",
        "logFileValidationEnabled": false,
        "isOrganizationTrail": false,
        "recursiveLogging": true
      },
      "requestID": "…",
      "eventID": "…",
      "readOnly": false,
      "eventType": "AwsApiCall",
      "managementEvent": true,
      "recipientAccountId": "000000000000",
      "eventCategory": "Management"
    }
    "#);
}

#[tokio::test]
async fn a_refused_call_is_recorded_with_its_error_between_agent_and_parameters() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    let reply = server.call("DeleteTrail", json!({"Name": "nothing"})).await;
    let record = last(&server).await;
    assert_eq!(
        (record["errorCode"].as_str(), record["errorMessage"].as_str().unwrap()),
        (Some("TrailNotFoundException"), reply.error().1.as_str())
    );
    assert_eq!(
        (&record["requestParameters"], &record["responseElements"]),
        (&json!({"name": "nothing"}), &Value::Null)
    );
    let names = members(&record);
    let at = names.iter().position(|name| *name == "errorCode").unwrap();
    assert_eq!(names[at - 1..at + 3], ["userAgent", "errorCode", "errorMessage", "requestParameters"]);
}

#[tokio::test]
async fn calls_that_only_read_or_answer_nothing_have_no_response_elements() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    for (operation, input, parameters, read_only) in [
        ("DescribeTrails", json!({}), Value::Null, true),
        ("DescribeTrails", json!({"trailNameList": []}), json!({"trailNameList": []}), true),
        ("GetTrailStatus", json!({"Name": "demo"}), json!({"name": "demo"}), true),
        ("StartLogging", json!({"Name": "demo"}), json!({"name": "demo"}), false),
        (
            "LookupEvents",
            json!({"StartTime": start_of_time().timestamp(), "MaxResults": 5}),
            json!({"startTime": "Nov 22, 2026, 5:30:00 AM", "maxResults": 5}),
            true,
        ),
        ("StopLogging", json!({"Name": "demo"}), json!({"name": "demo"}), false),
    ] {
        let reply = server.call(operation, input).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let record = last(&server).await;
        assert_eq!(record["eventName"], operation);
        assert_eq!(record["requestParameters"], parameters, "{operation}");
        assert_eq!(record["responseElements"], Value::Null, "{operation}");
        assert_eq!(record["readOnly"], read_only, "{operation}");
    }
}

#[tokio::test]
async fn the_first_start_is_not_recorded_and_the_last_stop_is() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    assert!(server.records().await.is_empty(), "nothing was logging when they arrived");
    server.call("DescribeTrails", json!({})).await;
    server.call("StopLogging", json!({"Name": "demo"})).await;
    server.call("DeleteTrail", json!({"Name": "demo"})).await;
    let names: Vec<_> = server.records().await.iter().map(|r| r["eventName"].clone()).collect();
    assert_eq!(names, ["DescribeTrails", "StopLogging"]);
}

#[tokio::test]
async fn today_everything_is_recorded() {
    let server = TestServer::with(&[("era", "today")]).await;
    server.start_demo_trail().await;
    let names: Vec<_> = server.records().await.iter().map(|r| r["eventName"].clone()).collect();
    assert_eq!(names, ["CreateTrail", "StartLogging"]);
}

#[tokio::test]
async fn what_the_front_layer_refuses_is_not_recorded() {
    let server = TestServer::start().await;
    server.start_demo_trail().await;
    server.call("Bogus", json!({})).await;
    server.call("ListTags", json!({})).await;
    server.call("DeleteTrail", json!({"Name": 7})).await;
    assert!(server.records().await.is_empty());
}

#[tokio::test]
async fn callers_with_a_name_are_recorded_by_it() {
    let settings = r#"
        [[identities]]
        access_key = "AKIAANA"
        account = "111122223333"
        user = "ana"
        [[identities]]
        access_key = "ASIACI"
        account = "111122223333"
        role = "deployer"
        session = "ci-7"
    "#;
    let server = TestServer::with_file(settings).await;
    let ask = async |key: &'static str, name: &'static str| {
        let input = json!({"Name": name, "S3BucketName": "my-bucket"});
        server.call_as(key, "us-east-1", "CreateTrail", input).await;
    };
    ask("AKIAANA", "first").await;
    server.call_as("AKIAANA", "us-east-1", "StartLogging", json!({"Name": "first"})).await;
    ask("AKIAANA", "by-ana").await;
    ask("ASIACI", "by-ci").await;
    server.settle().await;
    let found = server.call_as("111122223333", "us-east-1", "LookupEvents", json!({})).await.json();
    let users: Vec<_> = found["Events"].as_array().unwrap().iter().map(|e| e["Username"].clone()).collect();
    assert_eq!(users, ["ci-7", "ana"]);
    let record: Value =
        serde_json::from_str(found["Events"][0]["CloudTrailEvent"].as_str().unwrap()).unwrap();
    assert_eq!(record["userIdentity"]["arn"], "arn:aws:sts::111122223333:assumed-role/deployer/ci-7");
}
