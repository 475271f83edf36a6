//! EventBridge: each management event once, however many trails take it, as soon as it is stored.

use crate::delivery::Delivery;
use crate::delivery::engine::{Kind, Outcome, Part, Recipient};
use crate::delivery::pending::{self, Batch, Bounds};
use crate::outbound::{BusEvent, Failure};
use crate::store::{PendingEvent, StoreResult};
use serde::Deserialize;
use std::borrow::Cow;

/// What one PutEvents takes (its documentation), with room for the rest of each entry.
const BOUNDS: Bounds =
    Bounds { events: 10, bytes: 256 * 1024, overhead: ENVELOPE, record: 256 * 1024 - ENVELOPE };

/// What a detail may leave for the rest of its entry.
const ENVELOPE: usize = 512;

/// The event buses of accounts and regions.
pub(super) struct EventBuses<'a>(pub(super) &'a Delivery);

impl Kind for EventBuses<'_> {
    type Item = Batch;

    const TARGET: &'static str = "events";

    async fn next(&self, recipient: &Recipient, part: Part) -> StoreResult<Option<Batch>> {
        pending::next(self.0, recipient.destination.id, part, BOUNDS).await
    }

    async fn send(&self, recipient: &Recipient, batch: &mut Batch) -> Result<Outcome, Failure> {
        if batch.events.is_empty() {
            return Ok(Outcome::Unwanted);
        }
        let (account, region) = (&recipient.destination.account, &recipient.destination.region);
        let entries = batch.events.iter().map(entry).collect();
        let Some(refusal) = self.0.outbound.put_events(account, region, entries).await? else {
            return Ok(Outcome::Taken);
        };
        let refused = refusal.entries.iter().filter_map(|at| batch.events.get(*at));
        batch.refused = refused.map(|event| event.number).collect();
        if batch.refused.len() == batch.events.len() {
            return Err(refusal.failure);
        }
        Ok(Outcome::PartlyTaken(refusal.failure))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventType<'a> {
    #[serde(borrow, default)]
    event_type: Cow<'a, str>,
}

/// EventBridge's envelope for a record (EventBridge user guide, "Events delivered via CloudTrail").
fn entry(event: &PendingEvent) -> BusEvent {
    let event_type = serde_json::from_str::<EventType<'_>>(&event.record);
    let detail_type = match event_type.as_ref().map(|e| e.event_type.as_ref()) {
        Ok("AwsConsoleSignIn") => "AWS Console Sign In via CloudTrail",
        Ok("AwsServiceEvent") => "AWS Service Event via CloudTrail",
        Ok("AwsConsoleAction") => "AWS Console Action via CloudTrail",
        _ => "AWS API Call via CloudTrail",
    };
    let service = event.event_source.strip_suffix(".amazonaws.com").unwrap_or(&event.event_source);
    BusEvent {
        source: format!("aws.{service}"),
        detail_type: detail_type.to_owned(),
        time: event.event_time,
        detail: event.record.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_which_service_and_what_kind_of_event() {
        let event = |record: &str| PendingEvent {
            number: 1,
            event_time: 7,
            stored_at: 0,
            event_source: "signin.amazonaws.com".into(),
            record: record.into(),
        };
        let sign_in = entry(&event(r#"{"eventType":"AwsConsoleSignIn"}"#));
        assert_eq!((sign_in.source.as_str(), sign_in.time), ("aws.signin", 7));
        assert_eq!(sign_in.detail_type, "AWS Console Sign In via CloudTrail");
        assert_eq!(entry(&event("{}")).detail_type, "AWS API Call via CloudTrail");
    }
}
