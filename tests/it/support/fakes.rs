//! An AWS to deliver to: S3, SNS, CloudWatch Logs, EventBridge and a webhook at one address. It takes everything,
//! keeps it for tests to look at, and fails when asked to.

mod answer;

use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};

/// The fake, running until the test ends.
pub(crate) struct FakeAws {
    /// Base URL of all its services; the webhook is at `<url>/hook`.
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

/// One request that came, in the order of coming.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `s3`, `sns`, `logs`, `events`, `webhook`
    pub(crate) service: &'static str,
    /// `PutObject`, `GetBucketAcl`, `GetBucketLocation`, `Publish`, `CreateLogStream`, …; `Post` for the webhook.
    pub(crate) operation: String,
    /// With the query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// An object that was put.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) body: Vec<u8>,
    /// Of the request: `x-amz-meta-…`, `content-encoding`, …
    pub(crate) headers: BTreeMap<String, String>,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    objects: Vec<Stored>,
    /// Service → error code.
    failures: BTreeMap<String, String>,
    /// Header → error code: requests with the header fail.
    refused_headers: BTreeMap<String, String>,
    /// The error code of objects whose key ends in a slash, if they are refused.
    refused_folders: Option<String>,
    /// Buckets that are not there.
    missing: BTreeSet<String>,
    /// Bucket → region; the others are in us-east-1 and take requests for any region.
    regions: BTreeMap<String, String>,
    /// The bodies of the calls that made buckets.
    made: Vec<String>,
    /// The policy of every bucket.
    policy: Option<String>,
    /// Log streams, as `group/stream`.
    streams: BTreeSet<String>,
    /// Services that take requests and do not answer.
    silent: BTreeSet<String>,
    /// Entries of PutEvents whose detail holds this are refused.
    refused_detail: Option<String>,
}

impl FakeAws {
    /// Starts one. Every bucket, topic and log group is there; log streams must be made.
    pub(crate) async fn start() -> FakeAws {
        let state = Arc::new(Mutex::new(State::default()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let data = Data::from(state.clone());
        let app = move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(64 << 20))
                .default_service(web::to(take))
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
        tokio::spawn(server);
        FakeAws { url, state }
    }

    /// The settings that name it for every service, for `TestServer::with`.
    pub(crate) fn settings(&self) -> [(&'static str, &str); 4] {
        [
            ("delivery.s3_endpoint", &self.url),
            ("delivery.sns_endpoint", &self.url),
            ("delivery.logs_endpoint", &self.url),
            ("delivery.events_endpoint", &self.url),
        ]
    }

    /// Where a webhook posts to.
    pub(crate) fn webhook(&self) -> String {
        format!("{}/hook", self.url)
    }

    /// All requests, failed ones too, oldest first.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// All requests as `service operation`, oldest first.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.requests().iter().map(|r| format!("{} {}", r.service, r.operation)).collect()
    }

    /// The requests of one operation.
    pub(crate) fn requests_of(&self, operation: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| request.operation == operation);
        requests
    }

    /// The objects that were put, in order of coming; one put twice is there twice.
    pub(crate) fn objects(&self) -> Vec<Stored> {
        self.state().objects.clone()
    }

    /// Forgets the requests and objects so far.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.requests.clear();
        state.objects.clear();
    }

    /// From now on every request to a service (`s3`, `sns`, `logs`, `events`, `webhook`), or every request of one of
    /// its operations (`s3 PutObject`), fails with an error code. Two words are none: `hang-up` closes the connection
    /// without an answer, and `entry:<Code>` makes PutEvents refuse each entry with the code.
    pub(crate) fn fail(&self, service: &str, code: &str) {
        self.state().failures.insert(service.to_owned(), code.to_owned());
    }

    /// From now on S3 refuses requests that carry a header.
    pub(crate) fn refuse_header(&self, header: &str, code: &str) {
        self.state().refused_headers.insert(header.to_owned(), code.to_owned());
    }

    /// From now on S3 refuses objects whose key ends in a slash.
    pub(crate) fn refuse_folders(&self, code: &str) {
        self.state().refused_folders = Some(code.to_owned());
    }

    /// From now on everything works again.
    pub(crate) fn recover(&self) {
        let mut state = self.state();
        state.failures.clear();
        state.refused_headers.clear();
        state.refused_folders = None;
        state.missing.clear();
        state.silent.clear();
        state.refused_detail = None;
    }

    /// Those that do not answer do so from now on; what else fails goes on failing.
    pub(crate) fn release(&self) {
        self.state().silent.clear();
    }

    /// From now on a service takes requests and does not answer until it is released or has recovered.
    pub(crate) fn hang(&self, service: &str) {
        self.state().silent.insert(service.to_owned());
    }

    /// From now on PutEvents refuses entries whose detail holds this.
    pub(crate) fn refuse_entries_with(&self, text: &str) {
        self.state().refused_detail = Some(text.to_owned());
    }

    /// Waits until a request of an operation has come.
    pub(crate) async fn has_seen(&self, operation: &str) {
        while self.requests_of(operation).is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// Takes a bucket away.
    pub(crate) fn remove_bucket(&self, bucket: &str) {
        self.state().missing.insert(bucket.to_owned());
    }

    /// Gives all buckets a policy.
    pub(crate) fn set_policy(&self, policy: &Value) {
        self.answer_policy(&policy.to_string());
    }

    /// What is answered when a bucket's policy is asked for.
    pub(crate) fn answer_policy(&self, text: &str) {
        self.state().policy = Some(text.to_owned());
    }

    /// The bodies of the calls that made buckets.
    pub(crate) fn made(&self) -> Vec<String> {
        self.state().made.clone()
    }

    /// Puts a bucket into a region (`""` as old endpoints say for us-east-1, `EU` for eu-west-1); requests signed for
    /// another region are refused.
    pub(crate) fn place_bucket(&self, bucket: &str, region: &str) {
        self.state().regions.insert(bucket.to_owned(), region.to_owned());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Request {
    /// The body of a JSON request.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A member of a form (SNS).
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://x/?{}", String::from_utf8_lossy(&self.body))).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// A header, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The access key that signed it.
    pub(crate) fn access_key(&self) -> &str {
        self.scope(0)
    }

    /// The region it was signed for.
    pub(crate) fn region(&self) -> &str {
        self.scope(2)
    }

    fn scope(&self, part: usize) -> &str {
        let scope = self.header("authorization").split("Credential=").nth(1).unwrap_or_default();
        scope.split(['/', ',']).nth(part).unwrap_or_default()
    }

    fn of(http: &HttpRequest, body: Bytes) -> Request {
        let headers: BTreeMap<String, String> = http
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let mut request = Request {
            service: "s3",
            operation: String::new(),
            path: http.uri().to_string(),
            headers,
            body: body.to_vec(),
        };
        let (service, operation) = match request.header("x-amz-target").split_once('.') {
            Some(("Logs_20140328", operation)) => ("logs", operation.to_owned()),
            Some(("AWSEvents", operation)) => ("events", operation.to_owned()),
            Some(other) => panic!("a target that is not known here: {other:?}"),
            None if request.path == "/hook" => ("webhook", "Post".to_owned()),
            None if request.header("content-type").starts_with("application/x-www-form-urlencoded") => {
                ("sns", request.form("Action").unwrap_or_default())
            }
            None => ("s3", answer::s3_operation(http.method().as_str(), http.query_string())),
        };
        (request.service, request.operation) = (service, operation);
        request
    }
}

async fn take(http: HttpRequest, body: Bytes, state: Data<Mutex<State>>) -> HttpResponse {
    let request = Request::of(&http, body);
    state.lock().unwrap().requests.push(request.clone());
    while state.lock().unwrap().silent.contains(request.service) {
        tokio::task::yield_now().await;
    }
    answer::answer(&mut state.lock().unwrap(), &request, &http)
}

/// The URL of a port where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
