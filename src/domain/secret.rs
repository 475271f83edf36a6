//! Secrets, in a form that shows itself to nobody.

use std::fmt;
use subtle::ConstantTimeEq;

/// A secret key or a token.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret as it stands in a file or variable: blanks and line ends around it do not belong to it.
    pub fn new(text: &str) -> Option<Secret> {
        let text = text.trim();
        (!text.is_empty()).then(|| Secret(text.to_owned()))
    }

    /// Whether `other` is the same. It takes as long whatever differs.
    pub fn is(&self, other: &str) -> bool {
        is_same(&self.0, other)
    }

    /// The secret itself. Not to be logged, stored or sent.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Whether two texts are the same; it takes as long whatever differs, but for their lengths.
pub fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::new(" hidden\n").unwrap();
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
        assert!(secret.is("hidden") && !secret.is("hiddem") && !secret.is("hidden ") && !secret.is(""));
        assert!(Secret::new(" \n").is_none());
    }
}
