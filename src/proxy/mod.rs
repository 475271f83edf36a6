//! In front of another emulator (the upstream): calls that are not CloudTrail's are forwarded as they came, the replies
//! passed back, and a copy of both is given to the recorder. Whatever becomes of a record, the call goes on.
//!
//! A request takes this way: [`door`] (or [`http2`] behind it) reads it and decides whose it is; what is Contrail's own goes
//! to the actix application ([`own`]), all else is forwarded ([`forward`], [`tunnel`]) if its caller may call
//! ([`admission`], [`permission`]), with its bodies copied as they pass ([`bodies`],
//! [`body_copy`]), and handed to the recorder when it is complete ([`call`]).

mod abridged;
mod admission;
mod bodies;
mod body_copy;
mod call;
mod client;
mod collected;
pub mod door;
mod forward;
mod hashed_body;
mod headers;
mod http2;
mod outages;
mod own;
mod permission;
mod refusal;
mod tunnel;

use crate::auth::Auth;
use crate::aws::identify::Identifier;
use crate::callers::Callers;
use crate::clock::{Clock, Ids};
use crate::config::Settings;
use crate::domain::tls::TlsSession;
use crate::recorder::forwarded_calls::ForwardedCalls;
use crate::store::Store;
use admission::Admission;
use bytes::Bytes;
use client::Client;
pub use client::{UnusableTrust, upstream_tls};
use http_body_util::combinators::UnsyncBoxBody;
use outages::Outages;
use std::error::Error;
use std::net::SocketAddr;
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
    pub auth: Auth,
    pub identifier: Arc<Identifier>,
    /// Records what has been forwarded.
    pub calls: ForwardedCalls,
}

/// Forwards calls, cheap to clone.
#[derive(Clone, Debug)]
pub struct Proxy {
    parts: Parts,
    client: Client,
    outages: Outages,
    /// `None`: whatever comes is forwarded.
    admission: Option<Arc<Admission>>,
}

impl Proxy {
    /// A proxy that has forwarded nothing.
    ///
    /// # Errors
    /// The certificates that are to be trusted cannot be used.
    pub fn new(parts: Parts) -> Result<Proxy, UnusableTrust> {
        let is_asked = parts.settings.auth.proxy && !parts.auth.is_off();
        let admission = is_asked.then(|| Arc::new(Admission::new(&parts)));
        let client = client::new(&parts.settings.recorder)?;
        Ok(Proxy { client, outages: Outages::default(), admission, parts })
    }
}

/// Whom a request comes from.
struct Peer {
    address: SocketAddr,
    tls: Option<TlsSession>,
}

/// Why a body broke off.
type Broken = Box<dyn Error + Send + Sync>;

/// The body of a request or reply that passes.
type Body = UnsyncBoxBody<Bytes, Broken>;
