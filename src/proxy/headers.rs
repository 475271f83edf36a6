//! Headers that belong to one connection (RFC 9110 §7.6.1), and all others, which go on as they came.

use http::header::{CONNECTION, HeaderMap, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderName, HeaderValue};

/// The headers that are about the call: as they came, in their order. `Transfer-Encoding` is among them; what it says is
/// true of the next connection, too.
pub(super) fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if !is_of_connection(name, headers) {
            kept.append(name, value.clone());
        }
    }
    kept
}

fn is_of_connection(name: &HeaderName, headers: &HeaderMap) -> bool {
    let is_named = || tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case(name.as_str()));
    match name.as_str() {
        "connection" | "keep-alive" | "proxy-connection" | "upgrade" | "http2-settings" => true,
        // A sender that takes these for its connection's does not mean it.
        "content-length" | "host" | "authorization" => false,
        _ => *name != TRANSFER_ENCODING && is_named(),
    }
}

/// Whether the connection ends with this message.
pub(super) fn closes(headers: &HeaderMap) -> bool {
    tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("close"))
}

/// The protocol that the connection is to change to. HTTP/2 is only an offer, which may be left unanswered.
pub(super) fn other_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"));
    let protocol = headers.get(UPGRADE).filter(|_| asks)?;
    (!protocol.as_bytes().eq_ignore_ascii_case(b"h2c")).then(|| protocol.clone())
}

/// Adds what asks for another protocol, or grants it.
pub(super) fn set_other_protocol(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, protocol);
}

fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}
