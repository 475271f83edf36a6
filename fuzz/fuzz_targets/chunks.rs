//! The bodies of S3 requests, in chunks and not: the first line says what the headers do, the rest is the body. However it is
//! cut on its way, the same comes out.
#![no_main]

use contrail::http::fuzzing::read_s3_body;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (first, body) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let Ok(first) = std::str::from_utf8(first) else { return };
    let headers: Vec<(&str, &str)> = first.split(';').filter_map(|pair| pair.split_once('=')).collect();
    let whole = read_s3_body(&headers, body, body.len().max(1));
    let cut = read_s3_body(&headers, body, 3);
    assert_eq!(whole, cut);
    if let Ok(bytes) = whole {
        assert!(bytes.len() <= body.len());
    }
});
