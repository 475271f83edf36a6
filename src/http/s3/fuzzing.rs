//! The way of a body through this door, for `fuzz/`.

use super::declared::DeclaredBody;
use actix_web::web::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What comes out of a body with these headers that comes in parts of `part` bytes, or S3's error code.
pub fn read_s3_body(headers: &[(&str, &str)], body: &[u8], part: usize) -> Result<Vec<u8>, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(*value)) {
            map.append(name, value);
        }
    }
    let code = |error: s3s::S3Error| error.code().as_str().to_owned();
    let declared = DeclaredBody::take_headers(&mut map, None).map_err(code)?;
    let parts: Vec<_> = body.chunks(part).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let decoded = declared.decode(stream::iter(parts).boxed()).try_collect::<Vec<Bytes>>();
    // Nothing of it ever waits.
    let decoded = decoded.now_or_never().unwrap_or_else(|| Ok(Vec::new()));
    decoded.map(|parts| parts.concat()).map_err(|fault| fault.code.as_str().to_owned())
}
