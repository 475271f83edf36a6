//! Reading the event history: pages, counts, the live stream, trails.

mod agreement;
mod counts;
mod export;
mod filters;
mod older_folder;
mod page;
mod pages;
mod stream;
mod trails;

use crate::support::{TestServer, record};
use serde_json::{Value, json};

/// A server with six events, of which each differs from the others in something.
pub(crate) async fn filled() -> TestServer {
    let server = TestServer::start().await;
    let mut records: Vec<_> =
        (0..6).map(|i| record(i, &format!("2026-11-22T05:00:0{i}Z"), &format!("Change{i}"))).collect();
    records[0]["readOnly"] = true.into();
    records[0]["eventName"] = "DescribeInstances".into();
    records[1]["errorCode"] = "AccessDenied".into();
    records[2]["errorCode"] = "Client.UnauthorizedOperation".into();
    records[2]["eventName"] = "DeleteVolume".into();
    records[3]["awsRegion"] = "eu-west-1".into();
    records[3]["sourceIPAddress"] = "198.51.100.9".into();
    records[4]["recipientAccountId"] = "111122223333".into();
    records[4]["userIdentity"] = json!({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"});
    records[5]["userIdentity"]["userName"] = "bob".into();
    records[5]["userIdentity"]["accessKeyId"] = "AKIABOB".into();
    records[5]["eventSource"] = "iam.amazonaws.com".into();
    server.import(&records).await;
    server
}

/// The answer to a question of the read API.
pub(crate) async fn ask(server: &TestServer, path: &str) -> Value {
    let reply = server.get(&format!("/_contrail/{path}")).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()
}

/// The numbers of the events on a page, newest first.
pub(crate) fn numbers(page: &Value) -> String {
    let number = |row: &Value| row["id"].as_str().unwrap().chars().last().unwrap();
    page["events"].as_array().unwrap().iter().map(number).collect()
}
