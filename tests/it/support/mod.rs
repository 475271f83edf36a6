//! A Contrail to test against, and two clients: the official SDK, and raw JSON.

mod answers;
pub(crate) mod chain;
pub(crate) mod fakes;
pub(crate) mod signer;
pub(crate) mod tls;
pub(crate) mod upstream;

pub(crate) use answers::arn;

use aws_sdk_cloudtrail::config::retry::RetryConfig;
use aws_sdk_cloudtrail::config::{BehaviorVersion, Credentials, Region};
use chrono::{DateTime, Utc};
use contrail::clock::{Clock, Ids};
use contrail::config::Settings;
use contrail::delivery::DeliveryReport;
use contrail::domain::account_id::AccountId;
use contrail::outbound::http::{Trusted, client};
use contrail::server::{Parts, Server, StartError, bind};
use contrail::workers::Workers;
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The account of callers whose key says nothing else.
pub(crate) const ACCOUNT: &str = "000000000000";

/// An account id.
pub(crate) fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

/// A region.
pub(crate) fn region(name: &str) -> contrail::domain::region::Region {
    contrail::domain::region::Region::parse(name).unwrap()
}

/// When every test begins.
pub(crate) fn start_of_time() -> DateTime<Utc> {
    "2026-11-22T05:30:00Z".parse().unwrap()
}

/// A running server.
pub(crate) struct TestServer {
    pub(crate) url: String,
    pub(crate) clock: Clock,
    pub(crate) tls: Option<contrail::transport::tls::Tls>,
    pub(crate) parts: Parts,
    pub(crate) workers: Workers,
    pub(crate) folder: TempDir,
    overrides: Vec<(&'static str, String)>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<std::io::Result<()>>,
}

impl TestServer {
    /// A server with the built-in settings.
    pub(crate) async fn start() -> TestServer {
        TestServer::with(&[]).await
    }

    /// A server with some settings changed.
    pub(crate) async fn with(overrides: &[(&'static str, &str)]) -> TestServer {
        let overrides = overrides.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        TestServer::on(tempfile::tempdir().unwrap(), overrides, Clock::manual(start_of_time())).await
    }

    /// A server on a folder that is there, at the time of `clock`.
    pub(crate) async fn on(
        folder: TempDir,
        overrides: Vec<(&'static str, String)>,
        clock: Clock,
    ) -> TestServer {
        let server = TestServer::build(&folder, &overrides, &clock).await.unwrap();
        let scheme = if server.tls.is_some() { "https" } else { "http" };
        let (url, parts) = (format!("{scheme}://{}", server.address), server.parts.clone());
        let tls = server.tls.clone();
        let workers = server.workers.clone();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async move {
            // An error means that the test has dropped the server, which stops it as well.
            let _ = stopped.await;
        }));
        TestServer { url, clock, tls, parts, workers, folder, overrides, stop, running }
    }

    async fn build(
        folder: &TempDir,
        overrides: &[(&'static str, String)],
        clock: &Clock,
    ) -> Result<Server, StartError> {
        let mut all = overrides.to_vec();
        all.push(("server.port", "0".to_owned()));
        all.push(("server.workers", "1".to_owned()));
        all.push(("server.data_dir", folder.path().display().to_string()));
        let settings = Settings::builtin(all).unwrap();
        let listener = bind(&settings).unwrap();
        // After a restart the ids must not begin again.
        let ids = if folder.path().join("contrail.db").exists() { Ids::Random } else { Ids::counted() };
        Server::build(settings, listener, clock.clone(), ids).await
    }

    /// Stops the server in good order; why it cannot be started again.
    pub(crate) async fn refused_restart(self) -> StartError {
        self.refused_restart_with(&[]).await
    }

    /// The same with some settings changed.
    pub(crate) async fn refused_restart_with(self, more: &[(&'static str, &str)]) -> StartError {
        let TestServer { clock, folder, mut overrides, stop, running, parts, workers, .. } = self;
        overrides.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
        drop((parts, workers));
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
        TestServer::build(&folder, &overrides, &clock).await.expect_err("it starts")
    }

    /// Stops the server in good order, and starts another one on the same data folder, with some settings changed.
    pub(crate) async fn restart_with(self, more: &[(&'static str, &str)]) -> TestServer {
        let TestServer { clock, folder, mut overrides, stop, running, parts, workers, .. } = self;
        drop((parts, workers));
        stop.send(()).unwrap();
        running.await.unwrap().unwrap();
        overrides.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
        TestServer::on(folder, overrides, clock).await
    }

    /// Moves the server's clock.
    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The official SDK, as the default account in us-east-1.
    pub(crate) fn sdk(&self) -> aws_sdk_cloudtrail::Client {
        self.sdk_as("test", "us-east-1")
    }

    /// The official SDK, with an access key and a region. It does not retry.
    pub(crate) fn sdk_as(&self, access_key: &str, region: &str) -> aws_sdk_cloudtrail::Client {
        let config = aws_sdk_cloudtrail::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .endpoint_url(&self.url)
            .credentials_provider(Credentials::new(access_key, "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        aws_sdk_cloudtrail::Client::from_conf(config)
    }

    /// A call as raw JSON, as the default account in us-east-1.
    pub(crate) async fn call(&self, operation: &str, input: Value) -> Reply {
        self.call_as("test", "us-east-1", operation, input).await
    }

    /// A call as raw JSON, with an access key and a region.
    pub(crate) async fn call_as(
        &self,
        access_key: &str,
        region: &str,
        operation: &str,
        input: Value,
    ) -> Reply {
        call_at(&http(), &self.url, (access_key, region), operation, input).await.unwrap()
    }

    /// `GET` on one of our own paths.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::of(http().get(format!("{}{path}", self.url)).send().await.unwrap()).await
    }

    /// `POST` on one of our own paths.
    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        Reply::of(http().post(format!("{}{path}", self.url)).body(body).send().await.unwrap()).await
    }

    /// Puts records in, all of which must be new and good.
    pub(crate) async fn import(&self, records: &[Value]) {
        let body: Vec<String> = records.iter().map(Value::to_string).collect();
        let reply = self.post("/_contrail/events", body.join("\n")).await;
        assert_eq!((reply.status, &reply.json()["accepted"]), (200, &records.len().into()), "{}", reply.text);
    }

    /// All records of the default account, oldest first, after everything that was handed over has been stored.
    pub(crate) async fn records(&self) -> Vec<Value> {
        self.settle().await;
        let reply = self.get(&format!("/_contrail/events?account={ACCOUNT}")).await;
        reply.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until the records of calls that only read, which nobody waits for, are stored too.
    pub(crate) async fn settle(&self) {
        self.parts.handed_over().stored().await.unwrap();
    }

    /// What the workers do on their own where time passes: what is due now.
    pub(crate) async fn step(&self) -> DeliveryReport {
        self.settle().await;
        self.workers.step().await.unwrap()
    }

    /// Delivers everything that waits.
    pub(crate) async fn flush(&self) -> Value {
        let reply = self.post("/_contrail/flush", "").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// What waits to be delivered and what fails, as health has it.
    pub(crate) async fn backlog(&self) -> Value {
        self.get("/_contrail/health").await.json()["delivery"].clone()
    }

    /// GetTrailStatus of the default account's trail `demo`.
    pub(crate) async fn status(&self) -> Value {
        self.ok("GetTrailStatus", serde_json::json!({"Name": "demo"})).await
    }

    /// A trail `demo` that is logging.
    pub(crate) async fn start_demo_trail(&self) {
        for (operation, input) in [
            ("CreateTrail", serde_json::json!({"Name": "demo", "S3BucketName": "my-bucket"})),
            ("StartLogging", serde_json::json!({"Name": "demo"})),
        ] {
            let reply = self.call(operation, input).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
    }
}

/// A client that goes nowhere but where it is sent.
pub(crate) fn http() -> reqwest::Client {
    client(Trusted::Nobody).unwrap().no_proxy().build().unwrap()
}

/// The same, and what it is told of another place it does not follow.
pub(crate) fn http_without_redirects() -> reqwest::Client {
    let client = client(Trusted::Nobody).unwrap().no_proxy();
    client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A call as raw JSON to a server at `url`, as (access key, region).
pub(crate) async fn call_at(
    http: &reqwest::Client,
    url: &str,
    (access_key, region): (&str, &str),
    operation: &str,
    input: Value,
) -> reqwest::Result<Reply> {
    let scope = format!("{access_key}/20261122/{region}/cloudtrail/aws4_request");
    let request = http
        .post(url)
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("CloudTrail_20131101.{operation}"))
        .header("user-agent", "contrail-test/1.0")
        .body(input.to_string());
    Reply::read(request.send().await?).await
}

/// A reply, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn of(response: reqwest::Response) -> Reply {
        Reply::read(response).await.unwrap()
    }

    /// An error means that the connection broke.
    pub(crate) async fn read(response: reqwest::Response) -> reqwest::Result<Reply> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, text: response.text().await? })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The error code and text.
    pub(crate) fn error(&self) -> (String, String) {
        let body = self.json();
        let text = body.get("Message").or(body.get("message")).and_then(Value::as_str).unwrap_or_default();
        (body["__type"].as_str().unwrap_or_default().to_owned(), text.to_owned())
    }

    /// The error code; empty for a success.
    pub(crate) fn code(&self) -> String {
        self.error().0
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
}

/// A record as another program could put it in: a management event that changes something.
pub(crate) fn record(id: u32, time: &str, name: &str) -> Value {
    serde_json::json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": format!("arn:aws:iam::{ACCOUNT}:user/ana"),
            "accountId": ACCOUNT, "accessKeyId": "AKIAEXAMPLE", "userName": "ana"
        },
        "eventTime": time, "eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.7", "userAgent": "test", "requestParameters": {"instanceId": format!("i-{id}")},
        "responseElements": null, "requestID": format!("00000000-0000-4000-9000-{id:012}"),
        "eventID": format!("00000000-0000-4000-a000-{id:012}"), "readOnly": false, "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": ACCOUNT, "eventCategory": "Management"
    })
}
