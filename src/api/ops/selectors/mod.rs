//! What a trail takes, what it looks for in it, and how.

pub mod get_event_configuration;
pub mod get_event_selectors;
pub mod get_insight_selectors;
pub mod put_event_configuration;
pub mod put_event_selectors;
pub mod put_insight_selectors;
