//! Contrail is AWS CloudTrail for a sandbox: one binary on one SQLite file.
//!
//! The map of the house. Modules are floors; imports only point down (`tests/it/house.rs` checks it).
//!
//! | floor | rooms | what happens there |
//! |--|--|--|
//! | 10 | [`cli`] | commands |
//! | 9 | [`server`] | wiring, the life of the process |
//! | 8 | [`http`], [`proxy`] | the doors: the AWS API and `/_contrail`; calls forwarded to an emulator |
//! | 7 | [`console`] | reading the event history: for programs, and for the web page |
//! | 6 | [`workers`], [`guard`], [`transport`] | the work in the background; tokens, and web pages of other origins; connections and TLS |
//! | 5 | [`api`], [`delivery`] | CloudTrail's operations and limits; what trails deliver, digests of it included |
//! | 4 | [`recorder`], [`outbound`], [`digest_keys`], [`auth`] | records of calls, intake, the writer; clients of S3, SNS, Logs; keys that sign digests; whether a caller's key and signature are right |
//! | 3 | [`store`], [`buckets`], [`callers`] | all SQL on `contrail.db`; the embedded bucket store, on `buckets.db`; whose an access key is |
//! | 2 | [`config`], [`aws`], [`database_file`] | settings; a request read once: signature, host, operation, and the catalog of operations; copying and examining an SQLite file |
//! | 1 | [`domain`] | accounts, regions, names, ARNs, tokens, records, which trails take an event: pure |
//! | 0 | [`error`], [`clock`], [`metrics`], [`private_files`] | what everything may use |
//!
//! Five walks through it:
//! * A call: `transport` → `http::aws_json` → `auth` → `callers` → `api` (limit, parse, the caller's policy,
//!   operation, record) → `store`.
//! * A record from outside: `http::events` or `cli::import` → `recorder::intake` → `domain::event` (what the record does
//!   not say, `aws::catalog` knows; what lookups list, `domain::resources`) → `recorder::writer` → `store`.
//! * A forwarded call: `transport` → `proxy` (`aws::request`; where it is asked `auth`, `aws::identify` and the caller's
//!   policy) → the upstream and back → `recorder::forwarded_calls` → `recorder::forwarded_call` (`aws::identify`, unless that
//!   was asked before) → `recorder::writer`.
//! * A question about the history: `console` (parameters, a session with a time limit) → `store::console`.
//! * A delivery: as a call arrives it takes `store::Store::logging_trails` with it → `domain::routing` says which of them
//!   take its event → `recorder::writer` stores it with what is pending (`store::destinations`) → `workers` →
//!   `delivery` claims the destinations that are ready (`serving`) and serves each (`engine`, a file a kind) → `outbound`.

#![warn(clippy::unwrap_used)]

pub mod api;
pub mod auth;
pub mod aws;
pub mod buckets;
pub mod callers;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod database_file;
pub mod delivery;
pub mod digest_keys;
pub mod domain;
pub mod error;
pub mod guard;
pub mod http;
pub mod metrics;
pub mod outbound;
pub mod private_files;
pub mod proxy;
pub mod recorder;
pub mod server;
pub mod store;
pub mod transport;
pub mod workers;
