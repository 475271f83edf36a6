//! Requests of the embedded bucket store with a body in XML or JSON: the first line is the target, the rest the body. The
//! server is never at fault.
#![no_main]

use contrail::buckets::{BucketCaller, Buckets, Seen};
use contrail::clock::{Clock, Ids};
use contrail::domain::account_id::AccountId;
use libfuzzer_sys::fuzz_target;
use s3s::Body;
use s3s::service::{S3Service, S3ServiceBuilder};
use std::sync::LazyLock;
use tokio::runtime::Runtime;

struct Store {
    runtime: Runtime,
    s3: S3Service,
    caller: BucketCaller,
    _folder: tempfile::TempDir,
}

static STORE: LazyLock<Store> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let account = AccountId::parse("111122223333").expect("12 digits");
    let clock = Clock::manual(chrono::DateTime::UNIX_EPOCH);
    let path = folder.path().join("buckets.db");
    let buckets = runtime.block_on(async {
        let buckets = Buckets::open(&path, clock, Ids::Random).await.expect("a store");
        buckets.ensure_bucket(&account, "box", "us-east-1").await.expect("a bucket");
        buckets
    });
    let s3 = S3ServiceBuilder::new(buckets.s3()).build();
    Store { runtime, s3, caller: BucketCaller { account, sees: Seen::All }, _folder: folder }
});

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (first, body) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let Ok(first) = std::str::from_utf8(first) else { return };
    let Some((method, target)) = first.split_once(' ') else { return };
    let request = http::Request::builder().method(method).uri(target).header("content-length", body.len());
    let Ok(mut request) = request.body(Body::from(body.to_vec())) else { return };
    let Store { runtime, s3, caller, .. } = &*STORE;
    request.extensions_mut().insert(caller.clone());
    let answer = runtime.block_on(s3.call(request)).expect("an answer");
    assert_ne!(answer.status().as_u16(), 500, "{first}");
});
