//! Undoing `aws-chunked`, in which SDKs send bodies with signatures or a checksum behind them, and checking these, and the
//! body's own hash, wherever they stand.
//!
//! `<hex size>[;chunk-signature=…]\r\n<bytes>\r\n … 0[;…]\r\n[name:value\r\n …]\r\n`: source is the S3 API reference,
//! "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".

use super::declared::{DeclaredBody, hasher};
use super::refusal::body_fault;
use crate::auth::Refusal;
use crate::aws::signature::chunk;
use crate::buckets::BodyFault;
use crate::domain::text::hex;
use actix_web::web::{Buf, Bytes, BytesMut};
use futures_util::stream::{self, Stream, StreamExt};
use s3s::S3ErrorCode;
use s3s::checksum::ChecksumHasher;
use sha2::{Digest, Sha256};
use std::pin::Pin;

/// The longest line between chunks.
const MAX_LINE: usize = 8 * 1024;

/// The most lines behind the last chunk.
const MAX_TRAILERS: usize = 20;

fn finish(hasher: ChecksumHasher) -> Option<String> {
    let sum = hasher.finalize();
    sum.checksum_crc32
        .or(sum.checksum_crc32c)
        .or(sum.checksum_crc64nvme)
        .or(sum.checksum_sha1)
        .or(sum.checksum_sha256)
}

impl DeclaredBody {
    /// The plain body. After an error nothing more comes.
    pub(super) fn decode<S>(self, body: S) -> impl Stream<Item = Result<Bytes, BodyFault>> + Send
    where
        S: Stream<Item = Result<Bytes, BodyFault>> + Send + 'static,
    {
        let name = match (&self.checksum, &self.trailer) {
            (Some((name, _)), _) => Some(name.as_str()),
            (None, trailer) => trailer.as_deref(),
        };
        let reader = Reader {
            hasher: name.and_then(hasher),
            sha256: self.sha256.as_ref().map(|_| Sha256::new()),
            chunk_signature: String::new(),
            body: Box::pin(body),
            buffer: BytesMut::new(),
            left: 0,
            is_first: true,
            out: 0,
            declared: self,
        };
        stream::unfold(Some(reader), |reader| async move {
            let mut reader = reader?;
            match reader.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(reader))),
                Ok(None) => None,
                Err(fault) => Some((Err(fault), None)),
            }
        })
    }
}

struct Reader {
    body: Pin<Box<dyn Stream<Item = Result<Bytes, BodyFault>> + Send>>,
    declared: DeclaredBody,
    hasher: Option<ChecksumHasher>,
    /// Of the whole body, when its sender said what that is.
    sha256: Option<Sha256>,
    /// Of the chunk that is being read.
    chunk_signature: String,
    /// What has come and is not decoded.
    buffer: BytesMut,
    /// Bytes of the chunk that are still to come.
    left: u64,
    is_first: bool,
    /// Bytes that have gone out.
    out: u64,
}

fn fault(code: S3ErrorCode, message: &str) -> BodyFault {
    BodyFault { code, message: message.to_owned() }
}

fn malformed() -> BodyFault {
    fault(S3ErrorCode::IncompleteBody, "The chunks of the request body are malformed.")
}

fn mismatch() -> BodyFault {
    body_fault(&Refusal::Mismatch)
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Bytes>, BodyFault> {
        let bytes = if self.declared.is_chunked {
            self.next_of_chunk().await?
        } else {
            self.body.next().await.transpose()?
        };
        match &bytes {
            Some(bytes) => {
                self.out += bytes.len() as u64;
                if self.declared.length.is_some_and(|length| self.out > length) {
                    return Err(self.wrong_length());
                }
                if let Some(hasher) = &mut self.hasher {
                    hasher.update(bytes);
                }
                if let Some(sha256) = &mut self.sha256 {
                    sha256.update(bytes);
                }
            }
            None => self.check_end()?,
        }
        Ok(bytes)
    }

    fn wrong_length(&self) -> BodyFault {
        fault(
            S3ErrorCode::IncompleteBody,
            "The request body is not as long as x-amz-decoded-content-length says.",
        )
    }

    fn check_end(&mut self) -> Result<(), BodyFault> {
        if self.declared.length.is_some_and(|length| self.out != length) {
            return Err(self.wrong_length());
        }
        if let Some(sha256) = self.sha256.take()
            && self.declared.sha256 != Some(hex(&sha256.finalize()))
        {
            return Err(body_fault(&Refusal::WrongBody));
        }
        if let (Some(hasher), Some((name, declared))) = (self.hasher.take(), &self.declared.checksum)
            && finish(hasher).as_ref() != Some(declared)
        {
            let algorithm = name.trim_start_matches("x-amz-checksum-").to_ascii_uppercase();
            let message = format!("The {algorithm} you specified did not match the calculated checksum.");
            return Err(BodyFault { code: S3ErrorCode::BadDigest, message });
        }
        Ok(())
    }

    async fn next_of_chunk(&mut self) -> Result<Option<Bytes>, BodyFault> {
        if self.left == 0 {
            if !self.is_first {
                if !self.line().await?.is_empty() {
                    return Err(malformed());
                }
                self.check_chunk()?;
            }
            self.is_first = false;
            let line = self.line().await?;
            let line = std::str::from_utf8(&line).map_err(|_| malformed())?;
            let (size, signature) = chunk::read_line(line).ok_or_else(malformed)?;
            signature.clone_into(&mut self.chunk_signature);
            self.left = size;
            if self.left == 0 {
                self.check_chunk()?;
                return self.trailers().await.map(|()| None);
            }
        }
        while self.buffer.is_empty() {
            self.fill().await?;
        }
        let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.buffer.len());
        self.left -= size as u64;
        let bytes = self.buffer.split_to(size).freeze();
        if let Some(signatures) = &mut self.declared.signatures {
            signatures.update(&bytes);
        }
        Ok(Some(bytes))
    }

    /// Checks the signature of the chunk that has been read.
    fn check_chunk(&mut self) -> Result<(), BodyFault> {
        let Some(signatures) = &mut self.declared.signatures else { return Ok(()) };
        signatures.ends_chunk(&self.chunk_signature).then_some(()).ok_or_else(mismatch)
    }

    /// What stands behind the last chunk.
    async fn trailers(&mut self) -> Result<(), BodyFault> {
        let (mut signed, mut signature) = (Vec::new(), String::new());
        for _ in 0..MAX_TRAILERS {
            // Some senders leave the last, empty line out.
            let line = match self.line().await {
                Err(fault) if fault.code == S3ErrorCode::IncompleteBody && self.buffer.is_empty() => break,
                line => line?,
            };
            if line.is_empty() {
                break;
            }
            let line = std::str::from_utf8(&line).map_err(|_| malformed())?;
            let (name, value) = line.split_once(':').ok_or_else(malformed)?;
            let name = name.trim().to_ascii_lowercase();
            if name == chunk::TRAILER_SIGNATURE {
                value.trim().clone_into(&mut signature);
                continue;
            }
            signed.push(format!("{name}:{}\n", value.trim()));
            if self.declared.trailer.as_deref() == Some(&name) && self.declared.checksum.is_none() {
                self.declared.checksum = Some((name, value.trim().to_owned()));
            }
        }
        signed.sort_unstable();
        if let Some(signatures) = &mut self.declared.signatures
            && !signatures.ends_body(&signed.concat(), &signature)
        {
            return Err(mismatch());
        }
        if self.declared.trailer.is_some() && self.hasher.is_some() && self.declared.checksum.is_none() {
            return Err(fault(S3ErrorCode::InvalidRequest, "The checksum behind the body is missing."));
        }
        // Whatever else there is is no part of the body.
        if !self.buffer.is_empty() || self.body.next().await.transpose()?.is_some() {
            return Err(malformed());
        }
        Ok(())
    }

    /// The next line, without its end.
    async fn line(&mut self) -> Result<Bytes, BodyFault> {
        let mut seen = 0;
        loop {
            if let Some(at) = self.buffer[seen..].windows(2).position(|pair| pair == b"\r\n") {
                // However much of it has come at once.
                if seen + at > MAX_LINE {
                    return Err(malformed());
                }
                let line = self.buffer.split_to(seen + at).freeze();
                self.buffer.advance(2);
                return Ok(line);
            }
            // The first byte of its end may be here already.
            if self.buffer.len() > MAX_LINE + 1 {
                return Err(malformed());
            }
            seen = self.buffer.len().saturating_sub(1);
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), BodyFault> {
        match self.body.next().await.transpose()? {
            Some(bytes) => {
                self.buffer.extend_from_slice(&bytes);
                Ok(())
            }
            None => Err(fault(S3ErrorCode::IncompleteBody, "The request body broke off.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    fn headers(more: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER".parse().unwrap());
        for (name, value) in more {
            headers.insert(*name, value.parse().unwrap());
        }
        headers
    }

    /// The body as it comes out, cut into pieces of every size on the way in.
    async fn decoded(more: &[(&'static str, &str)], body: &[u8]) -> Result<String, S3ErrorCode> {
        let mut results = Vec::new();
        for size in [1, 2, 3, 7, body.len().max(1)] {
            let pieces: Vec<_> = body.chunks(size).map(|b| Ok(Bytes::copy_from_slice(b))).collect();
            let plain = DeclaredBody::take_headers(&mut headers(more), None).unwrap();
            let out: Vec<_> = plain.decode(stream::iter(pieces)).collect().await;
            let out: Result<Vec<Bytes>, BodyFault> = out.into_iter().collect();
            results.push(out.map(|out| String::from_utf8(out.concat()).unwrap()).map_err(|fault| fault.code));
        }
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "{results:?}");
        results.remove(0)
    }

    #[tokio::test]
    async fn chunks_are_put_together_with_signatures_and_trailers_left_out() {
        let length = ("x-amz-decoded-content-length", "11");
        for body in [
            "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
            "b;chunk-signature=00ff\r\nhello world\r\n0;chunk-signature=11\r\n\r\n",
            "B\r\nhello world\r\n0\r\nx-amz-other:1\r\n\r\n",
            "b\r\nhello world\r\n0\r\n",
        ] {
            assert_eq!(decoded(&[length], body.as_bytes()).await, Ok("hello world".into()), "{body:?}");
        }
        assert_eq!(decoded(&[], b"0\r\n\r\n").await, Ok(String::new()));
    }

    #[tokio::test]
    async fn malformed_short_and_wrongly_counted_bodies_are_refused() {
        for body in [
            "",
            "5\r\nhel",
            "5\r\nhello\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "x\r\nhello\r\n0\r\n\r\n",
            "-5\r\nhello\r\n0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n",
            "fffffffffffffffff\r\nhello",
            "5\r\nhello\r\n0\r\n\r\nmore",
            "5\r\nhello\r\n0\r\nno colon\r\n\r\n",
        ] {
            assert_eq!(decoded(&[], body.as_bytes()).await, Err(S3ErrorCode::IncompleteBody), "{body:?}");
        }
        let with_line = |bytes: usize| format!("5\r\nhello\r\n0\r\na:{}\r\n\r\n", "x".repeat(bytes - 2));
        assert_eq!(decoded(&[], with_line(MAX_LINE).as_bytes()).await, Ok("hello".into()));
        let longer = with_line(MAX_LINE + 1);
        assert_eq!(decoded(&[], longer.as_bytes()).await, Err(S3ErrorCode::IncompleteBody));
        let body = b"5\r\nhello\r\n0\r\n\r\n";
        for length in ["4", "6"] {
            let length = ("x-amz-decoded-content-length", length);
            assert_eq!(decoded(&[length], body).await, Err(S3ErrorCode::IncompleteBody));
        }
        assert!(
            DeclaredBody::take_headers(&mut headers(&[("x-amz-decoded-content-length", "many")]), None)
                .is_err()
        );
    }

    #[tokio::test]
    async fn a_checksum_is_checked_wherever_it_stands() {
        let trailer = ("x-amz-trailer", "x-amz-checksum-crc32");
        let good = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
        assert_eq!(decoded(&[trailer], good.as_bytes()).await, Ok("hello".into()));
        let bad = good.replace("hello", "hellO");
        assert_eq!(decoded(&[trailer], bad.as_bytes()).await, Err(S3ErrorCode::BadDigest));
        let without = b"5\r\nhello\r\n0\r\n\r\n";
        assert_eq!(decoded(&[trailer], without).await, Err(S3ErrorCode::InvalidRequest));
        let header = ("x-amz-checksum-crc32", "NhCmhg==");
        assert_eq!(decoded(&[header], without).await, Ok("hello".into()));
        assert_eq!(
            decoded(&[("x-amz-checksum-crc32", "AAAAAA==")], without).await,
            Err(S3ErrorCode::BadDigest)
        );
    }

    #[test]
    fn the_headers_say_afterwards_what_the_plain_body_is() {
        let mut headers = headers(&[
            ("content-encoding", "aws-chunked, gzip"),
            ("content-length", "99"),
            ("x-amz-decoded-content-length", "11"),
        ]);
        DeclaredBody::take_headers(&mut headers, None).unwrap();
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(headers["content-length"], "11");
        assert_eq!(headers.len(), 2);
    }
}
