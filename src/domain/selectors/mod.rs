//! Event selectors: which events a trail takes, as they are set, stored and answered ([`EventSelectors`]), and as they are
//! evaluated ([`Selection`]).
//!
//! Sources: API reference, PutEventSelectors, EventSelector, AdvancedEventSelector; user guide, "Logging management events",
//! "Logging data events", "Logging network activity events".

pub mod advanced;
pub mod basic;
pub mod data_types;
mod event_selectors;
mod selection;

pub use event_selectors::EventSelectors;
pub use selection::Selection;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
