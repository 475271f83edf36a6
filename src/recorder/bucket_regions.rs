//! Where buckets are, as far as calls have shown it. Signatures of the older version, and calls without one, do not say.

use crate::aws::identify::Identified;
use crate::domain::region::Region;
use crate::recorder::exchange::Exchange;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// Buckets that are remembered.
const MOST: usize = 10_000;

/// Bucket → region. It begins empty at every start.
#[derive(Debug, Default)]
pub struct BucketRegions(RwLock<HashMap<String, Region>>);

impl BucketRegions {
    /// The region of the bucket that a call is about, by what it says itself, else by what others have said. `signed` is the
    /// region that it is signed for.
    pub(super) fn of_call(
        &self,
        call: &Identified,
        exchange: &Exchange,
        signed: Option<&Region>,
    ) -> Option<Region> {
        let (_, bucket) = call.labels.iter().find(|(name, _)| name == "Bucket")?;
        let reply = exchange.reply.as_ref()?;
        let said =
            reply.headers.get("x-amz-bucket-region").and_then(|value| Region::parse(value.to_str().ok()?));
        let known = said.or_else(|| signed.filter(|_| reply.status < 300).cloned());
        match known {
            Some(region) => {
                self.keep(bucket, &region);
                Some(region)
            }
            None => self.read().get(bucket).cloned(),
        }
    }

    fn keep(&self, bucket: &str, region: &Region) {
        if self.read().get(bucket) == Some(region) {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(bucket.to_owned(), region.clone());
    }

    /// Nothing panics while the lock is held.
    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<String, Region>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
