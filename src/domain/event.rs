//! An event: a record with what lookups find it by; and the way from the JSON of a record that comes from outside to that.

use crate::domain::account_id::AccountId;
use crate::domain::category::Category;
use crate::domain::event_facts::{EventFacts, KnownEvents};
use crate::domain::lookup::LAST_SECOND;
use crate::domain::record_fields::RecordFields;
use crate::domain::region::Region;
use crate::domain::resources::{self, EventResources, NamingMembers};
use crate::domain::selector_fields::SelectorFields;
use crate::domain::text::{cut, escape_nul};
use crate::domain::timestamp::iso;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// The largest record, in bytes (user guide: 256 KB an event since version 1.05).
pub const MAX_RECORD_BYTES: usize = 256 * 1024;

/// In which list of events an event stands. Stored as text, see [`Listing::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// A management event that changes something, captured while a trail was logging or imported.
    Write,
    /// The same, captured while no trail was logging: AWS's history of 2015 does not show it.
    Unlogged,
    /// A management event that only reads.
    Read,
    /// An Insights event.
    Insight,
    /// A data or network activity event: no lookup shows it.
    Data,
}

impl Listing {
    /// As it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Listing::Write => "write",
            Listing::Unlogged => "unlogged",
            Listing::Read => "read",
            Listing::Insight => "insight",
            Listing::Data => "data",
        }
    }

    /// Where an event stands that was captured while a trail was logging.
    pub const fn of(category: Category, read_only: bool) -> Listing {
        match (category, read_only) {
            (Category::Insight, _) => Listing::Insight,
            (Category::Data | Category::NetworkActivity, _) => Listing::Data,
            (Category::Management, true) => Listing::Read,
            (Category::Management, false) => Listing::Write,
        }
    }
}

/// A record and its columns. Where the record holds an empty text, a column holds nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `eventID`, or one made from the record's content where it has none (version 1.0).
    pub event_id: String,
    /// Whose history it belongs to: `recipientAccountId`, else `userIdentity.accountId` where that is an account's id (an
    /// anonymous caller has none), else the account of the one who imported it.
    pub account: AccountId,
    /// `awsRegion`
    pub region: Region,
    /// `eventTime`, seconds since 1970.
    pub event_time: i64,
    /// `eventName`; for Insights events the one inside `insightDetails`.
    pub event_name: String,
    /// `eventSource`; for Insights events the one inside `insightDetails`.
    pub event_source: String,
    /// `eventCategory`, or what other members say of it, or what is known of the operation.
    pub category: Category,
    /// In which list it stands.
    pub listing: Listing,
    /// `readOnly`, or what is known of the operation where the record does not say.
    pub read_only: bool,
    /// The name of who called, as LookupEvents shows it; services and foreign accounts have none.
    pub username: Option<String>,
    /// The name of who called, for people: `username`, else the service, role or account that it was.
    pub actor: Option<String>,
    /// The role, where the actor is a session of one.
    pub role_name: Option<String>,
    /// `userIdentity.type`
    pub actor_type: Option<String>,
    /// `userIdentity.accessKeyId`
    pub access_key_id: Option<String>,
    /// `sourceIPAddress`: an address, or the name of a service.
    pub source_ip: Option<String>,
    /// `errorCode`, or `Failure` for a failure that has none.
    pub error_code: Option<String>,
    /// The whole record, compact JSON.
    pub record: String,
    /// What it is found by as resources.
    pub resources: EventResources,
    /// What only selectors of trails look at; not stored.
    pub selector_fields: SelectorFields,
}

impl Event {
    /// Reads a record (one compact JSON object). `account` is used where the record names none; `shift` seconds are
    /// added to its time; `events` is asked for what the record does not say.
    ///
    /// # Errors
    /// A reason, for the person who put the record in.
    pub fn from_record(
        record: &str,
        account: &AccountId,
        shift: i64,
        events: &impl KnownEvents,
    ) -> Result<Event, String> {
        if record.len() > MAX_RECORD_BYTES {
            return Err("larger than 256 KB".to_owned());
        }
        let fields = RecordFields::read(record)?;
        let time = DateTime::parse_from_rfc3339(&fields.event_time)
            .map_err(|_| format!("eventTime {:?} is not an ISO 8601 time", fields.event_time))?;
        let event_time = time.timestamp().saturating_add(shift);
        if !(0..=LAST_SECOND).contains(&event_time) {
            return Err(format!("eventTime {:?} is out of range", fields.event_time));
        }
        let region = Region::parse(&fields.aws_region)
            .ok_or_else(|| format!("awsRegion {:?} is not a region's name", fields.aws_region))?;
        let insight = fields.insight_details.as_ref();
        let event_name = fields.event_name.as_ref().or(insight.and_then(|i| i.event_name.as_ref()));
        let event_source = fields.event_source.as_ref().or(insight.and_then(|i| i.event_source.as_ref()));
        let event_name = event_name.ok_or("eventName is missing")?;
        let event_source = event_source.ok_or("eventSource is missing")?;
        let identity = fields.user_identity.as_ref();
        let account = match fields.recipient_account_id.as_deref() {
            Some(id) => AccountId::parse(id)
                .ok_or_else(|| format!("recipientAccountId {:?} is not 12 digits", cut(id, 100)))?,
            None => identity
                .and_then(|i| AccountId::parse(i.account_id.as_deref()?))
                .unwrap_or_else(|| account.clone()),
        };
        let (stated, read_only) = (fields.category(), fields.read_only);
        let EventFacts { read_only, category } = match (stated, read_only) {
            (Some(category), Some(read_only)) => EventFacts { read_only, category },
            _ => {
                let known = events.known(event_source, event_name);
                let known = known.unwrap_or_else(|| EventFacts::by_name(event_name));
                EventFacts {
                    read_only: read_only.unwrap_or(known.read_only),
                    category: stated.unwrap_or(known.category),
                }
            }
        };
        let record =
            if shift == 0 { record.to_owned() } else { with_time(record, &fields.event_time, event_time)? };
        let event_id = match fields.event_id.as_deref() {
            Some(id) => plain(id),
            None => id_of(&record),
        };
        let resources = resources::of_event(&NamingMembers {
            category,
            event_source,
            event_name,
            request: fields.request_parameters,
            response: fields.response_elements,
            own: &fields.own_resources(),
        });
        Ok(Event {
            event_id,
            account,
            region,
            event_time,
            event_name: plain(event_name),
            event_source: plain(event_source),
            category,
            listing: Listing::of(category, read_only),
            read_only,
            username: fields.username().map(plain),
            actor: fields.actor().map(plain),
            role_name: fields.role_name().map(plain),
            actor_type: fields.actor_type().map(plain),
            access_key_id: identity.and_then(|i| i.access_key_id.as_deref()).map(plain),
            source_ip: fields.source_ip_address.as_deref().map(plain),
            error_code: fields.error_code().map(plain),
            resources,
            selector_fields: fields.selector_fields(),
            record,
        })
    }
}

/// See [`escape_nul`].
fn plain(text: impl AsRef<str>) -> String {
    escape_nul(text.as_ref()).into_owned()
}

/// The record with another `eventTime`. serde hands `old` out as a slice of `record`, unless it holds escapes, so its
/// place is known.
fn with_time(record: &str, old: &str, seconds: i64) -> Result<String, String> {
    let start = (old.as_ptr() as usize).wrapping_sub(record.as_ptr() as usize);
    if !record.get(start..).is_some_and(|rest| rest.starts_with(old)) {
        return Err("eventTime holds escapes".into());
    }
    let new = iso(DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default());
    Ok([&record[..start], &new, &record[start + old.len()..]].concat())
}

/// A UUID from the record's content, so that the same record imported twice is known again.
fn id_of(record: &str) -> String {
    let hash = Sha256::digest(record);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
