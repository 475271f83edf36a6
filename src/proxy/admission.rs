//! Whether a call may be forwarded: who has signed it, and what their policy says. Asked where `[auth] proxy` says so.
//!
//! A signature says what the body is, so a body is collected before it is forwarded, but for S3's, which may be large: there
//! the sender says the body's hash beforehand, and it is compared as the body passes ([`hashed_body`](super::hashed_body)).

use super::Parts;
use super::refusal::Refusal;
use crate::auth::{self, Auth, Payload, RequestHead, SignedService};
use crate::clock::Clock;
use crate::domain::caller::{Caller, Origin};
use crate::domain::policy::Target;
use crate::domain::policy::permissions::{AskedFor, permissions};
use crate::recorder::callers::Callers;
use crate::recorder::catalog::Catalog;
use crate::recorder::exchange::Head;
use crate::recorder::identify::{Finding, Identified, identify};
use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The longest body that is collected; the largest that a service other than S3 takes is a Lambda package in Base64.
const MAX_BODY: usize = 80 * 1024 * 1024;

/// What all collected bodies may take together, until they are forwarded.
const MAX_BODIES: usize = 4 * MAX_BODY;

/// How much of a body that nobody wants is read all the same, and for how long.
const MAX_DRAIN: usize = 8 * 1024 * 1024;
const LONGEST_DRAIN: Duration = Duration::from_secs(1);

/// The hash of an empty body.
const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Checks calls before they are forwarded.
#[derive(Debug)]
pub(super) struct Admission {
    auth: Auth,
    callers: Arc<Callers>,
    catalog: Arc<Catalog>,
    clock: Clock,
    base_hosts: Vec<String>,
    /// The longest pause in a body.
    longest_pause: Duration,
    /// A permit for each byte of the bodies that are collected.
    bodies: Arc<Semaphore>,
}

/// What is to be forwarded.
pub(super) enum Admitted {
    /// A body that was collected, and the room that it takes as long as it is there.
    Whole(Bytes, OwnedSemaphorePermit),
    /// A body that is forwarded as it comes; its hash, if its sender said one.
    AsItComes(Incoming, Option<String>),
    /// Nothing: its caller may not do it. With the body, as far as it was collected.
    Denied(Refusal, Bytes),
}

impl Admission {
    /// With nothing collected yet.
    pub(super) fn new(parts: &Parts) -> Admission {
        let Parts { settings, clock, callers, auth, catalog, .. } = parts.clone();
        let base_hosts = settings.recorder.base_hosts.clone();
        let longest_pause = settings.server.chunk_timeout.0;
        let bodies = Arc::new(Semaphore::new(MAX_BODIES));
        Admission { auth, callers, catalog, clock, base_hosts, longest_pause, bodies }
    }

    /// What is to be forwarded of a call.
    ///
    /// # Errors
    /// It is not known who makes it.
    pub(super) async fn admit(
        &self,
        head: &Head,
        service: SignedService<'_>,
        origin: Origin,
        body: Incoming,
    ) -> Result<Admitted, Refusal> {
        if head.method == http::Method::OPTIONS {
            // A browser asks whether it may ask, which nobody can sign.
            return Ok(Admitted::AsItComes(body, None));
        }
        let refused = |refusal: auth::Refusal| Refusal::of_caller(&refusal, head, service.0);
        let request = RequestHead {
            method: head.method.as_str(),
            path: head.path(),
            query: head.query(),
            headers: head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
        };
        if let Err(refusal) = self.auth.check_head(&request, service) {
            drain(body).await;
            return Err(refused(refusal));
        }
        if service.is_s3() {
            let hash = declared_hash(head);
            let checked = self.auth.check(&request, service, Payload::Declared);
            let is_wrong = body.is_end_stream() && hash.as_ref().is_some_and(|hash| *hash != EMPTY_HASH);
            let checked = if is_wrong { Err(auth::Refusal::WrongBody) } else { checked };
            let signer = match checked {
                Ok(checked) => checked.signer,
                Err(refusal) => {
                    drain(body).await;
                    return Err(refused(refusal));
                }
            };
            let caller = self.callers.caller(signer, origin);
            if let Err(denied) = self.authorize(&caller, head, service, b"") {
                drain(body).await;
                return Ok(Admitted::Denied(denied, Bytes::new()));
            }
            return Ok(Admitted::AsItComes(body, hash));
        }
        let (body, room) = self.collect(body).await?;
        let checked = self.auth.check(&request, service, Payload::Body(&body)).map_err(refused)?;
        let caller = self.callers.caller(checked.signer, origin);
        Ok(match self.authorize(&caller, head, service, &body) {
            Ok(()) => Admitted::Whole(body, room),
            Err(denied) => Admitted::Denied(denied, body),
        })
    }

    /// The whole body.
    async fn collect(&self, mut body: Incoming) -> Result<(Bytes, OwnedSemaphorePermit), Refusal> {
        let more_room =
            |bytes| Arc::clone(&self.bodies).try_acquire_many_owned(bytes).map_err(|_| Refusal::no_room());
        let mut collected = BytesMut::new();
        let mut room = more_room(0)?;
        loop {
            let frame = tokio::time::timeout(self.longest_pause, body.frame()).await;
            let frame = match frame.map_err(|_| Refusal::timeout())? {
                None => return Ok((collected.freeze(), room)),
                Some(frame) => frame.map_err(|_| Refusal::timeout())?,
            };
            let Ok(data) = frame.into_data() else { continue };
            if collected.len() + data.len() > MAX_BODY {
                return Err(Refusal::too_large(MAX_BODY));
            }
            let bytes = u32::try_from(data.len()).map_err(|_| Refusal::too_large(MAX_BODY))?;
            room.merge(more_room(bytes)?);
            collected.extend_from_slice(&data);
        }
    }

    /// What the caller's policy says.
    fn authorize(
        &self,
        caller: &Caller,
        head: &Head,
        service: SignedService<'_>,
        body: &[u8],
    ) -> Result<(), Refusal> {
        if caller.policy.is_none() {
            return Ok(());
        }
        let now = self.clock.now();
        let denied = |why: String| Refusal::denied(why, head, service.0);
        let Finding::Call(call) = identify(&self.catalog, &self.base_hosts, head, body) else {
            // Whoever may do everything may also do what is not known here.
            return caller.authorize(&format!("{}:Unknown", service.0), Target::Unknown, now).map_err(denied);
        };
        let headers: Vec<_> = head.headers.keys().map(|name| name.as_str()).collect();
        let asked = AskedFor {
            event_source: &call.event_source,
            operation: &call.operation,
            method: head.method.as_str(),
            query: head.query(),
            headers: &headers,
        };
        let arn = s3_arn(&call);
        let target = arn.as_deref().map_or(Target::Unknown, Target::Arn);
        for action in permissions(&asked) {
            caller.authorize(&action, target, now).map_err(denied)?;
        }
        match head.header("x-amz-copy-source") {
            Some(source) if service.is_s3() => {
                let (action, arn) = copied_from(source);
                let target = arn.as_deref().map_or(Target::Unknown, Target::Arn);
                caller.authorize(action, target, now).map_err(denied)
            }
            _ => Ok(()),
        }
    }
}

/// Reads some of a body that nobody wants, so that its sender gets to read the refusal.
async fn drain(mut body: Incoming) {
    let mut read = 0;
    // A caller that does not send it gets its answer all the same.
    let _ = tokio::time::timeout(LONGEST_DRAIN, async {
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > MAX_DRAIN {
                return;
            }
        }
    })
    .await;
}

/// The hash that the sender of an S3 body says it has.
fn declared_hash(head: &Head) -> Option<String> {
    let hash = head.header("x-amz-content-sha256")?;
    (hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then(|| hash.to_ascii_lowercase())
}

/// The bucket or object that a call of S3 names. Other services' resources are not known before they have answered, nor
/// which objects a list in a body names.
fn s3_arn(call: &Identified) -> Option<String> {
    if call.event_source != "s3.amazonaws.com" || call.operation == "DeleteObjects" {
        return None;
    }
    let label =
        |name: &str| call.labels.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let bucket = label("Bucket")?;
    Some(match label("Key") {
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        None => format!("arn:aws:s3:::{bucket}"),
    })
}

/// What is needed of the object that an `x-amz-copy-source` names; which one it is, unless that is said by an access point.
fn copied_from(source: &str) -> (&'static str, Option<String>) {
    let (path, version) =
        source.split_once("?versionId=").map_or((source, None), |(path, id)| (path, Some(id)));
    let action = if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    let path = percent_decode_str(path).decode_utf8_lossy();
    let named = path.trim_start_matches('/').split_once('/').filter(|_| !path.starts_with("arn:"));
    (action, named.map(|(bucket, key)| format!("arn:aws:s3:::{bucket}/{key}")))
}
