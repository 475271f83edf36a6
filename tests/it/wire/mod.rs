//! What clients see on the wire, a file for each operation and door.

mod create_trail;
mod door;
mod limits;
mod lookup_events;
mod operations;
mod paging;
