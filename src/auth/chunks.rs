//! Signatures of a body's chunks, each of which signs the one before, too.
//!
//! Source: S3's API reference, "Signature calculations for the Authorization header: Transferring payload in multiple
//! chunks", and the same "with trailing headers".

use crate::domain::secret::is_same;
use crate::domain::text::hex;
use aws_sigv4::sign::v4;
use sha2::{Digest, Sha256};
use std::fmt;

/// Whether headers behind the body are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trailers {
    /// There are none.
    None,
    /// They are signed behind the last chunk.
    Signed,
}

/// Checks the chunks of one body, in their order.
pub struct ChunkSignatures {
    key: Vec<u8>,
    /// Time and scope.
    context: String,
    previous: String,
    trailers: Trailers,
    /// Of the chunk that is being read.
    hash: Sha256,
}

impl fmt::Debug for ChunkSignatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkSignatures").field("trailers", &self.trailers).finish_non_exhaustive()
    }
}

impl ChunkSignatures {
    /// `seed`: the signature of the request's head.
    pub(super) fn new(key: Vec<u8>, context: String, seed: String, trailers: Trailers) -> ChunkSignatures {
        ChunkSignatures { key, context, previous: seed, trailers, hash: Sha256::new() }
    }

    /// Takes in a piece of the chunk that is being read.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// Whether the chunk that has been read has this signature. The next one begins.
    pub fn ends_chunk(&mut self, signature: &str) -> bool {
        let hash = hex(&std::mem::take(&mut self.hash).finalize());
        let empty = hex(&Sha256::digest(b""));
        let signed =
            format!("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{empty}\n{hash}", self.context, self.previous);
        self.is_next(&signed, signature)
    }

    /// Whether the headers behind the body have this signature: `name:value\n` each, in the order of their names. Where
    /// they are not signed there are none.
    pub fn ends_body(&mut self, trailers: &str, signature: &str) -> bool {
        if self.trailers == Trailers::None {
            return trailers.is_empty();
        }
        let hash = hex(&Sha256::digest(trailers));
        let signed = format!("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{hash}", self.context, self.previous);
        self.is_next(&signed, signature)
    }

    fn is_next(&mut self, signed: &str, signature: &str) -> bool {
        self.previous = v4::calculate_signature(&self.key, signed.as_bytes());
        is_same(&self.previous, signature)
    }
}
