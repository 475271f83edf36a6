//! Which of its resources a call was about: what people want to see first.
//!
//! AWS's own order says nothing of that: it is a hash map's. An operation's name does (CreateUser, AssumeRole).

use super::resource::{Resource, short_type};
use super::rules::Part;

/// Where the name of an operation mentions a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mention {
    /// Right behind the verb: the user of AttachUserPolicy.
    First,
    /// Somewhere: the group of AddUserToGroup.
    Later,
    Never,
}

/// The resource that a call was about, among those that the parts of its record name.
pub(super) fn of_call<'a>(event_name: &str, found: &'a [(Part, Resource)]) -> Option<&'a Resource> {
    let subject = subject(event_name).to_ascii_lowercase();
    let rank = |(part, resource): &(Part, Resource)| {
        let resource_type = resource.resource_type.as_deref().map_or("", short_type).to_ascii_lowercase();
        let mention = match subject.find(&resource_type) {
            _ if resource_type.is_empty() => Mention::Never,
            Some(0) => Mention::First,
            Some(_) => Mention::Later,
            None => Mention::Never,
        };
        // A new access key comes last: the user or the role that it was made for says more. Of names that are equally good,
        // those of the request come before those of the answer, which are ids.
        let is_answer = *part == Part::Response;
        (is_answer && resource_type == "accesskey", mention, is_answer)
    };
    // The first of those that are equal, as in the record.
    found.iter().min_by_key(|named| rank(named)).map(|(_, resource)| resource)
}

/// The name of an operation behind its verb: `UserPolicy` of AttachUserPolicy.
fn subject(event_name: &str) -> &str {
    let mut capitals = event_name.char_indices().filter(|(_, letter)| letter.is_ascii_uppercase());
    capitals.nth(1).map_or(event_name, |(at, _)| &event_name[at..])
}
