//! How events are stored, by whomever: with what delivers them, in one transaction, and known to those who follow.

use crate::clock::Clock;
use crate::domain::event::Event;
use crate::domain::routing::CapturedEvent;
use crate::recorder::arrivals::Arrivals;
use crate::store::{EventBusTakes, Session, StoreError, StoreResult, WriteSession};

/// Stores events, cheap to clone.
#[derive(Clone, Debug)]
pub struct Committer {
    /// Where those who follow learn what has been stored.
    pub arrivals: Arrivals,
    /// What an event bus takes, if there is one.
    pub event_bus: EventBusTakes,
    /// Says when an event was stored.
    pub clock: Clock,
}

impl Committer {
    /// Stores events and queues them for those who take them, and commits. Says of each whether it is new.
    ///
    /// # Errors
    /// Nothing of the session was stored.
    pub async fn commit(
        &self,
        mut session: WriteSession,
        captured: &[&CapturedEvent],
    ) -> StoreResult<Vec<bool>> {
        let events: Vec<&Event> = captured.iter().map(|captured| &captured.event).collect();
        let stored = session.events().insert(&events, self.clock.now().timestamp_millis()).await?;
        session.deliveries().queue(captured, &stored, self.event_bus).await?;
        let arrivals = self.arrivals.clone();
        // In a task of its own: a caller that goes away between the two would keep the event from the live tail.
        let committing = tokio::spawn(async move {
            session.commit().await?;
            arrivals.publish(&stored);
            Ok(stored.new)
        });
        committing.await.map_err(StoreError::from)?
    }
}
