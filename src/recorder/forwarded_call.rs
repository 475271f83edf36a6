//! The event of a forwarded call: what AWS would have recorded of it.

use crate::aws::identify::{Finding, Identified, Identifier};
use crate::aws::signature::Claim;
use crate::callers::Callers;
use crate::clock::Ids;
use crate::config::Settings;
use crate::domain::category::Category;
use crate::domain::event::Event;
use crate::domain::global_services::recorded_in;
use crate::domain::identity::{Identity, Principal, Unsigned};
use crate::domain::routing::CapturedEvent;
use crate::recorder::additional_data;
use crate::recorder::bucket_regions::BucketRegions;
use crate::recorder::call::{Call, Refusal};
use crate::recorder::call_resources;
use crate::recorder::content::{Content, ReadReply};
use crate::recorder::deleted_objects::{self, DeletedObject};
use crate::recorder::elements;
use crate::recorder::exchange::Exchange;
use crate::recorder::learning;
use crate::recorder::reply;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// What is made of a call.
#[derive(Debug)]
pub enum Recorded {
    /// The events that record it: one, or several.
    Events(Vec<CapturedEvent>),
    /// It is none of those that are asked for, or no call of an API.
    Unwanted,
    /// It is for no operation that is known: [`ForwardedCallRecorder::service`].
    Unidentified(String),
}

/// What turns calls into events.
#[derive(Debug)]
pub struct ForwardedCallRecorder {
    /// Says which operations calls are of.
    pub identifier: Arc<Identifier>,
    /// Who the callers are.
    pub callers: Arc<Callers>,
    /// Which calls are to be recorded.
    pub settings: Arc<Settings>,
    /// Ids of events.
    pub ids: Ids,
    /// Where buckets are.
    pub bucket_regions: BucketRegions,
}

impl ForwardedCallRecorder {
    /// The event of a call, if it is to be recorded.
    pub fn record(&self, exchange: &Exchange) -> Recorded {
        let recorder = &self.settings.recorder;
        let finding = exchange.finding(&self.identifier);
        let Some(call) = finding.recorded() else {
            return match finding {
                Finding::Ignored => Recorded::Unwanted,
                _ => Recorded::Unidentified(self.service(exchange.claim())),
            };
        };
        let (name, facts) = (call.event_name(), call.facts());
        let needs_taker = facts.category == Category::Data && !recorder.data_events;
        if needs_taker && !exchange.trails.may_take(facts.category)
            || !recorder.wants(&call.service.signing_name, name)
        {
            return Recorded::Unwanted;
        }
        match self.events(exchange, call) {
            Ok(events) => {
                let captured = events.into_iter().map(|event| exchange.trails.capture(event));
                let captured: Vec<_> =
                    captured.filter(|captured| !needs_taker || !captured.takers.is_empty()).collect();
                match captured.is_empty() {
                    true => Recorded::Unwanted,
                    false => Recorded::Events(captured),
                }
            }
            Err(reason) => {
                tracing::warn!(reason, event_name = name, "a call cannot be recorded");
                Recorded::Unidentified(call.event_source.clone())
            }
        }
    }

    /// The event source of the service that a call is signed for, `unsigned`, or `unknown` for a name that is no
    /// service's: a caller can sign for anything, and nothing made up is to become the label of a metric.
    pub fn service(&self, claim: Option<&Claim>) -> String {
        let service = claim.and_then(|claim| claim.service.as_deref());
        match service.map(|service| self.identifier.catalog.signing_as(service).first()) {
            None => "unsigned".to_owned(),
            Some(None) => "unknown".to_owned(),
            Some(Some(service)) => service.event_source.clone(),
        }
    }

    /// Learns from a call who is behind the keys that it has handed out. To be asked before its caller has the answer: the
    /// next call may be made with one of them.
    pub fn learn(&self, exchange: &Exchange) {
        if !learning::may_hand_out(&exchange.request) {
            return;
        }
        if let Finding::Call(call) = exchange.finding(&self.identifier)
            && learning::names_callers(call)
        {
            let access_key = exchange.claim().map(|claim| claim.access_key.as_str());
            let caller = self.callers.holder(access_key);
            if let Some(learned) = learning::learned(call, exchange, &self.callers, &caller) {
                self.callers.learn(learned, exchange.time);
            }
        }
    }

    fn events(&self, exchange: &Exchange, call: &Identified) -> Result<Vec<Event>, String> {
        let candidates = match exchange.finding(&self.identifier) {
            Finding::Unclear(candidates) => candidates.as_slice(),
            _ => &[],
        };
        let claim = exchange.claim();
        let access_key = claim.map(|claim| claim.access_key.as_str());
        let (account, holder) = self.callers.holder(access_key);
        let identity = match (learning::external(call, exchange), claim) {
            (Some(external), _) => external,
            (None, Some(_)) => holder,
            (None, None) => Principal::Unsigned(match call.service.key.as_str() {
                "s3" => Unsigned::InS3,
                _ => Unsigned::Elsewhere,
            })
            .into(),
        };
        let (source, facts) = (&call.event_source, call.facts());
        let signed_for = claim.and_then(|claim| claim.region.as_ref());
        let of_bucket = match call.service.key.as_str() {
            "s3" => self.bucket_regions.of_call(call, exchange, signed_for),
            _ => None,
        };
        let region = recorded_in(source, signed_for.cloned().or(of_bucket));
        let reply = exchange.reply.as_ref().map(ReadReply::of);
        let refusal = reply.as_ref().and_then(|reply| reply::refusal(call, reply));
        let refusal = refusal.map(|refusal| refusal.without_secrets_of(&exchange.request));
        let request_id = reply.as_ref().and_then(|reply| reply::request_id(call, reply));
        let mut request_parameters = elements::request(call, exchange, refusal.as_ref());
        add_incoming_tags(call, &identity, request_parameters.as_mut());
        let resources =
            call_resources::of_call(call, request_parameters.as_ref(), reply.as_ref(), (&account, &region));
        let user_agent = exchange.request.header("user-agent").map(|text| match call.service.key.as_str() {
            "s3" | "s3control" => Cow::Owned(format!("[{text}]")),
            _ => Cow::Borrowed(text),
        });
        let deleted = match call.operation.as_str() {
            "DeleteObjects" if refusal.is_none() => {
                let content = Content::of(&exchange.request.headers, &exchange.body);
                deleted_objects::of_call(content.bytes().unwrap_or_default(), reply.as_ref())
            }
            _ => Vec::new(),
        };
        let whole = Call {
            time: exchange.time,
            event_source: source,
            event_name: call.event_name(),
            category: facts.category,
            read_only: facts.read_only,
            account: &account,
            region: &region,
            identity: &identity,
            access_key,
            source_ip: &exchange.source_ip,
            tls: exchange.tls.as_ref(),
            user_agent: user_agent.as_deref(),
            request_id: request_id.unwrap_or_else(|| self.ids.uuid().to_string()),
            request_parameters,
            response_elements: reply.as_ref().and_then(|reply| elements::response(call, reply)),
            additional_event_data: additional_data::of_call(call, exchange, candidates),
            refusal: refusal
                .as_ref()
                .map(|refusal| Refusal { code: &refusal.code, message: refusal.message.as_deref() }),
            resources,
            api_version: api_version(call),
        };
        let singles: Vec<_> = deleted.iter().map(|deleted| single_deletion(&whole, deleted)).collect();
        let calls = std::iter::once(whole).chain(singles);
        calls.map(|call| call.event(&self.ids)).collect()
    }
}

/// The DeleteObject that one key of a DeleteObjects call is recorded as.
fn single_deletion<'a>(whole: &Call<'a>, deleted: &'a DeletedObject) -> Call<'a> {
    let mut resources = whole.resources.clone();
    for resource in &mut resources {
        if let Some(prefix) = resource.arn_prefix.take() {
            resource.arn = Some(prefix + &deleted.key);
        }
    }
    let error = deleted.error.as_ref();
    Call {
        event_name: "DeleteObject",
        request_parameters: Some(Value::Object(deleted.parameters(whole.request_parameters.as_ref()))),
        response_elements: None,
        additional_event_data: None,
        refusal: error.map(|(code, message)| Refusal { code, message: Some(message) }),
        resources,
        ..whole.clone()
    }
}

/// What AssumeRole inherits from the session of its caller, which its record shows beside what was asked for.
fn add_incoming_tags(call: &Identified, identity: &Identity, asked: Option<&mut Value>) {
    let is_chained = call.service.key == "sts" && call.operation == "AssumeRole";
    let tags = identity.session.as_ref().map(|session| &session.transitive_tags);
    if let (true, Some(tags), Some(Value::Object(asked))) =
        (is_chained, tags.filter(|tags| !tags.is_empty()), asked)
    {
        let tags = tags.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        asked.insert("incomingTransitiveTags".to_owned(), Value::Object(tags));
    }
}

/// The version of the API, for the services whose records have it.
fn api_version(call: &Identified) -> Option<String> {
    let service = &call.service;
    match service.key.as_str() {
        "dynamodb" | "elb" | "elbv2" | "route53" => Some(service.api_version.clone()),
        "logs" => Some(service.api_version.replace('-', "")),
        _ => None,
    }
}
