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

/// Which part of a queue is being sent: numbers of arrival behind `after`, up to `until`.
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

/// What is special about a kind of destination.
pub(super) trait Kind: Sync {
    /// What is sent, settled and tried again as a whole.
    type Item: Send + Sync;

    /// The label of its failures in the metrics.
    const TARGET: &'static str;

    /// The next item of a destination; nothing of it is lost when it is made and not sent.
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

    /// Notes that an item has been sent, or need not be.
    fn settle(
        &self,
        db: &mut WriteSession,
        recipient: &Recipient,
        item: &Self::Item,
        outcome: &Outcome,
    ) -> impl Future<Output = StoreResult<()>> + Send;

    /// Removes what waits since before `before` (milliseconds since 1970), at most about [`PIECE`] rows; how much.
    fn give_up(
        &self,
        db: &mut WriteSession,
        destination: i64,
        before: i64,
    ) -> impl Future<Output = StoreResult<u64>> + Send;

    /// Since when an item waits, milliseconds since 1970.
    fn waits_since(item: &Self::Item) -> i64;

    /// The number of arrival behind which the queue goes on after this item, in kinds that send pending events.
    fn last_number(_item: &Self::Item) -> i64 {
        0
    }

    /// Adds a delivered item to the report.
    fn report(_item: Self::Item, _report: &mut DeliveryReport) {}
}

impl Delivery {
    /// Sends what waits for a destination.
    pub(super) async fn send_all<K: Kind>(&self, kind: &K, id: i64) -> StoreResult<DeliveryReport> {
        let mut report = DeliveryReport::default();
        let until = self.store.read().await?.deliveries().last_pending(id).await?.unwrap_or(-1);
        let mut part = Part { after: -1, until };
        let mut refused = None;
        loop {
            let Some(recipient) = self.recipient(id).await? else { return Ok(report) };
            let Some(mut item) = kind.next(&recipient, part).await? else { break };
            let outcome = match kind.send(&recipient, &mut item).await {
                Ok(outcome) => outcome,
                Err(failure) => {
                    let since = K::waits_since(&item);
                    self.failed(kind, &recipient, &failure, since, &mut report).await?;
                    return Ok(report);
                }
            };
            let mut db = self.store.write().await?;
            kind.settle(&mut db, &recipient, &item, &outcome).await?;
            self.note_outcome(&mut db, &recipient, &outcome).await?;
            if recipient.destination.failures > 0
                && refused.is_none()
                && !matches!(outcome, Outcome::PartlyTaken(_))
            {
                recovered(&mut db, &recipient).await?;
            }
            db.commit().await?;
            part.after = K::last_number(&item);
            match outcome {
                Outcome::Taken => K::report(item, &mut report),
                Outcome::PartlyTaken(failure) => refused = refused.or(Some((failure, K::waits_since(&item)))),
                Outcome::Unwanted | Outcome::Undeliverable(_) => {}
            }
        }
        if let Some((failure, since)) = refused
            && let Some(recipient) = self.recipient(id).await?
        {
            self.failed(kind, &recipient, &failure, since, &mut report).await?;
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

    /// Notes a failure and when to try again; gives up what has waited too long.
    async fn failed<K: Kind>(
        &self,
        kind: &K,
        Recipient { destination, trail }: &Recipient,
        failure: &Failure,
        since: i64,
        report: &mut DeliveryReport,
    ) -> StoreResult<()> {
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
        report.failures.push(format!("{:?} of {of}: {failure}", destination.kind));
        let mut db = self.store.write().await?;
        let now = db.trails().by_id(destination.trail_id).await?;
        if now.as_ref().map(|trail| trail.updated_at) != trail.as_ref().map(|trail| trail.updated_at) {
            // The trail was changed meanwhile: what failed may be mended, and is tried at once.
            return Ok(());
        }
        let (id, region) = (destination.trail_id, &destination.region);
        db.trails().record_delivery(id, region, destination.kind, Err(&failure.code)).await?;
        let next_try = retry::next_try(&self.clock, &self.ids, failures);
        db.deliveries().set_retry(destination.id, failures, Some(next_try)).await?;
        db.commit().await?;
        if since < retry::given_up_before(&self.clock) {
            self.give_up(kind, destination, name).await?;
        }
        Ok(())
    }

    async fn give_up<K: Kind>(
        &self,
        kind: &K,
        destination: &Destination,
        trail: Option<&str>,
    ) -> StoreResult<()> {
        let before = retry::given_up_before(&self.clock);
        let mut given_up = 0;
        loop {
            let mut db = self.store.write().await?;
            let piece = kind.give_up(&mut db, destination.id, before).await?;
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
