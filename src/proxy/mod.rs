//! In front of another emulator (the upstream): calls that are not CloudTrail's are forwarded as they came, the replies
//! passed back, and a copy of both is given to the recorder. Whatever becomes of a record, the call goes on.

mod forward;
mod refusal;
mod tee;

use crate::clock::{Clock, Ids};
use crate::config::Settings;
use crate::recorder::callers::Callers;
use crate::recorder::exchange::Head;
use crate::recorder::forwarded_calls::ForwardedCalls;
use crate::recorder::identify::{SigningScope, signing_scope};
use crate::store::Store;
use actix_web::dev::RequestHead;
use actix_web::guard::{GuardContext, fn_guard};
use actix_web::web;
use forward::Client;
use std::net::IpAddr;
use std::sync::Arc;

/// What a proxy is made of.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Parts {
    pub settings: Arc<Settings>,
    pub clock: Clock,
    pub ids: Ids,
    pub store: Store,
    pub callers: Arc<Callers>,
    /// Records what has been forwarded.
    pub calls: ForwardedCalls,
}

/// Forwards calls, cheap to clone.
#[derive(Clone)]
pub struct Proxy {
    parts: Parts,
    client: Client,
    trusted: Arc<[IpAddr]>,
}

impl Proxy {
    /// A proxy that has forwarded nothing.
    pub fn new(parts: Parts) -> Proxy {
        let trusted = parts.settings.recorder.trusted_proxies.iter();
        let trusted = trusted.filter_map(|proxy| proxy.parse().ok()).collect();
        Proxy { client: forward::client(), trusted, parts }
    }

    /// The route of everything that is forwarded. Has to come before the default route of the other doors.
    pub fn routes(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + use<> {
        let proxy = self.clone();
        move |config| {
            let settings = Arc::clone(&proxy.parts.settings);
            config.app_data(web::Data::new(proxy.clone())).service(
                web::resource("/{path:.*}")
                    .guard(fn_guard(move |context: &GuardContext<'_>| {
                        let Some(forwarded) = forwarded(context.head(), &settings) else { return false };
                        // Read once: the handler finds it there.
                        context.req_data_mut().insert(forwarded);
                        true
                    }))
                    .to(forward::answer),
            );
        }
    }
}

/// What is known of a request that is forwarded before its body has come.
struct Forwarded {
    head: Head,
    scope: Option<SigningScope>,
    /// `http://host:port`
    upstream: String,
}

/// The request as it is forwarded; `None` when it is for CloudTrail or for Contrail's own paths, or when there is no
/// upstream for its service.
fn forwarded(head: &RequestHead, settings: &Settings) -> Option<Forwarded> {
    let path = head.uri.path();
    if path == "/_contrail" || path.starts_with("/_contrail/") {
        return None;
    }
    let target = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let prefix = target.rsplit_once('.').map_or("", |(prefix, _)| prefix);
    if prefix.rsplit('.').next().is_some_and(|last| last.starts_with("CloudTrail_")) {
        return None;
    }
    let head = forward::head_of(head);
    let scope = signing_scope(&head);
    let service = scope.as_ref().map(|scope| scope.service.as_str());
    if service == Some("cloudtrail") {
        return None;
    }
    let upstream = settings.recorder.upstream_of(service)?.to_owned();
    Some(Forwarded { head, scope, upstream })
}
