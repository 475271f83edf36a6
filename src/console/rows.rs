//! An event as the read API shows it in lists.

use crate::domain::event_kind::EventKind;
use crate::store::EventRow;
use serde::Serialize;

/// An event without its record. What the record does not say is null.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    id: &'a str,
    cursor: String,
    /// Seconds since 1970.
    time: i64,
    name: &'a str,
    source: &'a str,
    region: &'a str,
    account: &'a str,
    actor: Option<&'a str>,
    actor_type: Option<&'a str>,
    access_key: Option<&'a str>,
    source_ip: Option<&'a str>,
    kind: EventKind,
    read_only: bool,
    error: Option<&'a str>,
    targets: Vec<Target<'a>>,
}

#[derive(Debug, Serialize)]
struct Target<'a> {
    #[serde(rename = "type")]
    resource_type: Option<&'a str>,
    name: &'a str,
}

impl<'a> Row<'a> {
    pub(super) fn of(event: &'a EventRow) -> Row<'a> {
        Row {
            id: &event.event_id,
            cursor: event.key.to_string(),
            time: event.event_time(),
            name: &event.event_name,
            source: &event.event_source,
            region: &event.region,
            account: &event.account,
            actor: event.actor.as_deref(),
            actor_type: event.actor_type.as_deref(),
            access_key: event.access_key_id.as_deref(),
            source_ip: event.source_ip.as_deref(),
            kind: EventKind::of(event.read_only, &event.event_name),
            read_only: event.read_only,
            error: event.error_code.as_deref(),
            targets: event
                .resources
                .iter()
                .map(|(resource_type, name)| Target { resource_type: resource_type.as_deref(), name })
                .collect(),
        }
    }

    pub(super) fn all(events: &'a [EventRow]) -> Vec<Row<'a>> {
        events.iter().map(Row::of).collect()
    }
}
