//! What a record of a forwarded call costs: to find out which call it is, and to build the record from what was asked and
//! answered.
//!
//! `cargo bench --bench recording [-- ROUNDS]`. The calls are those of the test in `tests/it/elements`.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(dead_code, reason = "the other benchmarks use more of what they share")]

#[path = "../tests/it/elements/calls.rs"]
mod calls;
mod support;

use calls::{Call, calls, in_cbor, recorder, unread};
use contrail::aws::identify::Finding;
use contrail::recorder::exchange::Exchange;
use contrail::recorder::forwarded_call::Recorded;
use std::hint::black_box;
use std::time::{Duration, Instant};
use support::line;

fn main() {
    let (rounds, recorder) = (support::events(300), recorder());
    let protocol = |call: &Call| match unread(&call.exchange).finding(&recorder.identifier) {
        Finding::Call(call) => format!("{:?}", call.protocol),
        other => panic!("{}: {other:?}", call.title),
    };
    let all = calls();
    let mut by_protocol: Vec<(String, Vec<Exchange>)> = Vec::new();
    for call in all {
        let protocol = protocol(&call);
        if protocol == "Json" {
            add(&mut by_protocol, "Cbor", in_cbor(&call.exchange));
        }
        add(&mut by_protocol, &protocol, call.exchange);
    }
    println!();
    line(&["protocol", "calls", "bytes/call", "us to identify", "us in all"]);
    for (protocol, exchanges) in &by_protocol {
        let bytes: usize = exchanges.iter().map(Exchange::kept_bytes).sum();
        let first = each(exchanges, rounds, |exchange| {
            matches!(exchange.finding(&recorder.identifier), Finding::Call(_))
        });
        let whole =
            each(exchanges, rounds, |exchange| matches!(recorder.record(exchange), Recorded::Events(_)));
        line(&[
            protocol,
            &exchanges.len().to_string(),
            &(bytes / exchanges.len()).to_string(),
            &format!("{first:.1}"),
            &format!("{whole:.1}"),
        ]);
    }
}

fn add(by_protocol: &mut Vec<(String, Vec<Exchange>)>, protocol: &str, exchange: Exchange) {
    match by_protocol.iter_mut().find(|(name, _)| name == protocol) {
        Some((_, exchanges)) => exchanges.push(exchange),
        None => by_protocol.push((protocol.to_owned(), vec![exchange])),
    }
}

/// Microseconds per call.
fn each(exchanges: &[Exchange], rounds: usize, done: impl Fn(&Exchange) -> bool) -> f64 {
    // Tables of services are read when they are asked for.
    assert!(exchanges.iter().all(&done), "not a call");
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        // What is read of an exchange is read once, and goes with it when it is recorded, as in the server.
        let unread: Vec<_> = exchanges.iter().map(unread).collect();
        let began = Instant::now();
        for exchange in unread {
            black_box(done(black_box(&exchange)));
        }
        spent += began.elapsed();
    }
    spent.as_secs_f64() * 1e6 / (rounds * exchanges.len()) as f64
}
