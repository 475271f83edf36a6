//! Which service and operation a request is for, by the evidence in it: who it is signed for, then what names the
//! operation in its protocol, then method and path.
//!
//! A request is a call of one operation only if every server reads it so. What names a second one, in a place where some
//! server looks, or is written in a way that servers read differently, makes it unclear.

mod elsewhere;
mod identified;
mod names;
mod path;
mod search;

use crate::aws::catalog::Catalog;
use crate::aws::form::Form;
use crate::aws::host::HostNames;
use crate::aws::request::Request;
use crate::aws::signature::Claim;
pub use identified::Identified;
use names::Names;
pub use path::{may_be_emulators_own, may_begin_with};
pub use search::S3_CONTROL;
use search::{Candidates, Search};
use std::sync::Arc;

/// What a request is.
#[derive(Debug)]
pub enum Finding {
    /// A call of an operation.
    Call(Identified),
    /// A call of one of these, or of something else: servers may differ in what they take it for. Without any it is not
    /// known at all. The first is what AWS takes it for.
    Unclear(Vec<Identified>),
    /// Nothing that AWS would record: a preflight, a health check, a request to an application.
    Ignored,
}

impl Finding {
    /// What is recorded: the call, or of what is unclear the first that changes something, because it may have been that.
    pub fn recorded(&self) -> Option<&Identified> {
        match self {
            Finding::Call(call) => Some(call),
            Finding::Unclear(candidates) => {
                candidates.iter().find(|call| !call.facts().read_only).or(candidates.first())
            }
            Finding::Ignored => None,
        }
    }
}

/// Says what requests are.
#[derive(Debug)]
pub struct Identifier {
    /// Services and operations.
    pub catalog: Arc<Catalog>,
    /// What host names mean.
    pub hosts: HostNames,
}

impl Identifier {
    /// What a request is. `claim`: who signs it. `form`: what its body holds of names.
    ///
    /// The evidence counts in this order: a path, header or form that names the operation, for services whose protocols have
    /// that; then method and path, among the operations of the services that the request is signed for. A request without a
    /// signature is one of the few operations that come without, or S3's.
    pub fn identify(&self, request: &Request, claim: Option<&Claim>, form: &Form) -> Finding {
        tracing::trace!(path = request.path(), "an operation is identified");
        let name = claim.and_then(|claim| claim.service.as_deref());
        if claim.is_none() && path::is_emulators_own(request.path()) {
            return Finding::Ignored;
        }
        let names = Names::of(request, form);
        if elsewhere::is_no_call(request, claim, &names, &self.hosts) {
            return Finding::Ignored;
        }
        let services = name.map_or(&[][..], |name| self.catalog.signing_as(name));
        let Identifier { catalog, hosts } = self;
        let search = Search { catalog, hosts, request, form, names, services, signing_name: name };
        let Candidates { mut calls, is_certain } = search.candidates();
        match calls.len() {
            0 if request.method == http::Method::OPTIONS => Finding::Ignored,
            1 if is_certain => Finding::Call(calls.remove(0)),
            _ => Finding::Unclear(calls),
        }
    }
}

/// Whether something in the head of a request names an operation, for whatever server.
pub fn names_operation(request: &Request) -> bool {
    let form = Form::default();
    let names = Names::of(request, &form);
    names.are_odd || names.has_any()
}
