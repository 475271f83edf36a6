//! Selectors made ready once, to be asked of every event.

use crate::domain::category::Category;
use crate::domain::event::Event;
use crate::domain::selectors::advanced::{AdvancedEventSelector, AdvancedFieldSelector, Field};
use crate::domain::selectors::basic::{DataResourceType, EventSelector};
use crate::domain::selectors::event_selectors::EventSelectors;
use std::collections::HashSet;

/// Which events a trail takes: those that one of its rules chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(Vec<Rule>);

/// All of it must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    category: Category,
    read_only: Option<bool>,
    /// One resource of this type whose ARN passes.
    resource: Option<(String, TextTest)>,
    fields: Vec<(TextField, TextTest)>,
}

/// A field of an event that holds a text, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextField {
    EventSource,
    EventName,
    EventType,
    ErrorCode,
    SessionCredentialFromConsole,
    UserArn,
    VpcEndpointId,
}

/// One of `include` must fit, if there is one, and none of `exclude`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct TextTest {
    include: Patterns,
    exclude: Patterns,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Patterns {
    equals: HashSet<String>,
    starts_with: Vec<String>,
    ends_with: Vec<String>,
}

impl Default for Selection {
    fn default() -> Selection {
        Selection::from(&EventSelectors::default())
    }
}

impl From<&EventSelectors> for Selection {
    fn from(selectors: &EventSelectors) -> Selection {
        Selection(match selectors {
            EventSelectors::Basic(selectors) => selectors.iter().flat_map(basic_rules).collect(),
            EventSelectors::Advanced(selectors) => selectors.iter().filter_map(advanced_rule).collect(),
        })
    }
}

impl Selection {
    /// Whether the trail takes an event.
    pub fn takes(&self, event: &Event) -> bool {
        self.0.iter().any(|rule| rule.chooses(event))
    }

    /// Whether it takes some events of a category.
    pub fn may_take(&self, category: Category) -> bool {
        self.0.iter().any(|rule| rule.category == category)
    }

    /// Whether it takes some events of a category that change something.
    pub fn may_take_writes(&self, category: Category) -> bool {
        self.0.iter().any(|rule| rule.category == category && rule.read_only != Some(true))
    }
}

fn basic_rules(selector: &EventSelector) -> Vec<Rule> {
    let read_only = selector.read_write_type.read_only();
    let mut rules = Vec::new();
    if selector.include_management_events {
        let excluded = &selector.exclude_management_event_sources;
        let sources = TextTest { exclude: Patterns::equals(excluded), ..TextTest::default() };
        let fields = if excluded.is_empty() { Vec::new() } else { vec![(TextField::EventSource, sources)] };
        rules.push(Rule { category: Category::Management, read_only, resource: None, fields });
    }
    for resource in &selector.data_resources {
        let (kind, mut include) = (resource.resource_type, Patterns::default());
        for value in &resource.values {
            if kind.means_all(value) || kind == DataResourceType::S3Object {
                include.starts_with.push(value.clone());
            } else {
                include.equals.insert(value.clone());
            }
        }
        let arn = TextTest { include, ..TextTest::default() };
        let resource = Some((kind.name().to_owned(), arn));
        rules.push(Rule { category: Category::Data, read_only, resource, fields: Vec::new() });
    }
    rules
}

/// `None` for a selector that breaks the rules, which none that is stored does.
fn advanced_rule(selector: &AdvancedEventSelector) -> Option<Rule> {
    let mut rule =
        Rule { category: selector.category()?, read_only: None, resource: None, fields: Vec::new() };
    let (mut resource_type, mut arn) = (None, TextTest::default());
    for condition in &selector.field_selectors {
        let test = TextTest::from(condition);
        let field = match Field::parse(&condition.field)? {
            Field::EventCategory => continue,
            Field::ReadOnly => {
                rule.read_only = Some(test.include.equals.contains("true"));
                continue;
            }
            Field::ResourceType => {
                resource_type = test.include.equals.into_iter().next();
                continue;
            }
            Field::ResourceArn => {
                arn = test;
                continue;
            }
            Field::EventSource => TextField::EventSource,
            Field::EventName => TextField::EventName,
            Field::EventType => TextField::EventType,
            Field::ErrorCode => TextField::ErrorCode,
            Field::SessionCredentialFromConsole => TextField::SessionCredentialFromConsole,
            Field::UserArn => TextField::UserArn,
            Field::VpcEndpointId => TextField::VpcEndpointId,
        };
        rule.fields.push((field, test));
    }
    rule.resource = resource_type.map(|resource_type| (resource_type, arn));
    Some(rule)
}

impl Rule {
    fn chooses(&self, event: &Event) -> bool {
        self.category == event.category
            && self.read_only.is_none_or(|read_only| read_only == event.read_only)
            && self.fields.iter().all(|(field, test)| test.passes(field.of(event)))
            && self.resource.as_ref().is_none_or(|(resource_type, arn)| {
                let resources = &event.selector_fields.resources;
                resources.iter().any(|r| r.resource_type == *resource_type && arn.passes(r.arn.as_deref()))
            })
    }
}

impl TextField {
    fn of(self, event: &Event) -> Option<&str> {
        let fields = &event.selector_fields;
        match self {
            TextField::EventSource => Some(&event.event_source),
            TextField::EventName => Some(&event.event_name),
            TextField::EventType => fields.event_type.as_deref(),
            TextField::ErrorCode => event.error_code.as_deref(),
            TextField::SessionCredentialFromConsole => fields.session_credential_from_console.as_deref(),
            TextField::UserArn => fields.user_arn.as_deref(),
            TextField::VpcEndpointId => fields.vpc_endpoint_id.as_deref(),
        }
    }
}

impl From<&AdvancedFieldSelector> for TextTest {
    fn from(selector: &AdvancedFieldSelector) -> TextTest {
        let patterns = |equals: &Option<Vec<String>>,
                        starts: &Option<Vec<String>>,
                        ends: &Option<Vec<String>>| Patterns {
            equals: equals.iter().flatten().cloned().collect(),
            starts_with: starts.clone().unwrap_or_default(),
            ends_with: ends.clone().unwrap_or_default(),
        };
        TextTest {
            include: patterns(&selector.equals, &selector.starts_with, &selector.ends_with),
            exclude: patterns(&selector.not_equals, &selector.not_starts_with, &selector.not_ends_with),
        }
    }
}

impl TextTest {
    /// A field that an event does not have fits nothing.
    fn passes(&self, value: Option<&str>) -> bool {
        match value {
            Some(value) => (self.include.is_empty() || self.include.fit(value)) && !self.exclude.fit(value),
            None => self.include.is_empty(),
        }
    }
}

impl Patterns {
    fn equals(values: &[String]) -> Patterns {
        Patterns { equals: values.iter().cloned().collect(), ..Patterns::default() }
    }

    fn is_empty(&self) -> bool {
        self.equals.is_empty() && self.starts_with.is_empty() && self.ends_with.is_empty()
    }

    fn fit(&self, value: &str) -> bool {
        self.equals.contains(value)
            || self.starts_with.iter().any(|start| value.starts_with(start))
            || self.ends_with.iter().any(|end| value.ends_with(end))
    }
}
