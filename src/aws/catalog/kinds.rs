//! What the members of a service's messages hold, for the protocols that do not say so themselves.
//!
//! By name only, not by shape: a name that holds different things in different places is in none of the lists, and what
//! it holds is then taken as text.

use std::collections::{HashMap, HashSet};

/// Names as they are on the wire.
#[derive(Debug, Default)]
pub struct Kinds {
    /// Whole or broken numbers.
    pub numbers: HashSet<String>,
    /// `true` or `false`.
    pub booleans: HashSet<String>,
    /// Lists, with the name of their items in XML. Of services that speak JSON, only those in queries.
    pub lists: HashMap<String, String>,
    /// Maps: the names in them are data.
    pub maps: HashSet<String>,
    /// Points in time.
    pub times: HashSet<String>,
    /// Members of their own, in XML: an empty element is one without members.
    pub structures: HashSet<String>,
    /// The names in the model of what has another one in a path, a query or a header; headers in small letters.
    pub renamed: HashMap<String, String>,
}

impl Kinds {
    /// The cells of a `T` line.
    pub(super) fn read(cells: &[&str]) -> Option<Kinds> {
        let [numbers, booleans, lists, maps, times, structures, renamed] = cells else { return None };
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').unwrap_or((text, "member"));
            (name.to_owned(), value.to_owned())
        };
        Some(Kinds {
            numbers: names(numbers),
            booleans: names(booleans),
            lists: names::<Vec<String>>(lists).iter().map(|text| pair(text)).collect(),
            maps: names(maps),
            times: names(times),
            structures: names(structures),
            renamed: names::<Vec<String>>(renamed).iter().map(|text| pair(text)).collect(),
        })
    }
}

/// The names of a cell.
pub(super) fn names<C: FromIterator<String>>(cell: &str) -> C {
    cell.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
