//! Contrail is AWS CloudTrail for a sandbox: one binary on one SQLite file.
//!
//! The map of the house. Modules are floors; imports only point down (`tests/it/house.rs` checks it).
//!
//! | floor | rooms | what happens there |
//! |--|--|--|
//! | 7 | [`server`], [`cli`] | wiring, the life of the process, commands |
//! | 6 | [`http`], [`proxy`] | the doors: the AWS API and `/_contrail`; calls forwarded to an emulator |
//! | 5 | [`workers`] | the work in the background, one step at a time |
//! | 4 | [`api`], [`delivery`], [`digest`] | CloudTrail's operations, who asks, limits; what trails deliver; digests of it |
//! | 3 | [`recorder`], [`outbound`] | records of calls, intake from outside, the writer, retention; clients of S3, SNS, Logs |
//! | 2 | [`store`], [`buckets`] | all SQL on `contrail.db`; the bucket store inside, on `buckets.db` |
//! | 1 | [`domain`] | names, ARNs, tokens, records: pure |
//! | 0 | [`error`], [`clock`], [`config`], [`metrics`] | what everything may use |
//!
//! Four walks through it:
//! * A call: `http::aws_json` → `api::caller` → `api` (limit, parse, operation, record) → `store`.
//! * A record from outside: `http::events` or `cli::import` → `recorder::intake` → `recorder::writer` → `store`.
//! * A forwarded call: `proxy` → the upstream and back → `recorder::forwarded_calls` → `recorder::forwarded_call`
//!   (`identify`, `catalog`, `reply`) → `recorder::writer`.
//! * A delivery: `recorder::writer` notes what is pending → `workers` → `delivery` (files, announcements, streams) →
//!   `outbound` → `digest`.

#![warn(clippy::unwrap_used)]

pub mod api;
pub mod buckets;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod digest;
pub mod domain;
pub mod error;
pub mod http;
pub mod metrics;
pub mod outbound;
pub mod proxy;
pub mod recorder;
pub mod server;
pub mod store;
pub mod workers;
