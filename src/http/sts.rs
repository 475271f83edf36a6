//! One operation of STS, which tools ask before anything else: GetCallerIdentity. Any other call of a service that speaks
//! the query protocol (STS, SNS, IAM …) ends here with an error in that protocol's form.

use crate::auth::{Payload, SignedService};
use crate::aws::pairs::pairs;
use crate::aws::protocol::{Asked, Protocol, escape_xml};
use crate::error::{ApiResult, Code};
use crate::guard;
use crate::http::{Front, caller, check_signature, error_response, head};
use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

/// STS's only version.
const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Whether a request is in the query protocol: a form at `/`, or the action in the URL.
pub(super) fn is_query(request: &HttpRequest) -> bool {
    if request.path() != "/" {
        return false;
    }
    let head = head(request);
    let has_action = || head.parameter("Action").is_some();
    match request.method().as_str() {
        "POST" => head.has_form_type() || has_action(),
        "GET" => has_action(),
        _ => false,
    }
}

/// Answers a call.
pub(super) async fn answer(request: HttpRequest, mut payload: web::Payload, front: &Front) -> HttpResponse {
    let id = front.ids.uuid();
    match respond(&request, &mut payload, front, id).await {
        Ok(xml) => HttpResponse::Ok()
            .insert_header(("x-amzn-RequestId", id.to_string()))
            .content_type("text/xml")
            .body(xml),
        Err(error) => {
            let asked = Asked { namespace: NAMESPACE, ..Asked::default() };
            error_response(Protocol::Query, &error, id, asked)
        }
    }
}

async fn respond(
    request: &HttpRequest,
    payload: &mut web::Payload,
    front: &Front,
    id: Uuid,
) -> ApiResult<String> {
    // Also a refusal comes after the body, or its sender would see a broken connection instead.
    let body = front.bodies.collect(payload, front.settings.server.body_timeout.0).await;
    guard::check_page(request).map_err(|error| Protocol::Query.access_denied(error.message.into_owned()))?;
    let body = body?;
    let form = String::from_utf8_lossy(&body.bytes);
    let pairs: Vec<_> = pairs(request.query_string()).into_iter().chain(pairs(&form)).collect();
    let value = |name: &str| {
        pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let (action, version) = (value("Action"), value("Version"));
    if action.is_empty() {
        return Err(Code::MissingAction.because("The request names no Action"));
    }
    if version != VERSION || action != "GetCallerIdentity" {
        let message = format!(
            "Could not find operation {action} for version {version}: of the services that speak the query protocol, \
             Contrail has GetCallerIdentity of STS ({VERSION}) only"
        );
        return Err(Code::InvalidAction.because(message));
    }
    let checked = check_signature(request, front, SignedService::STS, Payload::Body(&body.bytes))
        .map_err(|refusal| refusal.error(Protocol::Query))?;
    let caller = caller(request, front, checked.signer);
    let identity = caller.identity.user_identity(&caller.account, &caller.region, None, front.clock.now());
    let (arn, user) = (escape_xml(identity.arn().unwrap_or_default()), escape_xml(identity.principal_id()));
    Ok(format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\">\n  <GetCallerIdentityResult>\n    <Arn>{arn}</Arn>\n    \
         <UserId>{user}</UserId>\n    <Account>{}</Account>\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
         <RequestId>{id}</RequestId>\n  </ResponseMetadata>\n</GetCallerIdentityResponse>\n",
        caller.account
    ))
}
