//! What clients see on the wire, a file for each operation and door.

mod addressing;
mod create_trail;
mod create_trail_settings;
mod delete_trail;
mod describe_trails;
mod door;
mod get_trail_status;
mod limits;
mod lookup_events;
mod operations;
mod own_records;
mod paging;
mod preflight;
mod regions;
mod start_logging;
mod stop_logging;
mod update_trail;
