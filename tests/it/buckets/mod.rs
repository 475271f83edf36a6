//! The embedded bucket store, through the official SDK for S3 and through raw requests.

mod door;
mod lists;
mod multipart;
mod objects;
mod settings;
mod sts;

use crate::support::{Reply, TestServer, http};
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;

impl TestServer {
    /// The official SDK for S3, which does not retry.
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .force_path_style(true)
            .credentials_provider(Credentials::new("test", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// A server with a bucket `my-bucket`.
    pub(crate) async fn with_bucket() -> (TestServer, aws_sdk_s3::Client) {
        let server = TestServer::start().await;
        let s3 = server.s3();
        s3.create_bucket().bucket("my-bucket").send().await.unwrap_or_else(|e| panic!("{e:?}"));
        (server, s3)
    }

    /// How many bodies, and pieces of bodies, are in the database.
    fn bodies(&self) -> (i64, i64) {
        let db = rusqlite::Connection::open(self.folder.path().join("buckets.db")).unwrap();
        db.query_row("SELECT (SELECT count(*) FROM bodies), (SELECT count(*) FROM piece_bytes)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap()
    }
}

/// Puts a small object.
async fn put(s3: &aws_sdk_s3::Client, key: &str, body: &str) {
    let body = ByteStream::from(body.as_bytes().to_vec());
    s3.put_object().bucket("my-bucket").key(key).body(body).send().await.unwrap();
}

/// The whole object.
async fn get(s3: &aws_sdk_s3::Client, key: &str) -> Vec<u8> {
    let output = s3.get_object().bucket("my-bucket").key(key).send().await.unwrap();
    output.body.collect().await.unwrap().to_vec()
}

/// The code and the status of a refusal.
fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
) -> (String, u16) {
    let error = result.unwrap_err();
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    (error.code().unwrap_or_default().to_owned(), status)
}

/// Bytes that repeat nowhere near.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// A raw request with headers.
async fn raw(
    server: &TestServer,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Reply {
    let mut request = http().request(method.parse().unwrap(), format!("{}{path}", server.url)).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.send().await.unwrap()).await
}
