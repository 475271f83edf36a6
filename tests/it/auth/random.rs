//! Requests at random: what is signed rightly is accepted, and with one byte altered refused; and nothing that is sent as a
//! signature makes the server panic.

use super::{ANA, CI, file};
use crate::support::signer::{Key, Request, encoded, sha256};
use crate::support::start_of_time;
use contrail::auth::{Auth, Payload, SignedService};
use contrail::aws::request::Request as Head;
use contrail::callers::Callers;
use contrail::clock::Clock;
use contrail::config::Settings;
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

static AUTH: LazyLock<Auth> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let profile = |key: &Key| {
        let token = key.token.map(|token| format!("aws_session_token = {token}\n")).unwrap_or_default();
        format!("[{0}]\naws_access_key_id = {0}\naws_secret_access_key = {1}\n{token}", key.id, key.secret)
    };
    let path = file(folder.path(), "credentials", &(profile(&ANA) + &profile(&CI)));
    let settings =
        Settings::builtin(vec![("auth.mode", "signed".into()), ("auth.credentials_file", path)]).unwrap();
    let callers = Arc::new(Callers::open(&settings).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Auth::open(&settings, callers, Clock::manual(start_of_time()))).unwrap()
});

/// Whether a request is let in.
fn head<'a>(target: &str, headers: Vec<(&'a str, &'a [u8])>) -> Head<Vec<(&'a str, &'a [u8])>> {
    Head::new(http::Method::POST, target, headers)
}

fn is_in(request: &Request) -> bool {
    let lines = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
    let head = head(&format!("{}?{}", request.path, request.query), lines.collect());
    let payload = if request.service == "s3" { Payload::Declared } else { Payload::Body(&request.body) };
    AUTH.check(&head, SignedService(&request.service), payload).is_ok()
}

fn requests() -> impl Strategy<Value = Request> {
    let parts = prop::collection::vec("\\PC{0,8}", 0..4);
    let pairs = prop::collection::vec(("[a-z]{1,6}", "\\PC{0,8}"), 0..4);
    let headers = prop::collection::vec(("[a-z]{1,6}", "[ -~]{0,20}"), 0..4);
    let bodies = prop::collection::vec(any::<u8>(), 0..60);
    let services = prop::sample::select(vec!["cloudtrail", "s3", "sts", "lambda"]);
    let keys = (any::<bool>(), any::<bool>(), -4i64..=4);
    (parts, pairs, headers, bodies, services, keys).prop_map(
        |(parts, pairs, headers, body, service, (is_ana, is_presigned, minutes))| {
            let path: String = parts.iter().map(|part| format!("/{}", encoded(part.as_bytes()))).collect();
            let path = if path.is_empty() { "/".to_owned() } else { path };
            let mut request = Request::new(service, "POST", &path, "localhost:4700", super::minutes(minutes));
            let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value.as_bytes())));
            request.query = pairs.collect::<Vec<_>>().join("&");
            for (name, value) in headers {
                request.add(&format!("x-amz-meta-{name}"), value);
            }
            request.body = body;
            if service == "s3" {
                let hash = sha256(&request.body);
                request.set("x-amz-content-sha256", hash);
            }
            let key = if is_ana { ANA } else { CI };
            if is_presigned {
                request.presign(&key, 600)
            } else {
                request.sign(&key)
            }
            request
        },
    )
}

/// Puts another byte in place of one, of those that may stand there.
fn alter(bytes: &mut [u8], at: prop::sample::Index, other: u8) -> bool {
    if bytes.is_empty() {
        return false;
    }
    let at = at.index(bytes.len());
    let before = bytes[at];
    // Blanks count only between words, and what is behind a % is part of another byte.
    let stays = before == b' ' || other == b' ' || bytes[..at].iter().rev().take(2).any(|byte| *byte == b'%');
    let is_plain = before.is_ascii_alphanumeric() && !before.eq_ignore_ascii_case(&other);
    if stays || !is_plain {
        return false;
    }
    bytes[at] = other;
    true
}

proptest! {
    #[test]
    fn what_is_signed_rightly_is_accepted_and_with_one_byte_altered_refused(
        request in requests(),
        place in 0usize..4,
        header in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        other in "[a-zA-Z0-9]",
    ) {
        prop_assert!(is_in(&request), "{request:?}");
        let mut altered = request;
        let other = other.as_bytes()[0];
        let has_changed = match place {
            0 => {
                let mut path = altered.path.clone().into_bytes();
                let has_changed = alter(&mut path, at, other);
                altered.path = String::from_utf8(path).unwrap();
                has_changed
            }
            1 => {
                let mut query = altered.query.clone().into_bytes();
                let has_changed = alter(&mut query, at, other);
                altered.query = String::from_utf8(query).unwrap();
                has_changed
            }
            2 => {
                let header = header.index(altered.headers.len());
                alter(&mut altered.headers[header].1, at, other)
            }
            // S3's bodies are checked as they come.
            _ => altered.service != "s3" && alter(&mut altered.body, at, other),
        };
        if has_changed {
            prop_assert!(!is_in(&altered), "{altered:?}");
        }
    }

    #[test]
    fn nothing_that_is_sent_as_a_signature_makes_it_panic(
        authorization in "(AWS4-HMAC-SHA256|AWS4-ECDSA|AWS|)[ ]?(Credential=)?\\PC{0,60}(, SignedHeaders=)?\\PC{0,30}(, Signature=)?\\PC{0,30}",
        query in "(X-Amz-(Algorithm|Credential|Signature|Expires|Date)=[%a-zA-Z0-9/-]{0,20}&?){0,6}",
        date in "\\PC{0,20}",
        path in "\\PC{0,20}",
        header in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let headers = [
            ("host", "localhost".as_bytes()),
            ("authorization", authorization.as_bytes()),
            ("x-amz-date", date.as_bytes()),
            ("x-amz-meta", header.as_slice()),
        ];
        for (query, skipped) in [("", ""), (query.as_str(), "authorization")] {
            let headers = headers.iter().filter(|(name, _)| *name != skipped).copied().collect();
            let head = head(&format!("{path}?{query}"), headers);
            prop_assert!(AUTH.check(&head, SignedService::CLOUDTRAIL, Payload::Body(b"")).is_err());
        }
    }

    #[test]
    fn no_signed_header_makes_it_panic(value in prop::collection::vec(any::<u8>(), 0..20), path in "/\\PC{0,20}") {
        let mut request = Request::new("s3", "GET", &path, "localhost:4700", start_of_time());
        request.add("x-amz-meta", value);
        request.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        request.sign(&ANA);
        is_in(&request);
    }
}
