//! The one port that speaks three protocols.

use super::{get, put, raw};
use crate::support::{TestServer, http};
use aws_sdk_s3::presigning::PresigningConfig;
use serde_json::json;
use std::time::Duration;

const SIGNED: (&str, &str) = (
    "authorization",
    "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
);

#[tokio::test]
async fn cloudtrail_and_our_own_paths_answer_beside_s3() {
    let (server, s3) = TestServer::with_bucket().await;
    put(&s3, "k", "x").await;
    server.ok("DescribeTrails", json!({})).await;
    assert_eq!(server.get("/_contrail/health").await.status, 200);
    let reply = server.get("/_contrail/nothing").await;
    assert_eq!((reply.status, reply.header("content-type")), (404, "application/json"));
    let reply = server.get("/").await;
    assert!(reply.text.contains("<ListAllMyBucketsResult"), "{}", reply.text);
    assert!(!reply.header("x-amz-request-id").is_empty());
}

#[tokio::test]
async fn health_is_a_bucket_for_who_signs_for_s3() {
    let server = TestServer::start().await;
    assert_eq!(server.get("/health").await.json()["edition"], "contrail");
    server.s3().create_bucket().bucket("health").send().await.unwrap();
    let reply = raw(&server, "GET", "/health", &[SIGNED], "").await;
    assert!(reply.text.contains("<ListBucketResult"), "{}", reply.text);
    assert_eq!(server.get("/health").await.json()["edition"], "contrail");
}

#[tokio::test]
async fn a_presigned_url_works_without_anything_else() {
    let (server, s3) = TestServer::with_bucket().await;
    put(&s3, "a b+c", "hello").await;
    let config = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let url = s3.get_object().bucket("my-bucket").key("a b+c").presigned(config.clone()).await.unwrap();
    assert_eq!(http().get(url.uri()).send().await.unwrap().text().await.unwrap(), "hello");
    let url = s3.put_object().bucket("my-bucket").key("new").presigned(config).await.unwrap();
    assert_eq!(http().put(url.uri()).body("there").send().await.unwrap().status(), 200);
    assert_eq!(get(&s3, "new").await, b"there");
    drop(server);
}

#[tokio::test]
async fn the_bucket_may_stand_in_the_host() {
    let (server, s3) = TestServer::with_bucket().await;
    put(&s3, "k", "hello").await;
    for host in ["my-bucket.localhost:4700", "my-bucket.s3.localhost"] {
        let reply = raw(&server, "GET", "/k", &[("host", host)], "").await;
        assert_eq!((reply.status, reply.text.as_str()), (200, "hello"), "{host}");
        let reply = raw(&server, "GET", "/", &[("host", host)], "").await;
        assert!(reply.text.contains("<ListBucketResult"), "{host}: {}", reply.text);
    }
    let xml = "<Delete><Object><Key>k</Key></Object></Delete>";
    let reply = raw(&server, "POST", "/?delete", &[("host", "my-bucket.localhost")], xml).await;
    assert!(reply.text.contains("<Deleted><Key>k</Key></Deleted>"), "{}", reply.text);
    let reply = raw(&server, "GET", "/my-bucket/k", &[("host", "s3.localhost:4700")], "").await;
    assert!(reply.text.contains("<Code>NoSuchKey</Code>"), "{}", reply.text);
}

#[tokio::test]
async fn a_page_in_a_bucket_is_no_page_of_this_server() {
    let (server, s3) = TestServer::with_bucket().await;
    let html = "<script>fetch('/_contrail/reset?everything=yes', {method: 'POST'})</script>";
    put(&s3, "k", html).await;
    for path in ["/my-bucket/k?response-content-type=text/html", "/my-bucket/none", "/my-bucket", "/"] {
        let reply = raw(&server, "GET", path, &[], "").await;
        assert_eq!(reply.header("content-security-policy"), "sandbox", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
    }
    let reset = "/_contrail/reset?everything=yes";
    let page = format!("{}/my-bucket/k", server.url);
    // A sandboxed page has the origin null. Older browsers know no sandbox, and send the page's address.
    for from in [("origin", "null"), ("referer", page.as_str())] {
        assert_eq!(raw(&server, "POST", reset, &[from], "").await.status, 403, "{from:?}");
    }
    assert_eq!(get(&s3, "k").await, html.as_bytes());
    let console = format!("{}/_contrail/?view=x", server.url);
    for from in [("referer", console.as_str()), ("referer", "http://wiki.test/contrail"), ("accept", "*/*")] {
        assert_eq!(raw(&server, "POST", "/_contrail/flush", &[from], "").await.status, 200, "{from:?}");
    }
}

/// The browser takes a name of the page's owner for this machine (DNS rebinding).
#[tokio::test]
async fn browsers_may_not_call_the_server_by_names_of_others() {
    let (server, s3) = TestServer::with_bucket().await;
    put(&s3, "k", "hello").await;
    let browser = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
    let origin = ("origin", "http://evil.test:4700");
    for page in [browser, origin] {
        let reply = raw(&server, "GET", "/my-bucket/k", &[("host", "evil.test:4700"), page], "").await;
        assert_eq!(reply.status, 403, "{}", reply.text);
        assert!(reply.text.contains("[server] allowed_hosts"), "{}", reply.text);
    }
    for known in ["localhost:4700", "my-bucket.localhost:4700"] {
        let path = if known.starts_with("my-") { "/k" } else { "/my-bucket/k" };
        assert_eq!(raw(&server, "GET", path, &[("host", known), browser], "").await.text, "hello", "{known}");
    }
    let reply = raw(&server, "GET", "/my-bucket/k", &[("host", "evil.test:4700")], "").await;
    assert_eq!(reply.text, "hello", "programs are not misled by names");
}

#[tokio::test]
async fn a_head_tells_the_length_and_sends_no_body() {
    let (server, s3) = TestServer::with_bucket().await;
    put(&s3, "k", "hello").await;
    for (path, status, length) in
        [("/my-bucket/k", 200, "5"), ("/my-bucket", 200, ""), ("/my-bucket/none", 404, "")]
    {
        let reply = raw(&server, "HEAD", path, &[], "").await;
        assert_eq!((reply.status, reply.text.as_str()), (status, ""), "{path}");
        if !length.is_empty() {
            assert_eq!(reply.header("content-length"), length, "{path}");
        }
    }
}

#[tokio::test]
async fn chunks_with_signatures_are_undone() {
    let (server, s3) = TestServer::with_bucket().await;
    let chunked = [
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("x-amz-decoded-content-length", "5"),
        ("content-encoding", "aws-chunked,gzip"),
        SIGNED,
    ];
    let body = "5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n";
    assert_eq!(raw(&server, "PUT", "/my-bucket/k", &chunked, body).await.status, 200);
    assert_eq!(get(&s3, "k").await, b"hello");
    let head = s3.head_object().bucket("my-bucket").key("k").send().await.unwrap();
    assert_eq!(head.content_encoding(), Some("gzip"));
    let reply = raw(&server, "PUT", "/my-bucket/other", &chunked, "5;x\r\nhello\r\n").await;
    assert!(reply.text.contains("<Code>IncompleteBody</Code>"), "{}", reply.text);
    assert_eq!(raw(&server, "HEAD", "/my-bucket/other", &[], "").await.status, 404);
}

#[tokio::test]
async fn web_pages_of_other_origins_are_kept_out() {
    let (server, _s3) = TestServer::with_bucket().await;
    for foreign in [("origin", "http://evil.test"), ("sec-fetch-site", "cross-site")] {
        let reply = raw(&server, "PUT", "/my-bucket/k", &[foreign], "x").await;
        assert_eq!(reply.status, 403, "{foreign:?}");
        assert!(reply.text.contains("<Code>AccessDenied</Code>"), "{}", reply.text);
        assert_eq!(reply.header("access-control-allow-origin"), "");
    }
    assert_eq!(raw(&server, "HEAD", "/my-bucket/k", &[], "").await.status, 404);
    assert_eq!(raw(&server, "GET", "/my-bucket", &[("origin", server.url.as_str())], "").await.status, 200);
}

#[tokio::test]
async fn requests_that_mean_nothing_are_refused_in_s3s_words() {
    let (server, _s3) = TestServer::with_bucket().await;
    let reply = raw(&server, "POST", "/my-bucket/k", &[], "x").await;
    assert!(reply.text.contains("<Error><Code>"), "{}", reply.text);
    let reply = raw(&server, "PUT", "/my-bucket?versioning", &[], "<x").await;
    assert!(reply.status >= 400 && reply.text.contains("<Error><Code>"), "{}", reply.text);
    let reply = raw(&server, "GET", "/my-bucket/%ff", &[], "").await;
    assert_eq!(reply.status, 400, "{}", reply.text);
}

#[tokio::test]
async fn a_refusal_reaches_a_sender_who_is_still_sending() {
    let server = TestServer::start().await;
    let reply = raw(&server, "PUT", "/none/k", &[], super::noise(3 << 20)).await;
    assert!(reply.text.contains("<Code>NoSuchBucket</Code>"), "{}", reply.text);
}

#[tokio::test]
async fn a_database_that_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("buckets.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(db);
    let before = std::fs::read(&path).unwrap();
    let clock = contrail::clock::Clock::manual(crate::support::start_of_time());
    let opened = contrail::buckets::Buckets::open(&path, clock, contrail::clock::Ids::counted()).await;
    assert!(opened.unwrap_err().message.contains("not a bucket store of contrail"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
