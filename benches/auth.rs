//! Who may call: microseconds of CPU for a call whose signature is checked, by the size of its body, beside the hash of its
//! body alone; and for what a policy says.
//!
//! `cargo bench --bench auth [-- CALLS]`
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
#![expect(dead_code, reason = "the other benchmarks use more of what they share")]

mod support;

use contrail::auth::{Auth, Payload, SignedService};
use contrail::aws::request::Request;
use contrail::callers::Callers;
use contrail::clock::Clock;
use contrail::config::{AuthMode, Settings};
use contrail::domain::caller::{Origin, Signer};
use contrail::domain::policy::Target;
use contrail::domain::region::Region;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use support::line;

const TIME: &str = "20261122T053000Z";
const SCOPE: &str = "20261122/us-east-1/cloudtrail/aws4_request";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The `Authorization` header of a call with these headers and this body.
fn signature(headers: &[(&str, &str)], body: &[u8]) -> String {
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", hex(&Sha256::digest(body)));
    let signed = format!("AWS4-HMAC-SHA256\n{TIME}\n{SCOPE}\n{}", hex(&Sha256::digest(canonical)));
    let start = format!("AWS4{SECRET}").into_bytes();
    let key = SCOPE.split('/').fold(start, |key, part| hmac(&key, part));
    let signature = hex(&hmac(&key, &signed));
    format!("AWS4-HMAC-SHA256 Credential=AKIAANA/{SCOPE}, SignedHeaders={names}, Signature={signature}")
}

/// Microseconds for each of `calls`.
fn micros(calls: usize, mut call: impl FnMut()) -> f64 {
    let began = Instant::now();
    (0..calls).for_each(|_| call());
    began.elapsed().as_secs_f64() * 1e6 / calls as f64
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let calls = support::events(20_000);
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let secret = write("secret", SECRET);
    let policy = write(
        "policy",
        r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["s3:*", "sqs:*", "sns:*"], "Resource": "*"},
            {"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "arn:aws:cloudtrail:*:*:trail/${aws:username}-*"},
            {"Effect": "Deny", "Action": "cloudtrail:Delete*", "Resource": "*",
             "Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]}"#,
    );
    let mut settings = Settings::builtin(vec![
        ("auth.mode", "signed".into()),
        ("identities[0].access_key", "AKIAANA".into()),
        ("identities[0].account", "111122223333".into()),
        ("identities[0].user", "ana".into()),
        ("identities[0].secret_file", secret),
        ("identities[0].policy_file", policy),
    ])
    .expect("good settings");
    let callers = Arc::new(Callers::open(&settings).expect("good policies"));
    let clock = Clock::manual("2026-11-22T05:30:00Z".parse().expect("a time"));
    let signed = Auth::open(&settings, Arc::clone(&callers), clock.clone()).await.expect("good secrets");
    settings.auth.mode = AuthMode::Off;
    let off = Auth::open(&settings, Arc::clone(&callers), clock.clone()).await.expect("good secrets");
    println!("\n{calls} calls\n");
    line(&["body", "signed, us", "off, us", "hash alone, us"]);
    for size in [2, 60, 2_000, 100_000, 1_000_000] {
        let body = vec![b' '; size];
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("host", "localhost:4700"),
            ("x-amz-date", TIME),
            ("x-amz-target", "CloudTrail_20131101.LookupEvents"),
        ];
        let authorization = signature(&headers, &body);
        let unsigned = [("user-agent", "bench"), ("authorization", authorization.as_str())];
        let all: Vec<_> =
            headers.iter().chain(&unsigned).map(|(name, value)| (*name, value.as_bytes())).collect();
        let calls = if size > 10_000 { calls / 20 } else { calls };
        let check = |auth: &Auth| {
            // What is read of a request is read once.
            let request = Request::new(http::Method::POST, "/", all.clone());
            let checked = auth.check(&request, SignedService::CLOUDTRAIL, Payload::Body(&body));
            black_box(checked.expect("rightly signed"));
        };
        line(&[
            &size.to_string(),
            &format!("{:.1}", micros(calls, || check(&signed))),
            &format!("{:.1}", micros(calls, || check(&off))),
            &format!("{:.1}", micros(calls, || _ = black_box(Sha256::digest(&body)))),
        ]);
    }
    let signer = Signer { access_key: "AKIAANA".into(), region: Region::us_east_1() };
    let origin = Origin { source_ip: "10.0.0.7".into(), ..Origin::default() };
    let caller = callers.caller(Some(signer), origin);
    let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/ana-demo";
    let decide = || {
        let allowed = caller.authorize("cloudtrail:GetTrailStatus", Target::Arn(arn), clock.now());
        black_box(&allowed).as_ref().expect("allowed");
    };
    println!("\na policy of three statements: {:.1} us", micros(calls, decide));
}
