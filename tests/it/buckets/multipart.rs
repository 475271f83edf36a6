//! Uploads in parts.

use super::{get, noise, refusal};
use crate::support::TestServer;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

const MIB: usize = 1024 * 1024;

async fn begin(s3: &Client, key: &str) -> String {
    let begun = s3
        .create_multipart_upload()
        .bucket("my-bucket")
        .key(key)
        .metadata("m", "1")
        .content_type("text/plain");
    begun.send().await.unwrap().upload_id().unwrap().to_owned()
}

async fn part(s3: &Client, key: &str, id: &str, number: i32, body: &[u8]) -> CompletedPart {
    let upload = s3.upload_part().bucket("my-bucket").key(key).upload_id(id).part_number(number);
    let done = upload.body(body.to_vec().into()).send().await.unwrap();
    CompletedPart::builder().part_number(number).set_e_tag(done.e_tag).build()
}

fn listed(parts: &[&CompletedPart]) -> CompletedMultipartUpload {
    let parts = parts.iter().map(|part| (*part).clone()).collect();
    CompletedMultipartUpload::builder().set_parts(Some(parts)).build()
}

#[tokio::test]
async fn thirty_megabytes_in_parts_are_one_object() {
    let (server, s3) = TestServer::with_bucket().await;
    let body = noise(30 * MIB + 5);
    let id = begin(&s3, "big").await;
    // Sizes that are no multiple of a piece, in no order, one part twice.
    let (one, rest) = body.split_at(7 * MIB + 3);
    let (two, three) = rest.split_at(11 * MIB + 1);
    let last = part(&s3, "big", &id, 9, three).await;
    part(&s3, "big", &id, 1, b"not this one").await;
    let first = part(&s3, "big", &id, 1, one).await;
    let middle = part(&s3, "big", &id, 5, two).await;
    part(&s3, "big", &id, 7, b"unlisted").await;
    let complete = s3.complete_multipart_upload().bucket("my-bucket").key("big").upload_id(&id);
    let done = complete.multipart_upload(listed(&[&first, &middle, &last])).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-3\""), "{done:?}");
    assert!(get(&s3, "big").await == body);
    let head = s3.head_object().bucket("my-bucket").key("big").send().await.unwrap();
    assert_eq!((head.content_type(), head.metadata().unwrap()["m"].as_str()), (Some("text/plain"), "1"));
    assert_eq!(head.e_tag(), done.e_tag());
    let at = 7 * MIB;
    let range = s3.get_object().bucket("my-bucket").key("big").range(format!("bytes={at}-{}", at + 9));
    let range = range.send().await.unwrap().body.collect().await.unwrap().to_vec();
    assert_eq!(range, body[at..at + 10]);
    assert_eq!(server.bodies().0, 1);
}

#[tokio::test]
async fn the_etag_is_the_sum_of_the_parts_sums() {
    let (_server, s3) = TestServer::with_bucket().await;
    let id = begin(&s3, "k").await;
    let only = part(&s3, "k", &id, 1, b"hello").await;
    let complete = s3.complete_multipart_upload().bucket("my-bucket").key("k").upload_id(&id);
    let done = complete.multipart_upload(listed(&[&only])).send().await.unwrap();
    // MD5 of the 16 bytes of MD5("hello").
    assert_eq!(done.e_tag(), Some("\"62109206880d38a4010a98e11243924a-1\""));
    assert_eq!(get(&s3, "k").await, b"hello");
}

#[tokio::test]
async fn a_list_of_parts_must_be_right() {
    let (_server, s3) = TestServer::with_bucket().await;
    let id = begin(&s3, "k").await;
    let (one, two) = (part(&s3, "k", &id, 1, b"small").await, part(&s3, "k", &id, 2, b"small too").await);
    let complete = async |parts: &[&CompletedPart]| {
        let complete = s3.complete_multipart_upload().bucket("my-bucket").key("k").upload_id(&id);
        refusal(complete.multipart_upload(listed(parts)).send().await)
    };
    assert_eq!(complete(&[&two, &one]).await, ("InvalidPartOrder".into(), 400));
    assert_eq!(complete(&[&one, &two]).await, ("EntityTooSmall".into(), 400));
    let wrong = CompletedPart::builder().part_number(1).e_tag(two.e_tag().unwrap()).build();
    assert_eq!(complete(&[&wrong]).await, ("InvalidPart".into(), 400));
    let missing = CompletedPart::builder().part_number(3).e_tag(two.e_tag().unwrap()).build();
    assert_eq!(complete(&[&missing]).await, ("InvalidPart".into(), 400));
    assert_eq!(complete(&[]).await, ("MalformedXML".into(), 400));
    let zero = s3.upload_part().bucket("my-bucket").key("k").upload_id(&id).part_number(0);
    assert_eq!(refusal(zero.body(b"x".to_vec().into()).send().await).0, "InvalidArgument");
    let other = s3.upload_part().bucket("my-bucket").key("k").upload_id("none").part_number(1);
    assert_eq!(refusal(other.body(b"x".to_vec().into()).send().await), ("NoSuchUpload".into(), 404));
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let (server, s3) = TestServer::with_bucket().await;
    let id = begin(&s3, "k").await;
    part(&s3, "k", &id, 1, &noise(3 * MIB)).await;
    let begun = s3.list_multipart_uploads().bucket("my-bucket").send().await.unwrap();
    assert_eq!(begun.uploads()[0].upload_id(), Some(id.as_str()));
    let parts = s3.list_parts().bucket("my-bucket").key("k").upload_id(&id).send().await.unwrap();
    assert_eq!((parts.parts()[0].part_number(), parts.parts()[0].size()), (Some(1), Some(3 << 20)));
    s3.abort_multipart_upload().bucket("my-bucket").key("k").upload_id(&id).send().await.unwrap();
    let again = s3.abort_multipart_upload().bucket("my-bucket").key("k").upload_id(&id).send().await;
    assert_eq!(refusal(again), ("NoSuchUpload".into(), 404));
    assert!(s3.list_multipart_uploads().bucket("my-bucket").send().await.unwrap().uploads().is_empty());
    assert_eq!(server.bodies(), (0, 0));
    s3.delete_bucket().bucket("my-bucket").send().await.unwrap();
}

#[tokio::test]
async fn parts_and_begun_uploads_come_in_pages() {
    let (_server, s3) = TestServer::with_bucket().await;
    let id = begin(&s3, "k").await;
    for number in [1, 2, 3] {
        part(&s3, "k", &id, number, b"x").await;
    }
    let list = || s3.list_parts().bucket("my-bucket").key("k").upload_id(&id).max_parts(2);
    let page = list().send().await.unwrap();
    assert_eq!((page.parts().len(), page.next_part_number_marker()), (2, Some("2")));
    let page = list().part_number_marker("2").send().await.unwrap();
    assert_eq!((page.parts().len(), page.is_truncated()), (1, Some(false)));
    begin(&s3, "l").await;
    let page = s3.list_multipart_uploads().bucket("my-bucket").max_uploads(1).send().await.unwrap();
    assert_eq!((page.uploads()[0].key(), page.next_key_marker()), (Some("k"), Some("k")));
    let page = s3.list_multipart_uploads().bucket("my-bucket").key_marker("k").send().await.unwrap();
    assert_eq!(page.uploads().iter().map(|u| u.key().unwrap()).collect::<Vec<_>>(), ["l"]);
}

#[tokio::test]
async fn a_part_can_be_copied_from_another_object() {
    let (_server, s3) = TestServer::with_bucket().await;
    let body = noise(8 * MIB);
    s3.put_object().bucket("my-bucket").key("source").body(body.clone().into()).send().await.unwrap();
    let id = begin(&s3, "k").await;
    let copy = |number, range: &str| {
        let copy = s3.upload_part_copy().bucket("my-bucket").key("k").upload_id(&id).part_number(number);
        copy.copy_source("my-bucket/source").copy_source_range(range).send()
    };
    let mut parts = Vec::new();
    for (number, range) in [(1, "bytes=0-5999999"), (2, "bytes=6000000-8388607")] {
        let copied = copy(number, range).await.unwrap();
        let etag = copied.copy_part_result().unwrap().e_tag().unwrap().to_owned();
        parts.push(CompletedPart::builder().part_number(number).e_tag(etag).build());
    }
    assert_eq!(refusal(copy(3, "bytes=0-8388608").await).0, "InvalidArgument");
    let complete = s3.complete_multipart_upload().bucket("my-bucket").key("k").upload_id(&id);
    complete.multipart_upload(listed(&[&parts[0], &parts[1]])).send().await.unwrap();
    assert!(get(&s3, "k").await == body);
}
