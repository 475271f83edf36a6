//! What a caller begins with, seen before anything is read from its connection.

use actix_web::rt::net::TcpStream;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a caller may say nothing before its connection is served all the same, by what bounds silence there.
const SILENCE: Duration = Duration::from_secs(10);

/// The pause before more of a greeting is looked for: bytes that were peeked at once do not wake the task again.
const PAUSE: Duration = Duration::from_millis(2);

/// The first byte of a TLS connection: a handshake record.
const HANDSHAKE_RECORD: u8 = 22;

/// How HTTP/2 begins where it is known that the other side speaks it (RFC 9113 §3.4). No method of HTTP/1.1 is `PRI`.
const PREFACE: &[u8] = b"PRI ";

/// The protocol that a caller's first bytes are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    /// HTTP/1.1 and older, or nothing yet.
    Http1,
    /// HTTP/2 without TLS.
    Http2,
    /// TLS, or nothing that is known.
    Other,
}

impl Greeting {
    /// What the caller begins with; nothing of it is read.
    pub(super) async fn of(stream: &TcpStream) -> Greeting {
        let deadline = Instant::now() + SILENCE;
        let mut bytes = [0; PREFACE.len()];
        loop {
            let Ok(Ok(count)) = timeout_at(deadline, stream.peek(&mut bytes)).await else {
                return Greeting::Http1;
            };
            let begun = &bytes[..count];
            if begun == PREFACE {
                return Greeting::Http2;
            }
            if begun.is_empty() || !PREFACE.starts_with(begun) || Instant::now() >= deadline {
                return Greeting::of_others(begun);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn of_others(begun: &[u8]) -> Greeting {
        match begun.first() {
            Some(&HANDSHAKE_RECORD) => Greeting::Other,
            Some(first) if !first.is_ascii_alphabetic() => Greeting::Other,
            _ => Greeting::Http1,
        }
    }
}
