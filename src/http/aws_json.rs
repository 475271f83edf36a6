//! The AWS door: JSON 1.1 at `POST /`, the operation in `X-Amz-Target`.

use crate::api::Service;
use crate::auth::{Payload, SignedService};
use crate::aws::protocol::{Asked, Protocol};
use crate::aws::request::Request;
use crate::error::{ApiResult, Code};
use crate::guard;
use crate::http::{ActixHeaders, Front, body, call_api, caller, error_response, head};
use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// What stands before the operation's name: the long form comes from botocore, boto and JS v2, the short one from the
/// newer SDKs.
const TARGETS: [&str; 2] =
    ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", "CloudTrail_20131101."];

/// Answers an AWS call.
pub(super) async fn answer(
    request: HttpRequest,
    payload: web::Payload,
    front: &Front,
    service: &Service,
) -> HttpResponse {
    let id = front.ids.uuid();
    reply(respond(&request, payload, front, service, id).await, id)
}

async fn respond(
    request: &HttpRequest,
    mut payload: web::Payload,
    front: &Front,
    service: &Service,
    id: Uuid,
) -> ApiResult<Vec<u8>> {
    let within = front.settings.server.body_timeout.0;
    let head = head(request);
    let operation = match check_head(request, &head, front) {
        Ok(operation) => operation,
        Err(refused) => {
            // Not kept, but read: else its sender would see a broken connection instead.
            body::drain(&mut payload, within).await?;
            return Err(refused);
        }
    };
    let body = front.bodies.collect(&mut payload, within).await?;
    let body = &body.bytes;
    let checked = front.auth.check(&head, SignedService::CLOUDTRAIL, Payload::Body(body))?;
    let caller = caller(request, front, checked.signer);
    call_api(operation, body, &caller, service, id).await
}

/// Which operation is called, by all that can be said before the body is here: no body is kept for nothing.
fn check_head<'r>(
    request: &'r HttpRequest,
    head: &Request<ActixHeaders<'_>>,
    front: &Front,
) -> ApiResult<&'r str> {
    guard::check_page(request)?;
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type =
        header("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(content_type.as_str(), CONTENT_TYPE | "application/x-amz-json-1.0") {
        // Observed on another JSON service: no operation answers to another content type.
        return Err(
            Code::UnknownOperationException.because(format!("The content type must be {CONTENT_TYPE}."))
        );
    }
    let target = header("x-amz-target");
    let operation = TARGETS.iter().find_map(|prefix| target.strip_prefix(prefix));
    let operation = operation.ok_or_else(|| {
        Code::UnknownOperationException.because(if target.is_empty() {
            "The X-Amz-Target header is missing.".to_owned()
        } else {
            format!("Unknown target: {target:?}")
        })
    })?;
    front.auth.check_head(head, SignedService::CLOUDTRAIL)?;
    Ok(operation)
}

/// The HTTP reply to a call.
pub(super) fn reply(result: ApiResult<Vec<u8>>, id: Uuid) -> HttpResponse {
    match result {
        Ok(json) => HttpResponse::Ok()
            .insert_header(("x-amzn-RequestId", id.to_string()))
            .content_type(CONTENT_TYPE)
            .body(json),
        Err(error) => error_response(Protocol::Json, &error, id, Asked::default()),
    }
}
