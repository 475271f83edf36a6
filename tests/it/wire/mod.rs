//! What clients see on the wire, a file for each operation and door.

mod create_trail;
mod delete_trail;
mod describe_trails;
mod door;
mod get_trail_status;
mod limits;
mod lookup_events;
mod operations;
mod own_records;
mod paging;
mod regions;
mod update_trail;
