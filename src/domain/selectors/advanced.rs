//! Advanced event selectors: their rules, for trails.

use crate::domain::category::Category;
use crate::domain::selectors::basic::{EXCLUDABLE_SOURCES, invalid};
use crate::domain::selectors::data_types::{ResourceType, has_data_events};
use crate::domain::text::cut;
use crate::error::ApiResult;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Values of all conditions of a trail together.
const MAX_VALUES: usize = 500;

/// Characters of a selector's name.
const MAX_NAME: usize = 1000;

/// Characters of a value.
const MAX_VALUE: usize = 2048;

/// A selector: an event is chosen that meets all of its field selectors. Kept as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AdvancedEventSelector {
    /// For people; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At least one, for `eventCategory`.
    #[serde(default)]
    pub field_selectors: Vec<AdvancedFieldSelector>,
}

/// A condition on one field of a record. One of the positive operators must hold, where there are any, and all of the
/// negative ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the names are CloudTrail's own")]
pub struct AdvancedFieldSelector {
    #[serde(default)]
    pub field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_with: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_equals: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_starts_with: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_ends_with: Option<Vec<String>>,
}

/// A field of a record that selectors of trails can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Field {
    EventCategory,
    ReadOnly,
    EventSource,
    EventName,
    EventType,
    ErrorCode,
    ResourceType,
    ResourceArn,
    SessionCredentialFromConsole,
    UserArn,
    VpcEndpointId,
}

/// What may be asked of a field.
enum Allowed {
    /// Any operator, any value.
    Anything,
    /// `Equals`, and one value that passes.
    OneValue(fn(&str) -> bool),
    /// `Equals`, and one type that has data events.
    OneDataType,
    /// `NotEquals`, and values that pass.
    Exceptions(fn(&str) -> bool),
    /// `Equals` and `NotEquals`, and values that pass.
    Equality(fn(&str) -> bool),
}

impl AdvancedFieldSelector {
    fn operators(&self) -> [(&'static str, &Option<Vec<String>>); 6] {
        [
            ("Equals", &self.equals),
            ("StartsWith", &self.starts_with),
            ("EndsWith", &self.ends_with),
            ("NotEquals", &self.not_equals),
            ("NotStartsWith", &self.not_starts_with),
            ("NotEndsWith", &self.not_ends_with),
        ]
    }

    /// The operators that are given, with their values.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &[String])> {
        self.operators().into_iter().filter_map(|(name, values)| Some((name, values.as_deref()?)))
    }

    /// The value, where the selector is `Equals` one value.
    fn only_value(&self) -> Option<&str> {
        match self.equals.as_deref() {
            Some([value]) => Some(value),
            _ => None,
        }
    }
}

impl Field {
    /// `None` for what no selector of a trail can look at.
    pub(super) fn parse(name: &str) -> Option<Field> {
        Some(match name {
            "eventCategory" => Field::EventCategory,
            "readOnly" => Field::ReadOnly,
            "eventSource" => Field::EventSource,
            "eventName" => Field::EventName,
            "eventType" => Field::EventType,
            "errorCode" => Field::ErrorCode,
            "resources.type" => Field::ResourceType,
            "resources.ARN" => Field::ResourceArn,
            "sessionCredentialFromConsole" => Field::SessionCredentialFromConsole,
            "userIdentity.arn" => Field::UserArn,
            "vpcEndpointId" => Field::VpcEndpointId,
            _ => return None,
        })
    }

    /// What selectors of a trail may ask of it; `None` if it cannot be used for events of `category` (API reference,
    /// AdvancedFieldSelector).
    fn allowed(self, category: Category) -> Option<Allowed> {
        use Category::{Data, Management, NetworkActivity};
        let is_bool = |text: &str| matches!(text, "true" | "false");
        Some(match (self, category) {
            (Field::EventCategory, _) => Allowed::OneValue(|_| true),
            (Field::ReadOnly, Management | Data) => Allowed::OneValue(is_bool),
            (Field::EventSource, Management) => {
                Allowed::Exceptions(|text| EXCLUDABLE_SOURCES.contains(&text))
            }
            (Field::EventSource, NetworkActivity) => {
                Allowed::OneValue(|text| text.ends_with(".amazonaws.com"))
            }
            (Field::ErrorCode, NetworkActivity) => Allowed::OneValue(|text| text == "VpceAccessDenied"),
            (Field::ResourceType, Data) => Allowed::OneDataType,
            (Field::SessionCredentialFromConsole, Data) => Allowed::Equality(is_bool),
            (Field::EventName | Field::VpcEndpointId, NetworkActivity)
            | (
                Field::EventSource
                | Field::EventName
                | Field::EventType
                | Field::ResourceArn
                | Field::UserArn,
                Data,
            ) => Allowed::Anything,
            _ => return None,
        })
    }
}

impl Allowed {
    fn operators(&self) -> &'static [&'static str] {
        match self {
            Allowed::Anything => {
                &["Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith"]
            }
            Allowed::OneValue(_) | Allowed::OneDataType => &["Equals"],
            Allowed::Exceptions(_) => &["NotEquals"],
            Allowed::Equality(_) => &["Equals", "NotEquals"],
        }
    }

    fn passes(&self, value: &str) -> bool {
        match self {
            Allowed::Anything | Allowed::OneDataType => true,
            Allowed::OneValue(passes) | Allowed::Exceptions(passes) | Allowed::Equality(passes) => {
                passes(value)
            }
        }
    }
}

/// Checks the selectors of a trail. `more`: types with data events beside those of AWS's list.
pub(super) fn check(selectors: &[AdvancedEventSelector], more: &[ResourceType]) -> ApiResult<()> {
    for selector in selectors {
        selector.check(more)?;
    }
    let fields = selectors.iter().flat_map(|selector| &selector.field_selectors);
    let values: usize = fields.flat_map(AdvancedFieldSelector::given).map(|(_, values)| values.len()).sum();
    if values > MAX_VALUES {
        return Err(invalid(format!(
            "Specify up to {MAX_VALUES} values for all conditions in all advanced event selectors; there are {values}."
        )));
    }
    Ok(())
}

impl AdvancedEventSelector {
    /// The category that it chooses from.
    pub(super) fn category(&self) -> Option<Category> {
        let field = self.field_selectors.iter().find(|selector| selector.field == "eventCategory")?;
        [Category::Management, Category::Data, Category::NetworkActivity]
            .into_iter()
            .find(|category| field.only_value() == Some(category.name()))
    }

    fn check(&self, more: &[ResourceType]) -> ApiResult<()> {
        if self.name.as_ref().is_some_and(|name| name.chars().count() > MAX_NAME) {
            return Err(invalid(format!(
                "The name of an advanced event selector is longer than {MAX_NAME} characters."
            )));
        }
        let has = |field: &str| self.field_selectors.iter().any(|selector| selector.field == field);
        if !has("eventCategory") {
            return Err(invalid("An advanced event selector must have a field selector for eventCategory."));
        }
        let category = self.category().ok_or_else(|| {
            invalid(
                "The eventCategory of a trail's selector must be Equals Management, Data or NetworkActivity.",
            )
        })?;
        let needed = match category {
            Category::Data => Some("resources.type"),
            Category::NetworkActivity => Some("eventSource"),
            Category::Management | Category::Insight => None,
        };
        if let Some(field) = needed.filter(|field| !has(field)) {
            let category = category.name();
            return Err(invalid(format!(
                "An advanced event selector of eventCategory {category} must have a field selector for {field}."
            )));
        }
        let mut seen = HashSet::new();
        for selector in &self.field_selectors {
            selector.check(category, more)?;
            if !seen.insert(&selector.field) {
                return Err(invalid(format!(
                    "The field {} occurs more than once in a selector.",
                    selector.field
                )));
            }
        }
        Ok(())
    }
}

impl AdvancedFieldSelector {
    fn check(&self, category: Category, more: &[ResourceType]) -> ApiResult<()> {
        let field = cut(&self.field, 200);
        let Some(known) = Field::parse(&self.field) else {
            return Err(invalid(format!("There is no field {field:?} that selectors can look at.")));
        };
        let Some(allowed) = known.allowed(category) else {
            // Observed.
            return Err(invalid(format!(
                "The following field is not allowed when the eventCategory field value equals {}: {field}.",
                category.name()
            )));
        };
        if self.given().next().is_none() {
            return Err(invalid(format!("The field selector for {field} has no operator.")));
        }
        for (operator, values) in self.given() {
            if !allowed.operators().contains(&operator) {
                return Err(invalid(format!(
                    "The operator {operator} cannot be used with the field {field}."
                )));
            }
            if values.is_empty() {
                return Err(invalid(format!("{operator} of the field {field} has no values.")));
            }
            if matches!(allowed, Allowed::OneValue(_) | Allowed::OneDataType) && values.len() > 1 {
                return Err(invalid(format!("{operator} of the field {field} must have one value.")));
            }
            if matches!(allowed, Allowed::OneDataType)
                && !values.iter().all(|kind| has_data_events(kind, more))
            {
                // Observed.
                return Err(invalid("The resources.type field value is not valid"));
            }
            let is_valid = |value: &&String| {
                (1..=MAX_VALUE).contains(&value.chars().count())
                    && !value.contains('\n')
                    && allowed.passes(value)
            };
            if let Some(value) = values.iter().find(|value| !is_valid(value)) {
                return Err(invalid(format!(
                    "Value {:?} for the field {field} is invalid.",
                    cut(value, 200)
                )));
            }
        }
        Ok(())
    }
}
