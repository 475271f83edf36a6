//! What must be true of an object for it to be read or copied.

use super::time;
use crate::buckets::objects::{Object, names, precondition_failed, strong};
use http::HeaderMap;
use s3s::dto::{ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result};

/// The four conditions. The rules between them: RFC 9110, section 13.2.2.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_unmodified_since: Option<Timestamp>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
}

impl Conditions {
    /// For reading: `PreconditionFailed`, or `NotModified` with the headers that it must have.
    pub(super) fn check_read(&self, object: &Object) -> S3Result<()> {
        self.check_match(object)?;
        if self.is_unchanged(object) { Err(not_modified(object)) } else { Ok(()) }
    }

    /// For copying: `PreconditionFailed`.
    pub(super) fn check_copy(&self, object: &Object) -> S3Result<()> {
        self.check_match(object)?;
        if self.is_unchanged(object) { Err(precondition_failed()) } else { Ok(()) }
    }

    fn check_match(&self, object: &Object) -> S3Result<()> {
        let holds = match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) => names(condition, &object.etag),
            (None, Some(since)) => time(object.last_modified) <= *since,
            (None, None) => true,
        };
        if holds { Ok(()) } else { Err(precondition_failed()) }
    }

    fn is_unchanged(&self, object: &Object) -> bool {
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) => names(condition, &object.etag),
            (None, Some(since)) => time(object.last_modified) <= *since,
            (None, None) => false,
        }
    }
}

fn not_modified(object: &Object) -> S3Error {
    let mut headers = HeaderMap::new();
    if let Ok(etag) = strong(&object.etag).to_http_header() {
        headers.insert(http::header::ETAG, etag);
    }
    let mut date = Vec::new();
    let written = time(object.last_modified).format(TimestampFormat::HttpDate, &mut date);
    if written.is_ok()
        && let Ok(date) = http::HeaderValue::from_bytes(&date)
    {
        headers.insert(http::header::LAST_MODIFIED, date);
    }
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    error.set_headers(headers);
    error
}
