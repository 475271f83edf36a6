//! The record of a call that Contrail itself answered.

use crate::clock::{Clock, Ids};
use crate::domain::caller::Caller;
use crate::domain::category::Category;
use crate::domain::event::Event;
use crate::error::{ApiError, Code};
use crate::recorder::call::{Call, Refusal};
use serde_json::Value;
use uuid::Uuid;

/// `eventSource` of CloudTrail's own calls.
pub const EVENT_SOURCE: &str = "cloudtrail.amazonaws.com";

/// A call and its outcome.
#[derive(Debug)]
pub struct OwnCall<'a> {
    /// The operation's name.
    pub operation: &'a str,
    /// Whether it can change nothing.
    pub read_only: bool,
    /// Who called, from where.
    pub caller: &'a Caller,
    /// The id in the reply's `x-amzn-RequestId`.
    pub request_id: Uuid,
    /// What was asked, member names in lower camel case; `None` when the call was refused before it was read.
    pub request: Option<Value>,
    /// What was answered (of calls that change something), or why it was refused.
    pub outcome: Result<Option<Value>, &'a ApiError>,
}

impl OwnCall<'_> {
    /// The event of this call, complete now.
    ///
    /// # Errors
    /// A reason why it cannot be recorded: it would be larger than CloudTrail allows.
    pub fn event(self, clock: &Clock, ids: &Ids) -> Result<Event, String> {
        let caller = self.caller;
        let filled = |value: &Value| value.as_object().is_some_and(|members| !members.is_empty());
        let call = Call {
            time: clock.now(),
            event_source: EVENT_SOURCE,
            event_name: self.operation,
            category: Category::Management,
            read_only: self.read_only,
            account: &caller.account,
            region: &caller.region,
            identity: &caller.identity,
            access_key: caller.access_key.as_deref(),
            source_ip: &caller.origin.source_ip,
            user_agent: caller.origin.user_agent.as_deref(),
            tls: caller.origin.tls.as_ref(),
            request_id: self.request_id.to_string(),
            request_parameters: self.request.filter(filled),
            refusal: self.outcome.as_ref().err().map(|error| Refusal {
                // Observed: whatever the service calls it, records have this.
                code: match error.code {
                    Code::AccessDeniedException => "AccessDenied",
                    code => code.name(),
                },
                message: Some(&*error.message).filter(|text| !text.is_empty()),
            }),
            response_elements: self.outcome.unwrap_or_default().filter(filled),
            additional_event_data: None,
            resources: Vec::new(),
            api_version: None,
        };
        call.event(ids)
    }
}
