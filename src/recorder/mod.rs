//! Records: built from calls ([`own_call`], [`forwarded_call`]), read from outside ([`intake`]), stored in batches
//! ([`writer`]), read again when more is known ([`corrections`]), removed when they are too old ([`retention`]). Knows
//! nothing of CloudTrail's operations, and of HTTP only what a call looked like.

mod additional_data;
pub mod arrivals;
pub mod bucket_regions;
mod call;
mod call_resources;
mod cbor;
pub mod commit;
mod content;
pub mod corrections;
mod deleted_objects;
mod elements;
pub mod exchange;
pub mod forwarded_call;
pub mod forwarded_calls;
mod gathered;
pub mod handed_over;
pub mod intake;
mod learning;
mod omitted;
pub mod other_json;
pub mod own_call;
pub mod reply;
pub mod reset;
pub mod retention;
pub mod splitter;
pub mod unpack;
pub mod writer;
