//! The headers of a request.

use http::HeaderMap;

/// The headers of a request, whichever library has read them. Names are in small letters.
pub trait Headers {
    /// The values of a header, in the order of the wire.
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;
    /// Names and values, those of one name in the order of the wire.
    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])>;
}

impl Headers for HeaderMap {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).into_iter().map(http::HeaderValue::as_bytes)
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}

/// As a list of them.
impl Headers for Vec<(&str, &[u8])> {
    fn values_of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter().copied()
    }
}

/// A header's first value, if it is text.
pub fn first<'a>(headers: &'a impl Headers, name: &'a str) -> Option<&'a str> {
    headers.values_of(name).next().and_then(|value| std::str::from_utf8(value).ok())
}
