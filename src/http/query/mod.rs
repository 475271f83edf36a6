//! The query protocol, in which the oldest SDKs and requests written by hand speak: the operation in `Action`, the API in
//! `Version`, members in a form at `/` or in the URL, answers in XML.
//!
//! Here are [`cloudtrail`], and of [`sts`] what tools ask before anything else. Calls of other services that speak it (SNS,
//! IAM …) end here with an error in the protocol's form.

mod cloudtrail;
mod sts;

use crate::api::Service;
use crate::auth::{Payload, SignedService};
use crate::aws::pairs::{first_value, pairs};
use crate::aws::protocol::{Asked, Protocol};
use crate::domain::caller::Caller;
use crate::error::{ApiError, ApiResult, Code};
use crate::guard;
use crate::http::body::CallBody;
use crate::http::{Front, caller, check_signature, error_response, head};
use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

/// An API that is answered in this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    CloudTrail,
    Sts,
}

impl Api {
    /// The API of a version: no two services have the same one, of those that are here.
    fn of(version: &str) -> Option<Api> {
        match version {
            cloudtrail::VERSION => Some(Api::CloudTrail),
            sts::VERSION => Some(Api::Sts),
            _ => None,
        }
    }

    /// The XML namespace of its answers.
    fn namespace(self) -> &'static str {
        match self {
            Api::CloudTrail => cloudtrail::NAMESPACE,
            Api::Sts => sts::NAMESPACE,
        }
    }

    fn signed_service(self) -> SignedService<'static> {
        match self {
            Api::CloudTrail => SignedService::CLOUDTRAIL,
            Api::Sts => SignedService::STS,
        }
    }
}

/// A call that was read.
struct QueryCall<'a> {
    request: &'a HttpRequest,
    body: CallBody,
    /// Of the URL, then of the form.
    pairs: Vec<(String, String)>,
    id: Uuid,
}

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
pub(super) async fn answer(
    request: HttpRequest,
    mut payload: web::Payload,
    front: &Front,
    service: &Service,
) -> HttpResponse {
    let id = front.ids.uuid();
    let (api, result) = match QueryCall::read(&request, &mut payload, front, id).await {
        Ok(call) => {
            let api = Api::of(call.value("Version"));
            (api, call.answer(api, front, service).await)
        }
        Err(error) => (None, Err(error)),
    };
    // An error of no API has the namespace of the one that is asked most.
    let namespace = api.unwrap_or(Api::Sts).namespace();
    match result {
        Ok(xml) => HttpResponse::Ok()
            .insert_header(("x-amzn-RequestId", id.to_string()))
            .content_type("text/xml")
            .body(xml),
        Err(error) => {
            let asked = Asked { namespace, ..Asked::default() };
            error_response(Protocol::Query, &error, id, asked)
        }
    }
}

/// A refusal of the caller, under its name in this protocol.
fn denied(error: ApiError) -> ApiError {
    Protocol::Query.access_denied(error.message.into_owned())
}

impl QueryCall<'_> {
    async fn read<'a>(
        request: &'a HttpRequest,
        payload: &mut web::Payload,
        front: &Front,
        id: Uuid,
    ) -> ApiResult<QueryCall<'a>> {
        // Also a refusal comes after the body, or its sender would see a broken connection instead.
        let body = front.bodies.collect(payload, front.settings.server.body_timeout.0).await;
        guard::check_page(request).map_err(denied)?;
        let body = body?;
        let form = String::from_utf8_lossy(&body.bytes);
        let pairs = pairs(request.query_string()).into_iter().chain(pairs(&form)).collect();
        Ok(QueryCall { request, body, pairs, id })
    }

    async fn answer(&self, api: Option<Api>, front: &Front, service: &Service) -> ApiResult<String> {
        let action = self.value("Action");
        if action.is_empty() {
            return Err(Code::MissingAction.because("The request names no Action"));
        }
        let Some(api) = api.filter(|api| *api != Api::Sts || action == sts::ACTION) else {
            return Err(self.not_here());
        };
        if api == Api::CloudTrail {
            guard::check_not_browser(self.request).map_err(denied)?;
        }
        let caller = self.caller(api.signed_service(), front)?;
        let result = match api {
            Api::Sts => sts::result(&caller, front.clock.now()),
            Api::CloudTrail => cloudtrail::result(action, &self.pairs, &caller, service, self.id)
                .await
                .map_err(|error| match error.code {
                    Code::UnknownOperationException => self.not_here(),
                    Code::AccessDeniedException => denied(error),
                    _ => error,
                })?,
        };
        let (namespace, id) = (api.namespace(), self.id);
        Ok(format!(
            "<{action}Response xmlns=\"{namespace}\">\n  <{action}Result>{result}</{action}Result>\n  \
             <ResponseMetadata>\n    <RequestId>{id}</RequestId>\n  </ResponseMetadata>\n</{action}Response>\n"
        ))
    }

    /// The first value of a name, empty without one.
    fn value(&self, name: &str) -> &str {
        first_value(&self.pairs, name).unwrap_or_default()
    }

    fn caller(&self, service: SignedService<'_>, front: &Front) -> ApiResult<Caller> {
        let checked = check_signature(self.request, front, service, Payload::Body(&self.body.bytes))
            .map_err(|refusal| refusal.error(Protocol::Query))?;
        Ok(caller(self.request, front, checked.signer))
    }

    fn not_here(&self) -> ApiError {
        let (action, version) = (self.value("Action"), self.value("Version"));
        Code::InvalidAction.because(format!(
            "Could not find operation {action} for version {version}: in the query protocol Contrail has CloudTrail ({}) \
             and of STS ({}) {}",
            cloudtrail::VERSION,
            sts::VERSION,
            sts::ACTION
        ))
    }
}
