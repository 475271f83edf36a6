//! Digests: what is in them, how they follow each other, and the keys that sign them.

mod chain;
mod failing;
mod keys;

use crate::support::chain::{Objects, check};
use crate::support::fakes::FakeAws;
use crate::support::{TestServer, record};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;

/// A server that delivers to `aws`, with a trail `demo` that is logging with validation.
async fn validating(aws: &FakeAws, trail: Value) -> TestServer {
    let server = TestServer::with(&aws.settings()).await;
    let mut input = json!({"Name": "demo", "S3BucketName": "my-bucket", "EnableLogFileValidation": true});
    for (member, value) in trail.as_object().unwrap() {
        input[member] = value.clone();
    }
    server.ok("CreateTrail", input).await;
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    aws.forget();
    server
}

async fn import(server: &TestServer, id: u32) {
    server.import(&[record(id, "2026-11-22T05:29:00Z", "RunInstances")]).await;
}

/// The digests that were put, oldest first: key and content.
fn digests(aws: &FakeAws) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for object in aws.objects() {
        if object.key.contains("/CloudTrail-Digest/") && object.key.ends_with(".json.gz") {
            found.push((object.key.clone(), serde_json::from_slice(&unpacked(&object.body)).unwrap()));
        }
    }
    found
}

fn unpacked(body: &[u8]) -> Vec<u8> {
    let mut gzip = GzDecoder::new(body);
    let mut content = Vec::new();
    gzip.read_to_end(&mut content).unwrap();
    assert!(gzip.into_inner().is_empty(), "one gzip member, and nothing behind it");
    content
}

/// Reads all digests as validate-logs does; how many there are.
async fn valid(server: &TestServer, aws: &FakeAws) -> usize {
    let mut objects = Objects::new();
    for object in aws.objects().into_iter().filter(|object| object.key.ends_with(".json.gz")) {
        let metadata = object.headers.iter();
        let metadata: BTreeMap<_, _> = metadata
            .filter_map(|(name, value)| Some((name.strip_prefix("x-amz-meta-")?.to_owned(), value.clone())))
            .collect();
        let stored = (unpacked(&object.body), metadata);
        let before = objects.insert(object.key.clone(), stored.clone());
        assert!(before.is_none_or(|before| before == stored), "{} was rewritten", object.key);
    }
    let keys = server.ok("ListPublicKeys", json!({"StartTime": 0})).await;
    check(&objects, &keys)
}
