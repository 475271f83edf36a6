//! Types of resources that have data events: AWS's list, and what the settings add to it.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::LazyLock;

/// AWS's list: a line has a service and types of its resources.
const LIST: &str = include_str!("data_types.txt");

static LISTED: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = LIST.lines().filter(|line| !line.starts_with('#')).map(str::split_whitespace);
    let of_line = |mut words: std::str::SplitWhitespace<'static>| {
        let service = words.next().unwrap_or_default();
        words.map(move |kind| format!("AWS::{service}::{kind}"))
    };
    lines.flat_map(of_line).collect()
});

/// A type of resources as selectors write it: `AWS::Service::Type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ResourceType(String);

impl TryFrom<String> for ResourceType {
    type Error = String;
    fn try_from(text: String) -> Result<ResourceType, String> {
        let parts: Vec<&str> = text.split("::").collect();
        let is_name = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
        match parts.as_slice() {
            ["AWS", service, kind] if is_name(service) && is_name(kind) => Ok(ResourceType(text)),
            _ => Err(format!("{text:?} is no type like \"AWS::S3::Object\"")),
        }
    }
}

/// Whether resources of a type have data events. `more`: the types that AWS has got since the list was made.
pub(super) fn has_data_events(kind: &str, more: &[ResourceType]) -> bool {
    LISTED.contains(kind) || more.iter().any(|more| more.0 == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_has_types_and_none_stands_there_twice() {
        let types = LIST.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let types = line.split_whitespace().count() - 1;
            assert!(types > 0, "{line}");
            types
        });
        assert_eq!(types.sum::<usize>(), LISTED.len());
        for kind in LISTED.iter() {
            assert!(ResourceType::try_from(kind.clone()).is_ok(), "{kind}");
        }
    }
}
