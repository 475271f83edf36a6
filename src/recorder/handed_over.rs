//! Waiting for what has been handed over to be recorded, and may not be stored yet.

use crate::recorder::forwarded_calls::ForwardedCalls;
use crate::recorder::writer::{NotStored, Writer};

/// Everything that has been handed over, by whichever way; cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct HandedOver {
    pub writer: Writer,
    /// When there is an upstream.
    pub forwarded_calls: Option<ForwardedCalls>,
}

impl HandedOver {
    /// Waits until it is stored, so that whoever reads now finds every call that has been answered.
    ///
    /// # Errors
    /// Nothing can be stored now.
    pub async fn stored(&self) -> Result<(), NotStored> {
        if let Some(calls) = &self.forwarded_calls {
            calls.settle().await;
        }
        // An empty batch waits behind all others.
        self.writer.store(Vec::new()).await.map(drop)
    }
}
