//! How every destination is served: item by item, until none is left or one fails. Trying again, status, metrics and
//! giving up are the same for all kinds.

use crate::delivery::{Delivery, DeliveryReport};
use crate::outbound::{Failure, retry};
use crate::store::{Destination, Session, StoreResult, Trail, WriteSession};
use std::future::Future;

/// Rows that are given up in one transaction.
pub(super) const PIECE: u32 = 2_000;

/// A destination with its trail as it is now.
#[derive(Debug)]
pub(super) struct Recipient {
    pub(super) destination: Destination,
    /// None for an event bus.
    pub(super) trail: Option<Trail>,
}

/// Which part of a queue is being sent: events with numbers of arrival, or announcements with numbers of log files, behind
/// `after` and up to `until`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) after: i64,
    pub(super) until: i64,
}

/// What came of sending an item, unless it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was taken.
    Taken,
    /// Nobody wants it any more.
    Unwanted,
    /// There is nobody to send it to, now or later; the status says why.
    Undeliverable(String),
    /// What was not taken stays in the queue, and what is behind it goes on.
    PartlyTaken(Failure),
}

/// What is special about a kind of destination: how its next item is made, and how it is sent.
pub(super) trait Kind: Sync {
    /// What is sent, settled and tried again as a whole.
    type Item: Item;

    /// The label of its failures in the metrics.
    const TARGET: &'static str;

    /// The next item of a part of a queue; nothing of it is lost when it is made and not sent.
    fn next(
        &self,
        recipient: &Recipient,
        part: Part,
    ) -> impl Future<Output = StoreResult<Option<Self::Item>>> + Send;

    /// Sends an item, to where the trail says now.
    fn send(
        &self,
        recipient: &Recipient,
        item: &mut Self::Item,
    ) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

/// What waits in a queue.
pub(super) trait Item: Send + Sync {
    /// Since when it waits, milliseconds since 1970.
    fn waits_since(&self) -> i64;

    /// The number of arrival behind which the queue goes on, if it is one of pending events.
    fn last_number(&self) -> i64 {
        0
    }

    /// Notes that it has been sent, or need not be.
    fn settle(
        &self,
        db: &mut WriteSession,
        recipient: &Recipient,
        delivery: &Delivery,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Removes what waits in a destination's queue since before `before` (milliseconds since 1970), at most about
    /// [`PIECE`] rows; how much.
    fn give_up(
        db: &mut WriteSession,
        destination: i64,
        before: i64,
    ) -> impl Future<Output = StoreResult<u64>> + Send;

    /// Adds it to the report, delivered.
    fn report(self, _report: &mut DeliveryReport)
    where
        Self: Sized,
    {
    }
}

impl Delivery {
    /// Sends what waits for a destination now; what comes meanwhile waits for the next time, so that there is an end.
    pub(super) async fn send_all<K: Kind>(&self, kind: &K, id: i64) -> StoreResult<DeliveryReport> {
        let mut report = DeliveryReport::default();
        let until = self.store.read().await?.deliveries().last_in_queue(id).await?.unwrap_or(-1);
        let mut part = Part { after: -1, until };
        let mut refused = None;
        loop {
            let Some(recipient) = self.recipient(id).await? else { return Ok(report) };
            let Some(mut item) = kind.next(&recipient, part).await? else { break };
            let outcome = match kind.send(&recipient, &mut item).await {
                Ok(outcome) => outcome,
                Err(failure) => {
                    let since = item.waits_since();
                    report.failures.push(self.failed::<K>(&recipient, &failure, since).await?);
                    return Ok(report);
                }
            };
            let is_taken_whole = !matches!(outcome, Outcome::PartlyTaken(_));
            let mut db = self.store.write().await?;
            item.settle(&mut db, &recipient, self).await?;
            self.note_outcome(&mut db, &recipient, &outcome).await?;
            if recipient.destination.failures > 0 && refused.is_none() && is_taken_whole {
                recovered(&mut db, &recipient).await?;
            }
            db.commit().await?;
            part.after = item.last_number();
            match outcome {
                Outcome::Taken => item.report(&mut report),
                Outcome::PartlyTaken(failure) => refused = refused.or(Some((failure, item.waits_since()))),
                Outcome::Unwanted | Outcome::Undeliverable(_) => {}
            }
        }
        if let Some((failure, since)) = refused
            && let Some(recipient) = self.recipient(id).await?
        {
            report.failures.push(self.failed::<K>(&recipient, &failure, since).await?);
        }
        Ok(report)
    }

    /// The destination and its trail, read anew for every item; `None` when it is there no longer.
    async fn recipient(&self, id: i64) -> StoreResult<Option<Recipient>> {
        let mut db = self.store.read().await?;
        let Some(destination) = db.deliveries().by_id(id).await? else { return Ok(None) };
        let trail = match destination.trail_id {
            0 => None,
            trail_id => db.trails().by_id(trail_id).await?,
        };
        Ok(Some(Recipient { destination, trail }))
    }

    async fn note_outcome(
        &self,
        db: &mut WriteSession,
        Recipient { destination, .. }: &Recipient,
        outcome: &Outcome,
    ) -> StoreResult<()> {
        let noted = match outcome {
            Outcome::Taken => Some(Ok(self.now_millis())),
            Outcome::Undeliverable(why) => Some(Err(why.as_str())),
            Outcome::Unwanted | Outcome::PartlyTaken(_) => None,
        };
        if let Some(noted) = noted {
            let (id, region) = (destination.trail_id, &destination.region);
            db.trails().record_delivery(id, region, destination.kind, noted).await?;
        }
        Ok(())
    }

    /// Notes a failure and when to try again, and gives up what has waited too long; the failure in words.
    async fn failed<K: Kind>(
        &self,
        Recipient { destination, trail }: &Recipient,
        failure: &Failure,
        since: i64,
    ) -> StoreResult<String> {
        let failures = destination.failures + 1;
        let name = trail.as_ref().map(|trail| trail.name.as_str());
        self.metrics.delivery_failed(K::TARGET);
        if failures == 1 {
            tracing::warn!(
                kind = ?destination.kind,
                trail = name,
                account = %destination.account,
                region = %destination.region,
                code = failure.code,
                message = failure.message,
                "a delivery failed; it will be tried again"
            );
        }
        let of = name.unwrap_or(&destination.region);
        let in_words = format!("{:?} of {of}: {failure}", destination.kind);
        let mut db = self.store.write().await?;
        let now = db.trails().by_id(destination.trail_id).await?;
        if now.as_ref().map(|trail| trail.updated_at) != trail.as_ref().map(|trail| trail.updated_at) {
            // The trail was changed meanwhile: what failed may be mended, and is tried at once.
            return Ok(in_words);
        }
        let (id, region) = (destination.trail_id, &destination.region);
        db.trails().record_delivery(id, region, destination.kind, Err(&failure.code)).await?;
        let next_try = retry::next_try(&self.clock, &self.ids, failures);
        db.deliveries().set_retry(destination.id, failures, Some(next_try)).await?;
        db.commit().await?;
        if since < retry::given_up_before(&self.clock) {
            self.give_up::<K>(destination, name).await?;
        }
        Ok(in_words)
    }

    async fn give_up<K: Kind>(&self, destination: &Destination, trail: Option<&str>) -> StoreResult<()> {
        let before = retry::given_up_before(&self.clock);
        let mut given_up = 0;
        loop {
            let mut db = self.store.write().await?;
            let piece = K::Item::give_up(&mut db, destination.id, before).await?;
            db.commit().await?;
            given_up += piece;
            if piece < u64::from(PIECE) {
                break;
            }
        }
        tracing::error!(
            kind = ?destination.kind,
            trail,
            account = %destination.account,
            region = %destination.region,
            given_up,
            "what could not be delivered for 30 days was given up"
        );
        Ok(())
    }
}

/// Notes that a destination which failed takes everything again.
async fn recovered(db: &mut WriteSession, Recipient { destination, trail }: &Recipient) -> StoreResult<()> {
    db.deliveries().set_retry(destination.id, 0, None).await?;
    tracing::info!(
        kind = ?destination.kind,
        trail = trail.as_ref().map(|trail| trail.name.as_str()),
        account = %destination.account,
        region = %destination.region,
        "a destination takes deliveries again"
    );
    Ok(())
}
