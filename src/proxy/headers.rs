//! Headers that belong to one connection (RFC 9110 §7.6.1), and all others, which go on as they came.

use http::header::{CONNECTION, CONTENT_SECURITY_POLICY, HeaderMap, TRANSFER_ENCODING, UPGRADE};
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

/// The protocol that the connection is to change to. HTTP/2 is only an offer, which may be left unanswered, and with it what
/// is offered beside it.
pub(super) fn other_protocol(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = tokens(headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"));
    let has_http2 = tokens(headers, &UPGRADE).any(|token| token.to_ascii_lowercase().starts_with("h2"));
    let mut protocols = headers.get_all(UPGRADE).into_iter();
    match (protocols.next(), protocols.next()) {
        (Some(protocol), None) if asks && !has_http2 => Some(protocol.clone()),
        _ => None,
    }
}

/// What a browser asks with before it asks, and nothing else.
pub(super) fn of_preflight(headers: &HeaderMap) -> HeaderMap {
    let is_kept = |name: &HeaderName| {
        name.as_str().starts_with("access-control-request-")
            || matches!(name.as_str(), "host" | "origin" | "user-agent" | "accept")
    };
    let kept = headers.iter().filter(|(name, _)| is_kept(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Tells a browser that a page of the emulator's is none of this server's, whose host it shares: it may run, and has no part
/// in the console. What the page says of itself counts as well.
pub(super) fn sandbox(headers: &mut HeaderMap) {
    let rules = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts";
    headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(rules));
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
