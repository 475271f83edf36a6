//! An event as the read API shows it in lists.

use crate::console::parameters::Parameters;
use crate::console::refusal::Refusal;
use crate::domain::event_kind::EventKind;
use crate::domain::resources::Resource;
use crate::domain::text::cut;
use crate::store::{EventRow, Events, Session, StoreResult};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

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
    /// The role, where the actor is a session of one.
    role: Option<&'a str>,
    actor_type: Option<&'a str>,
    access_key: Option<&'a str>,
    source_ip: Option<&'a str>,
    kind: EventKind,
    read_only: bool,
    error: Option<&'a str>,
    /// The one that the call was about comes before the others.
    targets: Vec<Target>,
    /// How many there are.
    target_count: usize,
    /// By name, what else was asked for.
    #[serde(flatten)]
    also: BTreeMap<&'static str, Option<String>>,
}

#[derive(Debug, Serialize)]
struct Target {
    #[serde(rename = "type")]
    resource_type: Option<String>,
    name: String,
}

/// How many of its targets a row in a list has.
const LISTED_TARGETS: usize = 3;

impl<'a> Row<'a> {
    /// With all of its targets.
    pub(super) fn of(event: &'a EventRow) -> Row<'a> {
        let target = |resource: Resource| Target {
            resource_type: resource.resource_type,
            name: resource.resource_name,
        };
        let targets: Vec<Target> = event.resources().into_iter().map(target).collect();
        Row {
            id: &event.event_id,
            cursor: event.key.to_string(),
            time: event.event_time(),
            name: &event.event_name,
            source: &event.event_source,
            region: &event.region,
            account: &event.account,
            actor: event.actor.as_deref(),
            role: event.role_name.as_deref(),
            actor_type: event.actor_type.as_deref(),
            access_key: event.access_key_id.as_deref(),
            source_ip: event.source_ip.as_deref(),
            kind: EventKind::of(event.read_only, &event.event_name),
            read_only: event.read_only,
            error: event.error_code.as_deref(),
            target_count: targets.len(),
            targets,
            also: BTreeMap::new(),
        }
    }

    /// Events as a list shows them, with what else is asked for.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(super) async fn all(
        events: &'a [EventRow],
        also: &RecordMembers,
        session: Events<'_, impl Session>,
    ) -> StoreResult<Vec<Row<'a>>> {
        let mut session = session;
        let mut rows: Vec<Row<'a>> = events.iter().map(Row::of).collect();
        rows.iter_mut().for_each(|row| row.targets.truncate(LISTED_TARGETS));
        if !also.0.is_empty() && !events.is_empty() {
            let keys: Vec<i64> = events.iter().map(|event| event.key).collect();
            let records = session.records(&keys).await?;
            for (row, key) in rows.iter_mut().zip(keys) {
                row.also = also.of(records.get(&key).map_or("", String::as_str));
            }
        }
        Ok(rows)
    }
}

/// Members of records that few lists show. They are read from the records when they are asked for: kept beside them they
/// would make the database a tenth larger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RecordMembers(Vec<RecordMember>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordMember {
    UserAgent,
    RequestId,
}

impl RecordMember {
    const ALL: [(&'static str, RecordMember); 2] =
        [("user_agent", RecordMember::UserAgent), ("request_id", RecordMember::RequestId)];
}

impl RecordMembers {
    /// The parameter that asks for them, names with commas between.
    pub(super) const PARAMETER: &'static str = "also";

    /// Those that are asked for.
    ///
    /// # Errors
    /// There is no such one.
    pub(super) fn asked(parameters: &Parameters) -> Result<RecordMembers, Refusal> {
        let names = parameters.get(Self::PARAMETER).into_iter().flat_map(|names| names.split(','));
        let member = |name: &str| {
            let known = RecordMember::ALL.iter().find(|(known, _)| *known == name);
            let unknown = || {
                Refusal::Bad(format!(
                    "{}: {:?} is none of user_agent, request_id",
                    Self::PARAMETER,
                    cut(name, 100)
                ))
            };
            known.map(|(_, member)| *member).ok_or_else(unknown)
        };
        names.map(member).collect::<Result<_, _>>().map(RecordMembers)
    }

    fn of(&self, record: &str) -> BTreeMap<&'static str, Option<String>> {
        // Records may hold anything there.
        #[derive(Default, Deserialize)]
        struct Members {
            #[serde(rename = "userAgent", default)]
            user_agent: Value,
            #[serde(rename = "requestID", default)]
            request_id: Value,
        }
        let members: Members = serde_json::from_str(record).unwrap_or_default();
        let asked = RecordMember::ALL.into_iter().filter(|(_, member)| self.0.contains(member));
        let text = |member| match member {
            RecordMember::UserAgent => members.user_agent.as_str(),
            RecordMember::RequestId => members.request_id.as_str(),
        };
        asked
            .map(|(name, member)| (name, text(member).filter(|text| !text.is_empty()).map(str::to_owned)))
            .collect()
    }
}
