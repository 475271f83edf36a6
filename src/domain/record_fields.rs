//! The members of a record that are looked at, as they stand in its JSON, and what they say.

use crate::domain::category::Category;
use crate::domain::selector_fields::{SelectorFields, TypedResource};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// The code of a failure that has none.
const FAILURE: &str = "Failure";

/// The text of a member. An empty one is none, as if the member were absent: AWS writes both.
fn non_empty<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    /// Borrows, which `Option<Cow<str>>` alone does not.
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    let text = Option::<Text<'_>>::deserialize(from)?;
    Ok(text.map(|text| text.0).filter(|text| !text.is_empty()))
}

/// Borrowed from the record's JSON, which is one object. Empty texts are absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordFields<'a> {
    #[serde(borrow, default)]
    pub(crate) user_identity: Option<IdentityFields<'a>>,
    #[serde(borrow)]
    pub(crate) event_time: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) event_source: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) event_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) aws_region: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "non_empty", rename = "sourceIPAddress")]
    pub(crate) source_ip_address: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    error_code: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    error_message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) request_parameters: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) response_elements: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "non_empty", rename = "eventID")]
    pub(crate) event_id: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(crate) read_only: Option<bool>,
    #[serde(borrow, default)]
    pub(crate) resources: Option<Vec<ResourceFields<'a>>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) event_type: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(crate) management_event: Option<bool>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) recipient_account_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) event_category: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) insight_details: Option<InsightFields<'a>>,
    // Whatever they hold, the record is taken.
    #[serde(borrow, default)]
    pub(crate) session_credential_from_console: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) vpc_endpoint_id: Option<&'a RawValue>,
}

/// `userIdentity`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IdentityFields<'a> {
    #[serde(borrow, default, deserialize_with = "non_empty", rename = "type")]
    pub(crate) kind: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) principal_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) invoked_by: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) arn: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) account_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) access_key_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) user_name: Option<Cow<'a, str>>,
}

/// An entry of `resources`.
#[derive(Deserialize)]
pub(crate) struct ResourceFields<'a> {
    #[serde(borrow, default, deserialize_with = "non_empty", rename = "ARN")]
    pub(crate) arn: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "ARNPrefix")]
    pub(crate) arn_prefix: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "non_empty", rename = "type")]
    pub(crate) kind: Option<Cow<'a, str>>,
}

/// `insightDetails`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InsightFields<'a> {
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) event_source: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "non_empty")]
    pub(crate) event_name: Option<Cow<'a, str>>,
}

impl<'a> RecordFields<'a> {
    /// Reads a record.
    ///
    /// # Errors
    /// A reason, for the person who put it in.
    pub(crate) fn read(record: &'a str) -> Result<RecordFields<'a>, String> {
        serde_json::from_str(record).map_err(|error| reason(&error))
    }

    /// `eventCategory`, or what other members say of it; `None` when nothing does.
    pub(crate) fn category(&self) -> Option<Category> {
        let is_insight = self.event_type.as_deref() == Some("AwsCloudTrailInsight");
        match (self.event_category.as_deref(), self.management_event) {
            (Some("Insight"), _) => Some(Category::Insight),
            (Some("Data"), _) => Some(Category::Data),
            (Some("NetworkActivity"), _) => Some(Category::NetworkActivity),
            _ if is_insight => Some(Category::Insight),
            (None, Some(false)) => Some(Category::Data),
            (None, None) => None,
            _ => Some(Category::Management),
        }
    }

    /// `errorCode`. A failure that has none, as those of sign-in, has one of ours: it has a message, or its answer says
    /// `{"ConsoleLogin":"Failure"}`.
    pub(crate) fn error_code(&self) -> Option<&str> {
        let has_message =
            || self.error_message.is_some_and(|message| !["null", "\"\""].contains(&message.get()));
        let says_so = || {
            let answer = self.response_elements.map(RawValue::get).filter(|json| json.contains(FAILURE))?;
            let answer: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(answer).ok()?;
            let outcome: String =
                serde_json::from_str(answer.get(self.event_name.as_deref()?)?.get()).ok()?;
            Some(outcome == FAILURE)
        };
        match self.error_code.as_deref() {
            None if has_message() || says_so() == Some(true) => Some(FAILURE),
            code => code,
        }
    }

    /// The `Username` of a lookup: the user's name, `root`, or the session's name of a role.
    pub(crate) fn username(&self) -> Option<&str> {
        self.user_identity.as_ref().and_then(IdentityFields::username)
    }

    /// The name of who called, also where lookups show none.
    pub(crate) fn actor(&self) -> Option<&str> {
        self.user_identity.as_ref().and_then(IdentityFields::actor)
    }

    /// The role, where the caller is a session of one.
    pub(crate) fn role_name(&self) -> Option<&str> {
        self.user_identity.as_ref().and_then(IdentityFields::role_name)
    }

    /// `userIdentity.type`
    pub(crate) fn actor_type(&self) -> Option<&str> {
        self.user_identity.as_ref().and_then(|identity| identity.kind.as_deref())
    }

    /// Type and ARN of the entries of `resources` that have an ARN.
    pub(crate) fn own_resources(&self) -> Vec<(Option<&str>, &str)> {
        let resources = self.resources.iter().flatten();
        resources.filter_map(|own| Some((own.kind.as_deref(), own.arn.as_deref()?))).collect()
    }

    /// What only selectors look at.
    pub(crate) fn selector_fields(&self) -> SelectorFields {
        let text = |value: Option<&RawValue>| {
            let value = value.map(RawValue::get).filter(|json| *json != "null")?;
            Some(serde_json::from_str(value).unwrap_or_else(|_| value.to_owned()))
        };
        let resource = |resource: &ResourceFields<'_>| {
            let arn = resource.arn.as_deref().map(str::to_owned).or_else(|| text(resource.arn_prefix));
            Some(TypedResource { resource_type: resource.kind.as_deref()?.to_owned(), arn })
        };
        let arn = self.user_identity.as_ref().and_then(|identity| identity.arn.as_deref());
        SelectorFields {
            event_type: self.event_type.as_deref().map(str::to_owned),
            user_arn: arn.map(str::to_owned),
            session_credential_from_console: text(self.session_credential_from_console),
            vpc_endpoint_id: text(self.vpc_endpoint_id),
            resources: self.resources.iter().flatten().filter_map(resource).collect(),
        }
    }
}

impl IdentityFields<'_> {
    fn username(&self) -> Option<&str> {
        let after_slash = || {
            let (_, name) = self.arn.as_deref()?.rsplit_once('/')?;
            Some(name).filter(|name| !name.is_empty())
        };
        match self.kind.as_deref() {
            Some("Root") => Some("root"),
            Some("AssumedRole" | "FederatedUser") => after_slash(),
            Some("AWSService" | "AWSAccount") => None,
            _ => self.user_name.as_deref(),
        }
    }

    /// `deployer` of `arn:aws:sts::111122223333:assumed-role/deployer/ci`.
    fn role_name(&self) -> Option<&str> {
        let (_, session) = self.arn.as_deref()?.split_once(":assumed-role/")?;
        let (role, _) = session.split_once('/')?;
        Some(role).filter(|role| self.kind.as_deref() == Some("AssumedRole") && !role.is_empty())
    }

    fn actor(&self) -> Option<&str> {
        fn last(text: &str) -> &str {
            text.rsplit(['/', ':']).next().unwrap_or(text)
        }
        [
            self.username(),
            self.invoked_by.as_deref(),
            self.arn.as_deref().map(last),
            self.principal_id.as_deref().map(last),
            self.account_id.as_deref(),
        ]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
    }
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
