//! The doors: AWS's JSON protocol at `POST /`, and our own paths under `/_contrail`.
//! Here bytes become values and values bytes; what they mean is decided below.

mod aws_json;
mod body;
mod events;
mod guard;
mod operate;

use crate::api::Service;
use crate::error::{ApiResult, Code};
use actix_web::error::InternalError;
use actix_web::{HttpRequest, HttpResponse, web};
use guard::Hosts;
use std::net::SocketAddr;

/// Adds all routes of a server that listens on `address`.
pub fn routes(
    service: &Service,
    address: SocketAddr,
) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + use<> {
    let hosts = Hosts::new(&service.settings.server, address);
    let service = service.clone();
    move |config| {
        config
            .app_data(web::Data::new(service.clone()))
            .app_data(web::Data::new(hosts.clone()))
            .app_data(web::QueryConfig::default().error_handler(|error, _| {
                let response = refuse(400, &error.to_string());
                InternalError::from_response(error, response).into()
            }))
            .route("/", web::post().to(aws_json::answer))
            .route("/_contrail/events", web::post().to(events::put_in))
            .route("/_contrail/events", web::get().to(events::read_out))
            .route("/_contrail/reset", web::post().to(operate::reset))
            .route("/_contrail/metrics", web::get().to(operate::metrics))
            .route("/_contrail/health", web::get().to(operate::health))
            .route("/_localstack/health", web::get().to(operate::health))
            .route("/health", web::get().to(operate::health))
            .default_service(web::to(nothing_here));
    }
}

/// Paths and methods that nothing answers.
async fn nothing_here(request: HttpRequest, service: web::Data<Service>) -> HttpResponse {
    let (method, path) = (request.method().as_str(), request.path());
    if path.starts_with("/_contrail/") {
        return refuse(404, &format!("there is no {method} {path}"));
    }
    let error = Code::UnknownOperationException.because(format!(
        "There is no {method} {path}: AWS calls go to POST /, Contrail's own paths begin with /_contrail/."
    ));
    aws_json::reply(Err(error), service.ids.uuid())
}

/// Who calls, from the request's headers and query.
fn caller(request: &HttpRequest, service: &Service) -> ApiResult<crate::domain::caller::Caller> {
    let header = |name: &str| request.headers().get(name).map(|v| String::from_utf8_lossy(v.as_bytes()));
    let authorization = header("authorization");
    let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let query = query.map(web::Query::into_inner).unwrap_or_default();
    let credential =
        query.iter().find(|(name, _)| name == "X-Amz-Credential").map(|(_, value)| value.as_str());
    service.callers.identify(crate::api::callers::Evidence {
        authorization: authorization.as_deref(),
        credential,
        source_ip: request.peer_addr().map(|peer| peer.ip().to_canonical().to_string()).unwrap_or_default(),
        user_agent: header("user-agent").map(std::borrow::Cow::into_owned),
    })
}

/// A refusal on our own paths: `{"error":"…"}`.
fn refuse(status: u16, why: &str) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    HttpResponse::build(status).json(serde_json::json!({ "error": why }))
}

/// The base URL under which a server can be reached from its own machine.
pub fn base_url(address: SocketAddr) -> String {
    match address {
        _ if !address.ip().is_unspecified() => format!("http://{address}"),
        SocketAddr::V4(v4) => format!("http://127.0.0.1:{}", v4.port()),
        SocketAddr::V6(v6) => format!("http://[::1]:{}", v6.port()),
    }
}
