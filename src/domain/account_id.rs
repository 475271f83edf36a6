//! An AWS account.

use crate::domain::text_value::text_value;

text_value! {
    /// The id of an AWS account: 12 digits, kept as text because it may begin with zeros.
    pub struct AccountId(is_account_id);
    /// What was given is no account id.
    pub struct NotAnAccountId("{:?} is not 12 digits");
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
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
