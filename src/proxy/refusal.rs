//! Errors for calls that could not be forwarded, in the form that the caller's protocol has for errors (Smithy's protocol
//! documents; S3's and EC2's error documents).

use crate::auth::{self, SignedService};
use crate::aws::request::Request;
use crate::recorder::exchange::{KeptBody, Reply};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// Why a call is not forwarded, or comes to nothing.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    /// Nobody is there to answer it. SDKs try again.
    pub(super) fn unavailable(message: impl Into<String>) -> Refusal {
        Refusal { status: 503, code: "ServiceUnavailable", message: message.into() }
    }

    /// It does not say for whom it is.
    pub(super) fn no_host() -> Refusal {
        let message = "The request must have one Host header, and must not be CONNECT.".to_owned();
        Refusal { status: 400, code: "BadRequest", message }
    }

    /// Its body did not arrive (S3's words).
    pub(super) fn timeout() -> Refusal {
        let message = "Your socket connection to the server was not read from or written to within the timeout \
                       period. Idle connections will be closed.";
        Refusal { status: 400, code: "RequestTimeout", message: message.to_owned() }
    }
}

/// The families of protocols, which say refusals of callers in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// JSON and CBOR, with the operation in a header or in the path.
    Typed,
    /// JSON at paths of its own.
    Rest,
    Query,
    Ec2,
    S3,
}

fn family(head: &Request, service: &str) -> Family {
    if head.headers.contains_key("smithy-protocol") || head.headers.contains_key("x-amz-target") {
        Family::Typed
    } else if service == "ec2" {
        Family::Ec2
    } else if is_form(head) || matches!(service, "cloudfront" | "route53") {
        Family::Query
    } else if service.is_empty() || SignedService(service).is_s3() {
        Family::S3
    } else {
        Family::Rest
    }
}

impl Refusal {
    /// Its caller is not who they say they are, or does not say it.
    pub(super) fn of_caller(refusal: &auth::Refusal, head: &Request, service: &str) -> Refusal {
        let auth::Answer { code, status, message } = match family(head, service) {
            Family::Query => refusal.in_query(),
            Family::S3 => refusal.in_s3(),
            Family::Ec2 => auth::Answer {
                code: "AuthFailure",
                status: 401,
                message: "AWS was not able to validate the provided access credentials".to_owned(),
            },
            Family::Typed => {
                auth::Answer { code: refusal.code().name(), status: 400, message: refusal.message() }
            }
            Family::Rest => {
                auth::Answer { code: refusal.code().name(), status: 403, message: refusal.message() }
            }
        };
        Refusal { status, code, message }
    }

    /// Its caller may not do it.
    pub(super) fn denied(why: String, head: &Request, service: &str) -> Refusal {
        let (code, status) = match family(head, service) {
            Family::Query | Family::S3 => ("AccessDenied", 403),
            Family::Ec2 => ("UnauthorizedOperation", 403),
            Family::Typed => ("AccessDeniedException", 400),
            Family::Rest => ("AccessDeniedException", 403),
        };
        Refusal { status, code, message: why }
    }

    /// Its body is too large to be checked.
    pub(super) fn too_large(most: usize) -> Refusal {
        let message = format!("The request body is larger than {most} bytes.");
        Refusal { status: 413, code: "RequestEntityTooLarge", message }
    }

    /// Too many bodies are being checked. SDKs try again.
    pub(super) fn no_room() -> Refusal {
        Refusal::unavailable("Too many large requests are being checked; try again.")
    }
}

/// The answer to a request with this head.
pub(super) fn reply(head: &Request, refusal: &Refusal, id: Uuid) -> Reply {
    let Refusal { status, code, message } = refusal;
    let claim = head.signature().claim().ok().flatten();
    let service = claim.and_then(|claim| claim.service.as_deref());
    let json = |member: &str| serde_json::json!({"__type": code, member: message}).to_string().into_bytes();
    let xml = xml_text(message);
    let (content_type, body) = if head.headers.contains_key("smithy-protocol") {
        ("application/cbor", cbor([("__type", code), ("message", message)]))
    } else if head.headers.contains_key("x-amz-target") {
        (json_type(head), json("message"))
    } else if service == Some("ec2") {
        (
            "text/xml;charset=UTF-8",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
                 <Message>{xml}</Message></Error></Errors><RequestID>{id}</RequestID></Response>"
            )
            .into_bytes(),
        )
    } else if is_form(head) || matches!(service, Some("cloudfront" | "route53")) {
        (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>{xml}</Message></Error>\
                 <RequestId>{id}</RequestId></ErrorResponse>"
            )
            .into_bytes(),
        )
    } else if matches!(service, None | Some("s3" | "s3express" | "s3-outposts" | "s3-object-lambda")) {
        (
            "application/xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{xml}</Message>\
                 <RequestId>{id}</RequestId></Error>"
            )
            .into_bytes(),
        )
    } else {
        ("application/json", json("message"))
    };
    let mut headers = HeaderMap::new();
    let id = id.to_string();
    for (name, value) in [
        ("content-type", content_type),
        ("x-amzn-requestid", &id),
        ("x-amzn-errortype", code),
        ("smithy-protocol", if content_type == "application/cbor" { "rpc-v2-cbor" } else { "" }),
    ] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let body = if head.method == http::Method::HEAD { Vec::new() } else { body };
    let body = KeptBody { total: body.len() as u64, bytes: body.into(), ended: true, ..KeptBody::default() };
    Reply { status: *status, headers, body }
}

/// JSON answers have the type that was asked in.
fn json_type(head: &Request) -> &str {
    head.header("content-type")
        .filter(|kind| kind.starts_with("application/x-amz-json"))
        .unwrap_or("application/json")
}

fn is_form(head: &Request) -> bool {
    head.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        || head.query().split('&').any(|pair| pair.starts_with("Action="))
}

fn xml_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A map of texts (RFC 8949: each with its length).
fn cbor<const N: usize>(members: [(&str, &str); N]) -> Vec<u8> {
    let mut bytes = vec![0xa0 | N as u8];
    for text in members.into_iter().flat_map(|(name, value)| [name, value]) {
        let length = text.len();
        match u8::try_from(length) {
            Ok(short) if short < 24 => bytes.push(0x60 | short),
            Ok(one) => bytes.extend([0x78, one]),
            Err(_) => bytes.extend([0x79, (length >> 8) as u8, length as u8]),
        }
        bytes.extend(text.as_bytes());
    }
    bytes
}
