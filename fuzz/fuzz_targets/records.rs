//! What is imported: unpacking, cutting into records, reading each into an event. However the bytes are cut on their way,
//! the same comes out of them.
#![no_main]

use contrail::aws::catalog::Catalog;
use contrail::domain::account_id::AccountId;
use contrail::domain::event::Event;
use contrail::recorder::other_json::{looks_like, record_inside};
use contrail::recorder::splitter::{Piece, Splitter};
use contrail::recorder::unpack::Unpacker;
use libfuzzer_sys::fuzz_target;

/// Bytes that gzip may unpack to.
const UNPACKED: u64 = 1024 * 1024;

/// What comes out of bytes that come in parts of this size, and whether it was unpacked to its end.
fn pieces(data: &[u8], part: usize) -> (Vec<Piece>, bool) {
    let (mut splitter, mut out) = (Splitter::default(), Vec::new());
    let mut unpacker = Unpacker::new(UNPACKED);
    for part in data.chunks(part) {
        if unpacker.push(part, |bytes| splitter.push(bytes, &mut out)).is_err() {
            return (out, false);
        }
    }
    let is_whole = unpacker.finish(|bytes| splitter.push(bytes, &mut out)).is_ok();
    splitter.finish(&mut out);
    (out, is_whole)
}

fuzz_target!(|data: &[u8]| {
    let (whole, is_whole) = pieces(data, data.len().max(1));
    let (cut, is_whole_when_cut) = pieces(data, 7);
    assert_eq!(is_whole, is_whole_when_cut);
    if is_whole {
        assert_eq!(whole, cut);
    }
    let (account, catalog) = (AccountId::parse("111122223333").expect("12 digits"), Catalog::embedded());
    for piece in whole {
        let Piece::Record(bytes) = piece else { continue };
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        for shift in [0, i64::from(bytes.len() as u32) - 100, i64::MAX, i64::MIN] {
            let read = Event::from_record(text, &account, shift, &*catalog);
            if let Ok(event) = read {
                serde_json::from_str::<serde_json::Value>(&event.record).expect("a record is JSON");
            }
        }
        _ = looks_like(text);
        if let Some(inside) = record_inside(text) {
            _ = Event::from_record(&inside, &account, 0, &*catalog);
        }
    }
});
