//! The operations, one file each, in a folder by subject.

pub mod events;
pub mod organizations;
pub mod policies;
pub mod selectors;
pub mod tags;
pub mod trails;
