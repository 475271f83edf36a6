//! What a request says, read once: who has signed it ([`signature`]), where it goes ([`host`]), which operation it is for
//! ([`identify`], by the [`catalog`]), what it speaks ([`protocol`]). Everybody who judges, forwards or records a call asks this one reading.
//!
//! Pure: it knows headers and bytes, and neither the server that has read them nor what becomes of the call.

pub mod catalog;
pub mod form;
pub mod form_members;
pub mod headers;
pub mod host;
pub mod identify;
pub mod pairs;
pub mod protocol;
pub mod request;
pub mod signature;
pub mod typed;
