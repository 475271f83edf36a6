//! What the catalog of AWS's operations costs: to be read, to find the operation of a request, to tell what kind of event a
//! record is and which resources lookups list for it.
//!
//! `cargo bench --bench catalog [-- ROUNDS]`
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(dead_code, reason = "the other benchmarks use more of what they share")]

mod support;

use contrail::aws::catalog::{AwsOperation, Catalog};
use contrail::aws::form::Form;
use contrail::aws::host::HostNames;
use contrail::aws::identify::{Finding, Identifier};
use contrail::aws::request::Request as Head;
use contrail::domain::category::Category;
use contrail::domain::event_facts::KnownEvents;
use contrail::domain::resources::{self, NamingMembers};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::value::RawValue;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use support::line;

/// Requests as botocore builds them.
const REQUESTS: &str = include_str!("../tests/it/identify/requests.tsv");

struct Request {
    head: Head,
    body: String,
    /// The operations of the services that it can be for.
    candidates: Vec<Arc<AwsOperation>>,
}

fn main() {
    let rounds = support::events(200);
    let began = Instant::now();
    let catalog = Catalog::embedded();
    let services = catalog.services().len();
    let unpacked = began.elapsed();
    let operations: usize = catalog.services().iter().map(|service| service.operations().len()).sum();
    let read = began.elapsed();
    println!("\n{services} services unpacked in {:.1} ms", unpacked.as_secs_f64() * 1e3);
    println!("{operations} operations of all of them read in {:.1} ms\n", read.as_secs_f64() * 1e3);

    let all: Vec<Request> = REQUESTS.lines().filter_map(|line| request(&catalog, line)).collect();
    line(&["request", "requests", "ns/request", "path by path", "x speed"]);
    let is_s3 = |request: &&Request| signed_for(&request.head, "s3");
    let is_rest = |request: &&Request| request.candidates.iter().any(|operation| !operation.path.is_empty());
    let kinds: [(&str, Vec<&Request>); 3] = [
        ("named in header, form or path", all.iter().filter(|request| !is_rest(request)).collect()),
        ("REST, but S3", all.iter().filter(is_rest).filter(|request| !is_s3(request)).collect()),
        ("S3", all.iter().filter(is_s3).collect()),
    ];
    let identifier = Identifier { catalog: Arc::clone(&catalog), hosts: HostNames::default() };
    for (name, requests) in kinds {
        let quick = each(&requests, rounds, |request| {
            // The signature has been read by then.
            let claim = request.head.signature().claim().ok().flatten();
            let form = Form::of(&request.head, request.body.as_bytes());
            let found = identifier.identify(&request.head, claim, &form);
            usize::from(matches!(found, Finding::Call(_)))
        });
        let slow = match name.starts_with("named") {
            true => None,
            false => Some(each(&requests, (rounds / 10).max(1), |request| in_turn(request))),
        };
        let (shown, times) = match slow {
            Some(slow) => (format!("{slow:.0}"), format!("{:.1}", slow / quick)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        line(&[name, &requests.len().to_string(), &format!("{quick:.0}"), &shown, &times]);
    }

    println!();
    line(&["record", "ns/record"]);
    let known =
        [("kms.amazonaws.com", "Decrypt"), ("s3.amazonaws.com", "GetObject"), ("ec2.amazonaws.com", "RunIt")];
    let ns = each(&known, rounds * 1000, |(source, name)| {
        usize::from(catalog.known(source, name).is_some_and(|facts| facts.read_only))
    });
    line(&["what kind of event it is, where it does not say", &format!("{ns:.0}")]);
    let request =
        raw(r#"{"instancesSet":{"items":[{"imageId":"ami-1","keyName":"k-1"}]},"subnetId":"subnet-1"}"#);
    let response = raw(
        r#"{"instancesSet":{"items":[{"instanceId":"i-1","vpcId":"vpc-1","subnetId":"subnet-1","groupSet":{"items":[{"groupId":"sg-1","groupName":"default"}]},"networkInterfaceSet":{"items":[{"networkInterfaceId":"eni-1"}]}}]}}"#,
    );
    for (label, name) in [
        ("resources of RunInstances: 9 paths", "RunInstances"),
        ("resources of a call without a rule of its own: 52 paths", "CreateNewThing"),
        ("resources of a read: none", "DescribeInstances"),
    ] {
        let ns = each(&[name], rounds * 500, |name| {
            let event = NamingMembers {
                category: Category::Management,
                event_source: "ec2.amazonaws.com",
                event_name: name,
                request: Some(&request),
                response: Some(&response),
                own: &[],
            };
            resources::of_event(&event).all().len()
        });
        line(&[label, &format!("{ns:.0}")]);
    }
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

/// Does it with each of `items`, so many times; nanoseconds for one.
fn each<T>(items: &[T], rounds: usize, what: impl Fn(&T) -> usize) -> f64 {
    let began = Instant::now();
    for _ in 0..rounds {
        for item in items {
            black_box(what(black_box(item)));
        }
    }
    began.elapsed().as_secs_f64() * 1e9 / (rounds * items.len()) as f64
}

fn signed_for(head: &Head, service: &str) -> bool {
    head.header("authorization").is_some_and(|value| value.contains(&format!("/{service}/aws4_request")))
}

fn request(catalog: &Catalog, line: &str) -> Option<Request> {
    let [_, _, scope, method, target, headers, body] = line.split('\t').collect::<Vec<_>>()[..] else {
        return None;
    };
    let mut all = HeaderMap::new();
    let given = headers.split(' ').filter_map(|header| header.split_once('='));
    let credential =
        format!("AWS4-HMAC-SHA256 Credential=AKIAX/20261122/us-east-1/{scope}/aws4_request, Signature=0");
    for (name, value) in given.chain([("host", "127.0.0.1:4700"), ("authorization", credential.as_str())]) {
        all.insert(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?);
    }
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let head = Head::new(method, target, all);
    let services = catalog.signing_as(scope).iter();
    let candidates = services.flat_map(|service| service.operations().values().cloned()).collect();
    Some(Request { head, body: body.to_owned(), candidates })
}

/// How many operations' paths fit, compared one after the other.
fn in_turn(request: &Request) -> usize {
    let fits = |operation: &&Arc<AwsOperation>| {
        let path = operation.path.split('?').next().unwrap_or_default();
        let mut given = request.head.path().split('/');
        let mut wanted = path.split('/');
        request.head.method == *operation.method.as_str()
            && loop {
                match (wanted.next(), given.next()) {
                    (None, None) => break true,
                    (Some(wanted), Some(_)) if wanted.ends_with("+}") => break true,
                    (Some(wanted), Some(_)) if wanted.starts_with('{') => {}
                    (Some(wanted), Some(given)) if wanted == given => {}
                    _ => break false,
                }
            }
    };
    request.candidates.iter().filter(fits).count()
}
