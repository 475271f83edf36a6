//! Which events go into the files of a trail with selectors.

use super::{delivered, delivering_to, log_files, records};
use crate::support::fakes::FakeAws;
use crate::support::{TestServer, arn, record};
use serde_json::{Value, json};

const TIME: &str = "2026-11-22T05:29:00Z";

/// The data event of a call for an object.
fn object_call(id: u32, name: &str, key: &str) -> Value {
    let mut record = record(id, TIME, name);
    let arn = format!("arn:aws:s3:::{key}");
    record["eventSource"] = json!("s3.amazonaws.com");
    record["readOnly"] = json!(name.starts_with("Get"));
    record["managementEvent"] = json!(false);
    record["eventCategory"] = json!("Data");
    record["resources"] = json!([{"type": "AWS::S3::Object", "ARN": arn}]);
    record
}

fn from(source: &str, id: u32, name: &str) -> Value {
    let mut record = record(id, TIME, name);
    record["eventSource"] = json!(source);
    record
}

async fn select(server: &TestServer, trail: &str, selectors: Value) {
    server.ok("PutEventSelectors", json!({"TrailName": trail, "EventSelectors": selectors})).await;
}

#[tokio::test]
async fn a_trail_with_a_data_selector_delivers_exactly_the_data_events_of_its_prefix() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    let values = json!(["arn:aws:s3:::b-1/in"]);
    let objects = json!([{"Type": "AWS::S3::Object", "Values": values}]);
    select(&server, "demo", json!([{"IncludeManagementEvents": false, "DataResources": objects}])).await;
    server.flush().await;
    aws.forget();
    server
        .import(&[
            object_call(1, "PutObject", "b-1/in/1"),
            object_call(2, "PutObject", "b-1/out/1"),
            object_call(3, "GetObject", "b-1/in/1"),
            object_call(4, "PutObject", "b-12/in/1"),
            from("ec2.amazonaws.com", 5, "RunInstances"),
        ])
        .await;
    server.flush().await;
    assert_eq!(delivered(&aws), ["i-1", "i-3"]);
    let bytes = records(&log_files(&aws)[0]);
    assert_eq!(bytes[0], object_call(1, "PutObject", "b-1/in/1"));
}

#[tokio::test]
async fn a_trail_without_data_selectors_delivers_no_data_events() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    server.import(&[object_call(1, "PutObject", "b-1/in/1"), record(2, TIME, "RunInstances")]).await;
    server.flush().await;
    assert_eq!(delivered(&aws), ["i-2"]);
}

#[tokio::test]
async fn what_a_trail_leaves_out_stands_in_lookups_all_the_same() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    let without =
        json!([{"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]);
    select(&server, "demo", without).await;
    server.flush().await;
    aws.forget();
    let kms = from("kms.amazonaws.com", 1, "CreateKey");
    server.import(&[kms, record(2, TIME, "RunInstances")]).await;
    server.flush().await;
    assert_eq!(delivered(&aws), ["i-2"]);
    let found = server.ok("LookupEvents", json!({})).await;
    let names: Vec<_> = found["Events"].as_array().unwrap().iter().map(|event| &event["EventName"]).collect();
    assert!(names.contains(&&json!("CreateKey")), "{names:?}");
}

#[tokio::test]
async fn each_trail_takes_what_its_own_selectors_choose() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    server
        .ok("CreateTrail", json!({"Name": "data", "S3BucketName": "my-bucket", "S3KeyPrefix": "data"}))
        .await;
    let network = json!([{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["NetworkActivity"]},
        {"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]}, {"Field": "vpcEndpointId", "NotEquals": ["vpce-1"]}]}]);
    let asked = json!({"TrailName": "data", "AdvancedEventSelectors": network});
    server.ok("PutEventSelectors", asked).await;
    server.ok("StartLogging", json!({"Name": "data"})).await;
    server.flush().await;
    aws.forget();
    let through = |id, endpoint: &str| {
        let mut record = from("ec2.amazonaws.com", id, "DescribeInstances");
        record["eventCategory"] = json!("NetworkActivity");
        record["vpcEndpointId"] = json!(endpoint);
        record
    };
    server.import(&[through(1, "vpce-1"), through(2, "vpce-2"), record(3, TIME, "RunInstances")]).await;
    server.flush().await;
    let mut files: Vec<_> =
        log_files(&aws).iter().map(|file| (file.key.starts_with("data/"), records(file).len())).collect();
    files.sort_unstable();
    assert_eq!(files, [(false, 1), (true, 1)]);
}

#[tokio::test]
async fn own_calls_are_selected_as_they_arrive() {
    let aws = FakeAws::start().await;
    let server = delivering_to(&aws, json!({})).await;
    select(&server, "demo", json!([{"ReadWriteType": "ReadOnly"}])).await;
    server.ok("DescribeTrails", json!({})).await;
    server.ok("AddTags", json!({"ResourceId": arn("us-east-1", "demo"), "TagsList": []})).await;
    server.settle().await;
    server.flush().await;
    let names: Vec<_> =
        log_files(&aws).iter().flat_map(records).map(|record| record["eventName"].clone()).collect();
    assert_eq!(
        names,
        ["PutEventSelectors", "DescribeTrails"],
        "the first arrived under the default selectors"
    );
}
