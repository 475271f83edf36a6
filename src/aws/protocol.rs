//! What a request speaks, and errors in it: the only place that writes what a client of AWS gets for an error.
//!
//! Sources: Smithy's protocol documents; S3's and EC2's error documents.

use crate::aws::headers::Headers;
use crate::aws::request::Request;
use crate::error::{ApiError, Code, Layer};
use ciborium::Value as Cbor;
use uuid::Uuid;

/// How a service's messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// JSON 1.0 and 1.1, the operation in `X-Amz-Target`.
    Json,
    /// A form, the operation in `Action`; answers in XML.
    Query,
    /// EC2's dialect of it.
    Ec2,
    /// JSON bodies; method and path say which operation.
    RestJson,
    /// XML bodies; method and path say which operation.
    RestXml,
    /// S3's dialect of it, which differs in errors. Models do not tell it apart.
    S3,
    /// CBOR, the operation in the path (`/service/…/operation/…`).
    Cbor,
}

/// An error as it goes over the wire.
#[derive(Debug, Clone)]
pub struct WrittenError {
    /// The HTTP status.
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(&'static str, String)>,
    /// In the protocol's form.
    pub body: Vec<u8>,
}

/// What an answer repeats of what was asked; empty where there is nothing to repeat.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The content type of the request: answers in JSON have the same.
    pub content_type: &'a str,
    /// The XML namespace of the service's API.
    pub namespace: &'a str,
}

impl Protocol {
    /// What a request speaks, as far as its head tells.
    pub fn of<H: Headers>(request: &Request<H>) -> Protocol {
        let service = request.signature().claim().ok().flatten().and_then(|claim| claim.service.as_deref());
        let has = |name: &str| request.headers.values_of(name).next().is_some();
        let is_form = request.has_form_type() || request.parameter("Action").is_some();
        match service {
            _ if has("smithy-protocol") => Protocol::Cbor,
            _ if has("x-amz-target") => Protocol::Json,
            Some("ec2") => Protocol::Ec2,
            Some(service) if is_s3(service) => Protocol::S3,
            _ if is_form => Protocol::Query,
            Some("cloudfront" | "route53") => Protocol::RestXml,
            None => Protocol::S3,
            Some(_) => Protocol::RestJson,
        }
    }

    /// An error in this protocol.
    pub fn write(self, error: &ApiError, id: Uuid, asked: Asked<'_>) -> WrittenError {
        let code = error.code.name();
        let (status, id) = (self.status(error.code), id.to_string());
        let (kind, body) = match self {
            Protocol::Json => {
                let is_json = asked.content_type.starts_with("application/x-amz-json");
                (if is_json { asked.content_type } else { "application/x-amz-json-1.1" }, json(error))
            }
            Protocol::RestJson => ("application/json", json(error)),
            Protocol::Cbor => ("application/cbor", cbor(error)),
            Protocol::Query | Protocol::RestXml => {
                let fault = if status < 500 { "Sender" } else { "Receiver" };
                let xmlns = match asked.namespace {
                    "" => String::new(),
                    namespace => format!(" xmlns=\"{namespace}\""),
                };
                let text = format!(
                    "<ErrorResponse{xmlns}><Error><Type>{fault}</Type>{}</Error><RequestId>{id}</RequestId>\
                     </ErrorResponse>",
                    xml(error)
                );
                ("text/xml", text.into_bytes())
            }
            Protocol::Ec2 => {
                let text = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>{}</Error></Errors>\
                     <RequestID>{id}</RequestID></Response>",
                    xml(error)
                );
                ("text/xml;charset=UTF-8", text.into_bytes())
            }
            Protocol::S3 => {
                let text = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{}<RequestId>{id}</RequestId></Error>",
                    xml(error)
                );
                ("application/xml", text.into_bytes())
            }
        };
        let id_header = if self == Protocol::S3 { "x-amz-request-id" } else { "x-amzn-requestid" };
        let mut headers =
            vec![("content-type", kind.to_owned()), (id_header, id), ("x-amzn-errortype", code.to_owned())];
        if self == Protocol::Cbor {
            headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
        }
        WrittenError { status, headers, body }
    }

    /// The error for what a caller may not do.
    pub fn access_denied(self, why: String) -> ApiError {
        let code = match self {
            Protocol::Query | Protocol::RestXml | Protocol::S3 => Code::AccessDenied,
            Protocol::Ec2 => Code::UnauthorizedOperation,
            Protocol::Json | Protocol::RestJson | Protocol::Cbor => Code::AccessDeniedException,
        };
        code.because(why)
    }

    /// The status of an error, which for some depends on the protocol.
    fn status(self, code: Code) -> u16 {
        match self {
            Protocol::RestJson if code.is_about_callers() => 403,
            Protocol::S3 if code == Code::ExpiredToken => 400,
            _ => code.status(),
        }
    }
}

/// Whether a signing name is one of S3's.
pub fn is_s3(service: &str) -> bool {
    matches!(service, "s3" | "s3express" | "s3-outposts" | "s3-object-lambda")
}

/// `{"__type": …, "message": …}`
fn json(error: &ApiError) -> Vec<u8> {
    let mut body = serde_json::Map::new();
    body.insert("__type".into(), error.code.name().into());
    if !error.message.is_empty() {
        body.insert(member(error).into(), error.message.as_ref().into());
    }
    serde_json::Value::Object(body).to_string().into_bytes()
}

fn cbor(error: &ApiError) -> Vec<u8> {
    let text = |text: &str| Cbor::Text(text.to_owned());
    let members =
        Cbor::Map(vec![(text("__type"), text(error.code.name())), (text("message"), text(&error.message))]);
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = ciborium::into_writer(&members, &mut bytes);
    bytes
}

/// How the text's member is spelt.
fn member(error: &ApiError) -> &'static str {
    match error.code.layer() {
        Layer::Service => "Message",
        Layer::Front => "message",
    }
}

fn xml(error: &ApiError) -> String {
    format!("<Code>{}</Code><Message>{}</Message>", error.code.name(), escape_xml(&error.message))
}

/// A text between two tags.
pub fn escape_xml(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method};

    #[test]
    fn each_protocol_writes_an_error_in_its_own_way() {
        let error = Code::AccessDenied.because("no <b> & c");
        let id = Uuid::nil();
        let text = |protocol: Protocol| {
            String::from_utf8_lossy(&protocol.write(&error, id, Asked::default()).body).into_owned()
        };
        let inner = "<Code>AccessDenied</Code><Message>no &lt;b&gt; &amp; c</Message>";
        assert!(text(Protocol::S3).contains(&format!("<Error>{inner}<RequestId>")));
        assert!(text(Protocol::Query).contains(&format!("<Error><Type>Sender</Type>{inner}</Error>")));
        let asked = Asked { namespace: "https://sts/", content_type: "application/x-amz-json-1.0" };
        let query = Protocol::Query.write(&error, id, asked).body;
        assert!(query.starts_with(b"<ErrorResponse xmlns=\"https://sts/\"><Error>"));
        let of_json = Protocol::Json.write(&error, id, asked).headers;
        assert_eq!(of_json[0], ("content-type", "application/x-amz-json-1.0".to_owned()));
        assert!(text(Protocol::Ec2).contains(&format!("<Errors><Error>{inner}</Error></Errors>")));
        assert_eq!(text(Protocol::Json), r#"{"__type":"AccessDenied","message":"no <b> & c"}"#);
        let cbor: serde_json::Value =
            ciborium::from_reader(Protocol::Cbor.write(&error, id, Asked::default()).body.as_slice())
                .unwrap();
        assert_eq!(cbor, serde_json::json!({"__type": "AccessDenied", "message": "no <b> & c"}));
    }

    #[test]
    fn the_status_of_a_code_is_the_protocols() {
        let status = |protocol: Protocol, code: Code| {
            protocol.write(&code.because(""), Uuid::nil(), Asked::default()).status
        };
        assert_eq!(status(Protocol::Json, Code::AccessDeniedException), 400);
        assert_eq!(status(Protocol::RestJson, Code::AccessDeniedException), 403);
        assert_eq!(status(Protocol::RestJson, Code::ServiceUnavailable), 503);
        assert_eq!(
            (status(Protocol::Query, Code::ExpiredToken), status(Protocol::S3, Code::ExpiredToken)),
            (403, 400)
        );
    }

    #[test]
    fn a_requests_head_says_what_it_speaks() {
        let of = |service: &str, target: &str, headers: &[(&'static str, &str)]| {
            let mut all = HeaderMap::new();
            let scope = format!("AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/{service}/aws4_request");
            if !service.is_empty() {
                all.insert("authorization", scope.parse().unwrap());
            }
            for (name, value) in headers {
                all.insert(*name, value.parse().unwrap());
            }
            Protocol::of(&Request::new(Method::POST, target, all))
        };
        let form = [("content-type", "Application/x-www-form-urlencoded; charset=utf-8")];
        assert_eq!(of("iam", "/", &form), Protocol::Query);
        assert_eq!(of("iam", "/?Action=ListUsers", &[]), Protocol::Query);
        assert_eq!(of("ec2", "/", &form), Protocol::Ec2);
        assert_eq!(of("sqs", "/", &[("x-amz-target", "AmazonSQS.SendMessage")]), Protocol::Json);
        assert_eq!(of("sqs", "/", &[("smithy-protocol", "rpc-v2-cbor")]), Protocol::Cbor);
        assert_eq!(of("lambda", "/2015-03-31/functions", &[]), Protocol::RestJson);
        assert_eq!(of("route53", "/2013-04-01/hostedzone", &[]), Protocol::RestXml);
        assert_eq!((of("s3", "/b?Action=x", &[]), of("", "/b", &[])), (Protocol::S3, Protocol::S3));
    }
}
