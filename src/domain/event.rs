//! An event: a record with what lookups find it by; and the way from the JSON of a record that comes from outside to that.

use crate::domain::account_id::AccountId;
use crate::domain::category::Category;
use crate::domain::lookup::LAST_SECOND;
use crate::domain::region::Region;
use crate::domain::resources::{self, Resource};
use crate::domain::selector_fields::{SelectorFields, TypedResource};
use crate::domain::text::{cut, escape_nul};
use crate::domain::timestamp::iso;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

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

/// A record and its columns.
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
    /// `eventCategory`, or what other members say of it.
    pub category: Category,
    /// In which list it stands.
    pub listing: Listing,
    /// `readOnly`, or a guess from the name where the record does not say.
    pub read_only: bool,
    /// The name of who called, as LookupEvents shows it; services and foreign accounts have none.
    pub username: Option<String>,
    /// The name of who called, for people: `username`, else the service, role or account that it was.
    pub actor: Option<String>,
    /// `userIdentity.type`
    pub actor_type: Option<String>,
    /// `userIdentity.accessKeyId`
    pub access_key_id: Option<String>,
    /// `sourceIPAddress`: an address, or the name of a service.
    pub source_ip: Option<String>,
    /// `errorCode`
    pub error_code: Option<String>,
    /// The whole record, compact JSON.
    pub record: String,
    /// What lookups by resource find it by.
    pub resources: Vec<Resource>,
    /// What only selectors of trails look at; not stored.
    pub selector_fields: SelectorFields,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow, default)]
    user_identity: Option<UserIdentity<'a>>,
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    #[serde(borrow, default)]
    event_source: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    event_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    aws_region: Cow<'a, str>,
    #[serde(borrow, default, rename = "sourceIPAddress")]
    source_ip_address: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error_code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    request_parameters: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response_elements: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "eventID")]
    event_id: Option<Cow<'a, str>>,
    #[serde(default)]
    read_only: Option<bool>,
    #[serde(borrow, default)]
    resources: Option<Vec<RecordResource<'a>>>,
    #[serde(borrow, default)]
    event_type: Option<Cow<'a, str>>,
    #[serde(default)]
    management_event: Option<bool>,
    #[serde(borrow, default)]
    recipient_account_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    event_category: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    insight_details: Option<InsightDetails<'a>>,
    // Whatever they hold, the record is taken.
    #[serde(borrow, default)]
    session_credential_from_console: Option<&'a RawValue>,
    #[serde(borrow, default)]
    vpc_endpoint_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentity<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    principal_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    invoked_by: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arn: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    account_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    access_key_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RecordResource<'a> {
    #[serde(borrow, default, rename = "ARN")]
    arn: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "ARNPrefix")]
    arn_prefix: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InsightDetails<'a> {
    #[serde(borrow, default)]
    event_source: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    event_name: Option<Cow<'a, str>>,
}

impl Event {
    /// Reads a record (one compact JSON object). `account` is used where the record names none; `shift` seconds are
    /// added to its time.
    ///
    /// # Errors
    /// A reason, for the person who put the record in.
    pub fn from_record(record: &str, account: &AccountId, shift: i64) -> Result<Event, String> {
        if record.len() > MAX_RECORD_BYTES {
            return Err("larger than 256 KB".to_owned());
        }
        let fields: Fields<'_> = serde_json::from_str(record).map_err(|e| reason(&e))?;
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
        let event_name = event_name.filter(|t| !t.is_empty()).ok_or("eventName is missing")?;
        let event_source = event_source.filter(|t| !t.is_empty()).ok_or("eventSource is missing")?;
        let identity = fields.user_identity.as_ref();
        let account = match fields.recipient_account_id.as_deref() {
            Some(id) => AccountId::parse(id)
                .ok_or_else(|| format!("recipientAccountId {:?} is not 12 digits", cut(id, 100)))?,
            None => identity
                .and_then(|i| AccountId::parse(i.account_id.as_deref()?))
                .unwrap_or_else(|| account.clone()),
        };
        let read_only = fields.read_only.unwrap_or_else(|| reads_by_its_name(event_name));
        let record =
            if shift == 0 { record.to_owned() } else { with_time(record, &fields.event_time, event_time)? };
        let event_id = match fields.event_id.as_deref() {
            Some(id) if !id.is_empty() => plain(id),
            _ => id_of(&record),
        };
        let category = category(&fields);
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
            username: identity.and_then(username).map(plain),
            actor: identity.and_then(actor).map(plain),
            actor_type: identity.and_then(|i| i.kind.as_deref()).map(plain),
            access_key_id: identity.and_then(|i| i.access_key_id.as_deref()).map(plain),
            source_ip: fields.source_ip_address.as_deref().map(plain),
            error_code: fields.error_code.as_deref().map(plain),
            resources: find_resources(&fields, event_source),
            selector_fields: selector_fields(&fields),
            record,
        })
    }
}

/// See [`escape_nul`].
fn plain(text: impl AsRef<str>) -> String {
    escape_nul(text.as_ref()).into_owned()
}

/// serde's message without its position, which means nothing to someone who sent many records.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    match text.strip_prefix("missing field ") {
        Some(field) => format!("{} is missing", field.trim_matches('`')),
        None if error.is_data() => text.to_owned(),
        None => format!("not valid JSON: {text}"),
    }
}

fn category(fields: &Fields<'_>) -> Category {
    let is_insight = fields.event_type.as_deref() == Some("AwsCloudTrailInsight");
    match fields.event_category.as_deref() {
        Some("Insight") => Category::Insight,
        Some("Data") => Category::Data,
        Some("NetworkActivity") => Category::NetworkActivity,
        _ if is_insight => Category::Insight,
        None if fields.management_event == Some(false) => Category::Data,
        _ => Category::Management,
    }
}

fn selector_fields(fields: &Fields<'_>) -> SelectorFields {
    let text = |value: Option<&RawValue>| {
        let value = value.map(RawValue::get).filter(|json| *json != "null")?;
        Some(serde_json::from_str(value).unwrap_or_else(|_| value.to_owned()))
    };
    let resource = |resource: &RecordResource<'_>| {
        let arn = resource.arn.as_deref().map(str::to_owned).or_else(|| text(resource.arn_prefix))?;
        Some(TypedResource { resource_type: resource.kind.as_deref()?.to_owned(), arn })
    };
    SelectorFields {
        event_type: fields.event_type.as_deref().map(str::to_owned),
        user_arn: fields
            .user_identity
            .as_ref()
            .and_then(|identity| identity.arn.as_deref())
            .map(str::to_owned),
        session_credential_from_console: text(fields.session_credential_from_console),
        vpc_endpoint_id: text(fields.vpc_endpoint_id),
        resources: fields.resources.iter().flatten().filter_map(resource).collect(),
    }
}

/// For records of versions that do not say (before 1.01).
fn reads_by_its_name(name: &str) -> bool {
    ["Get", "List", "Describe", "Head", "Lookup", "BatchGet"].iter().any(|verb| name.starts_with(verb))
}

/// The `Username` of a lookup: the user's name, `root`, or the session's name of a role.
fn username<'a>(identity: &'a UserIdentity<'_>) -> Option<&'a str> {
    let after_slash = || identity.arn.as_deref().and_then(|arn| arn.rsplit_once('/')).map(|(_, name)| name);
    match identity.kind.as_deref() {
        Some("Root") => Some("root"),
        Some("AssumedRole" | "FederatedUser") => after_slash(),
        Some("AWSService" | "AWSAccount") => None,
        _ => identity.user_name.as_deref(),
    }
}

/// The name of who called, also where lookups show none.
fn actor<'a>(identity: &'a UserIdentity<'_>) -> Option<&'a str> {
    let last = |text: &'a str| text.rsplit(['/', ':']).next().unwrap_or(text);
    username(identity)
        .or(identity.invoked_by.as_deref())
        .or(identity.arn.as_deref().map(last))
        .or(identity.principal_id.as_deref().map(last))
        .or(identity.account_id.as_deref())
        .filter(|name| !name.is_empty())
}

fn find_resources(fields: &Fields<'_>, event_source: &str) -> Vec<Resource> {
    let mut found = Vec::new();
    let failed = fields.error_code.is_some();
    if resources::are_indexed(event_source, fields.read_only == Some(true), failed) {
        for part in [fields.request_parameters, fields.response_elements].into_iter().flatten() {
            resources::collect(event_source, part, &mut found);
        }
    }
    for resource in fields.resources.iter().flatten() {
        if let Some(arn) = &resource.arn {
            resources::add(&mut found, resource.kind.as_deref(), arn);
        }
    }
    resources::without_nul(found)
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
