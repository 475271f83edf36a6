//! The work in the background: delivering, and removing what is too old.

use crate::delivery::{Delivery, DeliveryReport, Flush};
use crate::recorder::retention::Retention;
use crate::store::StoreResult;
use std::time::Duration;

/// How often to look for what is too old.
const TICK: Duration = Duration::from_secs(1);

/// The workers, cheap to clone.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Delivers what trails captured.
    pub delivery: Delivery,
    /// Removes what is too old.
    pub retention: Retention,
}

impl Workers {
    /// Does what is due now.
    ///
    /// # Errors
    /// The database cannot be read or written; the rest is done by the next step.
    pub async fn step(&self) -> StoreResult<DeliveryReport> {
        let delivered = Box::pin(self.delivery.step(Flush::No)).await;
        // Whatever became of the deliveries.
        self.retention.step().await?;
        delivered
    }

    /// Delivers everything that waits, whatever the period, and closes digests over it.
    ///
    /// # Errors
    /// As [`Workers::step`].
    pub async fn flush(&self) -> StoreResult<DeliveryReport> {
        Box::pin(self.delivery.step(Flush::Yes)).await
    }

    /// Works for ever, unless the clock stands still: then whoever moves it steps. May be dropped at any point.
    pub async fn run(self) {
        tokio::join!(self.delivery.run(), self.retention.run(TICK));
    }
}
