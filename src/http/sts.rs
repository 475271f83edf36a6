//! One operation of STS, which tools ask before anything else: GetCallerIdentity. Any other call of a service that speaks
//! the query protocol (STS, SNS, IAM …) ends here with an error in that protocol's form.

use crate::auth::{self, Payload, SignedService};
use crate::error::{ApiError, ApiResult, Code};
use crate::guard;
use crate::http::{Front, body, caller, check_signature};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

/// STS's only version.
const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Whether a request is in the query protocol: a form at `/`, or the action in the URL.
pub(super) fn is_query(request: &HttpRequest) -> bool {
    let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|value| {
        let kind = value.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    let is_action = |pair: &str| pair.split('=').next() == Some("Action");
    request.path() == "/"
        && match request.method().as_str() {
            "POST" => is_form || request.query_string().split('&').any(is_action),
            "GET" => request.query_string().split('&').any(is_action),
            _ => false,
        }
}

/// Answers a call.
pub(super) async fn answer(request: HttpRequest, mut payload: web::Payload, front: &Front) -> HttpResponse {
    let id = front.ids.uuid();
    match respond(&request, &mut payload, front, id).await {
        Ok(xml) => reply(StatusCode::OK, id, xml),
        Err(Refusal { code, message, status }) => {
            let message = escape(&message);
            let xml = format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>Sender</Type>\n    <Code>{code}</Code>\n    \
                 <Message>{message}</Message>\n  </Error>\n  <RequestId>{id}</RequestId>\n</ErrorResponse>\n"
            );
            reply(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), id, xml)
        }
    }
}

fn reply(status: StatusCode, id: Uuid, xml: String) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.insert_header(("x-amzn-RequestId", id.to_string())).content_type("text/xml");
    if matches!(status.as_u16(), 408 | 413) {
        // There may be more of that body; the connection is of no use any more.
        response.force_close();
    }
    response.body(xml)
}

struct Refusal {
    code: &'static str,
    message: String,
    status: u16,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let (code, status) = match error.code {
            Code::AccessDeniedException => ("AccessDenied", 403),
            other => (other.name(), other.status()),
        };
        Refusal { code, message: error.message.into_owned(), status }
    }
}

impl From<auth::Refusal> for Refusal {
    fn from(refusal: auth::Refusal) -> Self {
        let auth::Answer { code, status, message } = refusal.in_query();
        Refusal { code, message, status }
    }
}

async fn respond(
    request: &HttpRequest,
    payload: &mut web::Payload,
    front: &Front,
    id: Uuid,
) -> Result<String, Refusal> {
    // Also a refusal comes after the body, or its sender would see a broken connection instead.
    let body = body::collect(payload, front.settings.server.body_timeout.0).await;
    guard::check_page(request)?;
    let body = body?;
    let form = String::from_utf8_lossy(&body);
    let pairs = pairs(request.query_string())?.into_iter().chain(pairs(&form)?).collect::<Vec<_>>();
    let value = |name: &str| {
        pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let (action, version) = (value("Action"), value("Version"));
    if action.is_empty() {
        let message = "The request names no Action".to_owned();
        return Err(Refusal { code: "MissingAction", message, status: 400 });
    }
    if version != VERSION || action != "GetCallerIdentity" {
        let message = format!(
            "Could not find operation {action} for version {version}: of the services that speak the query protocol, \
             Contrail has GetCallerIdentity of STS ({VERSION}) only"
        );
        return Err(Refusal { code: "InvalidAction", message, status: 400 });
    }
    let checked = check_signature(request, front, SignedService::STS, Payload::Body(&body))?;
    let caller = caller(request, front, checked.signer);
    let identity = caller.identity.user_identity(&caller.account, &caller.region, None, front.clock.now());
    let (arn, user) = (escape(identity.arn().unwrap_or_default()), escape(identity.principal_id()));
    Ok(format!(
        "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\">\n  <GetCallerIdentityResult>\n    <Arn>{arn}</Arn>\n    \
         <UserId>{user}</UserId>\n    <Account>{}</Account>\n  </GetCallerIdentityResult>\n  <ResponseMetadata>\n    \
         <RequestId>{id}</RequestId>\n  </ResponseMetadata>\n</GetCallerIdentityResponse>\n",
        caller.account
    ))
}

fn pairs(text: &str) -> ApiResult<Vec<(String, String)>> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(text);
    let pairs = pairs.map_err(|_| Code::SerializationException.because("The form cannot be read."))?;
    Ok(pairs.into_inner())
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // What XML cannot hold.
            c if c.is_control() => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
