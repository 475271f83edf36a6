//! The lines between the chunks of a body (`aws-chunked`), where the signatures of the chunks stand.
//!
//! Source: S3's API reference, "Signature calculations for the Authorization header: Transferring payload in multiple
//! chunks".

/// Behind the last chunk, the header with the signature of those that stand there.
pub const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// `<hex size>[;chunk-signature=…]`: the size in bytes, and the signature, empty without one. `None` for another line.
pub fn read_line(line: &str) -> Option<(u64, &str)> {
    let (size, extension) = line.split_once(';').unwrap_or((line, ""));
    let is_size = (1..=16).contains(&size.len()) && size.bytes().all(|b| b.is_ascii_hexdigit());
    let size = u64::from_str_radix(size, 16).ok().filter(|_| is_size)?;
    Some((size, extension.strip_prefix("chunk-signature=").unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_has_a_size_and_perhaps_a_signature() {
        assert_eq!(read_line("B"), Some((11, "")));
        assert_eq!(read_line("0;chunk-signature=00ff"), Some((0, "00ff")));
        assert_eq!(read_line("5;other=1"), Some((5, "")));
        for wrong in ["", "x", "-5", "+5", " 5", "fffffffffffffffff", ";chunk-signature=0"] {
            assert_eq!(read_line(wrong), None, "{wrong}");
        }
    }
}
