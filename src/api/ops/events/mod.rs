//! The history of events, and the keys that sign digests of delivered ones.

pub mod list_public_keys;
pub mod lookup_events;
