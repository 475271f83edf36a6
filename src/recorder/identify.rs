//! Which service and operation a request is for, by the evidence in it: who it is signed for, then what names the
//! operation in its protocol, then method and path.

use crate::domain::event_facts::EventFacts;
use crate::domain::region::Region;
use crate::recorder::catalog::{AwsOperation, AwsService, Catalog, Fit, Protocol, Request};
use crate::recorder::exchange::Head;
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// A request whose service and operation are known.
#[derive(Debug, Clone)]
pub struct Identified {
    /// The service.
    pub service: Arc<AwsService>,
    /// The operation's name as the API has it: `ListObjectsV2`, `CreateFunction`.
    pub operation: String,
    /// `eventSource` of the call.
    pub event_source: String,
    /// The operation in the catalog; `None` for one that is newer than the catalog and trusted by its name.
    pub known: Option<Arc<AwsOperation>>,
    /// The protocol that the request is in, which is not always the model's first choice.
    pub protocol: Protocol,
    /// The labels of the path with their values, percent-decoded: `("FunctionName", "demo")`, `("Bucket", "b-1")`,
    /// `("Key", "a/b c")`. For S3 a bucket in the host name stands here as well.
    pub labels: Vec<(String, String)>,
}

impl Identified {
    fn routed(fit: Fit, signing_name: Option<&str>) -> Option<Identified> {
        Some(Identified {
            event_source: event_source(&fit.service, signing_name),
            protocol: *fit.service.protocols.first()?,
            operation: fit.operation.name.clone(),
            service: fit.service,
            known: Some(fit.operation),
            labels: fit.labels,
        })
    }

    /// `eventName` of the call.
    pub fn event_name(&self) -> &str {
        self.known.as_ref().map_or(&self.operation, |known| &known.event_name)
    }

    /// What kind of event it is.
    pub fn facts(&self) -> EventFacts {
        let known = self.known.as_ref().map(|known| known.facts);
        known
            .or_else(|| self.service.event(&self.operation))
            .unwrap_or_else(|| EventFacts::by_name(&self.operation))
    }
}

/// What a request is.
#[derive(Debug)]
pub enum Finding {
    /// A call of an operation.
    Call(Identified),
    /// Nothing that AWS would record: a preflight, a health check.
    Ignored,
    /// A call, but of what?
    Unknown,
}

/// Whom a request is signed for, by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningScope {
    /// The access key id.
    pub access_key: String,
    /// Signature versions before 4, and those for many regions, name none; and what is no AWS region (`localhost`,
    /// `aws-global`) counts as none.
    pub region: Option<Region>,
    /// The signing name.
    pub service: String,
}

/// Whom a request is signed for: version 4, 4A, presigned, and S3's form of version 2. Who else is signed for with version
/// 2 (SimpleDB, older clients of EC2) is not said; such a query has a `SignatureVersion`.
pub fn signing_scope(head: &Head) -> Option<SigningScope> {
    if let Some(header) = head.header("authorization") {
        if let Some(rest) = header.strip_prefix("AWS ") {
            let access_key = rest.rsplit_once(':').map_or(rest, |(key, _)| key).to_owned();
            return Some(SigningScope { access_key, region: None, service: "s3".to_owned() });
        }
        let credential = header.split_once("Credential=")?.1;
        return credential_scope(credential.split([',', ' ']).next().unwrap_or_default());
    }
    let query = pairs(head.query());
    let value = |name: &str| query.iter().find(|(found, _)| found == name).map(|(_, value)| value);
    match (value("X-Amz-Credential"), value("AWSAccessKeyId")) {
        (Some(credential), _) => credential_scope(credential),
        (None, Some(key)) if value("Signature").is_some() && value("SignatureVersion").is_none() => {
            Some(SigningScope { access_key: key.clone(), region: None, service: "s3".to_owned() })
        }
        _ => None,
    }
}

/// `key/date/region/service/aws4_request`; 4A has no region. Keys may hold slashes, so it is read from the right.
fn credential_scope(credential: &str) -> Option<SigningScope> {
    let rest = credential.strip_suffix("/aws4_request")?;
    let (rest, service) = rest.rsplit_once('/')?;
    let (rest, last) = rest.rsplit_once('/')?;
    let is_date = |text: &str| text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    let (access_key, region) = match rest.rsplit_once('/') {
        Some((key, date)) if is_date(date) => (key, Region::parse(last)),
        _ if is_date(last) => (rest, None),
        _ => return None,
    };
    let region = region.filter(|region| region.contains('-') && *region != "aws-global");
    let known = !access_key.is_empty() && !service.is_empty();
    known.then(|| SigningScope { access_key: access_key.to_owned(), region, service: service.to_owned() })
}

/// Paths below which emulators keep what is none of AWS's.
const NOT_AWS: &[&str] = &["/_", "/moto-api", "/minio/", "/health"];

/// What a request is. `base_hosts` are names that stand for the server itself in front of a bucket; `body`, or its
/// beginning, counts only if it is a form.
///
/// The evidence counts in this order: a path, header or form that names the operation, for any service; then method and
/// path, among the operations of the services that the request is signed for. A request without a signature is one of the
/// few operations that come without, or S3's.
pub fn identify(catalog: &Catalog, base_hosts: &[String], head: &Head, body: &[u8]) -> Finding {
    let scope = signing_scope(head);
    if head.method == http::Method::OPTIONS
        || (scope.is_none() && NOT_AWS.iter().any(|prefix| head.path().starts_with(prefix)))
    {
        return Finding::Ignored;
    }
    let signing_name = scope.map(|scope| scope.service);
    let name = signing_name.as_deref();
    let form = form(head, body);
    let found = by_cbor_path(catalog, name, head)
        .or_else(|| by_target(catalog, name, head))
        .or_else(|| by_action(catalog, name, head, form))
        .or_else(|| match name {
            Some("s3") => by_bucket(catalog, base_hosts, head),
            Some(name) => by_route(catalog, name, head, form),
            None => unsigned(catalog, head).or_else(|| by_bucket(catalog, base_hosts, head)),
        });
    found.map_or(Finding::Unknown, Finding::Call)
}

/// A body that is a form; else nothing.
fn form<'a>(head: &Head, body: &'a [u8]) -> &'a str {
    let is_form =
        head.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if is_form { std::str::from_utf8(body).unwrap_or_default() } else { "" }
}

/// Names and values of a query or a form, decoded.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// What a service is called in records of calls that are signed for this name.
fn event_source(service: &AwsService, signing_name: Option<&str>) -> String {
    let other = service.also.iter().find(|(name, _)| Some(name.as_str()) == signing_name);
    other.map_or(&service.event_source, |(_, source)| source).clone()
}

/// Operations that are called by name are trusted by name, also those that the catalog does not know yet.
fn named(
    services: &[Arc<AwsService>],
    signing_name: Option<&str>,
    operation: &str,
    protocol: Protocol,
) -> Option<Identified> {
    let letters = operation.bytes().all(|b| b.is_ascii_alphanumeric()) && operation.len() <= 128;
    if !letters || !operation.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let rank = |service: &&Arc<AwsService>| {
        (
            signing_name.is_some_and(|name| service.signing_name != name),
            !service.operations().contains_key(operation),
            !service.protocols.contains(&protocol),
        )
    };
    let service = services.iter().min_by_key(rank)?;
    Some(Identified {
        event_source: event_source(service, signing_name),
        service: Arc::clone(service),
        operation: operation.to_owned(),
        known: service.operations().get(operation).cloned(),
        protocol,
        labels: Vec::new(),
    })
}

/// `/service/{prefix}/operation/{name}`
fn by_cbor_path(catalog: &Catalog, signing_name: Option<&str>, head: &Head) -> Option<Identified> {
    if head.header("smithy-protocol") != Some("rpc-v2-cbor") {
        return None;
    }
    let mut parts = head.path().rsplit('/');
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()?) {
        (operation, "operation", prefix, "service") => {
            let services = match catalog.targeted_by(prefix) {
                [] => catalog.signing_as(signing_name?),
                services => services,
            };
            named(services, signing_name, operation, Protocol::Cbor)
        }
        _ => None,
    }
}

/// `X-Amz-Target: prefix.name`
fn by_target(catalog: &Catalog, signing_name: Option<&str>, head: &Head) -> Option<Identified> {
    let (prefix, operation) = head.header("x-amz-target")?.rsplit_once('.')?;
    let services = match catalog.targeted_by(prefix) {
        [] => catalog.signing_as(signing_name?),
        services => services,
    };
    named(services, signing_name, operation, Protocol::Json)
}

/// `Action=name` in the query or in a form.
fn by_action(catalog: &Catalog, signing_name: Option<&str>, head: &Head, form: &str) -> Option<Identified> {
    let text =
        [head.query(), form].into_iter().find(|text| text.split('&').any(|p| p.starts_with("Action=")))?;
    let form = pairs(text);
    let value = |name: &str| form.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let operation = value("Action")?;
    let services = match signing_name {
        Some(name) => catalog.signing_as(name),
        None => &catalog.offering(operation),
    };
    // The version tells apart what has the same name (the two load balancer APIs).
    let version = value("Version");
    let of_version: Vec<_> =
        services.iter().filter(|service| Some(service.api_version.as_str()) == version).cloned().collect();
    let knows = of_version.iter().any(|service| service.operations().contains_key(operation));
    let services =
        if knows || (signing_name.is_none() && !of_version.is_empty()) { &of_version } else { services };
    let is_ec2 = services.first().is_some_and(|service| service.protocols.contains(&Protocol::Ec2));
    named(services, signing_name, operation, if is_ec2 { Protocol::Ec2 } else { Protocol::Query })
}

/// Method and path, in the services that sign with this name.
fn by_route(catalog: &Catalog, signing_name: &str, head: &Head, form: &str) -> Option<Identified> {
    let query = pairs(head.query());
    let sent = Request { signing_name: Some(signing_name), ..request(head, head.path(), &query) };
    let fit = catalog.route(signing_name, &sent).or_else(|| {
        // A query that is too long for a URL is sent as a form (CloudSearch).
        let query = if form.is_empty() { return None } else { pairs(form) };
        catalog.route(signing_name, &Request { method: "GET", query: &query, ..sent })
    })?;
    Identified::routed(fit, Some(signing_name))
}

/// Method and path of S3, whose bucket may stand in the host name.
fn by_bucket(catalog: &Catalog, base_hosts: &[String], head: &Head) -> Option<Identified> {
    let path = match bucket_of(head.header("host").unwrap_or_default(), base_hosts) {
        Some(bucket) => format!("/{bucket}{}", head.path()),
        None => head.path().to_owned(),
    };
    let is_browser_form = head.method == http::Method::POST
        && head.header("content-type").is_some_and(|kind| kind.starts_with("multipart/form-data"));
    if is_browser_form {
        let service = catalog.signing_as("s3").first()?;
        let bucket = path.trim_matches('/').split('/').next().unwrap_or_default().to_owned();
        return Some(Identified {
            event_source: service.event_source.clone(),
            service: Arc::clone(service),
            operation: "PostObject".to_owned(),
            known: None,
            protocol: Protocol::RestXml,
            labels: vec![("Bucket".to_owned(), bucket)],
        });
    }
    let query = pairs(head.query());
    let sent = Request { signing_name: Some("s3"), ..request(head, &path, &query) };
    let fit = catalog.route("s3", &sent)?;
    // Any path looks like that of an object, and any POST to one like CompleteMultipartUpload: it has to name an upload.
    let is_meant = !fit.lacks_query || fit.operation.path.contains('?');
    is_meant.then(|| Identified::routed(fit, Some("s3")))?
}

/// Method and path of what comes without a signature. Without a bearer token either, the whole path has to be as it is
/// known: everybody sends something to some path.
fn unsigned(catalog: &Catalog, head: &Head) -> Option<Identified> {
    let has_token = head.header("authorization").is_some_and(|value| value.starts_with("Bearer "));
    let query = pairs(head.query());
    let fit = catalog.route_unsigned(&request(head, head.path(), &query))?;
    if has_token || fit.labels.is_empty() { Identified::routed(fit, None) } else { None }
}

fn request<'a>(head: &'a Head, path: &'a str, query: &'a [(String, String)]) -> Request<'a> {
    Request { signing_name: None, method: head.method.as_str(), path, query, headers: &head.headers }
}

/// The bucket in a host name: what stands before a base host, or before `.s3.` and `.s3-`.
fn bucket_of<'a>(host: &'a str, base_hosts: &[String]) -> Option<&'a str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if name.starts_with("s3.") || name.starts_with("s3-") || name.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    if let Some(at) = name.find(".s3.").or_else(|| name.find(".s3-")) {
        return Some(&name[..at]);
    }
    let mut bases: Vec<&String> = base_hosts.iter().collect();
    bases.sort_by_key(|base| std::cmp::Reverse(base.len()));
    let before = bases.iter().find_map(|base| name.strip_suffix(base.as_str())?.strip_suffix('.'));
    before.filter(|bucket| *bucket != "s3")
}
