//! CloudTrail's values as types that cannot be wrong, and the event record. Pure: no clock, no database, no HTTP.
//!
//! A `parse` function names its own error code, so an operation reads as a list of parses.

pub mod account_id;
pub mod aggregation;
pub mod arn;
pub mod bucket_name;
pub mod caller;
pub mod category;
pub mod cloud_watch_logs;
pub mod digest;
pub mod event;
pub mod event_facts;
pub mod event_filter;
pub mod event_kind;
pub mod global_services;
pub mod identity;
pub mod insight_selectors;
pub mod key_prefix;
pub mod kms_key;
pub mod learned;
pub mod lookup;
pub mod object_key;
pub mod page_token;
pub mod policy;
pub mod record;
pub(crate) mod record_fields;
pub mod region;
pub mod resources;
pub mod routing;
pub mod secret;
pub mod selector_fields;
pub mod selectors;
pub mod sns_topic;
pub mod source_ip;
pub mod tags;
pub mod text;
mod text_value;
pub mod timestamp;
pub mod tls;
pub mod trail_name;
pub mod trail_ref;
