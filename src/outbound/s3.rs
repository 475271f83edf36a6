//! Objects for buckets at an S3 endpoint. Knows nothing of trails.

use super::aws::{Clients, Shared, WHOLE_CALL, failure, within};
use super::upload::Upload;
use super::{Failure, Object, Sent};
use crate::config::Endpoint;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{CreateBucketConfiguration, ObjectCannedAcl, ServerSideEncryption};
use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long putting an object may make no progress.
const STALLED: Duration = Duration::from_secs(30);

/// Where a bucket is that says nothing else.
const CLASSIC: &str = "us-east-1";

/// Buckets whose region is kept in mind.
const MOST_BUCKETS: usize = 10_000;

pub(super) struct S3 {
    clients: Clients<Client>,
    /// Bucket → region.
    regions: Mutex<HashMap<String, String>>,
    /// The endpoint has refused `x-amz-acl`, and taken an object without it.
    without_acl: AtomicBool,
    /// The same for `x-amz-server-side-encryption`.
    without_encryption: AtomicBool,
}

/// A failure with what S3 says about the bucket's region.
struct Refusal {
    failure: Failure,
    /// The request went to, or was signed for, another region than the bucket's.
    is_redirect: bool,
    /// The bucket's region, if it is said.
    region: Option<String>,
}

impl Refusal {
    fn of<E>(error: &SdkError<E, HttpResponse>) -> Refusal
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let (failure, answer) = (failure(error), error.raw_response());
        Refusal {
            is_redirect: failure.code == "AuthorizationHeaderMalformed"
                || answer.is_some_and(|answer| (300..400).contains(&answer.status().as_u16())),
            region: answer.and_then(|a| a.headers().get("x-amz-bucket-region")).map(str::to_owned),
            failure,
        }
    }
}

impl S3 {
    pub(super) fn new(endpoint: Endpoint, shared: Shared) -> S3 {
        S3 {
            clients: Clients::new(endpoint, shared),
            regions: Mutex::default(),
            without_acl: AtomicBool::new(false),
            without_encryption: AtomicBool::new(false),
        }
    }

    pub(super) async fn put(&self, account: &str, object: &Object, body: Vec<u8>) -> Sent {
        let upload = Upload::new(body);
        let call = self.where_it_is(&object.bucket, || self.try_put(account, object, &upload));
        let seconds = STALLED.as_secs();
        let stalled = || Err(Failure::unreachable(format!("no progress for {seconds} s")));
        upload.watch(STALLED, call).await.unwrap_or_else(stalled)
    }

    /// Whether the bucket is there and its ACL can be read.
    pub(super) async fn check(&self, account: &str, bucket: &str) -> Sent {
        within(WHOLE_CALL, self.where_it_is(bucket, || self.try_check(account, bucket))).await
    }

    async fn try_check(&self, account: &str, bucket: &str) -> Result<(), Refusal> {
        let client = self.client(account, bucket).await?;
        client.get_bucket_acl().bucket(bucket).send().await.map(drop).map_err(|e| Refusal::of(&e))
    }

    /// The policy of a bucket; `None` if it has none.
    pub(super) async fn policy(&self, account: &str, bucket: &str) -> Result<Option<String>, Failure> {
        let call = self.where_it_is(bucket, || self.try_policy(account, bucket));
        match within(WHOLE_CALL, call).await {
            Err(failure) if failure.code == "NoSuchBucketPolicy" => Ok(None),
            other => other,
        }
    }

    async fn try_policy(&self, account: &str, bucket: &str) -> Result<Option<String>, Refusal> {
        let client = self.client(account, bucket).await?;
        let answer = client.get_bucket_policy().bucket(bucket).send().await.map_err(|e| Refusal::of(&e))?;
        // An S3 that knows no policies may answer with the bucket's listing, which is no JSON.
        Ok(answer.policy.filter(|policy| policy.trim_start().starts_with('{')))
    }

    /// Makes a bucket.
    pub(super) async fn create(&self, account: &str, region: &str, bucket: &str) -> Sent {
        let create = async {
            let mut call = self.client_in(account, region).await.create_bucket().bucket(bucket);
            if region != CLASSIC {
                let place = CreateBucketConfiguration::builder().location_constraint(region.into()).build();
                call = call.create_bucket_configuration(place);
            }
            call.send().await.map(drop).map_err(|error| failure(&error))
        };
        match within(WHOLE_CALL, create).await {
            // Another call has been faster.
            Err(failure) if failure.code == "BucketAlreadyOwnedByYou" => Ok(()),
            made => {
                self.regions().remove(bucket);
                made
            }
        }
    }

    /// Does something in a bucket; once more if that turns out to be elsewhere.
    async fn where_it_is<T, F>(&self, bucket: &str, call: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        let mut result = call().await;
        if result.as_ref().is_err_and(|refusal| self.has_moved(bucket, refusal)) {
            result = call().await;
        }
        result.map_err(|refusal| refusal.failure)
    }

    /// Puts an object as CloudTrail does, and without what the endpoint does not have.
    async fn try_put(&self, account: &str, object: &Object, upload: &Upload) -> Result<(), Refusal> {
        let client = self.client(account, &object.bucket).await?;
        let mut acl = !self.without_acl.load(Ordering::Relaxed);
        let mut encrypt = !self.without_encryption.load(Ordering::Relaxed);
        loop {
            let refusal = match put_once(&client, object, upload, acl, encrypt).await {
                Ok(()) => {
                    self.without_acl.fetch_or(!acl, Ordering::Relaxed);
                    // A key that somebody asked for is always sent.
                    self.without_encryption.fetch_or(!encrypt, Ordering::Relaxed);
                    return Ok(());
                }
                Err(refusal) => refusal,
            };
            let code = refusal.failure.code.as_str();
            if acl && code == "AccessControlListNotSupported" {
                // S3 answers this to other ACLs where the bucket's owner owns every object; servers that copied the
                // rule without its exception for this ACL answer it here.
                acl = false;
            } else if encrypt
                && object.kms_key_id.is_none()
                && self.clients.endpoint != Endpoint::Aws
                && matches!(code, "NotImplemented" | "InvalidArgument")
            {
                // MinIO without a KMS says NotImplemented, some gateways InvalidArgument. Nobody asked for AES256:
                // it is what S3 does by itself.
                encrypt = false;
            } else {
                return Err(refusal);
            }
        }
    }

    /// The client for the region of a bucket.
    async fn client(&self, account: &str, bucket: &str) -> Result<Client, Refusal> {
        let known = self.regions().get(bucket).cloned();
        let region = match known {
            Some(region) => region,
            None => self.look_up(account, bucket).await?,
        };
        Ok(self.client_in(account, &region).await)
    }

    async fn client_in(&self, account: &str, region: &str) -> Client {
        let path_style = self.clients.endpoint != Endpoint::Aws;
        let make = |config: &_| {
            let config = aws_sdk_s3::config::Builder::from(config).force_path_style(path_style);
            Client::from_conf(config.build())
        };
        self.clients.get(account, region, make).await
    }

    /// Asks where a bucket is, and keeps it in mind.
    async fn look_up(&self, account: &str, bucket: &str) -> Result<String, Refusal> {
        let client = self.client_in(account, CLASSIC).await;
        let region = match client.get_bucket_location().bucket(bucket).send().await {
            Ok(answer) => match answer.location_constraint().map_or("", |c| c.as_str()) {
                "" | "null" => CLASSIC.to_owned(),
                // What a bucket made long ago in eu-west-1 says.
                "EU" => "eu-west-1".to_owned(),
                region => region.to_owned(),
            },
            Err(error) => {
                let refusal = Refusal::of(&error);
                match (refusal.failure.code.as_str(), &refusal.region) {
                    ("NoSuchBucket" | "ServiceUnreachable", _) => return Err(refusal),
                    // Who may put objects need not be allowed to ask this; a wrong guess shows as a redirect.
                    (_, region) => region.clone().unwrap_or_else(|| CLASSIC.to_owned()),
                }
            }
        };
        self.keep_in_mind(bucket, &region);
        Ok(region)
    }

    fn keep_in_mind(&self, bucket: &str, region: &str) {
        let mut regions = self.regions();
        if regions.len() >= MOST_BUCKETS {
            regions.clear();
        }
        regions.insert(bucket.to_owned(), region.to_owned());
    }

    /// After a redirect the bucket's region is forgotten, or corrected if S3 names it; then another try makes sense.
    fn has_moved(&self, bucket: &str, refusal: &Refusal) -> bool {
        if refusal.is_redirect {
            self.regions().remove(bucket);
            if let Some(region) = &refusal.region {
                self.keep_in_mind(bucket, region);
            }
        }
        refusal.is_redirect
    }

    fn regions(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn put_once(
    client: &Client,
    object: &Object,
    upload: &Upload,
    acl: bool,
    encrypt: bool,
) -> Result<(), Refusal> {
    let mut put = client
        .put_object()
        .bucket(&object.bucket)
        .key(&object.key)
        .content_type("application/json")
        .content_encoding("gzip")
        .body(upload.stream());
    for (name, value) in &object.metadata {
        put = put.metadata(*name, value);
    }
    if acl {
        put = put.acl(ObjectCannedAcl::BucketOwnerFullControl);
    }
    put = match &object.kms_key_id {
        Some(key) => put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(key),
        None if encrypt => put.server_side_encryption(ServerSideEncryption::Aes256),
        None => put,
    };
    let put = put.customize().interceptor(upload.clone());
    put.send().await.map(drop).map_err(|e| Refusal::of(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::aws::Environment;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Takes one request, and answers it with 200; its head and its body.
    async fn take(listener: TcpListener) -> (String, Vec<u8>) {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(connection.read_u8().await.unwrap()));
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        connection.read_exact(&mut body).await.unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        (head, body)
    }

    #[tokio::test]
    async fn what_is_put_is_watched() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let s3 = S3::new(Endpoint::Url(url), Shared::new(Environment::Ignored, None));
        let (bucket, key) = ("b-1".to_owned(), "k".to_owned());
        let object = Object { bucket, key, body: Vec::new(), metadata: Vec::new(), kms_key_id: None };
        let content: Vec<u8> = (0..200_000).map(|i| (i % 251) as u8).collect();
        let upload = Upload::new(content.clone());
        let client = s3.client_in("111122223333", "us-east-1").await;
        let ((head, body), put) =
            tokio::join!(take(listener), put_once(&client, &object, &upload, true, true));
        assert!(put.is_ok() && head.starts_with("PUT /b-1/k?"), "{head}");
        assert!(body == content, "{} bytes", body.len());
        assert_eq!(upload.taken(), 4);
    }
}
