//! The resources by which LookupEvents finds an event.
//!
//! They are not the record's own `resources`: AWS builds a list for each operation from members of the request and the
//! response.

mod order;
mod resource;
mod rules;
mod walk;

use crate::domain::category::Category;
use crate::domain::text::escape_nul;
pub use resource::Resource;
use rules::{Part, ResourceMember};
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;
use std::collections::HashSet;
use walk::Walk;

/// `AWS::CloudTrail::Trail` → `Trail`: how the documentation of 2015 spells types.
pub fn short_type(resource_type: &str) -> &str {
    resource_type.rsplit("::").next().unwrap_or(resource_type)
}

/// The resources that lookups list for an event of this `eventSource` and `eventName`, in AWS's order: what its
/// `requestParameters` and `responseElements` name, as its finished record has them. None for data events, which no lookup
/// shows.
pub fn of_event(
    category: Category,
    (event_source, event_name): (&str, &str),
    request: Option<&RawValue>,
    response: Option<&RawValue>,
) -> Vec<Resource> {
    let mut found = Vec::new();
    let is_listed = matches!(category, Category::Management | Category::Insight);
    if !is_listed || (request.is_none() && response.is_none()) {
        return found;
    }
    let members = rules::resource_members(event_source, event_name);
    for (part, json) in [(Part::Request, request), (Part::Response, response)] {
        let wanted: Vec<&ResourceMember> =
            members.iter().filter(|member| member.part == part).copied().collect();
        let Some(json) = json.filter(|_| !wanted.is_empty()) else { continue };
        let mut add = |member: &ResourceMember, name: &str| {
            if !name.is_empty() {
                let resource_type = member.resource_type.map(str::to_owned);
                found.push(Resource { resource_type, resource_name: escape_nul(name).into_owned() });
            }
        };
        // Ignored: a part of a record is valid JSON already, and what is nested too deeply names nothing more.
        let _ = Walk::new(wanted, &mut add).deserialize(&mut serde_json::Deserializer::from_str(json.get()));
    }
    // A record can name thousands.
    let mut known = HashSet::with_capacity(found.len());
    found.retain(|resource| known.insert(resource.clone()));
    order::arrange(&mut found);
    found
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
