//! What clients see on the wire, a file for each operation and door.

mod add_tags;
mod addressing;
mod create_trail;
mod create_trail_settings;
mod delete_trail;
mod describe_trails;
mod door;
mod get_event_selectors;
mod get_trail;
mod get_trail_status;
mod limits;
mod list_tags;
mod list_trails;
mod lookup_events;
mod operations;
mod own_records;
mod paging;
mod preflight;
mod put_event_selectors;
mod regions;
mod remove_tags;
mod start_logging;
mod stop_logging;
mod update_trail;
