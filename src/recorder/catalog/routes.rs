//! Which REST operation a method, a path and a query mean.

use super::{AwsOperation, AwsService};
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

/// What decides between REST operations.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The name that it is signed for.
    pub signing_name: Option<&'a str>,
    /// `GET`, …
    pub method: &'a str,
    /// The path, not decoded.
    pub path: &'a str,
    /// Names and values of the query, decoded.
    pub query: &'a [(String, String)],
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// The operation that was meant.
#[derive(Debug)]
pub struct Fit {
    /// Its service.
    pub service: Arc<AwsService>,
    /// The operation.
    pub operation: Arc<AwsOperation>,
    /// Labels of the path with their values, decoded.
    pub labels: Vec<(String, String)>,
    /// Whether the query lacks a member that it must have.
    pub lacks_query: bool,
}

/// Lower is more specific.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Label(String),
    /// `{Key+}`: any number of segments.
    Greedy(String),
}

/// An operation's path, taken apart.
#[derive(Debug)]
pub(super) struct Route {
    service: Arc<AwsService>,
    operation: Arc<AwsOperation>,
    segments: Vec<Segment>,
    /// Literals of the query; `None`: any value.
    query: Vec<(String, Option<String>)>,
    /// Whether the path ends in a slash.
    ends_in_slash: bool,
}

impl Route {
    /// Those of services that share a name, in order.
    pub(super) fn all(services: &[Arc<AwsService>]) -> Vec<Route> {
        let of = |service: &Arc<AwsService>| {
            let rest = service.operations().values().filter(|operation| !operation.path.is_empty());
            rest.map(|operation| Route::new(service, operation)).collect::<Vec<_>>()
        };
        let mut routes: Vec<Route> = services.iter().flat_map(of).collect();
        routes.sort_by(Route::order);
        routes
    }

    fn new(service: &Arc<AwsService>, operation: &Arc<AwsOperation>) -> Route {
        let (path, query) = operation.path.split_once('?').unwrap_or((&operation.path, ""));
        let segment = |text: &str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Segment::Literal(text.to_owned()),
            Some(label) => match label.strip_suffix('+') {
                Some(label) => Segment::Greedy(label.to_owned()),
                None => Segment::Label(label.to_owned()),
            },
        };
        let literal = |pair: &str| match pair.split_once('=') {
            Some((name, value)) => {
                (name.to_owned(), Some(value.to_owned()).filter(|value| !value.is_empty()))
            }
            None => (pair.to_owned(), None),
        };
        Route {
            service: Arc::clone(service),
            operation: Arc::clone(operation),
            segments: path
                .trim_matches('/')
                .split('/')
                .filter(|text| !text.is_empty())
                .map(segment)
                .collect(),
            ends_in_slash: path.ends_with('/'),
            query: query.split('&').filter(|pair| !pair.is_empty()).map(literal).collect(),
        }
    }

    /// Whether the operation comes without a signature.
    pub(super) fn is_unsigned(&self) -> bool {
        self.operation.is_unsigned
    }

    /// The most specific path first: literal before label before greedy, segment by segment, what is longer before what
    /// ends.
    fn order(&self, other: &Route) -> Ordering {
        let rank = |segment: Option<&Segment>| match segment {
            Some(Segment::Literal(_)) => 0,
            Some(Segment::Label(_)) => 1,
            Some(Segment::Greedy(_)) => 2,
            None => 3,
        };
        let length = self.segments.len().max(other.segments.len());
        (0..length)
            .map(|at| rank(self.segments.get(at)).cmp(&rank(other.segments.get(at))))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// What the request lacks of what it must have.
    fn missing<'a>(&'a self, request: &'a Request<'_>) -> impl Iterator<Item = &'a String> {
        let lacks = |name: &&'a String| match (name.strip_prefix('?'), name.strip_prefix('@')) {
            (Some(name), _) => !request.query.iter().any(|(found, _)| found == name),
            (_, Some(name)) => request.signing_name != Some(name),
            _ => !request.headers.contains_key(name.as_str()),
        };
        self.operation.required.iter().filter(lacks)
    }

    /// How well the rest of the request fits; the smallest is the best. `None` when it does not.
    fn fit<'a>(&'a self, request: &Request<'a>) -> Option<impl Ord + use<'a>> {
        let asked =
            |name: &str| request.query.iter().find(|(found, _)| found == name).map(|(_, value)| value);
        let fits = self.query.iter().all(|(name, value)| match (asked(name), value) {
            (Some(found), Some(value)) => found == value,
            (Some(_), None) => true,
            (None, _) => false,
        });
        let missing = self.missing(request).count();
        let met = self.operation.required.len() - missing;
        let host = request.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let names_service = host
            .strip_prefix(self.service.endpoint_prefix.as_str())
            .is_some_and(|rest| rest.starts_with('.'));
        fits.then(|| {
            (
                Reverse(self.query.len()),
                missing,
                Reverse(met),
                self.ends_in_slash != request.path.ends_with('/'),
                // What is left are operations of services that sign with the same name.
                !names_service,
                self.operation.deprecated,
                self.service.key != self.service.signing_name,
                Reverse(self.service.api_version.as_str()),
                self.service.key.as_str(),
                self.operation.name.as_str(),
            )
        })
    }
}

/// The best of `routes`, which are in order.
pub(super) fn best(routes: &[Route], request: &Request<'_>) -> Option<Fit> {
    let mut found: Option<(&Route, _, _)> = None;
    for route in routes {
        if route.operation.method != request.method {
            continue;
        }
        if let Some((first, ..)) = &found
            && first.order(route).is_lt()
        {
            break;
        }
        let mut labels = Vec::new();
        if !matches(&route.segments, request.path.strip_prefix('/').unwrap_or(request.path), &mut labels) {
            continue;
        }
        let Some(fit) = route.fit(request) else { continue };
        if found.as_ref().is_none_or(|(_, best, _)| fit < *best) {
            found = Some((route, fit, labels));
        }
    }
    found.map(|(route, _, labels)| Fit {
        service: Arc::clone(&route.service),
        operation: Arc::clone(&route.operation),
        labels,
        lacks_query: route.missing(request).any(|name| name.starts_with('?')),
    })
}

/// Whether a path without its first slash fits; then `labels` has what the labels stand for.
fn matches(segments: &[Segment], rest: &str, labels: &mut Vec<(String, String)>) -> bool {
    let Some((first, others)) = segments.split_first() else { return rest.is_empty() };
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (part, after) = rest.split_once('/').unwrap_or((rest, ""));
    match first {
        Segment::Literal(text) => {
            (part == text || (part.contains('%') && decode(part) == *text)) && matches(others, after, labels)
        }
        Segment::Label(name) => {
            if part.is_empty() {
                return false;
            }
            labels.push((name.clone(), decode(part)));
            matches(others, after, labels)
        }
        Segment::Greedy(name) if others.is_empty() => {
            labels.push((name.clone(), decode(rest)));
            !rest.is_empty()
        }
        Segment::Greedy(name) => {
            let known = labels.len();
            // The longest first, as a greedy label takes what it can.
            rest.rmatch_indices('/').any(|(at, _)| {
                labels.truncate(known);
                labels.push((name.clone(), decode(&rest[..at])));
                at > 0 && matches(others, &rest[at + 1..], labels)
            })
        }
    }
}
