//! The search for a request's operation: by name among the operations of services, then by method and path.

use super::identified::{Identified, event_source};
use super::names::{Names, Target};
use super::path::other_readings;
use crate::aws::catalog::{AwsService, Catalog, RestRequest};
use crate::aws::form::Form;
use crate::aws::host::HostNames;
use crate::aws::protocol::Protocol;
use crate::aws::request::Request;
use crate::domain::account_id::AccountId;
use std::sync::Arc;

/// How paths of S3 Control begin, which signs as S3.
pub const S3_CONTROL: &str = "/v20180820/";

/// The longest name of an operation that is believed.
const LONGEST_OPERATION: usize = 128;

/// The search for the operation of one request.
pub(super) struct Search<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) hosts: &'a HostNames,
    pub(super) request: &'a Request,
    pub(super) form: &'a Form,
    pub(super) names: Names<'a>,
    /// The services that sign with the name that it is signed for.
    pub(super) services: &'a [Arc<AwsService>],
    pub(super) signing_name: Option<&'a str>,
}

/// All operations that some server may take a request for, each once.
#[derive(Debug)]
pub(super) struct Candidates {
    pub(super) calls: Vec<Identified>,
    /// Whether every server finds these, and finds nothing else.
    pub(super) is_certain: bool,
}

impl Candidates {
    fn add(&mut self, call: Identified) {
        if !self.calls.iter().any(|known| known.is_same(&call)) {
            self.calls.push(call);
        }
    }

    /// Adds what only some servers find.
    fn add_doubtful(&mut self, call: Identified) {
        self.is_certain &= self.calls.iter().any(|known| known.is_same(&call));
        self.add(call);
    }
}

impl Search<'_> {
    /// AWS's reading first.
    pub(super) fn candidates(&self) -> Candidates {
        let mut found = Candidates { calls: Vec::with_capacity(1), is_certain: !self.names.are_odd };
        let is_options = self.request.method == http::Method::OPTIONS;
        let cbor = self.names.cbor.iter().map(|target| (target, Protocol::Cbor));
        let json = self.names.targets.iter().map(|target| (target, Protocol::Json));
        for (target, protocol) in cbor.chain(json) {
            self.add_target(target, protocol, &mut found);
        }
        self.add_actions(&mut found);
        // Names come with these methods only; to some servers the method does not count.
        let is_rpc_method = matches!(self.request.method.as_str(), "POST" | "GET");
        found.is_certain &= found.calls.is_empty() || is_rpc_method;
        // Services with names alone have no paths, and of those that have both, the names stand at `/`.
        let has_paths = self.services.iter().any(|service| service.has_paths()) || self.services.is_empty();
        let needs_path =
            found.calls.is_empty() || (has_paths && self.request.path() != "/") || self.are_all_rest();
        if needs_path && !is_options {
            self.add_paths(&mut found);
        }
        self.add_stray_names(&mut found);
        // No operation has this method; to some servers the method does not count.
        found.is_certain &= !is_options;
        found
    }

    /// Whether method and path alone name the operations of the service that was signed for.
    fn are_all_rest(&self) -> bool {
        !self.services.is_empty() && !self.services.iter().any(|service| service.is_rpc())
    }

    /// `X-Amz-Target`, or a path with a name in it.
    fn add_target(&self, target: &Target<'_>, protocol: Protocol, found: &mut Candidates) {
        let Target { prefix, operation } = target;
        let targeted = self.catalog.targeted_by(prefix);
        if self.signing_name.is_none() {
            if let Some(call) = self.named(targeted, operation, protocol) {
                found.add(call);
            }
            return;
        }
        let is_ours =
            |service: &&Arc<AwsService>| self.services.iter().any(|ours| Arc::ptr_eq(ours, service));
        let has_ours = targeted.iter().any(|service| is_ours(&service));
        if !self.are_all_rest() {
            let call = match has_ours {
                true => self.named(targeted.iter().filter(is_ours), operation, protocol),
                false => self.named(self.services, operation, protocol),
            };
            if let Some(call) = call {
                found.add(call);
            }
        }
        // It is signed for one service, and names another.
        if !has_ours && let Some(call) = self.named(targeted, operation, protocol) {
            found.add_doubtful(call);
        }
    }

    /// `Action=name` in the query or in a form.
    fn add_actions(&self, found: &mut Candidates) {
        for operation in self.names.actions.iter().copied() {
            let offering;
            let services = match self.signing_name {
                Some(_) if self.services.iter().any(|service| service.takes_forms()) => self.services,
                Some(_) => continue,
                None => {
                    offering = self.catalog.offering(operation);
                    &offering
                }
            };
            // The version tells apart what has the same name (the two load balancer APIs).
            let version = self.names.version;
            let is_of_version = |service: &&Arc<AwsService>| Some(service.api_version.as_str()) == version;
            let of_version: Vec<_> = services.iter().filter(is_of_version).cloned().collect();
            let knows = of_version.iter().any(|service| service.operations().contains_key(operation));
            let is_decided = knows || (self.signing_name.is_none() && !of_version.is_empty());
            let services = if is_decided { &of_version } else { services };
            let is_ec2 = services.first().is_some_and(|service| service.protocols.contains(&Protocol::Ec2));
            let protocol = if is_ec2 { Protocol::Ec2 } else { Protocol::Query };
            match self.named(services, operation, protocol) {
                Some(call) => found.add(call),
                // A name that is none to AWS may be one to others.
                None => found.is_certain = false,
            }
        }
    }

    /// Method and path, in every way in which servers read paths.
    fn add_paths(&self, found: &mut Candidates) {
        let mut routed = self.by_path(self.request.path());
        for reading in other_readings(self.request.path()) {
            let others = self.by_path(&reading);
            if let Some(first) = routed.first_mut() {
                let is_same =
                    others.first().is_some_and(|other| first.is_same(other) && first.labels == other.labels);
                first.has_certain_labels &= is_same;
            } else if !others.is_empty() {
                // Only some servers find it.
                found.is_certain = false;
            }
            for other in others {
                if !routed.iter().any(|known| known.is_same(&other)) {
                    routed.push(other);
                }
            }
        }
        for call in routed {
            found.add(call);
        }
    }

    /// What only some servers take for a name counts if it is one of the service's, in whatever spelling.
    fn add_stray_names(&self, found: &mut Candidates) {
        let names = &self.names;
        let uncounted = names.targets.iter().chain(&names.cbor).map(|target| target.operation);
        let stray = names.stray_actions.iter().map(|text| &**text);
        let stray = stray.chain(names.actions.iter().copied()).chain(uncounted);
        for text in stray {
            if found.calls.first().is_some_and(|call| call.operation == text) {
                continue;
            }
            if let Some(call) = self.spelt_alike(text) {
                found.add_doubtful(call);
            } else if self.services.is_empty() && names.stray_actions.iter().any(|stray| stray == text) {
                found.is_certain = false;
            }
        }
        // Signed for a service that knows no names, but with one and the version of another's API.
        if let (Some(version), true) = (names.version, self.are_all_rest()) {
            for operation in names.actions.iter().copied() {
                let mut services = self.catalog.offering(operation);
                services.retain(|service| service.api_version == version);
                if let Some(call) = self.named(&services, operation, Protocol::Query) {
                    found.add_doubtful(call);
                }
            }
        }
    }

    /// The operation of the service whose name is spelt like this, but for capitals and `_`.
    fn spelt_alike(&self, text: &str) -> Option<Identified> {
        if text.is_empty() || text.len() > LONGEST_OPERATION {
            return None;
        }
        let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
        let wanted = plain(text);
        let is_alike = |name: &str| name.len() == wanted.len() && plain(name) == wanted;
        self.services.iter().find_map(|service| {
            let name = service.operations().keys().find(|name| is_alike(name))?;
            self.named(std::slice::from_ref(service), name, *service.protocols.first()?)
        })
    }

    /// Operations that are called by name are trusted by name, also those that the catalog does not know yet.
    fn named<'s>(
        &self,
        services: impl IntoIterator<Item = &'s Arc<AwsService>>,
        operation: &str,
        protocol: Protocol,
    ) -> Option<Identified> {
        let letters =
            operation.bytes().all(|b| b.is_ascii_alphanumeric()) && operation.len() <= LONGEST_OPERATION;
        if !letters || !operation.starts_with(|c: char| c.is_ascii_uppercase()) {
            return None;
        }
        let offers = services.into_iter().map(|service| (service, service.operations().get(operation)));
        let (service, known) = offers.min_by_key(|(service, known)| {
            (
                self.signing_name.is_some_and(|name| service.signing_name != name),
                known.is_none(),
                !service.protocols.contains(&protocol),
            )
        })?;
        Some(Identified {
            event_source: event_source(service, self.signing_name),
            service: Arc::clone(service),
            operation: operation.to_owned(),
            known: known.cloned(),
            protocol,
            labels: Vec::new(),
            has_certain_labels: true,
        })
    }

    fn by_path(&self, path: &str) -> Vec<Identified> {
        match self.signing_name {
            Some("s3") => self.by_bucket(path),
            Some(name) => self.by_route(name, path),
            None => match self.unsigned(path) {
                Some(call) => vec![call],
                None => self.by_bucket(path),
            },
        }
    }

    /// Method and path, in the services that sign with this name.
    fn by_route(&self, signing_name: &str, path: &str) -> Vec<Identified> {
        let catalog = self.catalog;
        let sent = RestRequest { signing_name: Some(signing_name), ..self.rest(path) };
        let mut fits = catalog.route(signing_name, &sent);
        if fits.is_empty() && !self.form.pairs.is_empty() {
            // A query that is too long for a URL is sent as a form (CloudSearch).
            fits =
                catalog.route(signing_name, &RestRequest { method: "GET", query: &self.form.pairs, ..sent });
        }
        fits.into_iter().filter_map(|fit| Identified::routed(fit, Some(signing_name))).collect()
    }

    /// Method and path of S3, whose bucket may stand in the host name.
    fn by_bucket(&self, path: &str) -> Vec<Identified> {
        let Search { catalog, request, .. } = *self;
        let host = self.hosts.meaning(request.header("host").unwrap_or_default());
        let in_path = match host.bucket() {
            Some(account) if is_account_of_s3_control(account, path) => path.to_owned(),
            Some(bucket) => format!("/{bucket}{path}"),
            None => path.to_owned(),
        };
        let sent = RestRequest { signing_name: Some("s3"), ..self.rest(&in_path) };
        // Any path looks like that of an object, and any POST to one like CompleteMultipartUpload: it has to name an upload.
        let is_meant = |fit: &crate::aws::catalog::Fit| !fit.lacks_query || fit.operation.path.contains('?');
        let mut fits = catalog.route("s3", &sent);
        fits.retain(is_meant);
        let mut found: Vec<_> =
            fits.into_iter().filter_map(|fit| Identified::routed(fit, Some("s3"))).collect();
        let is_browser_form = request.method == http::Method::POST
            && request.header("content-type").is_some_and(|kind| {
                kind.get(..19).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))
            });
        if is_browser_form && let Some(service) = catalog.signing_as("s3").first() {
            let bucket = in_path.trim_matches('/').split('/').next().unwrap_or_default().to_owned();
            let form = Identified {
                event_source: service.event_source.clone(),
                service: Arc::clone(service),
                operation: "PostObject".to_owned(),
                known: None,
                protocol: Protocol::RestXml,
                labels: vec![("Bucket".to_owned(), bucket)],
                has_certain_labels: true,
            };
            found.insert(0, form);
        }
        found
    }

    /// Method and path of what comes without a signature. Without a bearer token either, the whole path has to be as it is
    /// known: everybody sends something to some path.
    fn unsigned(&self, path: &str) -> Option<Identified> {
        let has_token =
            self.request.header("authorization").is_some_and(|value| value.starts_with("Bearer "));
        let fit = self.catalog.route_unsigned(&self.rest(path))?;
        if has_token || fit.labels.is_empty() { Identified::routed(fit, None) } else { None }
    }

    fn rest<'a>(&'a self, path: &'a str) -> RestRequest<'a> {
        let Search { request, .. } = self;
        RestRequest {
            signing_name: None,
            method: request.method.as_str(),
            path,
            query: request.parameters(),
            headers: &request.headers,
        }
    }
}

/// Whether what stands before the host's name is the account of a call of S3 Control, where SDKs put it.
fn is_account_of_s3_control(before: &str, path: &str) -> bool {
    AccountId::is(before) && path.starts_with(S3_CONTROL)
}
