//! Texts that keep a rule: checked once, when they are made, and passed on as a type of their own.

/// Declares such a type, and the error for a text that breaks the rule. The function says whether a text keeps it.
macro_rules! text_value {
    (
        $(#[$about:meta])*
        pub struct $name:ident($keeps_rule:path);
        $(#[$about_error:meta])*
        pub struct $error:ident($why:literal);
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        $(#[$about_error])*
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error($why, .0)]
        pub struct $error(String);

        impl $name {
            /// Reads the text; `None` when it breaks the rule.
            pub fn parse(text: &str) -> Option<$name> {
                $name::is(text).then(|| $name(text.to_owned()))
            }

            /// Whether a text keeps the rule.
            pub fn is(text: &str) -> bool {
                $keeps_rule(text)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<$name, $error> {
                if $name::is(&text) { Ok($name(text)) } else { Err($error(text)) }
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }
    };
}

pub(super) use text_value;
