//! Lists of objects: order, pages, folding, encoding.

use super::{put, raw, refusal};
use crate::support::TestServer;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::EncodingType;

const KEYS: [&str; 9] = ["a", "a/1", "a/2", "a0", "b/x/1", "b/y/2", "b0", "ü/1", "\u{10FFFF}"];

async fn filled() -> (TestServer, Client) {
    let (server, s3) = TestServer::with_bucket().await;
    for key in KEYS.iter().rev() {
        put(&s3, key, "x").await;
    }
    (server, s3)
}

/// All keys and folded prefixes, a page after the other.
async fn all_v2(s3: &Client, prefix: &str, delimiter: &str, page: i32) -> Vec<String> {
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let list =
            s3.list_objects_v2().bucket("my-bucket").prefix(prefix).delimiter(delimiter).max_keys(page);
        let list = list.set_continuation_token(token).send().await.unwrap();
        assert!(list.key_count().unwrap() <= page);
        let keys = list.contents().iter().map(|o| o.key().unwrap().to_owned());
        let mut these: Vec<_> =
            keys.chain(list.common_prefixes().iter().map(|p| p.prefix().unwrap().to_owned())).collect();
        these.sort();
        names.extend(these);
        token = list.next_continuation_token().map(str::to_owned);
        if list.is_truncated() != Some(true) {
            assert_eq!(token, None);
            return names;
        }
    }
}

#[tokio::test]
async fn keys_are_listed_in_the_order_of_their_bytes() {
    let (_server, s3) = filled().await;
    let list = s3.list_objects_v2().bucket("my-bucket").send().await.unwrap();
    assert_eq!(list.contents().iter().map(|o| o.key().unwrap()).collect::<Vec<_>>(), KEYS);
    let first = &list.contents()[0];
    assert_eq!((first.size(), first.e_tag()), (Some(1), Some("\"9dd4e461268c8034f5c8564e155c67a6\"")));
    assert_eq!(list.is_truncated(), Some(false));
}

#[tokio::test]
async fn pages_of_every_size_give_the_same_list() {
    let (_server, s3) = filled().await;
    for page in [1, 2, 3, 4, 1000] {
        let folded = ["a", "a/", "a0", "b/", "b0", "ü/", "\u{10FFFF}"];
        assert_eq!(all_v2(&s3, "", "/", page).await, folded, "{page}");
        assert_eq!(all_v2(&s3, "b/", "/", page).await, ["b/x/", "b/y/"], "{page}");
        assert_eq!(all_v2(&s3, "a", "", page).await, ["a", "a/1", "a/2", "a0"], "{page}");
        assert_eq!(all_v2(&s3, "none", "/", page).await, Vec::<String>::new(), "{page}");
    }
}

#[tokio::test]
async fn a_prefix_with_very_many_keys_is_folded_into_one_line() {
    let (server, s3) = TestServer::with_bucket().await;
    let buckets = server.parts.buckets.clone().unwrap();
    for i in 0..1100 {
        let object = contrail::buckets::NewObject::default();
        buckets.put_object("my-bucket", &format!("many/{i:04}"), object).await.unwrap();
    }
    put(&s3, "z", "x").await;
    assert_eq!(all_v2(&s3, "", "/", 1).await, ["many/", "z"]);
    let all = all_v2(&s3, "", "", 1000).await;
    assert_eq!((all.len(), all[1099].as_str(), all[1100].as_str()), (1101, "many/1099", "z"));
}

#[tokio::test]
async fn version_one_goes_on_behind_a_marker() {
    let (_server, s3) = filled().await;
    let (mut names, mut marker) = (Vec::new(), String::new());
    loop {
        let list = s3.list_objects().bucket("my-bucket").delimiter("/").max_keys(2).marker(&marker);
        let list = list.send().await.unwrap();
        names.extend(list.contents().iter().map(|o| o.key().unwrap().to_owned()));
        names.extend(list.common_prefixes().iter().map(|p| p.prefix().unwrap().to_owned()));
        if list.is_truncated() != Some(true) {
            break;
        }
        marker = list.next_marker().unwrap().to_owned();
    }
    names.sort();
    assert_eq!(names, ["a", "a/", "a0", "b/", "b0", "ü/", "\u{10FFFF}"]);
    // A marker need be no key.
    let list = s3.list_objects().bucket("my-bucket").marker("a/15").max_keys(1).send().await.unwrap();
    assert_eq!(list.contents()[0].key(), Some("a/2"));
    assert_eq!((list.next_marker(), list.is_truncated()), (None, Some(true)));
}

#[tokio::test]
async fn start_after_names_a_place_too() {
    let (_server, s3) = filled().await;
    let list = s3.list_objects_v2().bucket("my-bucket").start_after("b").send().await.unwrap();
    assert_eq!(list.contents()[0].key(), Some("b/x/1"));
    let list = s3.list_objects_v2().bucket("my-bucket").prefix("b/").start_after("a").send().await.unwrap();
    assert_eq!(list.contents()[0].key(), Some("b/x/1"));
}

#[tokio::test]
async fn names_are_encoded_when_asked() {
    let (server, s3) = TestServer::with_bucket().await;
    put(&s3, "a b/<ü>+\u{1}", "x").await;
    let list = s3
        .list_objects()
        .bucket("my-bucket")
        .encoding_type(EncodingType::Url)
        .prefix("a ")
        .send()
        .await
        .unwrap();
    assert_eq!(list.contents()[0].key(), Some("a%20b/%3C%C3%BC%3E%2B%01"));
    assert_eq!(list.prefix(), Some("a%20"));
    let reply = raw(&server, "GET", "/my-bucket?list-type=2&delimiter=%20&encoding-type=url", &[], "").await;
    assert!(reply.text.contains("<CommonPrefixes><Prefix>a%20</Prefix></CommonPrefixes>"), "{}", reply.text);
    assert!(reply.text.contains("<EncodingType>url</EncodingType>"), "{}", reply.text);
}

#[tokio::test]
async fn odd_questions_get_clear_answers() {
    let (_server, s3) = filled().await;
    let token = s3.list_objects_v2().bucket("my-bucket").continuation_token("?!").send().await;
    assert_eq!(refusal(token), ("InvalidArgument".into(), 400));
    assert_eq!(refusal(s3.list_objects_v2().bucket("none").send().await), ("NoSuchBucket".into(), 404));
    let none = s3.list_objects_v2().bucket("my-bucket").max_keys(0).send().await.unwrap();
    assert_eq!((none.key_count(), none.is_truncated()), (Some(0), Some(false)));
    assert_eq!(
        refusal(s3.list_objects_v2().bucket("my-bucket").max_keys(-1).send().await).0,
        "InvalidArgument"
    );
}

#[tokio::test]
async fn every_object_has_one_version() {
    let (_server, s3) = filled().await;
    let list = s3.list_object_versions().bucket("my-bucket").delimiter("/").send().await.unwrap();
    let keys: Vec<_> = list.versions().iter().map(|v| (v.key().unwrap(), v.version_id().unwrap())).collect();
    assert_eq!(keys, [("a", "null"), ("a0", "null"), ("b0", "null"), ("\u{10FFFF}", "null")]);
    assert_eq!(list.common_prefixes().len(), 3);
}
