//! Which unusual activity a trail looks for. Rules: API reference, PutInsightSelectors, InsightSelector; user guide, "Logging
//! Insights events with the AWS CLI".

use crate::domain::category::Category;
use crate::domain::selectors::Selection;
use crate::domain::text::invalid_value;
use crate::error::{ApiError, ApiResult, Code};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The selectors of a trail, as they were given; none is on a trail that looks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InsightSelectors(Vec<InsightSelector>);

/// One kind of activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InsightSelector {
    insight_type: InsightType,
    /// Management events where it is left out or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_categories: Option<Vec<InsightCategory>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum InsightType {
    ApiCallRateInsight,
    ApiErrorRateInsight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum InsightCategory {
    Management,
    Data,
}

/// A selector as it is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct InsightSelectorInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    insight_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_categories: Option<Vec<String>>,
}

impl InsightSelectors {
    /// Checks the selectors of a call, for a trail that takes `selection`. An empty list switches Insights off.
    ///
    /// # Errors
    /// `InvalidInsightSelectorsException`
    pub fn parse(
        given: Option<Vec<InsightSelectorInput>>,
        selection: &Selection,
    ) -> ApiResult<InsightSelectors> {
        let given = given.ok_or_else(|| invalid("InsightSelectors is required."))?;
        let selectors = given.into_iter().map(InsightSelectorInput::parse).collect::<ApiResult<Vec<_>>>()?;
        let mut seen = HashSet::new();
        if let Some(twice) = selectors.iter().find(|selector| !seen.insert(selector.insight_type)) {
            return Err(invalid(format!("{:?} occurs more than once.", twice.insight_type)));
        }
        for selector in &selectors {
            selector.check(selection)?;
        }
        Ok(InsightSelectors(selectors))
    }

    /// Whether the trail looks for nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl InsightSelectorInput {
    fn parse(self) -> ApiResult<InsightSelector> {
        let insight_type = match self.insight_type.as_deref().unwrap_or_default() {
            "ApiCallRateInsight" => InsightType::ApiCallRateInsight,
            "ApiErrorRateInsight" => InsightType::ApiErrorRateInsight,
            other => return Err(invalid(invalid_value(other, "InsightType"))),
        };
        let category = |name: String| match name.as_str() {
            "Management" => Ok(InsightCategory::Management),
            "Data" => Ok(InsightCategory::Data),
            other => Err(invalid(invalid_value(other, "EventCategories"))),
        };
        let categories = self.event_categories.map(|names| names.into_iter().map(category).collect());
        Ok(InsightSelector { insight_type, event_categories: categories.transpose()? })
    }
}

impl InsightSelector {
    /// Whether the trail takes what the selector looks at.
    fn check(&self, selection: &Selection) -> ApiResult<()> {
        let default = vec![InsightCategory::Management];
        let given = self.event_categories.as_ref().filter(|categories| !categories.is_empty());
        for category in given.unwrap_or(&default) {
            let (is_taken, needed) = match (category, self.insight_type) {
                (InsightCategory::Management, InsightType::ApiCallRateInsight) => {
                    (selection.may_take_writes(Category::Management), "write management events")
                }
                (InsightCategory::Management, InsightType::ApiErrorRateInsight) => {
                    (selection.may_take(Category::Management), "read or write management events")
                }
                (InsightCategory::Data, _) => {
                    (selection.may_take(Category::Data), "read or write data events")
                }
            };
            if !is_taken {
                let kind = self.insight_type;
                return Err(invalid(format!(
                    "To log {kind:?} for {category:?} events, the trail must log {needed}."
                )));
            }
        }
        Ok(())
    }
}

fn invalid(why: impl Into<String>) -> ApiError {
    Code::InvalidInsightSelectorsException.because(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::selectors::EventSelectors;
    use serde_json::{Value, json};

    fn parse(given: Value, selectors: Value) -> ApiResult<InsightSelectors> {
        let selectors: EventSelectors = serde_json::from_value(selectors).unwrap();
        InsightSelectors::parse(serde_json::from_value(given).unwrap(), &Selection::from(&selectors))
    }

    fn basic(kind: &str, management: bool, data: bool) -> Value {
        let data =
            if data { vec![json!({"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]})] } else { vec![] };
        json!({"EventSelectors": [{"ReadWriteType": kind, "IncludeManagementEvents": management, "DataResources": data,
            "ExcludeManagementEventSources": []}]})
    }

    #[test]
    fn selectors_are_kept_as_they_were_given() {
        for given in [
            json!([]),
            json!([{"InsightType": "ApiErrorRateInsight"}]),
            json!([{"InsightType": "ApiErrorRateInsight", "EventCategories": ["Data", "Management"]},
                {"InsightType": "ApiCallRateInsight", "EventCategories": ["Management"]}]),
        ] {
            let stored = parse(given.clone(), basic("All", true, true)).unwrap();
            assert_eq!(serde_json::to_value(&stored).unwrap(), given);
            assert_eq!(stored.is_empty(), given == json!([]));
        }
    }

    #[test]
    fn what_is_looked_at_must_be_logged() {
        let (calls, errors) = ("ApiCallRateInsight", "ApiErrorRateInsight");
        for (kind, category, selectors, is_good) in [
            (calls, "Management", basic("WriteOnly", true, false), true),
            (calls, "Management", basic("ReadOnly", true, false), false),
            (errors, "Management", basic("ReadOnly", true, false), true),
            (errors, "Management", basic("All", false, true), false),
            (calls, "Data", basic("ReadOnly", false, true), true),
            (errors, "Data", basic("All", true, false), false),
        ] {
            let given = json!([{"InsightType": kind, "EventCategories": [category]}]);
            assert_eq!(parse(given, selectors.clone()).is_ok(), is_good, "{kind} {category} {selectors}");
        }
        let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
        let reads = json!({"AdvancedEventSelectors": [
            {"FieldSelectors": [management, {"Field": "readOnly", "Equals": ["true"]}]}]});
        assert!(
            parse(json!([{"InsightType": calls}]), reads).is_err(),
            "management events where none is named"
        );
    }

    #[test]
    fn selectors_keep_their_rules() {
        for (given, want) in [
            (json!(null), "InsightSelectors is required."),
            (json!([{}]), "Value  for InsightType is invalid."),
            (json!([{"InsightType": "Rate"}]), "Value Rate for InsightType is invalid."),
            (
                json!([{"InsightType": "ApiCallRateInsight", "EventCategories": ["Insight"]}]),
                "Value Insight for EventCategories is invalid.",
            ),
            (
                json!([{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiCallRateInsight"}]),
                "ApiCallRateInsight occurs more than once.",
            ),
        ] {
            let error = parse(given, basic("All", true, false)).unwrap_err();
            assert_eq!((error.code, &*error.message), (Code::InvalidInsightSelectorsException, want));
        }
    }
}
