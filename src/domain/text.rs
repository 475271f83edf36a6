//! Text: how much of it is shown, how a value is refused, and which characters are stored.

use std::borrow::Cow;

/// Cuts `text` to at most `max` bytes, at a character's border.
pub fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Bytes as hexadecimal digits in small letters.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text with which AWS refuses a value (observed for `DataResources.Values`).
pub fn invalid_value(value: &str, member: &str) -> String {
    format!("Value {} for {member} is invalid.", cut(value, 200))
}

/// Whether two names are the same but for the case of their first letters: AWS's are spelt both ways, by the protocol.
pub fn is_spelt(name: &str, wanted: &str) -> bool {
    let (name, wanted) = (name.as_bytes(), wanted.as_bytes());
    match (name.split_first(), wanted.split_first()) {
        (Some((a, name)), Some((b, wanted))) => a.eq_ignore_ascii_case(b) && name == wanted,
        _ => false,
    }
}

/// `text` as columns hold it: a NUL character becomes `\u0000`, because PostgreSQL's text cannot hold it and terminals
/// cannot show it. What is looked for goes through here as well, or it would not be found.
pub fn escape_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\\u0000")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(cut("grün", 3), "gr");
        assert_eq!(cut("grün", 9), "grün");
    }

    #[test]
    fn only_the_first_letter_may_be_of_another_case() {
        assert!(is_spelt("tableName", "TableName") && is_spelt("a", "A"));
        assert!(!is_spelt("tablename", "TableName") && !is_spelt("", "") && !is_spelt("ab", "a"));
    }

    #[test]
    fn a_nul_is_escaped_and_all_else_stays() {
        assert_eq!(escape_nul("a\0b"), "a\\u0000b");
        assert_eq!(escape_nul("a\\u0000b ü\n"), "a\\u0000b ü\n");
    }
}
