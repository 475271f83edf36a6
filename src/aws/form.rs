//! A body as names and values, in whatever form some server may read it.

use crate::aws::headers::Headers;
use crate::aws::pairs::{decode, pairs};
use crate::aws::request::Request;
use flate2::read::MultiGzDecoder;
use memchr::{memchr, memchr2_iter};
use std::fmt;
use std::io::Read;

/// The most that a packed form may unpack to, in bytes.
const MAX_UNPACKED: u64 = 1024 * 1024;

/// The longest form that is taken apart whole, in bytes. Of a longer one there is only what says what it is for.
const LONGEST_FORM: usize = 256 * 1024;

/// Pairs that say that.
const TELLING: &[&str] = &["Action", "AWSAccessKeyId", "SignatureVersion", "Version"];

/// How many names are looked at where there should be one.
pub(super) const MOST_NAMES: usize = 32;

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
            Unpacked::Body(body) => form.read(&kind, &body),
            Unpacked::TooLong => form.is_odd = true,
            Unpacked::Unreadable => form.is_odd |= kind != Kind::Other,
        }
        form
    }

    /// What it takes in memory, in bytes, about: a form of many short pairs takes far more than its body.
    pub fn memory(&self) -> usize {
        let of = |(name, value): &(String, String)| size_of::<(String, String)>() + name.len() + value.len();
        self.pairs.iter().map(of).sum()
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
        let all = pieces(body);
        match kind {
            Kind::Form if body.len() <= LONGEST_FORM => {
                self.pairs.extend(pairs(&String::from_utf8_lossy(body)));
                self.add_stray(actions(all.filter(|piece| piece.is_behind_semicolon)));
            }
            Kind::Form => {
                let telling = body.split(|byte| *byte == b'&').filter_map(telling_pair);
                self.pairs.extend(telling.take(MOST_NAMES));
                self.is_odd |= self.pairs.len() == MOST_NAMES;
                self.add_stray(actions(all.filter(|piece| piece.is_behind_semicolon)));
            }
            Kind::Multipart if body.len() <= LONGEST_FORM => self.add_stray(of_parts(body).into_iter()),
            Kind::Multipart => self.is_odd = true,
            Kind::Other => self.add_stray(actions(all)),
        }
    }

    /// Adds some names; what has more of them is odd.
    fn add_stray(&mut self, names: impl Iterator<Item = String>) {
        self.stray_actions.extend(names.take(MOST_NAMES));
        self.is_odd |= self.stray_actions.len() >= MOST_NAMES;
    }
}

/// What stands between two separators.
struct Piece<'a> {
    bytes: &'a [u8],
    /// Whether it begins behind a `;`, which separates pairs to some.
    is_behind_semicolon: bool,
}

fn pieces(body: &[u8]) -> impl Iterator<Item = Piece<'_>> {
    let ends = memchr2_iter(b'&', b';', body).chain([body.len()]);
    let mut begin = 0;
    ends.map(move |end| {
        let is_behind_semicolon = begin > 0 && body[begin - 1] == b';';
        let bytes = &body[begin..end];
        begin = end + 1;
        Piece { bytes, is_behind_semicolon }
    })
}

/// The values of what is called `Action`, in whatever capitals.
fn actions<'a>(pieces: impl Iterator<Item = Piece<'a>>) -> impl Iterator<Item = String> {
    pieces.filter_map(|piece| {
        let (name, value) = short_pair(piece.bytes)?;
        name.eq_ignore_ascii_case("action").then_some(value)
    })
}

/// What stands behind a `;` in a query.
pub(super) fn behind_semicolons(query: &str) -> impl Iterator<Item = String> {
    actions(pieces(query.as_bytes()).filter(|piece| piece.is_behind_semicolon))
}

/// A pair that says what a form is for, or who signs it.
fn telling_pair(bytes: &[u8]) -> Option<(String, String)> {
    short_pair(bytes).filter(|(name, _)| TELLING.iter().any(|telling| telling.eq_ignore_ascii_case(name)))
}

/// A pair, decoded, if its name is short; its value as far as it may be a name.
fn short_pair(bytes: &[u8]) -> Option<(String, String)> {
    let is_name = bytes.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'%');
    if !is_name || memchr(b'=', &bytes[..bytes.len().min(LONGEST_NAME)]).is_none() {
        return None;
    }
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_PAIR)]);
    let (name, value) = text.split_once('=')?;
    Some((decode(name).trim().to_owned(), decode(value)))
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

/// A body without its packing.
enum Unpacked {
    Body(Vec<u8>),
    TooLong,
    /// It is packed in a way that is not known, or broken.
    Unreadable,
}

fn unpacked(request: &Request, body: &[u8]) -> Unpacked {
    let packing = request.header("content-encoding").unwrap_or_default().to_ascii_lowercase();
    let mut whole = Vec::new();
    let is_gzip = matches!(packing.as_str(), "gzip" | "x-gzip");
    if !is_gzip || MultiGzDecoder::new(body).take(MAX_UNPACKED + 1).read_to_end(&mut whole).is_err() {
        return Unpacked::Unreadable;
    }
    if whole.len() as u64 > MAX_UNPACKED { Unpacked::TooLong } else { Unpacked::Body(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method};

    fn read(kind: &str, body: &str) -> Form {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", kind.parse().unwrap());
        Form::of(&Request::new(Method::POST, "/", headers), body.as_bytes())
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn of_a_long_form_only_what_tells_is_kept() {
        let long = format!("%41ction=SendRawEmail&Raw={}&Version=2010-12-01", "A".repeat(LONGEST_FORM));
        let pairs = [("Action", "SendRawEmail"), ("Version", "2010-12-01")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read(FORM, &long).pairs, pairs);
        assert!(!read(FORM, &long).is_odd);
        assert_eq!(read(FORM, &format!("{long};action=Other")).stray_actions, ["Other"]);
    }

    #[test]
    fn a_body_of_nothing_but_names_is_odd_and_takes_no_room() {
        for kind in [FORM, "text/plain", "application/json"] {
            let form = read(kind, &"action=a;action=b&".repeat(50_000));
            assert!(form.is_odd, "{kind}");
            assert!(form.stray_actions.len() <= MOST_NAMES && form.pairs.len() <= MOST_NAMES, "{kind}");
        }
    }

    #[test]
    fn an_action_is_found_wherever_some_server_looks() {
        assert_eq!(read("text/plain", "a=1&%41CTION=b").stray_actions, ["b"]);
        assert_eq!(read("application/json", "{\"x\": \"&Action=b&\"}").stray_actions, ["b"]);
        assert_eq!(read(FORM, "Action=a;Action=b").stray_actions, ["b"]);
        let part = "--x\r\nContent-Disposition: form-data; name=\"Action\"\r\n\r\nb\r\n--x--";
        assert_eq!(read("multipart/form-data; boundary=x", part).stray_actions, ["b"]);
        assert_eq!(read("application/json", "{\"Action\": \"b\"}").stray_actions, [""; 0]);
    }
}
