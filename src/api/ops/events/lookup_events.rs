//! LookupEvents: the history of an account in a region, newest first.

use crate::api::{Context, Operation, OperationInput, Service};
use crate::config::Era;
use crate::domain::caller::Caller;
use crate::domain::event::Listing;
use crate::domain::lookup::{Attribute, AttributeKey, EventCategory, TimeRange, page_size};
use crate::domain::page_token::{self, TokenScope};
use crate::domain::resources::{Resource, short_type};
use crate::domain::timestamp::{Timestamp, in_words};
use crate::error::{ApiError, ApiResult};
use crate::store::{LookupQuery, LookupRow, ReadSession, Session};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>
#[derive(Debug)]
pub struct LookupEvents;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lookup_attributes: Option<Vec<LookupAttribute>>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "in_words")]
    start_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "in_words")]
    end_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_results: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        Vec::new()
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LookupAttribute {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribute_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribute_value: Option<String>,
}

/// What is answered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    events: Vec<Event>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    event_id: String,
    event_name: String,
    /// A text, not a boolean.
    read_only: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    /// Whole seconds since 1970.
    event_time: i64,
    event_source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    resources: Vec<Resource>,
    cloud_trail_event: String,
}

impl Event {
    fn new(row: LookupRow, era: Era) -> ApiResult<Event> {
        let mut resources: Vec<Resource> =
            serde_json::from_str(&row.resources).map_err(ApiError::internal)?;
        if era == Era::Y2015 {
            for resource in &mut resources {
                let short = resource.resource_type.as_deref().map(short_type).map(str::to_owned);
                resource.resource_type = short;
            }
        }
        Ok(Event {
            event_id: row.event_id,
            event_name: row.event_name,
            read_only: if row.read_only { "true" } else { "false" },
            access_key_id: row.access_key_id,
            event_time: row.event_time,
            event_source: row.event_source,
            username: row.username,
            resources,
            cloud_trail_event: row.record,
        })
    }
}

/// The lists that a lookup reads: which events the era shows, narrowed by `ReadOnly`.
fn listings(era: Era, category: EventCategory, attribute: Option<&Attribute>) -> Vec<Listing> {
    let mut listings = match (category, era) {
        (EventCategory::Insight, _) => vec![Listing::Insight],
        (EventCategory::Management, Era::Y2015) => vec![Listing::Write],
        (EventCategory::Management, Era::Today) => vec![Listing::Write, Listing::Unlogged, Listing::Read],
    };
    if let Some(attribute) = attribute.filter(|a| a.key == AttributeKey::ReadOnly) {
        listings.retain(|listing| (*listing == Listing::Read) == (attribute.value == "true"));
    }
    listings
}

impl Operation for LookupEvents {
    const NAME: &'static str = "LookupEvents";
    type Session = ReadSession;
    type Input = Input;
    type Output = Output;

    /// Calls that were answered before are listed.
    async fn prepare(_: &Input, _: &Caller, service: &Service) -> ApiResult<()> {
        match service.settings.era {
            // No call that only reads is listed.
            Era::Y2015 => service.handed_over.changes_readable().await,
            Era::Today => service.handed_over.readable().await,
        }
        Ok(())
    }

    async fn call(input: Input, context: &mut Context<'_, ReadSession>) -> ApiResult<Output> {
        let (service, caller) = (context.service, context.caller);
        let era = service.settings.era;
        let category = EventCategory::parse(input.event_category.as_deref())?;
        let attributes: Vec<_> = input
            .lookup_attributes
            .unwrap_or_default()
            .into_iter()
            .map(|a| (a.attribute_key, a.attribute_value))
            .collect();
        let attribute = Attribute::parse(&attributes, category)?;
        let limit = page_size(input.max_results, service.settings.default_page_size())?;
        let (start, end) = (input.start_time, input.end_time);
        let range = TimeRange::parse(start, end, service.clock.now(), service.settings.lookup_window())?;

        let millis = |time: Option<Timestamp>| time.map(|t| t.0.timestamp_millis().to_string());
        let scope = TokenScope::new(LookupEvents::NAME)
            .with(Some(&caller.account))
            .with(Some(&caller.region))
            .with(attribute.as_ref().map(|a| a.key.name()))
            .with(attribute.as_ref().map(|a| a.value.as_str()))
            .with(millis(start).as_deref())
            .with(millis(end).as_deref())
            .with(input.event_category.as_deref());
        let token = input.next_token.as_deref();
        let before = token.map(|token| page_token::open(&service.token_key, &scope, token)).transpose()?;

        let listings = listings(era, category, attribute.as_ref());
        let mut rows = Vec::new();
        if !listings.is_empty() {
            let query = LookupQuery {
                account: &caller.account,
                region: &caller.region,
                listings: &listings,
                attribute: attribute.as_ref(),
                range,
                before,
                // One more than asked for tells whether there is another page.
                limit: limit + 1,
            };
            rows = context.db.events().lookup(&query).await?;
        }
        if rows.is_empty()
            && era == Era::Y2015
            && !service.store.logging_trails(&caller.account).cover(&caller.region)
        {
            tracing::info!(
                account = %caller.account,
                region = %caller.region,
                "LookupEvents found nothing, and no trail is logging here: start one with StartLogging, or run with --era today"
            );
        }
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_token =
            rows.last().filter(|_| more).map(|last| page_token::seal(&service.token_key, &scope, &last.key));
        let events = rows.into_iter().map(|row| Event::new(row, era)).collect::<ApiResult<_>>()?;
        Ok(Output { events, next_token })
    }
}
