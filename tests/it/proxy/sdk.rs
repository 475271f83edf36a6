//! The official SDK for S3, through one Contrail to the embedded bucket store of another.

use crate::support::TestServer;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

#[tokio::test]
async fn the_sdk_for_s3_uploads_downloads_and_deletes_through_it() {
    let behind = TestServer::start().await;
    let front = TestServer::with(&[
        ("recorder.upstream", behind.url.as_str()),
        ("recorder.data_events", "true"),
        ("era", "today"),
    ])
    .await;
    let s3 = front.s3();
    s3.create_bucket().bucket("my-bucket").send().await.unwrap();
    let bytes: Vec<u8> = (0..3_000_000u32).map(|i| (i % 253) as u8).collect();
    let file = front.folder.path().join("upload");
    std::fs::write(&file, &bytes).unwrap();
    // From a file: chunks of its own, and a checksum behind them.
    let body = ByteStream::from_path(&file).await.unwrap();
    s3.put_object().bucket("my-bucket").key("a b/ü+1").body(body).send().await.unwrap();
    let upload = s3.create_multipart_upload().bucket("my-bucket").key("parts").send().await.unwrap();
    let part = s3.upload_part().bucket("my-bucket").key("parts").part_number(1);
    let part = part.upload_id(upload.upload_id().unwrap()).body(bytes.clone().into()).send().await.unwrap();
    let part = CompletedPart::builder().part_number(1).e_tag(part.e_tag().unwrap()).build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let complete = s3.complete_multipart_upload().bucket("my-bucket").key("parts");
    complete.upload_id(upload.upload_id().unwrap()).multipart_upload(parts).send().await.unwrap();
    for key in ["a b/ü+1", "parts"] {
        let object = s3.get_object().bucket("my-bucket").key(key).send().await.unwrap();
        assert_eq!(object.body.collect().await.unwrap().to_vec(), bytes, "{key}");
    }
    s3.head_object().bucket("my-bucket").key("none").send().await.unwrap_err();
    s3.delete_object().bucket("my-bucket").key("parts").send().await.unwrap();
    let records = front.records().await;
    let names: Vec<_> = records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    let expected = [
        "CreateBucket",
        "PutObject",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "GetObject",
        "GetObject",
        "HeadObject",
        "DeleteObject",
    ];
    assert_eq!(names, expected);
    assert_eq!(records[1]["resources"][0]["ARN"], "arn:aws:s3:::my-bucket/a b/ü+1");
    let sent = records[1]["additionalEventData"]["bytesTransferredIn"].as_u64().unwrap();
    assert!(sent > bytes.len() as u64, "chunks have heads: {sent}");
    assert_eq!(records[5]["additionalEventData"]["bytesTransferredOut"], bytes.len());
}
