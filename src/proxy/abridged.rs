//! JSON without its long texts, so that what else is in a long body can be kept: a function's package is among its settings.

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
    pub(super) fn push(&mut self, part: &[u8]) {
        for byte in part {
            let Some(text) = &mut self.text else {
                self.bytes.push(*byte);
                if *byte == b'"' {
                    self.text = Some(Text { begin: self.bytes.len(), is_escaped: false, is_left_out: false });
                }
                continue;
            };
            let is_end = *byte == b'"' && !text.is_escaped;
            text.is_escaped = *byte == b'\\' && !text.is_escaped;
            if is_end || !text.is_left_out {
                self.bytes.push(*byte);
            }
            if is_end {
                self.text = None;
            } else if self.bytes.len() - text.begin > LONGEST_TEXT {
                self.bytes.truncate(text.begin);
                text.is_left_out = true;
            }
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
