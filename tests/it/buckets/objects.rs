//! Putting, reading, copying and removing objects.

use super::{get, noise, put, raw, refusal};
use crate::support::{ACCOUNT, TestServer, account};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    Delete, MetadataDirective, ObjectAttributes, ObjectCannedAcl, ObjectIdentifier, ServerSideEncryption,
};
use tokio::io::AsyncWriteExt;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn an_object_comes_back_with_everything_that_it_was_put_with() {
    let (_server, s3) = TestServer::with_bucket().await;
    let put = s3
        .put_object()
        .bucket("my-bucket")
        .key("AWSLogs/1/x y+ü.json.gz")
        .body(ByteStream::from_static(b"hello"))
        .content_type("application/json")
        .content_encoding("gzip")
        .cache_control("no-store")
        .content_disposition("inline")
        .content_language("de")
        .metadata("Signature", "ab")
        .metadata("signature-algorithm", "SHA256withRSA")
        .acl(ObjectCannedAcl::BucketOwnerFullControl)
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id("arn:aws:kms:us-east-1:000000000000:key/1")
        .tagging("a=1&b=x%20y")
        .send()
        .await
        .unwrap();
    assert_eq!(put.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(put.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    let head = s3.head_object().bucket("my-bucket").key("AWSLogs/1/x y+ü.json.gz").send().await.unwrap();
    let got = s3.get_object().bucket("my-bucket").key("AWSLogs/1/x y+ü.json.gz").send().await.unwrap();
    assert_eq!(head.content_length(), Some(5));
    assert_eq!(head.e_tag(), put.e_tag());
    assert_eq!(head.metadata(), got.metadata());
    assert_eq!(got.metadata().unwrap()["signature"], "ab");
    assert_eq!(got.metadata().unwrap()["signature-algorithm"], "SHA256withRSA");
    assert_eq!(
        (got.content_type(), got.content_encoding(), got.cache_control()),
        (Some("application/json"), Some("gzip"), Some("no-store"))
    );
    assert_eq!((got.content_disposition(), got.content_language()), (Some("inline"), Some("de")));
    assert_eq!(got.ssekms_key_id(), Some("arn:aws:kms:us-east-1:000000000000:key/1"));
    assert_eq!(got.tag_count(), Some(2));
    assert_eq!(got.last_modified(), Some(&DateTime::from_secs(1_795_325_400)));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");
    let tags =
        s3.get_object_tagging().bucket("my-bucket").key("AWSLogs/1/x y+ü.json.gz").send().await.unwrap();
    assert_eq!(tags.tag_set().iter().map(|tag| tag.value()).collect::<Vec<_>>(), ["1", "x y"]);
    let attributes = s3
        .get_object_attributes()
        .bucket("my-bucket")
        .key("AWSLogs/1/x y+ü.json.gz")
        .object_attributes(ObjectAttributes::ObjectSize)
        .send()
        .await
        .unwrap();
    assert_eq!(attributes.object_size(), Some(5));
}

#[tokio::test]
async fn thirty_megabytes_go_in_and_come_out_the_same() {
    let (server, s3) = TestServer::with_bucket().await;
    let body = noise(30 * MIB + 17);
    s3.put_object().bucket("my-bucket").key("big").body(body.clone().into()).send().await.unwrap();
    assert!(get(&s3, "big").await == body);
    assert_eq!(server.bodies(), (1, 31));
    let range = format!("bytes={}-{}", MIB - 5, 3 * MIB + 4);
    let part = s3.get_object().bucket("my-bucket").key("big").range(range).send().await.unwrap();
    assert_eq!(part.content_range(), Some(format!("bytes 1048571-3145732/{}", body.len()).as_str()));
    assert!(part.body.collect().await.unwrap().to_vec() == body[MIB - 5..3 * MIB + 5]);
    let tail = s3.get_object().bucket("my-bucket").key("big").range("bytes=-3").send().await.unwrap();
    assert_eq!(tail.body.collect().await.unwrap().to_vec(), body[body.len() - 3..]);
    s3.delete_object().bucket("my-bucket").key("big").send().await.unwrap();
    assert_eq!(server.bodies(), (0, 0));
}

#[tokio::test]
async fn a_download_goes_on_undisturbed_while_its_object_is_overwritten() {
    let (_server, s3) = TestServer::with_bucket().await;
    let body = noise(20 * MIB);
    s3.put_object().bucket("my-bucket").key("big").body(body.clone().into()).send().await.unwrap();
    let reading = s3.get_object().bucket("my-bucket").key("big").send().await.unwrap();
    put(&s3, "big", "new").await;
    assert!(reading.body.collect().await.unwrap().to_vec() == body);
    assert_eq!(get(&s3, "big").await, b"new");
}

#[tokio::test]
async fn an_empty_object_and_odd_keys_are_objects_like_others() {
    let (_server, s3) = TestServer::with_bucket().await;
    for key in ["empty/", "a", "a/b", "../x", "a//b", "%2F", "ü\u{10FFFF}"] {
        put(&s3, key, "").await;
        assert_eq!(get(&s3, key).await, b"", "{key}");
    }
    put(&s3, &"k".repeat(1024), "x").await;
    let long = "k".repeat(1025);
    let refused = s3.put_object().bucket("my-bucket").key(long).send().await;
    assert_eq!(refusal(refused), ("KeyTooLongError".into(), 400));
}

#[tokio::test]
async fn ranges_beyond_the_end_are_refused() {
    let (_server, s3) = TestServer::with_bucket().await;
    put(&s3, "k", "hello").await;
    let range = async |range: &str| s3.get_object().bucket("my-bucket").key("k").range(range).send().await;
    assert_eq!(refusal(range("bytes=5-").await), ("InvalidRange".into(), 416));
    let end = range("bytes=3-100").await.unwrap();
    assert_eq!(end.content_range(), Some("bytes 3-4/5"));
    assert_eq!(end.body.collect().await.unwrap().to_vec(), b"lo");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let (_server, s3) = TestServer::with_bucket().await;
    assert_eq!(refusal(s3.get_object().bucket("my-bucket").key("k").send().await), ("NoSuchKey".into(), 404));
    assert_eq!(refusal(s3.get_object().bucket("none").key("k").send().await), ("NoSuchBucket".into(), 404));
    let put = s3.put_object().bucket("none").key("k").body(ByteStream::from_static(b"x")).send().await;
    assert_eq!(refusal(put), ("NoSuchBucket".into(), 404));
    assert_eq!(refusal(s3.head_object().bucket("my-bucket").key("k").send().await).1, 404);
    s3.delete_object().bucket("my-bucket").key("k").send().await.unwrap();
    let other = s3.get_object().bucket("my-bucket").key("k").version_id("x1").send().await;
    assert_eq!(refusal(other), ("NoSuchVersion".into(), 404));
}

#[tokio::test]
async fn conditions_are_kept() {
    let (_server, s3) = TestServer::with_bucket().await;
    put(&s3, "k", "hello").await;
    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    let get = || s3.get_object().bucket("my-bucket").key("k");
    assert_eq!(refusal(get().if_none_match(etag).send().await).1, 304);
    assert_eq!(refusal(get().if_match("\"other\"").send().await), ("PreconditionFailed".into(), 412));
    assert!(get().if_match(etag).send().await.is_ok());
    assert!(get().if_none_match("\"other\"").send().await.is_ok());
    let now = DateTime::from_secs(1_795_325_400);
    assert_eq!(refusal(get().if_modified_since(now).send().await).1, 304);
    assert_eq!(refusal(get().if_unmodified_since(DateTime::from_secs(1)).send().await).1, 412);
    let put = |key| s3.put_object().bucket("my-bucket").key(key).body(ByteStream::from_static(b"new"));
    assert_eq!(refusal(put("k").if_none_match("*").send().await), ("PreconditionFailed".into(), 412));
    assert!(put("other").if_none_match("*").send().await.is_ok());
    assert_eq!(refusal(put("k").if_match("\"other\"").send().await).1, 412);
    assert_eq!(refusal(put("none").if_match(etag).send().await), ("NoSuchKey".into(), 404));
    assert!(put("k").if_match(etag).send().await.is_ok());
}

#[tokio::test]
async fn a_copy_is_an_object_of_its_own() {
    let (server, s3) = TestServer::with_bucket().await;
    let body = noise(3 * MIB);
    s3.put_object()
        .bucket("my-bucket")
        .key("a b")
        .metadata("m", "1")
        .content_type("text/plain")
        .body(body.clone().into())
        .send()
        .await
        .unwrap();
    let copy = |key| s3.copy_object().bucket("my-bucket").key(key).copy_source("my-bucket/a%20b");
    copy("kept").send().await.unwrap();
    copy("replaced").metadata_directive(MetadataDirective::Replace).metadata("n", "2").send().await.unwrap();
    assert_eq!(server.bodies(), (1, 3));
    s3.delete_object().bucket("my-bucket").key("a b").send().await.unwrap();
    assert!(get(&s3, "kept").await == body);
    let kept = s3.head_object().bucket("my-bucket").key("kept").send().await.unwrap();
    assert_eq!((kept.content_type(), kept.metadata().unwrap()["m"].as_str()), (Some("text/plain"), "1"));
    let replaced = s3.head_object().bucket("my-bucket").key("replaced").send().await.unwrap();
    assert_eq!(replaced.metadata().unwrap().keys().collect::<Vec<_>>(), ["n"]);
    assert_eq!(refusal(copy("x").send().await), ("NoSuchKey".into(), 404));
    let itself = s3.copy_object().bucket("my-bucket").key("kept").copy_source("my-bucket/kept").send().await;
    assert_eq!(refusal(itself), ("InvalidRequest".into(), 400));
    for key in ["kept", "replaced"] {
        s3.delete_object().bucket("my-bucket").key(key).send().await.unwrap();
    }
    assert_eq!(server.bodies(), (0, 0));
}

#[tokio::test]
async fn many_objects_are_removed_in_one_call() {
    let (_server, s3) = TestServer::with_bucket().await;
    put(&s3, "a", "1").await;
    put(&s3, "b", "2").await;
    put(&s3, "c", "3").await;
    let named = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let delete =
        Delete::builder().objects(named("a")).objects(named("b")).objects(named("none")).build().unwrap();
    let output = s3.delete_objects().bucket("my-bucket").delete(delete).send().await.unwrap();
    assert_eq!(output.deleted().iter().map(|d| d.key().unwrap()).collect::<Vec<_>>(), ["a", "b", "none"]);
    let left = s3.list_objects_v2().bucket("my-bucket").send().await.unwrap();
    assert_eq!(left.contents().iter().map(|o| o.key().unwrap()).collect::<Vec<_>>(), ["c"]);
}

#[tokio::test]
async fn a_body_that_is_not_what_its_sum_says_is_not_stored() {
    let (server, s3) = TestServer::with_bucket().await;
    for (header, wrong, code) in [
        ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==", "BadDigest"),
        ("content-md5", "nonsense", "InvalidDigest"),
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ("x-amz-checksum-sha256", "AAAA", "BadDigest"),
    ] {
        let reply = raw(&server, "PUT", "/my-bucket/k", &[(header, wrong)], "hello").await;
        assert_eq!(reply.status, 400, "{}", reply.text);
        assert!(reply.text.contains(&format!("<Code>{code}</Code>")), "{}", reply.text);
    }
    let right = ("content-md5", "XUFAKrxLKna5cZ2REBfFkg==");
    assert_eq!(
        raw(&server, "PUT", "/my-bucket/k", &[right, ("x-amz-checksum-crc32", "NhCmhg==")], "hello")
            .await
            .status,
        200
    );
    assert_eq!(get(&s3, "k").await, b"hello");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let (server, s3) = TestServer::with_bucket().await;
    let address = server.url.trim_start_matches("http://").to_owned();
    for head in ["content-length: 5000000", "transfer-encoding: chunked"] {
        let mut connection = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = format!("PUT /my-bucket/k HTTP/1.1\r\nhost: {address}\r\n{head}\r\n\r\n400000\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(&noise(3 * MIB)).await.unwrap();
        drop(connection);
    }
    // The store is closed after all calls have ended, and swept when it is opened.
    let server = server.restart_with(&[]).await;
    let s3_again = server.s3();
    drop(s3);
    assert_eq!(refusal(s3_again.head_object().bucket("my-bucket").key("k").send().await).1, 404);
    assert_eq!(server.bodies(), (0, 0));
}

#[tokio::test]
async fn a_body_that_stalls_is_cut_off() {
    let server = TestServer::with(&[("server.chunk_timeout", "50ms")]).await;
    server.s3().create_bucket().bucket("my-bucket").send().await.unwrap();
    let address = server.url.trim_start_matches("http://").to_owned();
    let mut connection = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!("PUT /my-bucket/k HTTP/1.1\r\nhost: {address}\r\ncontent-length: 100\r\n\r\nhello");
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut connection, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("<Code>RequestTimeout</Code>"), "{answer}");
}

#[tokio::test]
async fn objects_are_there_after_a_restart() {
    let (server, s3) = TestServer::with_bucket().await;
    put(&s3, "k", "hello").await;
    let server = server.restart_with(&[]).await;
    assert_eq!(get(&server.s3(), "k").await, b"hello");
}

#[tokio::test]
async fn what_the_server_itself_puts_is_read_like_everything_else() {
    let server = TestServer::start().await;
    let buckets = server.parts.buckets.clone().unwrap();
    let object = contrail::buckets::NewObject {
        body: b"x".to_vec(),
        content_type: Some("application/json".into()),
        content_encoding: Some("gzip".into()),
        metadata: vec![("signature".into(), "ab".into())],
        encryption: Some("AES256".into()),
        kms_key_id: None,
    };
    let refused = buckets.put_object("my-bucket", "k", object.clone()).await.unwrap_err();
    assert_eq!(refused.code, "NoSuchBucket");
    buckets.ensure_bucket(&account(ACCOUNT), "my-bucket", "eu-west-1").await.unwrap();
    buckets.ensure_bucket(&account(ACCOUNT), "my-bucket", "us-east-1").await.unwrap();
    assert_eq!(
        buckets.ensure_bucket(&account(ACCOUNT), "B", "eu-west-1").await.unwrap_err().code,
        "InvalidBucketName"
    );
    buckets.put_object("my-bucket", "k", object).await.unwrap();
    let got = server.s3().get_object().bucket("my-bucket").key("k").send().await.unwrap();
    assert_eq!((got.content_encoding(), got.metadata().unwrap()["signature"].as_str()), (Some("gzip"), "ab"));
    assert_eq!(got.server_side_encryption(), Some(&ServerSideEncryption::Aes256));
    let location = server.s3().get_bucket_location().bucket("my-bucket").send().await.unwrap();
    assert_eq!(location.location_constraint().map(|l| l.as_str()), Some("eu-west-1"));
}
