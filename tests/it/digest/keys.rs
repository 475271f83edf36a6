//! Keys, and ListPublicKeys.

use super::{import, valid, validating};
use crate::support::fakes::FakeAws;
use crate::support::{TestServer, start_of_time};
use aws_sdk_cloudtrail::primitives::DateTime;
use contrail::store::{DigestKey, Session};
use serde_json::{Value, json};

const DAY: u64 = 24 * 3600;

async fn keys(server: &TestServer, input: Value) -> Vec<String> {
    let listed = server.ok("ListPublicKeys", input).await;
    let list = listed["PublicKeyList"].as_array().unwrap();
    list.iter().map(|key| key["Fingerprint"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_key_is_replaced_after_thirty_days_and_stays_to_be_had() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    let start = start_of_time().timestamp();
    let first = keys(&server, json!({})).await;
    assert_eq!(first.len(), 1);
    server.wait(31 * DAY);
    import(&server, 1).await;
    server.flush().await;
    let current = keys(&server, json!({})).await;
    assert_eq!(current.len(), 1, "without a range the current key");
    assert_ne!(current, first);
    let day = |n: i64| start + n * DAY as i64;
    let both = [first.clone(), current.clone()].concat();
    for (range, want) in [
        (json!({"StartTime": day(0), "EndTime": day(1)}), &first),
        (json!({"StartTime": day(30), "EndTime": day(31)}), &both),
        (json!({"StartTime": day(32)}), &current),
        (json!({"EndTime": day(1)}), &first),
        (json!({"StartTime": day(-9), "EndTime": day(-1)}), &first),
        (json!({"StartTime": 0, "EndTime": 1}), &current),
        (json!({"StartTime": day(70), "NextToken": "any"}), &current),
    ] {
        assert_eq!(keys(&server, range.clone()).await, *want, "{range}");
    }
    assert_eq!(valid(&server, &aws).await, 2);
}

#[tokio::test]
async fn the_sdk_reads_the_keys_of_its_region() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    let listed = server.sdk().list_public_keys().start_time(DateTime::from_secs(0)).send().await.unwrap();
    let key = &listed.public_key_list()[0];
    assert_eq!(key.value().unwrap().as_ref().len(), 270, "PKCS #1 DER of 2048 bits");
    let (from, to) = (key.validity_start_time().unwrap().secs(), key.validity_end_time().unwrap().secs());
    assert!(from < 1_400_000_000, "it has always been there");
    assert_eq!(to, start_of_time().timestamp() + 30 * DAY as i64);
    let elsewhere = server.sdk_as("test", "eu-west-1").list_public_keys().send().await.unwrap();
    assert_ne!(elsewhere.public_key_list()[0].fingerprint(), key.fingerprint());
}

#[tokio::test]
async fn a_region_in_which_nothing_was_ever_delivered_has_a_key_and_only_one() {
    let server = TestServer::start().await;
    let now = start_of_time().timestamp();
    let range = json!({"StartTime": now - 3600, "EndTime": now});
    let asked = futures_util::future::join_all((0..3).map(|_| keys(&server, range.clone()))).await;
    assert_eq!(asked[0].len(), 1);
    assert!(asked.iter().all(|keys| *keys == asked[0]), "{asked:?}");
    assert_eq!(
        server.restart_with(&[]).await.ok("ListPublicKeys", json!({})).await["PublicKeyList"][0]["Fingerprint"],
        asked[0][0]
    );
}

#[tokio::test]
async fn a_digest_that_is_signed_late_finds_its_key_by_the_time_of_its_end() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    // The key is half an hour older than the chain; its time ends between two digests.
    let first = keys(&server, json!({})).await;
    server.ok("StopLogging", json!({"Name": "demo"})).await;
    server.wait(1800);
    server.ok("StartLogging", json!({"Name": "demo"})).await;
    server.step().await;
    server.wait(30 * DAY - 7200);
    server.step().await;
    server.wait(5500);
    server.step().await;
    let digests = super::digests(&aws);
    let fingerprint = |digest: &Value| digest["digestPublicKeyFingerprint"].as_str().unwrap().to_owned();
    assert_ne!(fingerprint(&digests.last().unwrap().1), first[0], "the key was replaced");
    for (name, digest) in digests {
        let end = digest["digestEndTime"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let found = keys(&server, json!({"StartTime": end.timestamp(), "EndTime": end.timestamp()})).await;
        assert!(found.contains(&fingerprint(&digest)), "{name}: {found:?}");
    }
}

#[tokio::test]
async fn a_range_that_ends_before_it_begins_is_refused() {
    let server = TestServer::start().await;
    let refused = server.refused("ListPublicKeys", json!({"StartTime": 200, "EndTime": 100})).await;
    assert!(refused.starts_with("InvalidTimeRangeException: "), "{refused}");
    for member in ["StartTime", "EndTime"] {
        let refused = server.call("ListPublicKeys", json!({member: "2026-11-22T05:00:00Z"})).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "SerializationException"));
    }
}

#[tokio::test]
async fn the_private_key_is_neither_answered_nor_shown() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    server.step().await;
    let listed = server.ok("ListPublicKeys", json!({"StartTime": 0})).await;
    assert_eq!(listed["PublicKeyList"][0].as_object().unwrap().len(), 4);
    let key = server
        .parts
        .store
        .read()
        .await
        .unwrap()
        .digest_keys()
        .in_use("us-east-1", 0, i64::MAX)
        .await
        .unwrap();
    assert!(!format!("{key:?}").contains(&key[0].private_key[..40]));
}

/// Anybody may ask about any region.
#[tokio::test]
async fn made_up_regions_get_no_more_keys_than_there_are_regions() {
    let aws = FakeAws::start().await;
    let server = validating(&aws, json!({})).await;
    let mut db = server.parts.store.write().await.unwrap();
    for n in 1..=63 {
        let key = DigestKey {
            fingerprint: format!("{n}"),
            private_key: String::new(),
            public_key: String::new(),
            valid_from: 0,
            valid_to: 4_000_000_000,
        };
        db.digest_keys().insert(&format!("xx-a{n}-1"), &key).await.unwrap();
    }
    db.commit().await.unwrap();
    let listed = async |region: &str| {
        let reply = server.call_as("test", region, "ListPublicKeys", json!({})).await.json();
        reply["PublicKeyList"].as_array().unwrap().len()
    };
    let (one, two) = tokio::join!(listed("xx-b1-1"), listed("xx-b2-1"));
    assert_eq!(one + two, 1, "one more, whoever is first");
    assert_eq!((listed("xx-a1-1").await, listed("xx-b3-1").await), (1, 0));
    // Digests have theirs.
    import(&server, 1).await;
    server.flush().await;
    assert_eq!(valid(&server, &aws).await, 1);
}
