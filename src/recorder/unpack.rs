//! Unpacking what is imported, when it is gzip, with a bound on what comes out.

use flate2::write::MultiGzDecoder;
use std::io::Write;

/// Bytes handed to the decoder at a time: gzip grows them at most about a thousandfold, so a step stays small.
const STEP: usize = 4096;

/// What one gzip body may unpack to before its ratio counts.
const FREE: u64 = 16 * 1024 * 1024;

/// The largest honest ratio. Log files of CloudTrail reach 10 to 30, very monotonous ones 100.
const MAX_RATIO: u64 = 200;

/// Why a body was refused; what it held before that is stored all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// It would unpack to more than is allowed.
    #[error("the gzip data unpacks to too much: more than {0} bytes")]
    TooMuch(u64),
    /// It is not gzip, or cut off.
    #[error("the gzip data is damaged: {0}")]
    Damaged(String),
}

/// Bytes as they come, plain or gzip: which of the two, the first two bytes tell.
#[derive(Debug)]
pub struct Unpacker {
    state: State,
    packed: u64,
    unpacked: u64,
    limit: u64,
}

#[derive(Debug)]
enum State {
    Start(Vec<u8>),
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Unpacker {
    /// Gzip may unpack to `limit` bytes; plain bytes are not counted.
    pub fn new(limit: u64) -> Unpacker {
        Unpacker { state: State::Start(Vec::new()), packed: 0, unpacked: 0, limit }
    }

    /// Takes the next bytes and passes on what they unpack to, in pieces of bounded size.
    ///
    /// # Errors
    /// The gzip data is damaged or unpacks to too much.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), UnpackError> {
        let held;
        let bytes = match &mut self.state {
            State::Start(first) => {
                first.extend_from_slice(bytes);
                if first.len() < 2 {
                    return Ok(());
                }
                held = std::mem::take(first);
                let gzip = held.starts_with(&[0x1f, 0x8b]);
                self.state =
                    if gzip { State::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))) } else { State::Plain };
                held.as_slice()
            }
            _ => bytes,
        };
        let State::Gzip(decoder) = &mut self.state else {
            each(bytes);
            return Ok(());
        };
        for step in bytes.chunks(STEP) {
            let written = decoder.write_all(step);
            let out = decoder.get_mut();
            self.packed += step.len() as u64;
            let allowed = self.limit.min(FREE.max(self.packed.saturating_mul(MAX_RATIO)));
            let room = usize::try_from(allowed.saturating_sub(self.unpacked)).unwrap_or(usize::MAX);
            // What is good before the fault is passed on.
            each(&out[..out.len().min(room)]);
            if out.len() > room {
                return Err(UnpackError::TooMuch(allowed));
            }
            self.unpacked += out.len() as u64;
            out.clear();
            written.map_err(|e| UnpackError::Damaged(e.to_string()))?;
        }
        Ok(())
    }

    /// The end of the bytes.
    ///
    /// # Errors
    /// The gzip data ends in the middle.
    pub fn finish(self, mut each: impl FnMut(&[u8])) -> Result<(), UnpackError> {
        match self.state {
            State::Start(first) => each(&first),
            State::Plain => {}
            State::Gzip(mut decoder) => {
                decoder.try_finish().map_err(|e| UnpackError::Damaged(e.to_string()))?;
                each(decoder.get_ref());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8], limit: u64, chunk: usize) -> Result<Vec<u8>, UnpackError> {
        let (mut unpacker, mut out) = (Unpacker::new(limit), Vec::new());
        for part in bytes.chunks(chunk) {
            unpacker.push(part, |b| out.extend_from_slice(b))?;
        }
        unpacker.finish(|b| out.extend_from_slice(b))?;
        Ok(out)
    }

    #[test]
    fn plain_and_gzip_are_told_apart_by_their_first_bytes() {
        let text = b"{\"a\":1}\n".repeat(1000);
        for chunk in [1, 100, 100_000] {
            assert_eq!(unpack(&text, 10, chunk).unwrap(), text, "plain has no limit");
            assert_eq!(unpack(&gzip(&text), 1_000_000, chunk).unwrap(), text);
            let two_members = [gzip(&text), gzip(&text)].concat();
            assert_eq!(unpack(&two_members, 1_000_000, chunk).unwrap().len(), 2 * text.len());
        }
        assert_eq!(unpack(b"{", 10, 1).unwrap(), b"{");
        assert!(unpack(b"", 10, 1).unwrap().is_empty());
    }

    #[test]
    fn a_bomb_is_refused_by_size_and_by_ratio() {
        let bomb = gzip(&vec![b' '; 40_000_000]);
        assert_eq!(unpack(&bomb, 1_000_000, 1000), Err(UnpackError::TooMuch(1_000_000)));
        assert!(
            matches!(unpack(&bomb, u64::MAX, 1000), Err(UnpackError::TooMuch(_))),
            "a thousandfold is no log"
        );
    }

    #[test]
    fn a_cut_off_body_is_damaged() {
        let whole = gzip(&b"{\"a\":1}\n".repeat(1000));
        assert!(matches!(unpack(&whole[..whole.len() - 9], 1_000_000, 50), Err(UnpackError::Damaged(_))));
        let mut wrong = whole.clone();
        wrong[10] ^= 0xff;
        assert!(matches!(unpack(&wrong, 1_000_000, 50), Err(UnpackError::Damaged(_))));
    }
}
