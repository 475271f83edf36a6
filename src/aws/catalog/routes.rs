//! Which REST operation a method, a path and a query mean.

use super::table::{AwsOperation, AwsService};
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

/// What decides between REST operations.
#[derive(Clone, Copy)]
pub struct RestRequest<'a> {
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
    fn missing<'a>(&'a self, request: &'a RestRequest<'_>) -> impl Iterator<Item = &'a String> {
        let lacks = |name: &&'a String| match (name.strip_prefix('?'), name.strip_prefix('@')) {
            (Some(name), _) => !request.query.iter().any(|(found, _)| found == name),
            (_, Some(name)) => request.signing_name != Some(name),
            _ => !request.headers.contains_key(name.as_str()),
        };
        self.operation.required.iter().filter(lacks)
    }

    /// What of a query or of the headers names this operation among those of the same path.
    fn names(&self) -> impl Iterator<Item = &str> {
        let literals = self.query.iter().map(|(name, _)| name.as_str());
        let required = self.operation.required.iter().filter(|name| !name.starts_with('@'));
        literals.chain(required.map(|name| name.strip_prefix('?').unwrap_or(name)))
    }

    /// Whether the query has the literals of the operation's.
    fn has_literals(&self, request: &RestRequest<'_>) -> bool {
        self.query.iter().all(|(name, wanted)| {
            let given = request.query.iter().find(|(given, _)| given == name);
            given.is_some_and(|(_, given)| wanted.as_ref().is_none_or(|wanted| given == wanted))
        })
    }

    /// How well a request fits whose path does; the smallest is the best.
    fn fit<'a>(&'a self, request: &RestRequest<'a>) -> impl Ord + use<'a> {
        let missing = self.missing(request).count();
        let met = self.operation.required.len() - missing;
        let host = request.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let behind_prefix = host.strip_prefix(self.service.endpoint_prefix.as_str());
        (
            Reverse(self.query.len()),
            missing,
            Reverse(met),
            self.ends_in_slash != request.path.ends_with('/'),
            // What is left are operations of services that sign with the same name.
            !behind_prefix.is_some_and(|rest| rest.starts_with('.')),
            self.operation.deprecated,
            self.service.key != self.service.signing_name,
            Reverse(self.service.api_version.as_str()),
            self.service.key.as_str(),
            self.operation.name.as_str(),
        )
    }
}

/// The best of `routes`, which are in order, and behind it those that the request names as well.
pub(super) fn fits(routes: &[Route], request: &RestRequest<'_>) -> Vec<Fit> {
    let path = request.path.strip_prefix('/').unwrap_or(request.path);
    let (mut found, mut labels): (Vec<(&Route, _)>, _) = (Vec::new(), Vec::new());
    for route in routes {
        // What is quick to tell is asked first.
        if route.operation.method != request.method || !route.has_literals(request) {
            continue;
        }
        if let Some((first, _)) = found.first()
            && first.order(route).is_lt()
        {
            break;
        }
        labels.clear();
        if matches(&route.segments, path, &mut labels) {
            found.push((route, route.fit(request)));
        }
    }
    let best = found.iter().min_by(|(_, one), (_, other)| one.cmp(other)).map(|(route, _)| *route);
    let Some(best) = best else { return Vec::new() };
    let others = found.iter().map(|(route, _)| *route).filter(|route| {
        let mut names = route.names();
        !std::ptr::eq(*route, best)
            && route.missing(request).next().is_none()
            && names.any(|name| !best.names().any(|known| known == name))
    });
    let fit = |route: &Route| {
        let mut labels = Vec::new();
        matches(&route.segments, path, &mut labels);
        Fit {
            service: Arc::clone(&route.service),
            operation: Arc::clone(&route.operation),
            labels: labels.into_iter().map(|(name, part)| (name.to_owned(), decode(part))).collect(),
            lacks_query: route.missing(request).any(|name| name.starts_with('?')),
        }
    };
    std::iter::once(best).chain(others).map(fit).collect()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Whether a path without its first slash fits; then `labels` has what the labels stand for, not decoded.
fn matches<'a>(segments: &'a [Segment], rest: &'a str, labels: &mut Vec<(&'a str, &'a str)>) -> bool {
    let Some((first, others)) = segments.split_first() else { return rest.is_empty() };
    let (part, after) = rest.split_once('/').unwrap_or((rest, ""));
    match first {
        Segment::Literal(text) => {
            (part == text || (part.contains('%') && decode(part) == *text)) && matches(others, after, labels)
        }
        Segment::Label(name) => {
            if part.is_empty() {
                return false;
            }
            labels.push((name, part));
            matches(others, after, labels)
        }
        Segment::Greedy(name) if others.is_empty() => {
            labels.push((name, rest));
            !rest.is_empty()
        }
        Segment::Greedy(name) => {
            let known = labels.len();
            // The longest first, as a greedy label takes what it can.
            rest.rmatch_indices('/').any(|(at, _)| {
                labels.truncate(known);
                labels.push((name, &rest[..at]));
                at > 0 && matches(others, &rest[at + 1..], labels)
            })
        }
    }
}
