//! The integration tests, one binary: every server is a real one on a port of its own, with a temporary data folder, a
//! clock that stands still and ids that count up.

mod auth;
mod buckets;
mod catalog;
mod console;
mod corrections;
mod delivery;
mod digest;
mod docs;
mod elements;
mod export;
mod house;
mod identify;
mod intake;
mod operate;
mod outbound;
mod plans;
mod process;
mod proxy;
mod store;
mod support;
mod transport;
mod views;
mod wire;
mod writer;
