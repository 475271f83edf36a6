//! The selectors of a trail, of either kind.

use crate::domain::selectors::advanced::{self, AdvancedEventSelector};
use crate::domain::selectors::basic::{self, EventSelector, EventSelectorInput, invalid};
use crate::domain::selectors::data_types::ResourceType;
use crate::error::ApiResult;
use serde::{Deserialize, Serialize};

/// Selectors of a trail. It has one kind of them; setting one kind replaces the other. Serialized they are the member that
/// calls answer with, and what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventSelectors {
    /// One to five, each of which chooses management events and data events of three services.
    #[serde(rename = "EventSelectors")]
    Basic(Vec<EventSelector>),
    /// Conditions on fields of records.
    #[serde(rename = "AdvancedEventSelectors")]
    Advanced(Vec<AdvancedEventSelector>),
}

impl Default for EventSelectors {
    /// What a trail has to which nobody gave selectors: all management events.
    fn default() -> EventSelectors {
        EventSelectors::Basic(vec![EventSelector::default()])
    }
}

impl EventSelectors {
    /// Checks the two lists of a call, of which one may be given, and fills in what was left out. `more_data_types`: types
    /// with data events beside those of AWS's list.
    ///
    /// # Errors
    /// `InvalidEventSelectorsException`
    pub fn parse(
        basic: Option<Vec<EventSelectorInput>>,
        advanced: Option<Vec<AdvancedEventSelector>>,
        more_data_types: &[ResourceType],
    ) -> ApiResult<EventSelectors> {
        let basic = basic.filter(|selectors| !selectors.is_empty());
        match (basic, advanced.filter(|selectors| !selectors.is_empty())) {
            // Observed.
            (Some(_), Some(_)) => Err(invalid(
                "You can select events by using either EventSelectors or AdvancedEventSelectors, but not both",
            )),
            (None, Some(advanced)) => {
                advanced::check(&advanced, more_data_types)?;
                Ok(EventSelectors::Advanced(advanced))
            }
            (basic, None) => Ok(EventSelectors::Basic(basic::parse(basic.unwrap_or_default())?)),
        }
    }

    /// Whether they are those of a trail to which nobody gave any (`HasCustomEventSelectors`).
    pub fn are_default(&self) -> bool {
        *self == EventSelectors::default()
    }
}
