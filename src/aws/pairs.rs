//! Names and values, as queries and forms have them.

use percent_encoding::percent_decode_str;

/// Names and values of a query or a form, decoded as the servers of emulators decode them: `+` is a space, and what is no
/// UTF-8 is replaced.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    written_pairs(text).map(|(name, value)| (decode(name), decode(value))).collect()
}

/// The first value of a name.
pub fn first_value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The same as it is written, not decoded.
pub(super) fn written_pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// One name or value.
pub(super) fn decode(text: &str) -> String {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return text.to_owned();
    }
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let read = |text: &str| {
            let pairs = pairs(text).into_iter().map(|(name, value)| format!("{name}|{value}"));
            pairs.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(read("a=b&version%49d=null"), "a|b versionId|null");
        assert_eq!(read("&acl&x=1=2&%C3%BC=a%2Bb+c&%ff=%zz&"), "acl| x|1=2 ü|a+b c \u{FFFD}|%zz");
        assert_eq!(read(""), "");
    }
}
