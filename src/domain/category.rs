//! Kinds of events.

/// `eventCategory` of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// About a resource itself.
    Management,
    /// About what is in a resource.
    Data,
    /// A call through a VPC endpoint.
    NetworkActivity,
    /// Unusual activity, found by CloudTrail.
    Insight,
}

impl Category {
    /// As records and selectors spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Category::Management => "Management",
            Category::Data => "Data",
            Category::NetworkActivity => "NetworkActivity",
            Category::Insight => "Insight",
        }
    }
}
