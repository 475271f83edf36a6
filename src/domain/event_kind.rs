//! What a call does, in one word: for lists that people read.

use serde::Serialize;

/// What a call does. Whether it reads is the record's own statement; what deletes is known by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    /// It changes nothing.
    Read,
    /// It changes something.
    Write,
    /// It takes something away.
    Delete,
}

/// How names of operations begin that take something away.
const TAKE_AWAY: [&str; 10] = [
    "Delete",
    "Deregister",
    "Destroy",
    "Detach",
    "Disable",
    "Purge",
    "Remove",
    "Revoke",
    "Stop",
    "Terminate",
];

impl EventKind {
    /// The kind of an event.
    pub fn of(read_only: bool, event_name: &str) -> EventKind {
        if read_only {
            EventKind::Read
        } else if TAKE_AWAY.iter().any(|verb| event_name.starts_with(verb)) {
            EventKind::Delete
        } else {
            EventKind::Write
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_away_is_told_by_its_name_unless_it_only_reads() {
        assert_eq!(EventKind::of(false, "DeleteTrail"), EventKind::Delete);
        assert_eq!(EventKind::of(false, "StopLogging"), EventKind::Delete);
        assert_eq!(EventKind::of(false, "CreateTrail"), EventKind::Write);
        assert_eq!(EventKind::of(true, "DeleteNothing"), EventKind::Read);
    }
}
