//! Trails: their settings, whether they are logging, what came of their deliveries.

pub mod create_trail;
pub mod delete_trail;
pub mod describe_trails;
pub mod get_trail;
pub mod get_trail_status;
pub mod list_trails;
pub mod start_logging;
pub mod stop_logging;
pub mod update_trail;
