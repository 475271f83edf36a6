//! Contrail is AWS CloudTrail for a sandbox: one binary on one SQLite file.
//!
//! The map of the house. Modules are floors; imports only point down (`tests/it/house.rs` checks it).
//!
//! | floor | rooms | what happens there |
//! |--|--|--|
//! | 6 | [`server`], [`cli`] | wiring, the life of the process, commands |
//! | 5 | [`http`] | the doors: the AWS API and `/_contrail` |
//! | 4 | [`api`] | CloudTrail's operations, who asks, limits |
//! | 3 | [`recorder`] | records of calls, intake from outside, the writer, retention |
//! | 2 | [`store`] | all SQL |
//! | 1 | [`domain`] | names, ARNs, tokens, records: pure |
//! | 0 | [`error`], [`clock`], [`config`], [`metrics`] | what everything may use |
//!
//! Two walks through it:
//! * A call: `http::aws_json` → `api::caller` → `api` (limit, parse, operation, record) → `store`.
//! * A record from outside: `http::events` or `cli::import` → `recorder::intake` → `recorder::writer` → `store`.

#![warn(clippy::unwrap_used)]

pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod http;
pub mod metrics;
pub mod recorder;
pub mod server;
pub mod store;
