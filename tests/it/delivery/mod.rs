//! What trails deliver, to an AWS of ours.

mod alone;
mod changed;
mod embedded;
mod events;
mod files;
mod logs;
mod notices;
mod older_folder;
mod regions;
mod retries;
mod selectors;

use crate::support::fakes::{FakeAws, Stored};
use crate::support::{TestServer, record};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};
use std::io::Read;

/// A server that delivers to `aws`, with a trail `demo` that is logging.
async fn delivering_to(aws: &FakeAws, trail: Value) -> TestServer {
    delivering_with(aws, &[], trail).await
}

/// The same with more settings.
async fn delivering_with(aws: &FakeAws, more: &[(&'static str, &str)], trail: Value) -> TestServer {
    let settings = aws.settings();
    let server = TestServer::with(&[&settings[..], more].concat()).await;
    let mut input = json!({"Name": "demo", "S3BucketName": "my-bucket"});
    for (member, value) in trail.as_object().unwrap() {
        input[member] = value.clone();
    }
    server.ok("CreateTrail", input).await;
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    aws.forget();
    server
}

/// Events 1 to `n`, put in.
async fn import(server: &TestServer, n: u32) {
    import_from(server, 1, n).await;
}

async fn import_from(server: &TestServer, first: u32, n: u32) {
    let records: Vec<_> =
        (first..first + n).map(|i| record(i, "2026-11-22T05:29:00Z", "RunInstances")).collect();
    server.import(&records).await;
}

/// Records 1 to `n` that do not pack well: some half a kilobyte each.
fn large_records(n: u32) -> Vec<Value> {
    let noisy = |id| {
        let mut record = record(id, "2026-11-22T05:29:00Z", "RunInstances");
        let noise: Vec<_> =
            (0..4u32).map(|n| Sha512::digest([id, n].map(u32::to_be_bytes).concat())).collect();
        record["requestParameters"]["userData"] = json!(format!("{noise:x?}"));
        record
    };
    (1..=n).map(noisy).collect()
}

/// The log files among the objects that were put.
pub(crate) fn log_files(aws: &FakeAws) -> Vec<Stored> {
    let mut objects = aws.objects();
    objects.retain(|object| object.key.contains("/CloudTrail/") && object.key.ends_with(".json.gz"));
    objects
}

/// The records in a log file.
pub(crate) fn records(file: &Stored) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(file.body.as_slice()).read_to_string(&mut text).unwrap();
    let content: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(content.as_object().unwrap().len(), 1, "Records is the only member");
    content["Records"].as_array().unwrap().clone()
}

/// `i-…` of the records of all log files, in the order of delivery.
fn delivered(aws: &FakeAws) -> Vec<String> {
    let all = log_files(aws).iter().flat_map(records).collect::<Vec<_>>();
    all.iter().filter_map(|r| r["requestParameters"]["instanceId"].as_str().map(str::to_owned)).collect()
}

/// `i-1` to `i-n`.
fn ids(n: u32) -> Vec<String> {
    (1..=n).map(|i| format!("i-{i}")).collect()
}
