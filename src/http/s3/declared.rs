//! What the headers of a request say of its body: in chunks or not, how long, with which hash and checksum.

use super::refusal::body_fault;
use crate::auth::{ChunkSignatures, Refusal};
use crate::domain::digest::sha256 as sha256_of;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::checksum::ChecksumHasher;
use s3s::{S3Error, s3_error};

/// What is known of a body before it comes.
#[derive(Debug)]
pub(super) struct DeclaredBody {
    pub(super) is_chunked: bool,
    /// The hash of the whole body, when it is not in chunks and its sender said it: 64 hex digits.
    pub(super) sha256: Option<String>,
    /// What checks its chunks, when they are signed and signatures are checked.
    pub(super) signatures: Option<ChunkSignatures>,
    /// Bytes that must come out, when the sender declared it.
    pub(super) length: Option<u64>,
    /// The checksum that the sender declared, by its header's name.
    pub(super) checksum: Option<(String, String)>,
    /// The name of a checksum that stands behind the body.
    pub(super) trailer: Option<String>,
}

/// `x-amz-checksum-…` headers and the checksums that they hold.
pub(super) fn hasher(name: &str) -> Option<ChecksumHasher> {
    let mut hasher = ChecksumHasher::default();
    match name.strip_prefix("x-amz-checksum-")? {
        "crc32" => hasher.crc32 = Some(Default::default()),
        "crc32c" => hasher.crc32c = Some(Default::default()),
        "crc64nvme" => hasher.crc64nvme = Some(Default::default()),
        "sha1" => hasher.sha1 = Some(Default::default()),
        "sha256" => hasher.sha256 = Some(Default::default()),
        _ => return None,
    }
    Some(hasher)
}

impl DeclaredBody {
    /// Reads what the headers say of the body, and makes them say what the plain body is.
    ///
    /// # Errors
    /// They say it in a way that S3 does not know.
    pub(super) fn take_headers(
        headers: &mut HeaderMap,
        signatures: Option<ChunkSignatures>,
    ) -> Result<DeclaredBody, S3Error> {
        let text = |headers: &HeaderMap, name: &str| {
            headers.get(name).and_then(|value| value.to_str().ok()).map(|value| value.trim().to_owned())
        };
        let (is_chunked, sha256) = match text(headers, "x-amz-content-sha256").as_deref() {
            None | Some("UNSIGNED-PAYLOAD") => (false, None),
            Some(
                "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
                | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
                | "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
                | "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
                | "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
            ) => (true, None),
            Some(hash) if hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
                (false, Some(hash.to_ascii_lowercase()))
            }
            Some(_) => {
                return Err(s3_error!(
                    InvalidArgument,
                    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                     STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, \
                     STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a \
                     valid sha256 value."
                ));
            }
        };
        headers.remove("x-amz-content-sha256");
        // A checksum of an upload's parts together stands in the same headers, with the list of its parts as the body.
        let whole = headers.contains_key("x-amz-checksum-type");
        let checksum = headers.keys().filter(|_| !whole).find_map(|name| {
            hasher(name.as_str())?;
            Some((name.as_str().to_owned(), text(headers, name.as_str())?))
        });
        let trailer = text(headers, "x-amz-trailer").map(|name| name.to_ascii_lowercase());
        let mut body = DeclaredBody { is_chunked, sha256, signatures, length: None, checksum, trailer };
        if !is_chunked {
            return Ok(body);
        }
        headers.remove("x-amz-trailer");
        if let Some(length) = headers.remove("x-amz-decoded-content-length") {
            let parsed = length.to_str().ok().and_then(|text| text.parse().ok());
            let bad = || s3_error!(InvalidArgument, "x-amz-decoded-content-length is no number");
            body.length = Some(parsed.ok_or_else(bad)?);
            headers.insert(header::CONTENT_LENGTH, length);
        } else {
            headers.remove(header::CONTENT_LENGTH);
        }
        if let Some(encoding) = text(headers, "content-encoding") {
            let others: Vec<&str> =
                encoding.split(',').map(str::trim).filter(|e| !e.is_empty() && *e != "aws-chunked").collect();
            headers.remove(header::CONTENT_ENCODING);
            if let Ok(others) = HeaderValue::from_str(&others.join(","))
                && !others.is_empty()
            {
                headers.insert(HeaderName::from_static("content-encoding"), others);
            }
        }
        Ok(body)
    }

    /// For a request without a body.
    pub(super) fn check_empty(&self) -> Result<(), S3Error> {
        if self.is_chunked {
            return Err(s3_error!(IncompleteBody, "The request body is missing."));
        }
        match &self.sha256 {
            Some(hash) if *hash != sha256_of(b"") => Err(body_fault(&Refusal::WrongBody).answer()),
            _ => Ok(()),
        }
    }
}
