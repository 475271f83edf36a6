//! Announcements of stored log files: at the trail's topic, and at the webhook. Both send the same message.

use crate::delivery::Delivery;
use crate::delivery::engine::{Item, Kind, Outcome, PIECE, Part, Recipient};
use crate::outbound::{Failure, NOT_CONFIGURED, Sent};
use crate::store::{PendingNotice, Session, StoreResult, WriteSession};
use serde_json::json;

/// The topics of trails.
pub(super) struct Topics<'a>(pub(super) &'a Delivery);

/// The webhook, for each trail by itself.
pub(super) struct Webhooks<'a>(pub(super) &'a Delivery);

impl Kind for Topics<'_> {
    type Item = PendingNotice;

    const TARGET: &'static str = "sns";

    async fn next(&self, recipient: &Recipient, part: Part) -> StoreResult<Option<PendingNotice>> {
        next(self.0, recipient, part).await
    }

    async fn send(&self, recipient: &Recipient, notice: &mut PendingNotice) -> Result<Outcome, Failure> {
        let topic = recipient
            .trail
            .as_ref()
            .and_then(|trail| Some((&trail.account, trail.sns_topic_arn.as_deref()?)));
        let Some((owner, topic)) = topic else { return Ok(Outcome::Unwanted) };
        outcome(self.0.outbound.publish(owner, topic, &message(notice)).await)
    }
}

impl Kind for Webhooks<'_> {
    type Item = PendingNotice;

    const TARGET: &'static str = "webhook";

    async fn next(&self, recipient: &Recipient, part: Part) -> StoreResult<Option<PendingNotice>> {
        next(self.0, recipient, part).await
    }

    async fn send(&self, _: &Recipient, notice: &mut PendingNotice) -> Result<Outcome, Failure> {
        outcome(self.0.outbound.post_webhook(&message(notice)).await)
    }
}

impl Item for PendingNotice {
    fn waits_since(&self) -> i64 {
        self.stored_at
    }

    async fn settle(&self, db: &mut WriteSession, recipient: &Recipient, _: &Delivery) -> StoreResult<()> {
        db.deliveries().settle_notice(recipient.destination.id, self.log_file).await
    }

    async fn give_up(db: &mut WriteSession, destination: i64, before: i64) -> StoreResult<u64> {
        db.deliveries().give_up_notices(destination, before, PIECE).await
    }
}

async fn next(delivery: &Delivery, recipient: &Recipient, part: Part) -> StoreResult<Option<PendingNotice>> {
    let next = delivery.store.read().await?.deliveries().next_notice(recipient.destination.id).await?;
    Ok(next.filter(|notice| notice.log_file <= part.until))
}

/// One key a message: observed.
fn message(notice: &PendingNotice) -> String {
    json!({"s3Bucket": notice.s3_bucket_name, "s3ObjectKey": [notice.s3_object_key]}).to_string()
}

fn outcome(sent: Sent) -> Result<Outcome, Failure> {
    match sent {
        Ok(()) => Ok(Outcome::Taken),
        Err(failure) if failure.code == NOT_CONFIGURED => Ok(Outcome::Undeliverable(failure.message)),
        Err(failure) => Err(failure),
    }
}
