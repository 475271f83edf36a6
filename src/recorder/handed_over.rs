//! Waiting for what has been handed over to be recorded, and may not be stored yet.

use crate::recorder::forwarded_calls::ForwardedCalls;
use crate::recorder::writer::{NotStored, Writer};
use std::future::Future;
use std::time::Duration;

/// How long a reader waits for calls that were answered before it came.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Everything that has been handed over, by whichever way; cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct HandedOver {
    pub writer: Writer,
    /// When there is an upstream.
    pub forwarded_calls: Option<ForwardedCalls>,
}

impl HandedOver {
    /// Waits until it is stored. That costs nothing when nothing is on its way.
    ///
    /// # Errors
    /// Nothing can be stored now.
    pub async fn stored(&self) -> Result<(), NotStored> {
        self.changes_settled().await;
        self.writer.settle().await
    }

    /// Waits for forwarded calls alone: Contrail's own that change something are stored before they are answered.
    async fn changes_settled(&self) {
        if let Some(calls) = &self.forwarded_calls {
            calls.settle().await;
        }
    }

    /// Waits, but not for long, so that a reader finds every call that was answered before. To be called before the
    /// reader's session begins: it reads what was there at its beginning.
    pub async fn readable(&self) {
        wait(async { self.stored().await.is_ok() }).await;
    }

    /// The same for a reader of what calls have changed: Contrail's own reads are not waited for.
    pub async fn changes_readable(&self) {
        wait(async {
            self.changes_settled().await;
            true
        })
        .await;
    }
}

/// `stored`: whether that went well.
async fn wait(stored: impl Future<Output = bool>) {
    // The alternative, an error, would keep people from reading while the disk is full.
    if tokio::time::timeout(LONGEST_WAIT, stored).await != Ok(true) {
        tracing::warn!("events are read although others wait to be stored");
    }
}
