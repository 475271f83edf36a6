//! `NextToken`: a position in a list, sealed together with everything that the list depends on.
//!
//! A token is 128 bits of an HMAC over the [`TokenScope`] and the position, and the position itself (what names the last
//! entry of the page), in URL-safe Base64. Not one bit of it can be changed unnoticed: what Base64 leaves over at its end
//! must be zero.

use crate::domain::text::hex;
use crate::error::{ApiResult, Code};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const MAC_BYTES: usize = 16;

/// The secret that seals tokens. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenKey([u8; 32]);

impl TokenKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> TokenKey {
        TokenKey(bytes)
    }

    /// Reads a key as [`TokenKey::to_hex`] writes it; `None` for every other text.
    pub fn from_hex(text: &str) -> Option<TokenKey> {
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(TokenKey(bytes))
    }

    /// 64 hexadecimal digits: how the key is stored.
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(…)")
    }
}

/// What a token is bound to: a call with any other scope does not accept it.
#[derive(Debug, Clone, Default)]
pub struct TokenScope(Vec<u8>);

impl TokenScope {
    /// A scope for one kind of list.
    pub fn new(list: &str) -> TokenScope {
        TokenScope::default().with(Some(list))
    }

    /// Adds a value; an absent one differs from an empty one, and neighbours cannot run into each other.
    #[must_use]
    pub fn with(mut self, value: Option<&str>) -> TokenScope {
        match value {
            None => self.0.push(0),
            Some(text) => {
                self.0.push(1);
                self.0.extend_from_slice(&(text.len() as u64).to_be_bytes());
                self.0.extend_from_slice(text.as_bytes());
            }
        }
        self
    }
}

/// What names the last entry of a page.
pub trait Position: Sized {
    /// The position as bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads what [`Position::to_bytes`] wrote.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Position for i64 {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<i64> {
        Some(i64::from_be_bytes(bytes.try_into().ok()?))
    }
}

impl Position for String {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<String> {
        String::from_utf8(bytes.to_vec()).ok()
    }
}

fn mac(key: &TokenKey, scope: &TokenScope, position: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.0).expect("HMAC takes keys of any length");
    mac.update(&(scope.0.len() as u64).to_be_bytes());
    mac.update(&scope.0);
    mac.update(position);
    mac
}

/// The token for going on behind `position`.
pub fn seal(key: &TokenKey, scope: &TokenScope, position: &impl Position) -> String {
    let position = position.to_bytes();
    let mut bytes = mac(key, scope, &position).finalize().into_bytes()[..MAC_BYTES].to_vec();
    bytes.extend_from_slice(&position);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position in a token that was sealed with the same key for the same scope.
///
/// # Errors
/// `InvalidNextTokenException` for every other text.
pub fn open<P: Position>(key: &TokenKey, scope: &TokenScope, token: &str) -> ApiResult<P> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (seal, position) = bytes.split_at_checked(MAC_BYTES)?;
        mac(key, scope, position).verify_truncated_left(seal).ok()?;
        P::from_bytes(position)
    };
    read().ok_or_else(|| Code::InvalidNextTokenException.because("Invalid NextToken."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scope(account: &str, name: Option<&str>) -> TokenScope {
        TokenScope::new("events").with(Some(account)).with(name)
    }

    fn sevens() -> TokenKey {
        TokenKey::new([7; 32])
    }

    #[test]
    fn a_key_is_read_as_it_is_written_and_never_shown() {
        let key = sevens();
        assert_eq!(TokenKey::from_hex(&key.to_hex()), Some(key.clone()));
        assert_eq!(format!("{key:?}"), "TokenKey(…)");
        for damaged in ["", "07", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(TokenKey::from_hex(damaged), None, "{damaged}");
        }
    }

    proptest! {
        #[test]
        fn a_token_opens_with_what_it_was_sealed_for(position in any::<i64>(), bytes in any::<[u8; 32]>()) {
            let key = TokenKey::new(bytes);
            let token = seal(&key, &scope("1", None), &position);
            prop_assert_eq!(open::<i64>(&key, &scope("1", None), &token).unwrap(), position);
            prop_assert!(open::<i64>(&key, &scope("2", None), &token).is_err());
            prop_assert!(open::<i64>(&key, &scope("1", Some("")), &token).is_err());
            prop_assert!(open::<i64>(&key, &TokenScope::new("events").with(Some("1")), &token).is_err());
            let mut other = bytes;
            other[0] ^= 1;
            prop_assert!(open::<i64>(&TokenKey::new(other), &scope("1", None), &token).is_err());
        }

        #[test]
        fn one_changed_bit_makes_it_void(position in "[a-z/]{0,9}", at in any::<prop::sample::Index>(), bit in 0u8..7) {
            let key = sevens();
            let token = seal(&key, &scope("1", None), &position);
            prop_assert_eq!(open::<String>(&key, &scope("1", None), &token).unwrap(), position);
            let mut bytes = token.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(bytes) {
                prop_assert!(open::<String>(&key, &scope("1", None), &changed).is_err());
            }
        }

        #[test]
        fn garbage_is_refused(text in ".{0,64}") {
            prop_assert!(open::<i64>(&sevens(), &scope("1", None), &text).is_err());
        }
    }

    #[test]
    fn neighbours_do_not_run_into_each_other() {
        let token = seal(&sevens(), &TokenScope::new("l").with(Some("ab")).with(Some("c")), &1);
        assert!(
            open::<i64>(&sevens(), &TokenScope::new("l").with(Some("a")).with(Some("bc")), &token).is_err()
        );
    }
}
