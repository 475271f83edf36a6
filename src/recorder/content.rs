//! A body as it can be read.

use crate::recorder::cbor;
use crate::recorder::exchange::{KeptBody, Reply};
use crate::recorder::unpack::Unpacker;
use http::HeaderMap;
use serde_json::Value;
use std::borrow::Cow;

/// The most that a packed body may unpack to, in bytes.
const MAX_UNPACKED: u64 = 1024 * 1024;

/// A reply, and what can be read of its body.
pub(crate) struct ReadReply<'a> {
    pub(crate) reply: &'a Reply,
    pub(crate) content: Content<'a>,
}

impl ReadReply<'_> {
    pub(crate) fn of(reply: &Reply) -> ReadReply<'_> {
        ReadReply { reply, content: Content::of(&reply.headers, &reply.body) }
    }
}

/// What there is of a body.
pub(crate) enum Content<'a> {
    /// All of it, unpacked.
    Whole(Cow<'a, [u8]>),
    /// It was too long to be kept; how many bytes it had.
    TooLong(u64),
    /// Nothing that can be read: the connection broke, or it is packed in a way that is not known.
    Unreadable,
}

impl Content<'_> {
    /// The body of a message with these headers.
    pub(crate) fn of<'a>(headers: &HeaderMap, body: &'a KeptBody) -> Content<'a> {
        let Some(bytes) = body.whole() else {
            return if body.ended { Content::TooLong(body.total) } else { Content::Unreadable };
        };
        let packing = headers.get(http::header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        match packing {
            None | Some("" | "identity") => Content::Whole(bytes.into()),
            Some("gzip") => match unpacked(bytes) {
                Some(bytes) => Content::Whole(bytes.into()),
                None => Content::Unreadable,
            },
            Some(_) => Content::Unreadable,
        }
    }

    /// The body as JSON, if it is JSON or CBOR.
    pub(crate) fn json(&self) -> Option<Value> {
        let bytes = self.bytes().filter(|bytes| !bytes.is_empty())?;
        serde_json::from_slice(bytes).ok().or_else(|| cbor::read(bytes))
    }

    /// The bytes, if they are all there.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Content::Whole(bytes) => Some(bytes),
            _ => None,
        }
    }
}

fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut unpacker, mut whole) = (Unpacker::new(MAX_UNPACKED), Vec::new());
    unpacker.push(bytes, |part| whole.extend_from_slice(part)).ok()?;
    unpacker.finish(|part| whole.extend_from_slice(part)).ok()?;
    Some(whole)
}
