//! An AWS account.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

/// The id of an AWS account: 12 digits, kept as text because it may begin with zeros.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AccountId(String);

/// What was given is no account id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not 12 digits")]
pub struct NotAnAccountId(String);

impl AccountId {
    /// Reads an account id; `None` for everything but 12 digits.
    pub fn parse(text: &str) -> Option<AccountId> {
        AccountId::is(text).then(|| AccountId(text.to_owned()))
    }

    /// Whether `text` is an account id.
    pub fn is(text: &str) -> bool {
        text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
    }

    /// The 12 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccountId {
    type Error = NotAnAccountId;
    fn try_from(text: String) -> Result<AccountId, NotAnAccountId> {
        if AccountId::is(&text) { Ok(AccountId(text)) } else { Err(NotAnAccountId(text)) }
    }
}

impl Deref for AccountId {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for AccountId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for AccountId {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for AccountId {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twelve_digits_are_an_account() {
        assert_eq!(AccountId::parse("000000000012").unwrap(), "000000000012");
        for other in ["", "12", "0000000000123", "abcdefghijkl", "00000000001٢", "00000000001 "] {
            assert_eq!(AccountId::parse(other), None, "{other:?}");
            assert!(serde_json::from_value::<AccountId>(other.into()).is_err(), "{other:?}");
        }
    }
}
