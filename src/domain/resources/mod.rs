//! The resources by which an event is found.
//!
//! For LookupEvents they are not the record's own `resources`: AWS builds a list for each operation from members of the
//! request and the response. Events that no lookup shows have what their records name.

mod data;
mod main_resource;
mod order;
mod resource;
mod rules;
mod walk;

use crate::domain::category::Category;
use crate::domain::text::escape_nul;
pub use data::{container, container_of};
pub use resource::{NamingMembers, Resource, short_type};
use rules::{Part, ResourceMember};
use serde::de::DeserializeSeed;
use std::collections::HashSet;
use walk::Walk;

/// What an event is found by as resources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventResources {
    /// In AWS's order, as lookups list them; of events that no lookup shows in the record's.
    all: Vec<Resource>,
    /// The place of the one that the call was about.
    main: usize,
}

impl From<Vec<Resource>> for EventResources {
    /// The call was about the first.
    fn from(all: Vec<Resource>) -> EventResources {
        EventResources { all, main: 0 }
    }
}

impl EventResources {
    /// In AWS's order, as lookups list them; of events that no lookup shows in the record's, the one that the call was about
    /// first.
    pub fn all(&self) -> &[Resource] {
        &self.all
    }

    /// The place of the one that the call was about; 0 if there are none.
    pub fn main(&self) -> usize {
        self.main
    }
}

/// The resources of an event. Those that lookups list are what its `requestParameters` and `responseElements` name; data
/// and network activity events, which no lookup shows, have what their own `resources` and their parameters name.
pub fn of_event(event: &NamingMembers<'_>) -> EventResources {
    match event.category {
        Category::Management | Category::Insight => listed(event),
        Category::Data | Category::NetworkActivity => {
            let mut all = data::named(event);
            keep_once(&mut all, |resource| resource);
            all.into()
        }
    }
}

/// Keeps the first of equal resources. A record can name thousands.
fn keep_once<T>(found: &mut Vec<T>, resource: impl Fn(&T) -> &Resource) {
    if found.len() > 1 {
        let mut known = HashSet::with_capacity(found.len());
        found.retain(|named| known.insert(resource(named).clone()));
    }
}

fn listed(event: &NamingMembers<'_>) -> EventResources {
    let NamingMembers { request, response, event_source, event_name, .. } = *event;
    if request.is_none() && response.is_none() {
        return EventResources::default();
    }
    let mut found = Vec::new();
    let members = rules::resource_members(event_source, event_name);
    for (part, json) in [(Part::Request, request), (Part::Response, response)] {
        let wanted: Vec<&ResourceMember> =
            members.iter().filter(|member| member.part == part).copied().collect();
        let Some(json) = json.filter(|_| !wanted.is_empty()) else { continue };
        let mut add = |member: &ResourceMember, name: &str| {
            if !name.is_empty() {
                let resource_type = member.resource_type.map(str::to_owned);
                found.push((part, Resource { resource_type, resource_name: escape_nul(name).into_owned() }));
            }
        };
        // Ignored: a part of a record is valid JSON already, and what is nested too deeply names nothing more.
        let _ = Walk::new(wanted, &mut add).deserialize(&mut serde_json::Deserializer::from_str(json.get()));
    }
    keep_once(&mut found, |(_, resource)| resource);
    let main = (found.len() > 1).then(|| main_resource::of_call(event_name, &found).cloned());
    let mut all: Vec<Resource> = found.into_iter().map(|(_, resource)| resource).collect();
    order::arrange(&mut all);
    let main = main.and_then(|main| all.iter().position(|resource| Some(resource) == main.as_ref()));
    EventResources { all, main: main.unwrap_or_default() }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
