//! A call that was recorded here, whoever answered it: its record, and in one go what the record is found by.

use crate::clock::Ids;
use crate::domain::account_id::AccountId;
use crate::domain::category::Category;
use crate::domain::event::{Event, Listing, MAX_RECORD_BYTES};
use crate::domain::identity::Identity;
use crate::domain::record::{Record, RecordResource};
use crate::domain::region::Region;
use crate::domain::resources::{self, NamingMembers};
use crate::domain::selector_fields::{SelectorFields, TypedResource};
use crate::domain::text::{cut, escape_nul};
use crate::domain::timestamp::iso;
use crate::domain::tls::TlsDetails;
use crate::recorder::omitted::omitted;
use chrono::{DateTime, Utc};
use serde_json::Value;
use serde_json::value::RawValue;

/// The longest user agent, error code and error message in a record, in bytes (user guide: 1 KB each).
const MAX_FIELD: usize = 1024;

/// The largest `requestParameters` and `responseElements`, in bytes (user guide: 100 KB each).
const MAX_ELEMENTS: usize = 100 * 1024;

/// `eventType` of calls.
const EVENT_TYPE: &str = "AwsApiCall";

/// Why a call was refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal<'a> {
    /// The error code.
    pub(super) code: &'a str,
    /// The reason, if there is one.
    pub(super) message: Option<&'a str>,
}

/// A call and its outcome.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    /// When it was complete.
    pub(super) time: DateTime<Utc>,
    pub(super) event_source: &'a str,
    pub(super) event_name: &'a str,
    pub(super) category: Category,
    /// Whether it could change nothing.
    pub(super) read_only: bool,
    pub(super) account: &'a AccountId,
    pub(super) region: &'a Region,
    /// Who called, ...
    pub(super) identity: &'a Identity,
    pub(super) access_key: Option<&'a str>,
    /// ... and from where.
    pub(super) source_ip: &'a str,
    pub(super) user_agent: Option<&'a str>,
    pub(super) tls: Option<&'a TlsDetails>,
    pub(super) request_id: String,
    /// What was asked, as a record shows it.
    pub(super) request_parameters: Option<Value>,
    /// What was answered, likewise.
    pub(super) response_elements: Option<Value>,
    pub(super) additional_event_data: Option<Value>,
    pub(super) refusal: Option<Refusal<'a>>,
    /// The record's own `resources`.
    pub(super) resources: Vec<RecordResource>,
    pub(super) api_version: Option<String>,
}

impl Call<'_> {
    /// The event of this call.
    ///
    /// # Errors
    /// A reason why it cannot be recorded: it would be larger than CloudTrail allows.
    pub(super) fn event(self, ids: &Ids) -> Result<Event, String> {
        let time = iso(self.time);
        let event_id = ids.uuid().to_string();
        let request_parameters =
            self.request_parameters.map(|value| bounded("requestParameters", value)).transpose()?;
        let response_elements =
            self.response_elements.map(|value| bounded("responseElements", value)).transpose()?;
        let own = self.resources.iter();
        let own = own.filter_map(|own| Some((own.resource_type.as_deref(), own.arn.as_deref()?)));
        let own: Vec<_> = own.collect();
        let resources = resources::of_event(&NamingMembers {
            category: self.category,
            event_source: self.event_source,
            event_name: self.event_name,
            request: request_parameters.as_deref(),
            response: response_elements.as_deref(),
            own: &own,
        });
        let user_identity =
            self.identity.user_identity(self.account, self.region, self.access_key, self.time);
        let unnamed = user_identity.unnamed().map(plain);
        let error_code = self.refusal.map(|refusal| cut(refusal.code, MAX_FIELD));
        let selector_fields = SelectorFields {
            event_type: Some(EVENT_TYPE.to_owned()),
            user_arn: user_identity.arn().map(str::to_owned),
            resources: self.resources.iter().filter_map(typed).collect(),
            ..SelectorFields::default()
        };
        let record = Record {
            event_version: "1.11",
            user_identity,
            event_time: time,
            event_source: self.event_source,
            event_name: self.event_name,
            aws_region: self.region,
            source_ip_address: self.source_ip,
            user_agent: self.user_agent.map(|text| cut(text, MAX_FIELD)),
            error_code,
            error_message: self.refusal.and_then(|refusal| refusal.message).map(|text| cut(text, MAX_FIELD)),
            request_parameters,
            response_elements,
            additional_event_data: self.additional_event_data,
            request_id: self.request_id,
            event_id: event_id.clone(),
            read_only: self.read_only,
            resources: self.resources,
            event_type: EVENT_TYPE,
            api_version: self.api_version,
            management_event: self.category == Category::Management,
            recipient_account_id: self.account,
            event_category: self.category.name(),
            tls_details: self.tls,
        };
        let json = serde_json::to_string(&record).map_err(|error| error.to_string())?;
        if json.len() > MAX_RECORD_BYTES {
            return Err("larger than 256 KB".to_owned());
        }
        let name = self.identity.user_name().map(plain);
        Ok(Event {
            event_id,
            account: self.account.clone(),
            region: self.region.clone(),
            event_time: self.time.timestamp(),
            event_name: plain(self.event_name),
            event_source: plain(self.event_source),
            category: self.category,
            listing: Listing::of(self.category, self.read_only),
            read_only: self.read_only,
            actor: name.clone().or(unnamed).filter(|name| !name.is_empty()),
            username: name,
            role_name: self.identity.role_name().map(plain),
            actor_type: Some(self.identity.kind().to_owned()),
            access_key_id: self.access_key.map(plain),
            source_ip: Some(plain(self.source_ip)),
            error_code: error_code.map(plain),
            record: json,
            resources,
            selector_fields,
        })
    }
}

/// What selectors look at; nothing without a type.
fn typed(resource: &RecordResource) -> Option<TypedResource> {
    let arn = resource.arn.as_ref().or(resource.arn_prefix.as_ref());
    Some(TypedResource { resource_type: resource.resource_type.clone()?, arn: arn.cloned() })
}

fn plain(text: &str) -> String {
    escape_nul(text).into_owned()
}

/// What is too large for a record is replaced by a note that it was left out.
fn bounded(name: &str, value: Value) -> Result<Box<RawValue>, String> {
    let json = serde_json::value::to_raw_value(&value).map_err(|error| error.to_string())?;
    match json.get().len() {
        0..=MAX_ELEMENTS => Ok(json),
        size => {
            serde_json::value::to_raw_value(&omitted(name, size as u64)).map_err(|error| error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event_facts::NamesOnly;
    use crate::domain::identity::{ExternalSubject, IamEntity, Principal, Unsigned};
    use serde_json::json;

    fn call<'a>(identity: &'a Identity, account: &'a AccountId, region: &'a Region) -> Call<'a> {
        Call {
            time: "2026-11-22T05:30:00.7Z".parse().unwrap(),
            event_source: "iam.amazonaws.com",
            event_name: "CreateUser",
            category: Category::Management,
            read_only: false,
            account,
            region,
            identity,
            access_key: Some("AKIAX"),
            source_ip: "192.0.2.7",
            user_agent: Some("agent\0"),
            tls: None,
            request_id: "r-1".to_owned(),
            request_parameters: Some(json!({"userName": "eve\0"})),
            response_elements: Some(json!({"user": {"userName": "eve\0"}})),
            additional_event_data: None,
            refusal: None,
            resources: Vec::new(),
            api_version: None,
        }
    }

    #[test]
    fn what_is_known_of_a_call_is_what_would_be_read_from_its_record() {
        let account = AccountId::parse("111122223333").unwrap();
        let region = Region::us_east_1();
        let named = IamEntity::named;
        let role = Principal::Role { role: named("deployer"), session_name: "ci".into() };
        let guest = Principal::FederatedUser { name: "guest".into(), issuer: Some(named("ana")) };
        let subject = ExternalSubject {
            principal_id: "accounts.example:app:eve".into(),
            name: "eve".into(),
            provider: "accounts.example".into(),
        };
        let external = |subject| Principal::External { kind: "WebIdentityUser", subject };
        for principal in [
            Principal::Root,
            Principal::User(named("ana")),
            role,
            guest,
            external(Some(subject)),
            external(None),
            Principal::Unsigned(Unsigned::InS3),
            Principal::Unsigned(Unsigned::Elsewhere),
        ] {
            let identity = &principal.into();
            let made = || call(identity, &account, &region);
            let refusal = Some(Refusal { code: "AccessDenied", message: Some("no") });
            let bucket = RecordResource {
                account_id: Some(account.clone()),
                resource_type: Some("AWS::S3::Bucket".into()),
                arn: Some("arn:aws:s3:::b-1".into()),
                ..RecordResource::default()
            };
            let objects = RecordResource {
                resource_type: Some("AWS::S3::Object".into()),
                arn_prefix: Some("arn:aws:s3:::b-1/".into()),
                ..RecordResource::default()
            };
            let parameter =
                RecordResource { arn: Some("arn:aws:ssm:::p".into()), ..RecordResource::default() };
            let resources = || vec![objects.clone(), bucket.clone(), parameter.clone()];
            for call in [
                made(),
                Call { read_only: true, ..made() },
                Call { category: Category::Data, resources: resources(), ..made() },
                Call { refusal, response_elements: None, resources: resources(), ..made() },
                Call { event_source: "cloudtrail.amazonaws.com", read_only: true, ..made() },
                Call { access_key: None, user_agent: None, ..made() },
            ] {
                let event = call.event(&Ids::Random).unwrap();
                assert_eq!(Event::from_record(&event.record, &account, 0, &NamesOnly).unwrap(), event);
            }
        }
    }

    #[test]
    fn what_is_too_large_is_left_out_of_the_record_and_not_listed() {
        let account = AccountId::parse("111122223333").unwrap();
        let region = Region::us_east_1();
        let large = json!({"userName": "eve", "path": "p".repeat(MAX_ELEMENTS)});
        let call = Call {
            request_parameters: Some(large),
            response_elements: None,
            ..call(&Identity::ROOT, &account, &region)
        };
        let event = call.event(&Ids::Random).unwrap();
        let instead = r#""requestParameters":{"reason":"requestParameters too large","omitted":true,"originalSize":102428}"#;
        assert!(event.record.contains(instead), "{}", event.record);
        assert_eq!(event.resources.all(), [], "as its record is all that is known later");
    }
}
