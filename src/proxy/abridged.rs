//! JSON without its long texts, so that what else is in a long body can be kept: a function's package is among its settings.

use memchr::{memchr, memchr2};

/// The longest text that is kept, in bytes as it is written.
const LONGEST_TEXT: usize = 4 * 1024;

/// A body that begins like a JSON object, as far as it has come. Texts that are too long are empty in it.
#[derive(Default)]
pub(super) struct Abridged {
    pub(super) bytes: Vec<u8>,
    /// The text in which it ends so far.
    text: Option<Text>,
}

struct Text {
    /// Where it begins, behind its quotation mark.
    begin: usize,
    is_escaped: bool,
    is_left_out: bool,
}

impl Abridged {
    /// The next part of the body.
    pub(super) fn push(&mut self, mut part: &[u8]) {
        while !part.is_empty() {
            part = match self.text.take() {
                None => self.push_outside(part),
                Some(text) => self.push_text(text, part),
            };
        }
    }

    /// Takes what comes before the next text, with its quotation mark; what is left of the part.
    fn push_outside<'a>(&mut self, part: &'a [u8]) -> &'a [u8] {
        let begin = memchr(b'"', part).map(|mark| mark + 1);
        let (outside, rest) = part.split_at(begin.unwrap_or(part.len()));
        self.bytes.extend_from_slice(outside);
        self.text = begin.map(|_| Text { begin: self.bytes.len(), is_escaped: false, is_left_out: false });
        rest
    }

    /// Takes more of a text, up to and with its end or the next `\`; what is left of the part.
    fn push_text<'a>(&mut self, mut text: Text, part: &'a [u8]) -> &'a [u8] {
        let mark = if text.is_escaped { Some(0) } else { memchr2(b'"', b'\\', part) };
        let (plain, rest) = part.split_at(mark.unwrap_or(part.len()));
        self.keep(&mut text, plain);
        match rest.split_first() {
            Some((b'"', rest)) if !text.is_escaped => {
                self.bytes.push(b'"');
                rest
            }
            Some((byte, rest)) => {
                text.is_escaped = *byte == b'\\' && !text.is_escaped;
                self.keep(&mut text, &[*byte]);
                self.text = Some(text);
                rest
            }
            None => {
                self.text = Some(text);
                rest
            }
        }
    }

    /// Keeps more of a text, until it is too long; then nothing of it.
    fn keep(&mut self, text: &mut Text, more: &[u8]) {
        if text.is_left_out {
            return;
        }
        text.is_left_out = self.bytes.len() - text.begin + more.len() > LONGEST_TEXT;
        if text.is_left_out {
            self.bytes.truncate(text.begin);
        } else {
            self.bytes.extend_from_slice(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A body that comes in pieces.
    fn abridged(body: &str, piece: usize) -> Value {
        let mut abridged = Abridged::default();
        body.as_bytes().chunks(piece).for_each(|part| abridged.push(part));
        serde_json::from_slice(&abridged.bytes).unwrap()
    }

    #[test]
    fn only_long_texts_are_left_out() {
        let long = "\"\\ü".repeat(2000);
        let body = json!({"A": "a\"\\", "Code": {"ZipFile": long, "B": [1, "b"]}, &long: true, "C": "c"});
        let expected = json!({"A": "a\"\\", "Code": {"ZipFile": "", "B": [1, "b"]}, "": true, "C": "c"});
        for piece in [1, 7, 4096, 1_000_000] {
            assert_eq!(abridged(&body.to_string(), piece), expected);
        }
    }

    #[test]
    fn a_text_of_just_the_longest_length_is_kept() {
        for (length, kept) in [(LONGEST_TEXT, LONGEST_TEXT), (LONGEST_TEXT + 1, 0)] {
            let body = json!({"A": "a".repeat(length)}).to_string();
            assert_eq!(abridged(&body, 100)["A"].as_str().unwrap().len(), kept);
        }
    }
}
