//! The doors: AWS's JSON protocol at `POST /`, its query protocol there as well, our own paths under `/_contrail`, and S3
//! for everything else while the embedded bucket store is used.
//! Here bytes become values and values bytes; what they mean is decided below.

mod aws_json;
mod body;
mod events;
mod operate;
mod query;
mod s3;

#[cfg(feature = "fuzzing")]
pub use s3::fuzzing;

use crate::api::{self, Service};
use crate::auth::{Auth, Checked, Payload, Refusal, SignedService};
use crate::aws::headers::Headers;
use crate::aws::protocol::{Asked, Protocol, WrittenError};
use crate::aws::request::Request;
use crate::buckets::Buckets;
use crate::callers::Callers;
use crate::clock::{Clock, Ids};
use crate::config::Settings;
use crate::console::{self, Console};
use crate::domain::caller::{Caller, Origin, Signer};
use crate::domain::source_ip::source_ip;
use crate::domain::tls::{TlsDetails, TlsSession};
use crate::error::{ApiError, ApiResult, Code};
use crate::guard::{AllowedHosts, OwnPaths, Tokens, refuse};
use actix_web::dev::RequestHead;
use actix_web::error::InternalError;
use actix_web::guard as routing;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
pub use body::BodyRoom;
pub use operate::Operator;
use s3::S3Door;
use std::net::SocketAddr;
use std::sync::Arc;
use uuid::Uuid;

/// What every door needs to take a request in, cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Front {
    pub settings: Arc<Settings>,
    pub clock: Clock,
    pub ids: Ids,
    pub callers: Arc<Callers>,
    pub auth: Auth,
    pub bodies: BodyRoom,
}

/// What stands behind the doors.
#[derive(Debug)]
pub struct Doors {
    /// Before all of them.
    pub front: Front,
    /// CloudTrail's API.
    pub api: Service,
    /// The read API and the page.
    pub console: Console,
    /// Putting in, flush, reset, metrics and health.
    pub operator: Operator,
    /// The embedded bucket store, unless an S3 elsewhere is used.
    pub buckets: Option<Buckets>,
    /// What our own paths ask for; `None` for nothing.
    pub tokens: Option<Tokens>,
}

/// Adds all routes of a server that listens on `address`.
pub fn routes(doors: Doors, address: SocketAddr) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + use<> {
    let Doors { front, api, console, operator, buckets, tokens } = doors;
    let server = &front.settings.server;
    let own_paths = web::Data::new(OwnPaths { hosts: AllowedHosts::new(server, address), tokens });
    let s3 = buckets.map(|buckets| web::Data::new(S3Door::new(&buckets, &server.allowed_hosts, &front)));
    let (front, api, operator) = (web::Data::new(front), web::Data::new(api), web::Data::new(operator));
    let console = console::routes(&console);
    move |config| {
        if let Some(s3) = &s3 {
            config.app_data(s3.clone());
        }
        config
            .app_data(front.clone())
            .app_data(api.clone())
            .app_data(operator.clone())
            .app_data(own_paths.clone())
            .app_data(web::QueryConfig::default().error_handler(|error, _| {
                let response = refuse(400, &error.to_string());
                InternalError::from_response(error, response).into()
            }))
            .route("/_contrail/events", web::post().to(events::import))
            .configure(&console)
            .route("/_contrail/flush", web::post().to(operate::flush))
            .route("/_contrail/reset", web::post().to(operate::reset))
            .route("/_contrail/metrics", web::get().to(operate::metrics))
            .route("/_contrail/health", web::get().to(operate::health))
            .route("/_localstack/health", web::get().guard(routing::fn_guard(is_not_s3)).to(operate::health))
            .route("/health", web::get().guard(routing::fn_guard(is_not_s3)).to(operate::health))
            .default_service(web::to(by_protocol));
    }
}

/// Paths that stand for health, unless a bucket of that name is meant.
fn is_not_s3(context: &routing::GuardContext<'_>) -> bool {
    !read(context.head()).signature().may_be_for("s3")
}

/// Requests that no path decides: which protocol they are in.
async fn by_protocol(
    request: HttpRequest,
    payload: web::Payload,
    front: web::Data<Front>,
    api: web::Data<Service>,
) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_json = request.headers().contains_key("x-amz-target")
        || header("content-type").is_some_and(|kind| kind.starts_with("application/x-amz-json"));
    let is_ours = request.path() == "/_contrail" || request.path().starts_with("/_contrail/");
    let door = request.app_data::<web::Data<S3Door>>().cloned();
    match door {
        _ if is_ours => nothing_here(&request, &front),
        _ if !request.headers().contains_key("x-amz-target") && query::is_query(&request) => {
            query::answer(request, payload, &front, &api).await
        }
        Some(door) if !is_json => s3::answer(request, payload, &door, &front).await,
        _ if request.method() == Method::POST && request.path() == "/" => {
            aws_json::answer(request, payload, &front, &api).await
        }
        _ => nothing_here(&request, &front),
    }
}

/// Paths and methods that nothing answers.
fn nothing_here(request: &HttpRequest, front: &Front) -> HttpResponse {
    let (method, path) = (request.method().as_str(), request.path());
    if path == "/_contrail" || path.starts_with("/_contrail/") {
        return refuse(404, &format!("there is no {method} {path}"));
    }
    let error = Code::UnknownOperationException.because(format!(
        "There is no {method} {path}: AWS calls go to POST /, Contrail's own paths begin with /_contrail/."
    ));
    aws_json::reply(Err(error), front.ids.uuid())
}

/// Makes a call of CloudTrail's API, in whatever protocol it came. `body`: the operation's input, as JSON; the same of its
/// answer.
async fn call_api(
    operation: &str,
    body: &[u8],
    caller: &Caller,
    service: &Service,
    id: Uuid,
) -> ApiResult<Vec<u8>> {
    let began = service.clock.elapsed();
    let result = api::call(operation, body, caller, service, id).await;
    tracing::debug!(
        operation,
        account = %caller.account,
        region = %caller.region,
        request_id = %id,
        code = result.as_ref().map_or_else(|e| e.code.name(), |_| "OK"),
        micros = service.clock.elapsed().saturating_sub(began).as_micros(),
        "call"
    );
    result
}

/// The answer to a call that is refused or fails.
fn error_response(protocol: Protocol, error: &ApiError, id: Uuid, asked: Asked<'_>) -> HttpResponse {
    if let Some(source) = &error.source {
        tracing::error!(request_id = %id, code = error.code.name(), error = %source, "call failed");
    }
    let WrittenError { status, headers, body } = protocol.write(error, id, asked);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in headers {
        response.insert_header(header);
    }
    if matches!(status.as_u16(), 408 | 413) {
        // There may be more of that body; the connection is of no use any more.
        response.force_close();
    }
    response.body(body)
}

/// Whether the sender of a request may call, and who that is.
fn check_signature(
    request: &HttpRequest,
    front: &Front,
    service: SignedService<'_>,
    payload: Payload<'_>,
) -> Result<Checked, Refusal> {
    front.auth.check(&head(request), service, payload)
}

/// A request as it is read everywhere.
fn head(request: &HttpRequest) -> Request<ActixHeaders<'_>> {
    read(request.head())
}

fn read(request: &RequestHead) -> Request<ActixHeaders<'_>> {
    // Actix's `Method` is that of an older `http`, and takes the same names.
    let method = http::Method::from_bytes(request.method.as_str().as_bytes()).unwrap_or_default();
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    Request::new(method, target, ActixHeaders(&request.headers))
}

/// The headers of a request, where actix has read them.
struct ActixHeaders<'a>(&'a actix_web::http::header::HeaderMap);

impl Headers for ActixHeaders<'_> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.get_all(name).map(actix_web::http::header::HeaderValue::as_bytes)
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}

/// The caller of a request that `signer` has signed.
fn caller(request: &HttpRequest, front: &Front, signer: Option<Signer>) -> Caller {
    let named = request.headers().get_all("x-forwarded-for").map(|value| value.as_bytes());
    let trusted = &front.settings.server.trusted_proxies;
    let source_ip = request.peer_addr().map(|peer| source_ip(peer.ip(), named, trusted).to_string());
    let source_ip = source_ip.unwrap_or_default();
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let tls = request.conn_data::<TlsSession>();
    let tls = tls.map(|session| TlsDetails::new(session, header("host").as_deref()));
    front.callers.caller(signer, Origin { source_ip, user_agent: header("user-agent"), tls })
}

/// The base URL under which a server can be reached from its own machine. `scheme`: `http` or `https`.
pub fn base_url(scheme: &str, address: SocketAddr) -> String {
    match address {
        _ if !address.ip().is_unspecified() => format!("{scheme}://{address}"),
        SocketAddr::V4(v4) => format!("{scheme}://127.0.0.1:{}", v4.port()),
        SocketAddr::V6(v6) => format!("{scheme}://[::1]:{}", v6.port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_a_signature_for_s3_makes_health_a_bucket() {
        let is_s3 =
            |request: TestRequest| read(request.to_http_request().head()).signature().may_be_for("s3");
        let with = |scope: &str| {
            let value =
                format!("AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/{scope}/aws4_request, Signature=0");
            TestRequest::get().insert_header(("authorization", value))
        };
        assert!(is_s3(with("s3")));
        assert!(!is_s3(with("cloudtrail")));
        assert!(is_s3(TestRequest::get().uri("/health?X-Amz-Credential=C%2F&X-Amz-Signature=0")));
        assert!(is_s3(TestRequest::get().uri("/health?AWSAccessKeyId=A&Signature=x&Expires=1")));
        assert!(!is_s3(TestRequest::get().uri("/health?expires=1")));
    }
}
