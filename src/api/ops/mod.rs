//! The operations, one file each.

pub mod create_trail;
pub mod delete_trail;
pub mod describe_trails;
pub mod get_trail_status;
pub mod list_public_keys;
pub mod lookup_events;
pub mod start_logging;
pub mod stop_logging;
pub mod update_trail;
