//! Tags of trails.

pub mod add_tags;
pub mod list_tags;
pub mod remove_tags;
