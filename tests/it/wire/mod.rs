//! What clients see on the wire, a file for each operation and door.

mod create_trail;
