//! Event selectors in one line, for people.

use crate::domain::selectors::EventSelectors;
use crate::domain::selectors::advanced::AdvancedEventSelector;
use crate::domain::selectors::basic::{EventSelector, ReadWriteType};

/// `Management events: all`, `Management events: write only, without kms.amazonaws.com; AWS::S3::Object events: all, of
/// arn:aws:s3`; of advanced selectors the names, or the conditions.
pub(super) fn summary(selectors: &EventSelectors) -> String {
    let lines: Vec<String> = match selectors {
        EventSelectors::Basic(selectors) => selectors.iter().flat_map(basic).collect(),
        EventSelectors::Advanced(selectors) => selectors.iter().map(advanced).collect(),
    };
    if lines.is_empty() { "no events".to_owned() } else { lines.join("; ") }
}

fn basic(selector: &EventSelector) -> Vec<String> {
    let which = match selector.read_write_type {
        ReadWriteType::All => "all",
        ReadWriteType::ReadOnly => "read only",
        ReadWriteType::WriteOnly => "write only",
    };
    let mut lines = Vec::new();
    if selector.include_management_events {
        let mut line = format!("Management events: {which}");
        for source in &selector.exclude_management_event_sources {
            line += &format!(", without {source}");
        }
        lines.push(line);
    }
    for resource in &selector.data_resources {
        lines.push(format!(
            "{} events: {which}, of {}",
            resource.resource_type.name(),
            resource.values.join(", ")
        ));
    }
    lines
}

fn advanced(selector: &AdvancedEventSelector) -> String {
    if let Some(name) = selector.name.as_ref().filter(|name| !name.is_empty()) {
        return name.clone();
    }
    let conditions = selector.field_selectors.iter().map(|condition| {
        let tests = condition.given().map(|(operator, values)| format!("{operator} {}", values.join(", ")));
        format!("{} {}", condition.field, tests.collect::<Vec<_>>().join(" "))
    });
    conditions.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(stored: serde_json::Value) -> String {
        summary(&serde_json::from_value(stored).unwrap())
    }

    #[test]
    fn selectors_are_summed_up_in_a_line() {
        assert_eq!(summary(&EventSelectors::default()), "Management events: all");
        let basic = json!({"EventSelectors": [
            {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true, "DataResources": [],
             "ExcludeManagementEventSources": ["kms.amazonaws.com"]},
            {"ReadWriteType": "All", "IncludeManagementEvents": false, "ExcludeManagementEventSources": [],
             "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::a/", "arn:aws:s3:::b/"]}]}]});
        assert_eq!(
            read(basic),
            "Management events: write only, without kms.amazonaws.com; \
             AWS::S3::Object events: all, of arn:aws:s3:::a/, arn:aws:s3:::b/"
        );
        let category = json!({"Field": "eventCategory", "Equals": ["Management"]});
        let advanced = json!({"AdvancedEventSelectors": [{"Name": "mine", "FieldSelectors": [category]},
            {"FieldSelectors": [category, {"Field": "readOnly", "Equals": ["true"]}]}]});
        assert_eq!(read(advanced), "mine; eventCategory Equals Management, readOnly Equals true");
    }
}
