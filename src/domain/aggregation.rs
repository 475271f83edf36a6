//! How a trail sums its events up. Rules: API reference, PutEventConfiguration, AggregationConfiguration.

use crate::domain::text::invalid_value;
use crate::error::{ApiError, ApiResult, Code};
use serde::{Deserialize, Serialize};

/// Configurations that a trail may have.
const MAX_CONFIGURATIONS: usize = 1;

/// Templates of a configuration.
const MAX_TEMPLATES: usize = 50;

/// The templates that there are.
const TEMPLATES: [&str; 3] = ["API_ACTIVITY", "RESOURCE_ACCESS", "USER_ACTIONS"];

/// The configurations of a trail; none is on a trail that sums nothing up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AggregationConfigurations(Vec<AggregationConfiguration>);

/// What is summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AggregationConfiguration {
    #[serde(default)]
    templates: Vec<String>,
    #[serde(default)]
    event_category: String,
}

impl AggregationConfigurations {
    /// Checks the configurations of a call. An empty list switches aggregation off.
    ///
    /// # Errors
    /// `InvalidParameterException`
    pub fn parse(given: Vec<AggregationConfiguration>) -> ApiResult<AggregationConfigurations> {
        if given.len() > MAX_CONFIGURATIONS {
            return Err(invalid(format!(
                "A trail can have at most {MAX_CONFIGURATIONS} aggregation configuration."
            )));
        }
        for configuration in &given {
            let (templates, category) = (&configuration.templates, &configuration.event_category);
            if !(1..=MAX_TEMPLATES).contains(&templates.len()) {
                return Err(invalid(format!(
                    "Specify 1 to {MAX_TEMPLATES} templates of an aggregation configuration."
                )));
            }
            if let Some(template) = templates.iter().find(|name| !TEMPLATES.contains(&name.as_str())) {
                return Err(invalid(invalid_value(template, "Templates")));
            }
            if category != "Data" {
                return Err(invalid(invalid_value(category, "EventCategory")));
            }
        }
        Ok(AggregationConfigurations(given))
    }
}

fn invalid(why: String) -> ApiError {
    Code::InvalidParameterException.because(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(templates: &[&str], category: &str, count: usize) -> ApiResult<AggregationConfigurations> {
        let templates = templates.iter().map(|name| (*name).to_owned()).collect();
        let configuration = AggregationConfiguration { templates, event_category: category.to_owned() };
        AggregationConfigurations::parse(vec![configuration; count])
    }

    #[test]
    fn configurations_keep_their_rules() {
        assert!(parse(&["API_ACTIVITY", "USER_ACTIONS"], "Data", 1).is_ok());
        assert!(parse(&[], "Data", 0).is_ok());
        for bad in [
            parse(&["API_ACTIVITY"], "Data", 2),
            parse(&[], "Data", 1),
            parse(&["API_ACTIVITY"; 51], "Data", 1),
            parse(&["EVERYTHING"], "Data", 1),
            parse(&["API_ACTIVITY"], "Management", 1),
        ] {
            assert_eq!(bad.unwrap_err().code, Code::InvalidParameterException);
        }
    }
}
