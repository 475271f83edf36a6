//! Delivery and SIGKILL: every acknowledged event is in the bucket exactly once for each trail.

use super::{Contrail, contrail, database, event_id, ndjson};
use crate::support::chain::Objects;
use crate::support::http;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// A server that delivers all the time.
fn start(folder: &Path) -> Contrail {
    let mut command = contrail(&["--port", "0", "--data-dir", folder.to_str().unwrap()]);
    command.env("CONTRAIL__DELIVERY__PERIOD", "1s").env("CONTRAIL__DELIVERY__DIGEST_PERIOD", "1s");
    Contrail::spawn(command)
}

/// Puts events in, ten at a time, with numbers from `first`, until the server is gone.
async fn put_events(url: String, first: u32, acks: UnboundedSender<u32>) {
    let client = http();
    for batch in 0.. {
        let ids = first + batch * 10..first + batch * 10 + 10;
        let body = ndjson(ids.clone());
        let Ok(reply) = client.post(format!("{url}/_contrail/events")).body(body).send().await else {
            return;
        };
        assert_eq!(reply.status(), 200);
        ids.for_each(|id| acks.send(id).unwrap());
    }
}

/// Flushes until the server is gone.
async fn flush(url: String) {
    let client = http();
    while client.post(format!("{url}/_contrail/flush")).send().await.is_ok() {}
}

/// Objects of a bucket: key, content, metadata.
async fn objects(server: &Contrail, bucket: &str) -> Objects {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .endpoint_url(&server.url)
        .force_path_style(true)
        .credentials_provider(aws_sdk_s3::config::Credentials::new("test", "secret", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let mut found = BTreeMap::new();
    let mut pages = client.list_objects_v2().bucket(bucket).into_paginator().send();
    while let Some(page) = pages.next().await {
        for object in page.unwrap().contents() {
            let key = object.key().unwrap();
            if !key.ends_with('/') {
                let got = client.get_object().bucket(bucket).key(key).send().await.unwrap();
                let metadata = got.metadata().cloned().unwrap_or_default().into_iter().collect();
                let body = got.body.collect().await.unwrap().into_bytes();
                let mut content = Vec::new();
                GzDecoder::new(&body[..]).read_to_end(&mut content).unwrap();
                found.insert(key.to_owned(), (content, metadata));
            }
        }
    }
    found
}

/// `CONTRAIL_TEST_KILL_ROUNDS` says how often; a few times are quick.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_kill_is_delivered_exactly_once_to_each_trail() {
    let rounds = std::env::var("CONTRAIL_TEST_KILL_ROUNDS").map_or(3, |n| n.parse::<u32>().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let trails = ["one", "two", "three"];
    let server = start(folder.path());
    for name in trails {
        let trail =
            json!({"Name": name, "S3BucketName": format!("bucket-{name}"), "EnableLogFileValidation": true});
        assert_eq!(server.call("CreateTrail", trail).await.status, 200);
        assert_eq!(server.call("StartLogging", json!({"Name": name})).await.status, 200);
    }
    server.stop();
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        let server = start(folder.path());
        let (send, mut acks) = unbounded_channel();
        let first = round * 1_000_000;
        let clients = [
            tokio::spawn(put_events(server.url.clone(), first, send.clone())),
            tokio::spawn(put_events(server.url.clone(), first + 500_000, send)),
            tokio::spawn(flush(server.url.clone())),
        ];
        // Another moment in every round.
        let until = acknowledged.len() + 300 + (round as usize * 613) % 1500;
        while acknowledged.len() < until {
            acknowledged.insert(tokio::time::timeout(super::DEADLINE, acks.recv()).await.unwrap().unwrap());
        }
        server.kill();
        for client in clients {
            client.await.unwrap();
        }
        while let Some(id) = acks.recv().await {
            acknowledged.insert(id);
        }
    }
    let server = start(folder.path());
    // Nothing more is captured, or the calls below would be delivered meanwhile.
    for name in trails {
        assert_eq!(server.call("StopLogging", json!({"Name": name})).await.status, 200);
    }
    let flushed = http().post(format!("{}/_contrail/flush", server.url)).send().await.unwrap();
    let flushed: Value = flushed.json().await.unwrap();
    assert_eq!(flushed["failures"], json!([]));
    let mut db = database(folder.path()).await;
    let waiting: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pending_events").fetch_one(&mut db).await.unwrap();
    assert_eq!(waiting, 0);
    let keys = server.call("ListPublicKeys", json!({"StartTime": 0})).await.json();
    let mut figures = (0, 0);
    for name in trails {
        let objects = objects(&server, &format!("bucket-{name}")).await;
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (key, (content, _)) in objects.iter().filter(|(key, _)| key.contains("/CloudTrail/")) {
            let content: Value = serde_json::from_slice(content).unwrap_or_else(|e| panic!("{key}: {e}"));
            for record in content["Records"].as_array().unwrap() {
                *seen.entry(record["eventID"].as_str().unwrap().to_owned()).or_default() += 1;
            }
            figures.0 += 1;
        }
        let doubled: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
        let lost: Vec<_> = acknowledged.iter().filter(|id| !seen.contains_key(&event_id(**id))).collect();
        assert!(doubled.is_empty() && lost.is_empty(), "{name}: doubled {doubled:?}, lost {lost:?}");
        figures.1 += crate::support::chain::check(&objects, &keys);
    }
    eprintln!(
        "{rounds} kills: {} events acknowledged, each once in the bucket of each of {} trails; {} log files and {} digests, \
         all valid",
        acknowledged.len(),
        trails.len(),
        figures.0,
        figures.1
    );
}

#[tokio::test]
async fn an_s3_whose_certificate_is_in_aws_ca_bundle_is_trusted() {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut command = contrail(&["--port", "0", "--data-dir", there.path().to_str().unwrap()]);
    command.env("CONTRAIL__TLS__ENABLED", "true");
    let s3 = Contrail::spawn(command);
    let certificate = there.path().join("tls.crt");
    let trail = json!({"Name": "demo", "S3BucketName": "my-bucket"});
    let not_a_certificate = here.path().join("not-a-certificate");
    std::fs::write(&not_a_certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    let refused = "InsufficientS3BucketPolicyException";
    for (named_by, bundle, code) in [
        ("AWS_CA_BUNDLE", None, refused),
        ("AWS_CA_BUNDLE", Some(&not_a_certificate), refused),
        ("AWS_CA_BUNDLE", Some(&certificate), ""),
        ("CONTRAIL__RECORDER__UPSTREAM_CA", Some(&not_a_certificate), refused),
        ("CONTRAIL__RECORDER__UPSTREAM_CA", Some(&certificate), ""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = contrail(&["--port", "0", "--data-dir", folder.path().to_str().unwrap()]);
        command.env("CONTRAIL__DELIVERY__S3_ENDPOINT", &s3.url);
        command.env("CONTRAIL__DELIVERY__CREATE_BUCKETS", "true");
        if let Some(bundle) = bundle {
            command.env(named_by, bundle);
        }
        let mut server = Contrail::spawn(command);
        let made = server.call("CreateTrail", trail.clone()).await;
        assert_eq!(made.json()["__type"].as_str().unwrap_or_default(), code, "{}", made.text);
        if bundle == Some(&not_a_certificate) {
            server.process.logged("the certificates in a file cannot be used");
        }
    }
}
