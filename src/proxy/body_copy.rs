//! The copy that is kept of a body as it passes, up to a bound.

use super::abridged::Abridged;
use crate::recorder::exchange::{BEGINNING, KeptBody, MAX_KEPT};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long [`BodyCopy::read_rest`] may take.
const LONGEST_READ: Duration = Duration::from_secs(1);

/// A body's copy as it grows; shared between the body and the call that is recorded.
#[derive(Clone)]
pub(super) struct BodyCopy(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    kept: Kept,
    total: u64,
    ended: bool,
    /// What the upstream did not take of a request's body.
    rest: Option<Incoming>,
    /// Whether the caller stopped sending it.
    has_stalled: bool,
}

/// What is kept of a body.
enum Kept {
    /// All of it, at most [`MAX_KEPT`].
    Whole(Vec<u8>),
    /// The same of a body that was there as a whole.
    Shared(Bytes),
    /// It will be longer than that, and nothing of it has come yet.
    OfLong,
    /// It is longer, and JSON: what is in it but for long texts.
    Abridged(Abridged),
    /// It is longer: the first bytes, at most [`BEGINNING`].
    Beginning(Vec<u8>),
}

impl Default for Kept {
    fn default() -> Kept {
        Kept::Whole(Vec::new())
    }
}

impl Kept {
    /// The copy of a body that is too long, of which this has come.
    fn of_long(bytes: &[u8], total: u64) -> Kept {
        if bytes.first() != Some(&b'{') {
            return Kept::Beginning(bytes[..bytes.len().min(BEGINNING)].to_vec());
        }
        let mut kept = Kept::Abridged(Abridged::default());
        // In pieces, so that nothing grows beyond what may be kept.
        bytes.chunks(MAX_KEPT).for_each(|piece| kept.add(piece, total));
        kept
    }

    /// Adds the next part of the body, with which it is `total` bytes long.
    fn add(&mut self, part: &[u8], total: u64) {
        match self {
            Kept::Whole(bytes) => {
                bytes.extend_from_slice(part);
                if total > MAX_KEPT as u64 {
                    *self = Kept::of_long(bytes, total);
                }
            }
            Kept::OfLong => *self = Kept::of_long(part, total),
            // It has ended.
            Kept::Shared(_) => {}
            Kept::Abridged(abridged) => {
                abridged.push(part);
                if abridged.bytes.len() > MAX_KEPT {
                    abridged.bytes.truncate(BEGINNING);
                    *self = Kept::Beginning(std::mem::take(&mut abridged.bytes));
                }
            }
            Kept::Beginning(bytes) => {
                let room = BEGINNING.saturating_sub(bytes.len());
                bytes.extend_from_slice(&part[..part.len().min(room)]);
            }
        }
    }

    /// Whether more of the body would be kept.
    fn has_room(&self) -> bool {
        match self {
            Kept::Beginning(bytes) => bytes.len() < BEGINNING,
            _ => true,
        }
    }
}

impl BodyCopy {
    /// The copy of a body that has not begun to pass.
    pub(super) fn of(body: &Incoming) -> BodyCopy {
        let is_long = body.size_hint().exact().is_some_and(|length| length > MAX_KEPT as u64);
        let kept = if is_long { Kept::OfLong } else { Kept::default() };
        let state = State { kept, ended: body.is_end_stream(), ..State::default() };
        BodyCopy(Arc::new(Mutex::new(state)))
    }

    /// The copy of a body that is there: nothing is copied but what is kept of a long one.
    pub(super) fn of_whole(body: &Bytes) -> BodyCopy {
        let total = body.len() as u64;
        let kept = match total > MAX_KEPT as u64 {
            true => Kept::of_long(body, total),
            false => Kept::Shared(body.clone()),
        };
        BodyCopy(Arc::new(Mutex::new(State { kept, total, ended: true, ..State::default() })))
    }

    /// Reads what the upstream did not take, as long as it can be kept: a form says which operation it is for.
    pub(super) async fn read_rest(&self) {
        let Some(mut rest) = self.state().rest.take() else { return };
        // A caller that does not send it gets its answer all the same.
        let _ = tokio::time::timeout(LONGEST_READ, async {
            while self.state().kept.has_room() {
                let next = rest.frame().await;
                if self.note(&rest, next.as_ref()) || next.is_some_and(|frame| frame.is_err()) {
                    return;
                }
            }
        })
        .await;
    }

    /// Whether the caller stopped sending the body.
    pub(super) fn has_stalled(&self) -> bool {
        self.state().has_stalled
    }

    /// Takes note of what `body` has given next. Whether that was its end.
    pub(super) fn note(&self, body: &Incoming, next: Option<&Result<Frame<Bytes>, hyper::Error>>) -> bool {
        if let Some(part) = next.and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            self.add(part);
        }
        let has_ended = next.is_none() || body.is_end_stream();
        if has_ended {
            self.state().ended = true;
        }
        has_ended
    }

    fn add(&self, part: &Bytes) {
        let mut state = self.state();
        state.total += part.len() as u64;
        let total = state.total;
        state.kept.add(part, total);
    }

    /// What was kept.
    pub(super) fn take(&self) -> KeptBody {
        let mut state = self.state();
        let (bytes, is_abridged) = match std::mem::take(&mut state.kept) {
            Kept::Whole(bytes) | Kept::Beginning(bytes) => (bytes.into(), false),
            Kept::Shared(bytes) => (bytes, false),
            Kept::Abridged(abridged) => (abridged.bytes.into(), true),
            Kept::OfLong => (Bytes::new(), false),
        };
        KeptBody { bytes, total: state.total, ended: state.ended, is_abridged }
    }

    /// The caller has stopped sending the body.
    pub(super) fn stall(&self) {
        self.state().has_stalled = true;
    }

    /// This is what the upstream did not take.
    pub(super) fn leave(&self, rest: Incoming) {
        self.state().rest = Some(rest);
    }

    /// Nothing panics while the lock is held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_body_that_is_there_no_more_is_copied_than_is_kept() {
        let short = Bytes::from(vec![b'a'; MAX_KEPT]);
        let kept = BodyCopy::of_whole(&short).take();
        assert_eq!((kept.bytes.as_ptr(), kept.total, kept.ended), (short.as_ptr(), MAX_KEPT as u64, true));
        let package = format!(r#"{{"ZipFile":"{}","A":"b"}}"#, "A".repeat(2 * MAX_KEPT));
        let kept = BodyCopy::of_whole(&Bytes::from(package.clone())).take();
        assert!(kept.is_abridged && kept.ended);
        assert_eq!((&kept.bytes[..], kept.total), (&br#"{"ZipFile":"","A":"b"}"#[..], package.len() as u64));
        let form = Bytes::from(format!("Action=A&B={}", "b".repeat(2 * MAX_KEPT)));
        let kept = BodyCopy::of_whole(&form).take();
        assert_eq!(kept.bytes, form[..BEGINNING]);
        assert!(kept.ended && kept.whole().is_none());
    }
}
