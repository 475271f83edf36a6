//! A body as names and values, in whatever form some server may read it.

use crate::aws::headers::Headers;
use crate::aws::pairs::{decode, pairs, written_pairs};
use crate::aws::request::Request;
use flate2::read::MultiGzDecoder;
use memchr::{memchr, memchr2_iter};
use std::fmt;
use std::io::Read;

/// The most that a packed form may unpack to, in bytes.
const MAX_UNPACKED: u64 = 1024 * 1024;

/// The longest name that is looked at where it is not known whether a body is a form at all, in bytes as written.
const LONGEST_NAME: usize = 64;

/// How much of a pair is looked at there: more than any operation's name.
const LONGEST_PAIR: usize = 1024;

/// What a body holds of names and values.
#[derive(Default)]
pub struct Form {
    /// Of a form that everybody reads alike, decoded.
    pub pairs: Vec<(String, String)>,
    /// Whether that is what the body is said to be.
    pub is_form: bool,
    /// Values of `Action` that only some servers find: in parts of a body, in other bodies than forms, behind a `;`.
    pub(super) stray_actions: Vec<String>,
    /// Whether it is a form that cannot be read here, or is written in two ways.
    pub(super) is_odd: bool,
}

/// What the content type says.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Form,
    Multipart,
    Other,
}

/// Shown without what is in it, which can be secret.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("is_form", &self.is_form).finish_non_exhaustive()
    }
}

impl Form {
    /// What `body` holds, the body of `request` or its beginning.
    pub fn of(request: &Request, body: &[u8]) -> Form {
        let mut form = Form::default();
        let kind = form.kind(request);
        form.is_form = kind == Kind::Form;
        if body.is_empty() {
            return form;
        }
        let mut packings = request.headers.values_of("content-encoding");
        let is_packed =
            packings.any(|packing| !packing.is_empty() && !packing.eq_ignore_ascii_case(b"identity"));
        if !is_packed {
            form.read(&kind, body);
            return form;
        }
        // Not every server unpacks, so both are looked at.
        form.read(&Kind::Other, body);
        match unpacked(request, body) {
            Some(body) => form.read(&kind, &body),
            None => form.is_odd |= kind != Kind::Other,
        }
        form
    }

    fn kind(&mut self, request: &Request) -> Kind {
        let mut types = request.headers.values_of("content-type");
        let Some(first) = types.next() else { return Kind::Other };
        self.is_odd |= types.next().is_some();
        if first.starts_with(b"application/x-amz-json") || first == b"application/json" {
            return Kind::Other;
        }
        let text = String::from_utf8_lossy(first).to_ascii_lowercase();
        let mut parts = text.split(';').map(str::trim);
        let kind = match parts.next() {
            Some("application/x-www-form-urlencoded") => Kind::Form,
            Some("multipart/form-data") => Kind::Multipart,
            _ => Kind::Other,
        };
        let charset = parts.find_map(|part| part.strip_prefix("charset=")).map(|name| name.trim_matches('"'));
        let is_ascii =
            charset.is_none_or(|name| matches!(name, "utf-8" | "utf8" | "us-ascii" | "iso-8859-1"));
        self.is_odd |= kind == Kind::Form && !is_ascii;
        kind
    }

    fn read(&mut self, kind: &Kind, body: &[u8]) {
        match kind {
            Kind::Form => {
                let text = String::from_utf8_lossy(body);
                self.pairs.extend(pairs(&text));
                self.stray_actions.extend(behind_semicolons(&text));
            }
            Kind::Multipart => self.stray_actions.extend(of_parts(body)),
            Kind::Other => self.stray_actions.extend(of_any(body)),
        }
    }
}

/// What stands behind a `;`, which separates pairs to some.
pub(super) fn behind_semicolons(text: &str) -> Vec<String> {
    if !text.contains(';') {
        return Vec::new();
    }
    let pieces = text.split('&').flat_map(|pair| pair.split(';').skip(1));
    actions(pieces.filter_map(|piece| piece.split_once('=')))
}

/// The values of what is called `Action`, in whatever capitals.
fn actions<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let named = pairs
        .filter(|(name, _)| name.len() <= LONGEST_NAME && decode(name).trim().eq_ignore_ascii_case("action"));
    named.map(|(_, value)| decode(value)).collect()
}

/// In the parts of a `multipart/form-data`: the text behind the headers of one that is called so.
fn of_parts(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let mut found = Vec::new();
    for part in text.split("\n--") {
        let Some((head, value)) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n")) else {
            continue;
        };
        let head = head.to_ascii_lowercase();
        if head.contains("name=\"action\"") || head.contains("name=action") || head.contains("name*=") {
            found.push(value.trim().to_owned());
        }
    }
    found
}

/// In a body of any type, as if it were a form.
fn of_any(body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let ends = memchr2_iter(b'&', b';', body).chain([body.len()]);
    let mut begin = 0;
    for end in ends {
        let pair = &body[begin..end];
        begin = end + 1;
        let is_name = pair.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'%');
        if is_name && memchr(b'=', &pair[..pair.len().min(LONGEST_NAME)]).is_some() {
            let text = String::from_utf8_lossy(&pair[..pair.len().min(LONGEST_PAIR)]);
            found.extend(actions(written_pairs(&text)));
        }
    }
    found
}

fn unpacked(request: &Request, body: &[u8]) -> Option<Vec<u8>> {
    let packing = request.header("content-encoding")?.to_ascii_lowercase();
    if !matches!(packing.as_str(), "gzip" | "x-gzip") {
        return None;
    }
    let mut whole = Vec::new();
    MultiGzDecoder::new(body).take(MAX_UNPACKED + 1).read_to_end(&mut whole).ok()?;
    (whole.len() as u64 <= MAX_UNPACKED).then_some(whole)
}
