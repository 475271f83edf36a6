//! Signatures at the door of the embedded bucket store: in headers, in URLs, and of bodies that are signed as they come.

use super::{ANA, CI, minutes, request, signed_server};
use crate::support::signer::{Key, Request, sha256};
use crate::support::{Reply, TestServer};

/// The error's code; empty for a success.
fn code(reply: &Reply) -> &str {
    let code = reply.text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or("", |(code, _)| code)
}

/// A request to be signed, with the hash of its body.
fn object(server: &TestServer, method: &str, path: &str, body: &str) -> Request {
    let mut request = request(server, "s3", method, path);
    request.body = body.into();
    request.set("x-amz-content-sha256", sha256(body));
    request
}

/// A server with a bucket, `box`.
async fn server_with_bucket() -> (TestServer, tempfile::TempDir) {
    let (server, secrets) = signed_server(&[]).await;
    let mut make = object(&server, "PUT", "/box", "");
    make.sign(&ANA);
    assert_eq!(make.send(&server.url).await.status, 200);
    (server, secrets)
}

/// The text of `/box/key`; `None` if it is not there.
async fn stored(server: &TestServer) -> Option<String> {
    let mut get = object(server, "GET", "/box/key", "");
    get.sign(&ANA);
    let reply = get.send(&server.url).await;
    (reply.status == 200).then_some(reply.text)
}

#[tokio::test]
async fn an_object_is_put_and_read_by_whoever_signs_for_it() {
    let (server, _secrets) = server_with_bucket().await;
    for key in [&ANA, &CI] {
        // The path is signed as it is written.
        for path in ["/box/key", "/box/a%20b%2Bc/%C3%A9", "/box//a/../b"] {
            let mut put = object(&server, "PUT", path, "hello");
            put.sign(key);
            assert_eq!(put.send(&server.url).await.status, 200, "{path}");
            let mut get = object(&server, "GET", path, "");
            get.sign(key);
            assert_eq!(get.send(&server.url).await.text, "hello", "{path}");
        }
    }
    let mut list = object(&server, "GET", "/box", "");
    list.query = "prefix=a%20b&list-type=2&delimiter=%2F".into();
    list.sign(&ANA);
    let reply = list.send(&server.url).await;
    assert_eq!((reply.status, reply.text.contains("a b+c/")), (200, true), "{}", reply.text);
}

#[tokio::test]
async fn what_has_been_altered_is_refused_in_the_words_of_s3_and_not_stored() {
    let (server, _secrets) = server_with_bucket().await;
    type Alter = fn(&mut Request);
    let nothing: Alter = |_| {};
    let cases: Vec<(&str, Alter, Key, Alter, u16, &str)> = vec![
        ("method", nothing, ANA, |r| r.method = "POST".into(), 403, "SignatureDoesNotMatch"),
        ("path", nothing, ANA, |r| r.path = "/box/other".into(), 403, "SignatureDoesNotMatch"),
        ("query", nothing, ANA, |r| r.query = "acl".into(), 403, "SignatureDoesNotMatch"),
        (
            "header",
            |r| r.set("content-type", "a/b"),
            ANA,
            |r| r.set("content-type", "a/c"),
            403,
            "SignatureDoesNotMatch",
        ),
        (
            "hash",
            nothing,
            ANA,
            |r| r.set("x-amz-content-sha256", sha256("other")),
            403,
            "SignatureDoesNotMatch",
        ),
        ("secret", nothing, Key { secret: "wrong", ..ANA }, nothing, 403, "SignatureDoesNotMatch"),
        ("body", nothing, ANA, |r| r.body = b"hellO".to_vec(), 400, "XAmzContentSHA256Mismatch"),
        ("body gone", nothing, ANA, |r| r.body = Vec::new(), 400, "XAmzContentSHA256Mismatch"),
        (
            "hash taken away before",
            |r| r.headers.retain(|(n, _)| n != "x-amz-content-sha256"),
            ANA,
            nothing,
            400,
            "InvalidRequest",
        ),
        (
            "no hash",
            |r| {
                r.set("x-amz-content-sha256", "hello");
                r.payload_hash = Some("hello".into());
            },
            ANA,
            nothing,
            400,
            "InvalidArgument",
        ),
        ("key", nothing, Key { id: "AKIABOB", ..ANA }, nothing, 403, "InvalidAccessKeyId"),
        ("token", nothing, Key { token: Some("other"), ..CI }, nothing, 400, "InvalidToken"),
        ("no token", nothing, Key { token: None, ..CI }, nothing, 400, "InvalidToken"),
        ("service", |r| r.service = "cloudtrail".into(), ANA, nothing, 400, "AuthorizationHeaderMalformed"),
        (
            "half a header",
            nothing,
            ANA,
            |r| r.alter_authorization("SignedHeaders", "Headers"),
            400,
            "AuthorizationHeaderMalformed",
        ),
        (
            "no signature",
            nothing,
            ANA,
            |r| r.headers.retain(|(n, _)| n != "authorization"),
            403,
            "AccessDenied",
        ),
        (
            "old signature",
            nothing,
            ANA,
            |r| r.set("authorization", "AWS AKIAANA:c2ln"),
            400,
            "InvalidRequest",
        ),
        ("unsigned header", nothing, ANA, |r| r.set("x-amz-acl", "public-read"), 403, "AccessDenied"),
        ("sixteen minutes old", |r| r.time = minutes(-16), ANA, nothing, 403, "RequestTimeTooSkewed"),
        ("sixteen minutes early", |r| r.time = minutes(16), ANA, nothing, 403, "RequestTimeTooSkewed"),
    ];
    for (name, before, key, after, status, expected) in cases {
        let mut put = object(&server, "PUT", "/box/key", "hello");
        before(&mut put);
        put.sign(&key);
        after(&mut put);
        let reply = put.send(&server.url).await;
        assert_eq!((reply.status, code(&reply)), (status, expected), "{name}: {}", reply.text);
        assert_eq!(stored(&server).await, None, "{name}");
    }
    let mut old = object(&server, "PUT", "/box/key", "hello");
    old.time = minutes(-14);
    old.sign(&ANA);
    assert_eq!(old.send(&server.url).await.status, 200);
}

#[tokio::test]
async fn a_presigned_url_works_until_it_is_over_and_for_what_it_was_made() {
    let (server, _secrets) = server_with_bucket().await;
    let presigned = |method: &str, path: &str, key: &Key, body: &str| {
        let mut request = request(&server, "s3", method, path);
        request.payload_hash = Some("UNSIGNED-PAYLOAD".into());
        request.presign(key, 60);
        request.body = body.into();
        request
    };
    let put = presigned("PUT", "/box/key", &CI, "hello");
    assert_eq!(put.send(&server.url).await.status, 200);
    let get = presigned("GET", "/box/key", &ANA, "");
    assert_eq!(get.send(&server.url).await.text, "hello");
    let refused = async |request: Request| {
        let reply = request.send(&server.url).await;
        (reply.status, code(&reply).to_owned())
    };
    assert_eq!(
        refused(Request { method: "DELETE".into(), ..get.clone() }).await,
        (403, "SignatureDoesNotMatch".into())
    );
    assert_eq!(
        refused(Request { path: "/box/other".into(), ..get.clone() }).await,
        (403, "SignatureDoesNotMatch".into())
    );
    let longer = get.query.replace("Expires=60", "Expires=600");
    assert_eq!(
        refused(Request { query: longer, ..get.clone() }).await,
        (403, "SignatureDoesNotMatch".into())
    );
    let old = "AWSAccessKeyId=AKIAANA&Signature=c2ln&Expires=1800000000".to_owned();
    assert_eq!(refused(Request { query: old, ..get.clone() }).await, (400, "InvalidRequest".into()));
    let mut twice = get.clone();
    twice.set("authorization", "AWS4-HMAC-SHA256 Credential=x");
    assert_eq!(refused(twice).await, (400, "InvalidArgument".into()));
    server.wait(60);
    assert_eq!(get.send(&server.url).await.text, "hello", "it is valid to its last second");
    server.wait(1);
    assert_eq!(refused(get).await, (403, "AccessDenied".into()));
    // Temporary credentials take their URLs with them.
    server.wait(3600);
    assert_eq!(refused(presigned("GET", "/box/key", &CI, "")).await, (400, "ExpiredToken".into()));
}

/// A body in chunks that are signed one after the other.
struct Chunked {
    request: Request,
    /// Lines and bytes, as they are sent.
    parts: Vec<String>,
}

impl Chunked {
    /// `chunks`, and a checksum behind them where there is one.
    fn new(server: &TestServer, key: &Key, chunks: &[&str], trailer: Option<&str>) -> Chunked {
        let mut request = request(server, "s3", "PUT", "/box/key");
        let hash = match trailer {
            None => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Some(_) => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        };
        request.set("x-amz-content-sha256", hash);
        request.set("content-encoding", "aws-chunked");
        request.set("x-amz-decoded-content-length", chunks.concat().len().to_string());
        if let Some(trailer) = trailer {
            request.set("x-amz-trailer", trailer.split(':').next().unwrap());
        }
        request.payload_hash = Some(hash.into());
        request.sign(key);
        let mut previous = request.seed();
        let mut parts = Vec::new();
        for chunk in chunks.iter().chain(&[""]) {
            let hashes = format!("{}\n{}", sha256(""), sha256(chunk));
            previous = request.signature_after(key, "AWS4-HMAC-SHA256-PAYLOAD", &previous, &hashes);
            parts.push(format!("{:x};chunk-signature={previous}\r\n", chunk.len()));
            if !chunk.is_empty() {
                parts.push(format!("{chunk}\r\n"));
            }
        }
        if let Some(trailer) = trailer {
            let hash = sha256(format!("{trailer}\n"));
            let signature = request.signature_after(key, "AWS4-HMAC-SHA256-TRAILER", &previous, &hash);
            parts.push(format!("{trailer}\r\n"));
            parts.push(format!("x-amz-trailer-signature:{signature}\r\n"));
        }
        parts.push("\r\n".into());
        Chunked { request, parts }
    }

    async fn send(mut self, server: &TestServer) -> (u16, String) {
        self.request.body = self.parts.concat().into_bytes();
        let reply = self.request.send(&server.url).await;
        (reply.status, code(&reply).to_owned())
    }
}

type AlterParts = fn(&mut Vec<String>);

const CHECKSUM: &str = "x-amz-checksum-crc32:DUoRhQ==";

#[tokio::test]
async fn a_body_may_be_signed_chunk_by_chunk() {
    let (server, _secrets) = server_with_bucket().await;
    for (chunks, trailer) in [
        (&["hello", " ", "world"][..], None),
        (&["hello world"], None),
        (&[], None),
        (&["hello ", "world"], Some(CHECKSUM)),
    ] {
        for key in [&ANA, &CI] {
            let body = Chunked::new(&server, key, chunks, trailer);
            assert_eq!(body.send(&server).await, (200, String::new()), "{chunks:?}");
            assert_eq!(stored(&server).await, Some(chunks.concat()));
        }
    }
}

#[tokio::test]
async fn a_chunk_that_was_altered_left_out_or_moved_is_refused_and_nothing_is_stored() {
    let (server, _secrets) = server_with_bucket().await;
    let body = |trailer| Chunked::new(&server, &ANA, &["hello", "jello"], trailer);
    let altered = |trailer, alter: fn(&mut Vec<String>)| {
        let mut body = body(trailer);
        alter(&mut body.parts);
        body
    };
    // Each chunk is two parts: a line with its signature, and its bytes.
    let mismatches: [(&str, AlterParts); 8] = [
        ("bytes of the first", |parts| parts[1] = "hellO\r\n".into()),
        ("bytes of the last", |parts| parts[3] = "jellO\r\n".into()),
        ("moved", |parts| {
            parts.swap(0, 2);
            parts.swap(1, 3);
        }),
        ("another signature", |parts| parts[0] = parts[2].clone()),
        ("no signature", |parts| parts[2] = "5\r\n".into()),
        ("in capitals", |parts| {
            parts[0] = parts[0].to_uppercase().replace("CHUNK-SIGNATURE", "chunk-signature")
        }),
        ("the end's signature", |parts| parts[4] = format!("0;chunk-signature={}\r\n", "0".repeat(64))),
        ("one left out", |parts| drop(parts.drain(2..4))),
    ];
    for (name, alter) in mismatches {
        assert_eq!(altered(None, alter).send(&server).await, (403, "SignatureDoesNotMatch".into()), "{name}");
        assert_eq!(stored(&server).await, None, "{name}");
    }
    let trailers: [(&str, AlterParts); 3] = [
        ("another checksum", |parts| parts[5] = "x-amz-checksum-crc32:AAAAAA==\r\n".into()),
        ("another signature", |parts| parts[6] = format!("x-amz-trailer-signature:{}\r\n", "0".repeat(64))),
        ("no signature", |parts| drop(parts.remove(6))),
    ];
    for (name, alter) in trailers {
        let body = altered(Some("x-amz-checksum-crc32:Rw7i7w=="), alter);
        assert_eq!(body.send(&server).await, (403, "SignatureDoesNotMatch".into()), "{name}");
        assert_eq!(stored(&server).await, None, "{name}");
    }
    // The head says that nothing stands behind the body.
    let more = altered(None, |parts| parts.insert(5, "x-amz-checksum-crc32:AAAAAA==\r\n".into()));
    assert_eq!(more.send(&server).await, (403, "SignatureDoesNotMatch".into()));
    let cut = altered(None, |parts| parts.truncate(4));
    assert_eq!(cut.send(&server).await, (400, "IncompleteBody".into()));
    assert_eq!(stored(&server).await, None);
}

/// s3s reads these bodies as a whole before it looks at them.
#[tokio::test]
async fn an_altered_cut_or_malformed_body_of_any_operation_is_its_senders_fault() {
    let (server, _secrets) = server_with_bucket().await;
    let (tags, delete) = ("<Tagging><TagSet/></Tagging>", "<Delete><Object><Key>k</Key></Object></Delete>");
    for (method, path, query, body) in [
        ("POST", "/box", "delete", delete),
        ("PUT", "/box", "policy", r#"{"Statement":[]}"#),
        ("PUT", "/box", "tagging", tags),
        ("PUT", "/box", "cors", "<CORSConfiguration></CORSConfiguration>"),
        ("PUT", "/box", "versioning", "<VersioningConfiguration></VersioningConfiguration>"),
        ("PUT", "/box", "acl", "<AccessControlPolicy></AccessControlPolicy>"),
        (
            "PUT",
            "/box",
            "encryption",
            "<ServerSideEncryptionConfiguration></ServerSideEncryptionConfiguration>",
        ),
        (
            "PUT",
            "/box",
            "publicAccessBlock",
            "<PublicAccessBlockConfiguration></PublicAccessBlockConfiguration>",
        ),
        ("PUT", "/box", "ownershipControls", "<OwnershipControls></OwnershipControls>"),
        ("PUT", "/box/key", "tagging", tags),
        ("POST", "/box/key", "uploadId=none", "<CompleteMultipartUpload></CompleteMultipartUpload>"),
    ] {
        let of = |body: &str| {
            let mut request = object(&server, method, path, body);
            request.query = query.into();
            request
        };
        let mut altered = of(body);
        altered.sign(&ANA);
        altered.body = body.replace('S', "s").replace('D', "d").into_bytes();
        altered.body.push(b' ');
        let reply = altered.send(&server.url).await;
        assert_eq!(
            (reply.status, code(&reply)),
            (400, "XAmzContentSHA256Mismatch"),
            "{query}: {}",
            reply.text
        );

        // The end of its chunks is missing.
        let mut cut = of("");
        cut.set("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
        cut.payload_hash = Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER".into());
        cut.set("x-amz-decoded-content-length", body.len().to_string());
        cut.set("content-encoding", "aws-chunked");
        cut.body = format!("{:x}\r\n{body}\r\n", body.len()).into_bytes();
        cut.sign(&ANA);
        let reply = cut.send(&server.url).await;
        assert_eq!((reply.status, code(&reply)), (400, "IncompleteBody"), "{query}: {}", reply.text);

        let mut malformed = of("<a><b></a>");
        malformed.sign(&ANA);
        let reply = malformed.send(&server.url).await;
        assert!((400..=501).contains(&reply.status) && reply.status != 500, "{query}: {}", reply.text);
        let mut good = of(body);
        good.sign(&ANA);
        let reply = good.send(&server.url).await;
        assert_ne!(reply.status, 500, "{query}: {}", reply.text);
    }
}
