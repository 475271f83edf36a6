//! How the fake services answer.

use super::{Request, State, Stored};
use actix_web::body::SizedStream;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// What S3 calls a request.
pub(super) fn s3_operation(method: &str, query: &str) -> String {
    match (method, query.split(['=', '&']).next().unwrap_or_default()) {
        ("GET", "location") => "GetBucketLocation".to_owned(),
        ("GET", "acl") => "GetBucketAcl".to_owned(),
        ("GET", "policy") => "GetBucketPolicy".to_owned(),
        ("PUT", "" | "x-id") => "PutObject".to_owned(),
        (method, query) => format!("{method} {query}"),
    }
}

/// The answer to a request that came.
pub(super) fn answer(state: &mut State, request: &Request, http: &HttpRequest) -> HttpResponse {
    let by_operation = format!("{} {}", request.service, request.operation);
    let failure = state.failures.get(request.service).or_else(|| state.failures.get(&by_operation)).cloned();
    match failure.as_deref() {
        Some("hang-up") => return hang_up(),
        Some(code) if !code.starts_with("entry:") => return error(request.service, code),
        _ => {}
    }
    match request.service {
        "s3" => s3(state, request, http),
        "sns" => xml(200, PUBLISHED.to_owned()),
        "logs" => logs(state, request),
        "events" => events(state, request, failure.as_deref().and_then(|code| code.strip_prefix("entry:"))),
        _ => HttpResponse::Ok().body("thanks"),
    }
}

const PUBLISHED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
    <MessageId>m-1</MessageId></PublishResult></PublishResponse>";

fn s3(state: &mut State, request: &Request, http: &HttpRequest) -> HttpResponse {
    let path = decoded(http.uri().path());
    let (bucket, key) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    // The SDK names no operation in the query of this one.
    if request.operation == "PutObject" && key.is_empty() {
        state.missing.remove(bucket);
        state.made.push(String::from_utf8_lossy(&request.body).into_owned());
        return HttpResponse::Ok().finish();
    }
    if state.missing.contains(bucket) {
        return error("s3", "NoSuchBucket");
    }
    if let Some((_, code)) = state.refused_headers.iter().find(|(name, _)| !request.header(name).is_empty()) {
        return error("s3", code);
    }
    if let Some(code) = state.refused_folders.as_ref().filter(|_| key.ends_with('/')) {
        return error("s3", code);
    }
    let constraint = state.regions.get(bucket).map_or("", String::as_str);
    let region = match constraint {
        "" => "us-east-1",
        "EU" => "eu-west-1",
        other => other,
    };
    if request.operation == "GetBucketLocation" {
        return xml(200, format!("<LocationConstraint>{constraint}</LocationConstraint>"));
    }
    if state.regions.contains_key(bucket) && request.region() != region {
        return error("s3", "AuthorizationHeaderMalformed");
    }
    match request.operation.as_str() {
        "GetBucketAcl" => {
            xml(200, "<AccessControlPolicy><Owner><ID>o</ID></Owner></AccessControlPolicy>".to_owned())
        }
        "GetBucketPolicy" => match &state.policy {
            Some(policy) => HttpResponse::Ok().content_type("application/json").body(policy.clone()),
            None => error("s3", "NoSuchBucketPolicy"),
        },
        "PutObject" => {
            state.objects.push(Stored {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                body: request.body.clone(),
                headers: request.headers.clone(),
            });
            HttpResponse::Ok().insert_header(("etag", "\"0\"")).finish()
        }
        other => panic!("the fake S3 does not know {other:?}"),
    }
}

/// A path without its percent signs. (actix leaves some in.)
fn decoded(path: &str) -> String {
    let url = reqwest::Url::parse(&format!("http://x/?{}", path.replace('+', "%2B"))).unwrap();
    url.query_pairs().map(|(path, _)| path.into_owned()).collect()
}

fn logs(state: &mut State, request: &Request) -> HttpResponse {
    let input = request.json();
    let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
    let stream = format!("{}/{}", text("logGroupName"), text("logStreamName"));
    match request.operation.as_str() {
        "CreateLogStream" if state.streams.insert(stream.clone()) => json_reply(200, json!({})),
        "CreateLogStream" => error("logs", "ResourceAlreadyExistsException"),
        "PutLogEvents" if state.streams.contains(&stream) => {
            json_reply(200, json!({"nextSequenceToken": "1"}))
        }
        "PutLogEvents" => error("logs", "ResourceNotFoundException"),
        other => panic!("the fake CloudWatch Logs does not know {other:?}"),
    }
}

fn events(state: &State, request: &Request, code: Option<&str>) -> HttpResponse {
    let input = request.json();
    let entries = input["Entries"].as_array().unwrap();
    let refused = |entry: &Value| {
        let detail = entry["Detail"].as_str().unwrap_or_default();
        state.refused_detail.as_deref().filter(|text| detail.contains(*text)).map(|_| "MalformedDetail")
    };
    let codes: Vec<_> = entries.iter().map(|entry| code.or_else(|| refused(entry))).collect();
    let failed = codes.iter().flatten().count();
    let replies = codes.into_iter().map(|code| match code {
        Some(code) => json!({"ErrorCode": code, "ErrorMessage": "not this one"}),
        None => json!({"EventId": "e-1"}),
    });
    json_reply(200, json!({"FailedEntryCount": failed, "Entries": replies.collect::<Vec<_>>()}))
}

fn error(service: &str, code: &str) -> HttpResponse {
    let status = match code {
        "NoSuchBucket" | "NoSuchBucketPolicy" | "NotFound" => 404,
        "AccessDenied" | "AuthorizationError" => 403,
        "PermanentRedirect" => 301,
        "NotImplemented" => 501,
        "InternalError" => 500,
        _ => 400,
    };
    let text = format!("The fake says {code}.");
    match service {
        "s3" => xml(status, format!("<Error><Code>{code}</Code><Message>{text}</Message></Error>")),
        "sns" => xml(
            status,
            format!(
                "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>{text}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
            ),
        ),
        "webhook" => HttpResponse::InternalServerError().body(text),
        _ => json_reply(status, json!({"__type": code, "message": text})),
    }
}

/// Breaks off before the first byte of an answer is sent.
fn hang_up() -> HttpResponse {
    let broken = futures_util::stream::once(async { Err(std::io::Error::other("hung up")) });
    HttpResponse::Ok().body(SizedStream::new(10, broken))
}

fn xml(status: u16, body: String) -> HttpResponse {
    reply(status, "application/xml", format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}"))
}

fn json_reply(status: u16, body: Value) -> HttpResponse {
    reply(status, "application/x-amz-json-1.1", body.to_string())
}

fn reply(status: u16, content_type: &str, body: String) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status).unwrap();
    HttpResponse::build(status).content_type(content_type.to_owned()).body(body)
}
