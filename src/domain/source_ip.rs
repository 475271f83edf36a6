//! From where a call comes, when proxies stand in between.

use std::net::IpAddr;

/// The address of the caller: the peer's, or the one that the nearest trusted proxies name. `forwarded_for` are the values of
/// `X-Forwarded-For` in their order, to whose ends each proxy adds the address that it has the call from: only what a
/// trusted proxy has added is believed.
pub fn source_ip<'a>(
    peer: IpAddr,
    forwarded_for: impl IntoIterator<Item = &'a [u8]>,
    trusted: &[IpAddr],
) -> IpAddr {
    let mut at = peer.to_canonical();
    if !trusted.contains(&at) {
        return at;
    }
    let values = forwarded_for.into_iter().filter_map(|value| std::str::from_utf8(value).ok());
    let named: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    for name in named.iter().rev() {
        match name.parse::<IpAddr>() {
            Ok(before) if trusted.contains(&at) => at = before.to_canonical(),
            _ => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_trusted_proxy_has_added_is_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let from = |peer: &str, values: &[&str], trusted: &[&str]| {
            let trusted: Vec<_> = trusted.iter().map(|proxy| ip(proxy)).collect();
            source_ip(ip(peer), values.iter().map(|value| value.as_bytes()), &trusted)
        };
        let told = ["203.0.113.9, 192.0.2.7"];
        assert_eq!(from("10.0.0.1", &told, &[]), ip("10.0.0.1"));
        assert_eq!(from("10.0.0.1", &told, &["10.0.0.1"]), ip("192.0.2.7"));
        assert_eq!(from("::ffff:10.0.0.1", &told, &["10.0.0.1"]), ip("192.0.2.7"));
        assert_eq!(from("10.0.0.1", &told, &["10.0.0.1", "192.0.2.7"]), ip("203.0.113.9"));
        assert_eq!(
            from("10.0.0.1", &["203.0.113.9", "192.0.2.7"], &["10.0.0.1", "192.0.2.7"]),
            ip("203.0.113.9")
        );
        assert_eq!(from("10.0.0.1", &["203.0.113.9, nobody"], &["10.0.0.1"]), ip("10.0.0.1"));
        assert_eq!(from("10.0.0.2", &told, &["10.0.0.1"]), ip("10.0.0.2"), "another proxy");
    }
}
