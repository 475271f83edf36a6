//! Cutting a stream of JSON into records, byte by byte, in bounded memory.
//!
//! Taken are NDJSON, a JSON array of records, `{"Records":[…]}` (a log file) and `{"Events":[…]}` (an answer of
//! LookupEvents), one after another and mixed, with whatever white space. What comes out is each record as compact JSON:
//! white space between tokens is left out on the way.

use crate::domain::event::MAX_RECORD_BYTES;

/// One piece of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A JSON object, compact; whether it is valid inside is not known yet.
    Record(Vec<u8>),
    /// Something else, and why it is no record.
    Bad(&'static str),
}

const NOT_AN_OBJECT: &str = "not a JSON object";
const TOO_LARGE: &str = "larger than 256 KB";
const UNFINISHED: &str = "not valid JSON: it ends in the middle";

/// How deep records may nest. serde_json stops at 128 as well.
const MAX_DEPTH: u32 = 128;

/// The largest value that is kept: a record of [`MAX_RECORD_BYTES`] inside an answer of LookupEvents, where it is a string
/// with its quotes escaped, beside a few members more.
const MAX_VALUE_BYTES: usize = 2 * MAX_RECORD_BYTES + 64 * 1024;

/// Members of an object that hold a list of records: of a log file, and of an answer of LookupEvents.
const LISTS: [&[u8]; 2] = [br#""Records":["#, br#""Events":["#];

/// What may stand in front of such a list, in bytes: a token, or a client's notes about the answer.
const MAX_PREAMBLE: usize = 4096;

/// The state of the cutting.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The value being read, compact, at most [`MAX_VALUE_BYTES`].
    value: Vec<u8>,
    /// Where line breaks stood in `value`: should the value turn out broken, its lines are tried by themselves.
    breaks: Vec<usize>,
    /// Open brackets inside the value; 0 between values.
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// The value has outgrown its limit; the rest of it is skipped.
    too_large: bool,
    /// Junk between values: skipped to the end of the line (or of the list's element).
    junk: bool,
    /// Lists around the records: `[`, `{"Records":[` and `{"Events":[`.
    lists: Vec<List>,
    /// Bytes seen, for the byte order mark.
    seen: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Array,
    /// Inside the array of `{"Records":[` or `{"Events":[`.
    Member,
    /// Behind that array: further members up to the closing brace.
    Tail {
        depth: u32,
    },
}

/// Where a byte went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// To the value being read, or nowhere as that is too large.
    Here,
    /// To a value that began with a line of the one before; nothing is left to do for the byte.
    Elsewhere,
}

impl Splitter {
    /// Reads on; the pieces that are complete now go to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Piece>) {
        let mut rest = bytes;
        loop {
            let plain = self.plain(rest);
            self.value.extend_from_slice(&rest[..plain]);
            self.seen += plain;
            rest = &rest[plain..];
            let Some((&byte, behind)) = rest.split_first() else { return };
            rest = behind;
            self.seen += 1;
            if self.seen <= 3 && self.depth == 0 && matches!(byte, 0xEF | 0xBB | 0xBF) {
                continue;
            }
            self.byte(byte, out);
        }
    }

    /// How many of these bytes go into the value as they are; brackets and strings among them are taken note of. It is
    /// the quick way through compact JSON: whatever needs a decision is left to [`Splitter::byte`].
    fn plain(&mut self, bytes: &[u8]) -> usize {
        if self.depth == 0 || self.escaped {
            return 0;
        }
        let room = bytes.len().min(MAX_VALUE_BYTES.saturating_sub(self.value.len()));
        let (mut depth, mut in_string) = (self.depth, self.in_string);
        let mut at = 0;
        while at < room {
            match (bytes[at], in_string) {
                (b'"', _) => in_string = !in_string,
                (b'\\', true) if at + 1 < room => at += 1,
                (b'\\' | b'\n', true) | (b'\n' | b' ' | b'\t' | b'\r', false) => break,
                // The first list may be that of a log file.
                (b'{' | b'[', false) if depth == 1 || depth == MAX_DEPTH => break,
                (b'{' | b'[', false) => depth += 1,
                (b'}' | b']', false) if depth == 1 => break,
                (b'}' | b']', false) => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        (self.depth, self.in_string) = (depth, in_string);
        at
    }

    /// The end of the stream.
    pub fn finish(&mut self, out: &mut Vec<Piece>) {
        if self.depth > 0 {
            self.depth = 0;
            self.in_string = false;
            if self.too_large { out.push(Piece::Bad(TOO_LARGE)) } else { self.by_lines(out) }
        }
        self.end_junk(out);
        self.lists.clear();
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<Piece>) {
        if self.depth > 0 {
            self.inside(byte, out);
        } else if let Some(List::Tail { .. }) = self.lists.last() {
            self.tail(byte);
        } else {
            self.between(byte, out);
        }
    }

    /// Between values.
    fn between(&mut self, byte: u8, out: &mut Vec<Piece>) {
        let in_list = !self.lists.is_empty();
        match byte {
            b'\n' if !in_list => self.end_junk(out),
            b',' | b']' if in_list => {
                self.end_junk(out);
                if byte == b']' && self.lists.pop() == Some(List::Member) {
                    self.lists.push(List::Tail { depth: 1 });
                }
            }
            _ if self.junk || byte.is_ascii_whitespace() => {}
            b'{' => {
                self.value.clear();
                self.breaks.clear();
                self.too_large = false;
                self.value.push(byte);
                self.depth = 1;
            }
            b'[' if !in_list => self.lists.push(List::Array),
            _ => self.junk = true,
        }
    }

    fn end_junk(&mut self, out: &mut Vec<Piece>) {
        if std::mem::take(&mut self.junk) {
            out.push(Piece::Bad(NOT_AN_OBJECT));
        }
    }

    /// Inside a value.
    fn inside(&mut self, byte: u8, out: &mut Vec<Piece>) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                // No JSON string holds a line break: the line was cut off, and the next one is a record of its own.
                b'\n' => return self.cut_off(out),
                _ => {}
            }
            self.keep(byte, out);
            return;
        }
        match byte {
            b'\n' if self.too_large && self.lists.is_empty() => return self.cut_off(out),
            b'\n' => return self.breaks.push(self.value.len()),
            b' ' | b'\t' | b'\r' => return,
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        if self.keep(byte, out) == Kept::Elsewhere {
            return;
        }
        if byte == b'[' && self.depth == 2 && self.opens_list() {
            self.depth = 0;
            self.lists.push(List::Member);
        } else if self.depth == 0 {
            self.complete(out);
        } else if self.depth > MAX_DEPTH {
            self.too_large = true;
        }
    }

    /// Whether the value so far is the beginning of an object that holds records in a list, up to the list. A record's
    /// own members come after its version.
    fn opens_list(&self) -> bool {
        let begins = |list: &[u8]| {
            let before = self.value.strip_suffix(list)?;
            (matches!(before.last(), Some(b'{' | b',')) && before.len() <= MAX_PREAMBLE).then_some(before)
        };
        let is_record = |text: &[u8]| text.windows(14).any(|part| part == br#""eventVersion""#);
        self.lists.is_empty() && LISTS.into_iter().find_map(begins).is_some_and(|before| !is_record(before))
    }

    /// Adds a byte to the value.
    fn keep(&mut self, byte: u8, out: &mut Vec<Piece>) -> Kept {
        if self.value.len() < MAX_VALUE_BYTES {
            self.value.push(byte);
            return Kept::Here;
        }
        match self.breaks.pop() {
            // Several lines without an end: most likely one was cut off, and all behind it would be lost with it.
            Some(last) if self.lists.is_empty() => {
                let mut rest = self.value.split_off(last);
                rest.push(byte);
                self.cut_off(out);
                self.push(&rest, out);
                Kept::Elsewhere
            }
            _ => {
                self.too_large = true;
                Kept::Here
            }
        }
    }

    fn complete(&mut self, out: &mut Vec<Piece>) {
        if self.too_large {
            out.push(Piece::Bad(TOO_LARGE));
        } else if self.breaks.is_empty()
            || serde_json::from_slice::<serde::de::IgnoredAny>(&self.value).is_ok()
        {
            out.push(Piece::Record(std::mem::take(&mut self.value)));
        } else {
            self.by_lines(out);
        }
    }

    /// The value ends here, whatever it was.
    fn cut_off(&mut self, out: &mut Vec<Piece>) {
        self.depth = 0;
        self.in_string = false;
        self.escaped = false;
        if self.too_large { out.push(Piece::Bad(TOO_LARGE)) } else { self.by_lines(out) }
    }

    /// The value is broken: each of its lines gets a chance of its own.
    fn by_lines(&mut self, out: &mut Vec<Piece>) {
        let value = std::mem::take(&mut self.value);
        let breaks = std::mem::take(&mut self.breaks);
        let mut begin = 0;
        for end in breaks.into_iter().chain([value.len()]) {
            let line = &value[begin..end];
            begin = end;
            if line.is_empty() {
                continue;
            }
            let whole =
                line.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
            out.push(if whole { Piece::Record(line.to_vec()) } else { Piece::Bad(UNFINISHED) });
        }
    }

    /// Behind the records of a log file's object: up to its closing brace nothing is of interest.
    fn tail(&mut self, byte: u8) {
        let Some(List::Tail { depth }) = self.lists.last_mut() else { return };
        match byte {
            _ if self.in_string => match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            },
            b'"' => self.in_string = true,
            b'{' | b'[' => *depth += 1,
            b'}' | b']' => {
                *depth -= 1;
                if *depth == 0 {
                    self.lists.pop();
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The records and complaints of `text`, cut into chunks of `size` bytes.
    fn split(text: &[u8], size: usize) -> Vec<String> {
        let (mut splitter, mut out) = (Splitter::default(), Vec::new());
        for chunk in text.chunks(size) {
            splitter.push(chunk, &mut out);
        }
        splitter.finish(&mut out);
        out.into_iter()
            .map(|piece| match piece {
                Piece::Record(bytes) => String::from_utf8(bytes).unwrap(),
                Piece::Bad(why) => format!("! {why}"),
            })
            .collect()
    }

    #[test]
    fn every_form_gives_the_same_records() {
        let want = [r#"{"a":1}"#, r#"{"b":"x y"}"#];
        for text in [
            "{\"a\": 1}\n{\"b\":\"x y\"}\n",
            "\u{feff}{\"a\":1}\r\n\r\n{ \"b\" : \"x y\" }",
            "[{\"a\":1},\n {\"b\":\"x y\"}]",
            "{\"Records\":[{\"a\":1},{\"b\":\"x y\"}]}",
            "{ \"Records\" : [\n {\"a\":1}, {\"b\":\"x y\"} ],\n \"more\": {\"deep\": [\"]}\\\"\"]} }\n",
            "{\"Records\":[{\"a\":1}]}\n{\"Records\":[{\"b\":\"x y\"}]}",
            "{\n  \"a\": 1\n}\n{\n  \"b\": \"x y\"\n}\n",
            "[]{\"a\":1}{\"b\":\"x y\"}",
            "{\"Events\":[{\"a\":1},{\"b\":\"x y\"}],\"NextToken\":\"t\"}",
            "{\n \"$metadata\": {\"attempts\": 1},\n \"Events\": [{\"a\":1},\n{\"b\":\"x y\"}]}",
        ] {
            for size in [1, 7, 1000] {
                assert_eq!(split(text.as_bytes(), size), want, "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_record_is_reported_and_the_rest_goes_on() {
        assert_eq!(
            split(b"hello, world\n{\"a\":1}\n42\n", 3),
            ["! not a JSON object", "{\"a\":1}", "! not a JSON object"]
        );
        assert_eq!(
            split(b"[1, {\"a\":1}, null]", 3),
            ["! not a JSON object", "{\"a\":1}", "! not a JSON object"]
        );
        assert!(split(b"", 1).is_empty());
        assert!(split(b"  \n \n", 1).is_empty());
    }

    #[test]
    fn null_is_refused_wherever_it_stands() {
        let bad = "! not a JSON object";
        for text in
            ["null", "null\n", " null \r\n", "[null]", "{\"Records\":[null]}", "{\"Events\": [ null ]}"]
        {
            for size in [1, 2, 100] {
                assert_eq!(split(text.as_bytes(), size), [bad], "{text}");
            }
        }
        assert_eq!(split(b"{\"a\":1}\nnull\n{\"a\":2}\nnull", 5), ["{\"a\":1}", bad, "{\"a\":2}", bad]);
    }

    #[test]
    fn a_record_may_have_members_of_any_name() {
        for record in ["{\"eventVersion\":\"1.11\",\"Events\":[{\"a\":1}]}", "{\"a\":{\"Records\":[{}]}}"] {
            assert_eq!(split(record.as_bytes(), 3), [record]);
        }
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_swallow_the_next() {
        let cut = "! not valid JSON: it ends in the middle";
        assert_eq!(split(b"{\"a\":\"x\n{\"b\":2}\n", 4), [cut, "{\"b\":2}"]);
        assert_eq!(split(b"{\"a\":\n{\"b\":2}\n{\"c\":3}", 4), [cut, "{\"b\":2}", "{\"c\":3}"]);
        assert_eq!(split(b"{\"a\":1", 4), [cut]);
        // However the lines fall where the broken value outgrows its limit.
        for pad in 0..8 {
            let many = format!("{{\"a{}\":\n{}", "a".repeat(pad), "{\"b\":2}\n".repeat(100_000));
            let pieces = split(many.as_bytes(), 4096);
            assert_eq!((pieces.len(), pieces[0].as_str()), (100_001, cut), "{pad}");
            assert!(pieces[1..].iter().all(|piece| piece == "{\"b\":2}"), "{pad}");
        }
    }

    #[test]
    fn a_huge_record_is_skipped_without_being_kept() {
        let mut text = b"{\"a\":\"".to_vec();
        text.resize(2 * MAX_VALUE_BYTES, b'x');
        text.extend_from_slice(b"\"}\n{\"b\":2}");
        let mut splitter = Splitter::default();
        let mut out = Vec::new();
        splitter.push(&text, &mut out);
        assert!(splitter.value.capacity() <= 2 * MAX_VALUE_BYTES);
        assert_eq!(out, [Piece::Bad(TOO_LARGE), Piece::Record(b"{\"b\":2}".to_vec())]);
        let deep = "[".repeat(100_000);
        assert_eq!(split(format!("{{\"a\":{deep}\n{{}}\n").as_bytes(), 4096), ["! larger than 256 KB", "{}"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_chunks_do_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let pieces = |size: usize| {
                let (mut splitter, mut out) = (Splitter::default(), Vec::new());
                for chunk in bytes.chunks(size) {
                    splitter.push(chunk, &mut out);
                }
                splitter.finish(&mut out);
                out
            };
            prop_assert_eq!(pieces(1), pieces(64));
        }

        #[test]
        fn json_ish_bytes_do_not_either(text in "[\\[\\]{}\",:\\\\ \n a]{0,200}") {
            let one = split(text.as_bytes(), 1);
            prop_assert_eq!(one, split(text.as_bytes(), 50));
        }

        #[test]
        fn records_come_out_as_they_went_in(values in prop::collection::vec("[ -~]{0,20}", 0..20)) {
            let records: Vec<_> = values.iter().map(|v| serde_json::json!({"v": v}).to_string()).collect();
            prop_assert_eq!(split(records.join("\n").as_bytes(), 5), records.clone());
            let pretty = serde_json::to_string_pretty(&serde_json::json!({"Records": records.iter()
                .map(|r| serde_json::from_str::<serde_json::Value>(r).unwrap()).collect::<Vec<_>>()})).unwrap();
            prop_assert_eq!(split(pretty.as_bytes(), 5), records);
        }
    }
}
