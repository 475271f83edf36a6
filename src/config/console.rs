//! `[console]`: the web page, and how much its questions may cost.

use super::Period;
use serde::{Deserialize, Serialize};

/// `[console]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsoleSettings {
    /// Whether there is a page at `/_contrail/`.
    pub enabled: bool,
    /// The longest that one question of the read API may take.
    pub read_timeout: Period,
    /// Records that one question looks through for a text.
    pub search_records: u32,
    /// Events whose values one question counts.
    pub facet_events: u32,
}
