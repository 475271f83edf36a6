//! The record of a call that Contrail itself answered.

use crate::clock::{Clock, Ids};
use crate::domain::caller::Caller;
use crate::domain::event::{Event, Listing};
use crate::domain::record::Record;
use crate::domain::text::cut;
use crate::domain::timestamp::iso;
use crate::error::ApiError;
use serde_json::Value;
use uuid::Uuid;

/// `eventSource` of CloudTrail's own calls.
pub const EVENT_SOURCE: &str = "cloudtrail.amazonaws.com";

/// The longest user agent, error code and error message in a record, in bytes (user guide: 1 KB each).
pub(super) const MAX_FIELD: usize = 1024;

/// The largest `requestParameters` and `responseElements`, in bytes (user guide: 100 KB each).
const MAX_ELEMENTS: usize = 100 * 1024;

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
    /// Whether a trail was logging in the region as the call arrived.
    pub logged: bool,
}

impl OwnCall<'_> {
    /// The event of this call, complete now.
    ///
    /// # Errors
    /// A reason why it cannot be recorded: it would be larger than CloudTrail allows.
    pub fn event(self, clock: &Clock, ids: &Ids) -> Result<Event, String> {
        let caller = self.caller;
        let time = iso(clock.now());
        let error = self.outcome.as_ref().err();
        let filled = |value: &Value| value.as_object().is_some_and(|members| !members.is_empty());
        let record = Record {
            event_version: "1.11",
            user_identity: caller.identity.user_identity(
                &caller.account,
                &caller.region,
                caller.access_key.as_deref(),
                &time,
            ),
            event_time: time,
            event_source: EVENT_SOURCE,
            event_name: self.operation,
            aws_region: &caller.region,
            source_ip_address: &caller.source_ip,
            user_agent: caller.user_agent.as_deref().map(|text| cut(text, MAX_FIELD)),
            error_code: error.map(|e| e.code.name()),
            error_message: error.map(|e| cut(&e.message, MAX_FIELD)).filter(|text| !text.is_empty()),
            request_parameters: self.request.filter(filled).map(bounded),
            response_elements: self.outcome.unwrap_or_default().filter(filled).map(bounded),
            additional_event_data: None,
            request_id: self.request_id.to_string(),
            event_id: ids.uuid().to_string(),
            read_only: self.read_only,
            resources: None,
            event_type: "AwsApiCall",
            management_event: true,
            recipient_account_id: &caller.account,
            event_category: "Management",
        };
        let json = serde_json::to_string(&record).map_err(|e| e.to_string())?;
        let mut event = Event::from_record(&json, &caller.account, 0)?;
        if event.listing == Listing::Write && !self.logged {
            event.listing = Listing::Unlogged;
        }
        Ok(event)
    }
}

/// What is too large for a record is replaced by a note that it was left out.
fn bounded(elements: Value) -> Value {
    if elements.to_string().len() > MAX_ELEMENTS { serde_json::json!({"omitted": true}) } else { elements }
}
