//! CloudWatch Logs: each record is one log event in the trail's log group.

use crate::delivery::Delivery;
use crate::delivery::engine::{Kind, Outcome, Part, Recipient};
use crate::delivery::pending::{self, Batch, Bounds};
use crate::outbound::{Failure, NOT_CONFIGURED};
use crate::store::StoreResult;

/// What one PutLogEvents takes (its documentation). Records too large for a log event are skipped, as AWS does (user
/// guide: 256 KB).
const BOUNDS: Bounds =
    Bounds { events: 10_000, bytes: 1_048_576, overhead: OVERHEAD, record: 256 * 1024 - OVERHEAD };

/// What each log event counts beside its own bytes.
const OVERHEAD: usize = 26;

/// The log streams of trails.
pub(super) struct LogStreams<'a>(pub(super) &'a Delivery);

impl Kind for LogStreams<'_> {
    type Item = Batch;

    const TARGET: &'static str = "logs";

    async fn next(&self, recipient: &Recipient, part: Part) -> StoreResult<Option<Batch>> {
        pending::next(self.0, recipient.destination.id, part, BOUNDS).await
    }

    async fn send(&self, recipient: &Recipient, batch: &mut Batch) -> Result<Outcome, Failure> {
        let group = recipient
            .trail
            .as_ref()
            .and_then(|trail| Some((&trail.account, trail.cloud_watch_logs_log_group_arn.as_deref()?)));
        let Some((owner, group)) = group.filter(|_| !batch.events.is_empty()) else {
            return Ok(Outcome::Unwanted);
        };
        let destination = &recipient.destination;
        let stream = format!("{}_CloudTrail_{}", destination.account, destination.region);
        let records = batch.events.iter().map(|event| event.record.clone()).collect();
        // The time of delivery, not of the events: observed.
        let now = self.0.now_millis();
        match self.0.outbound.put_log_events(owner, group, &stream, now, records).await {
            Ok(()) => Ok(Outcome::Taken),
            Err(failure) if failure.code == NOT_CONFIGURED => Ok(Outcome::Undeliverable(failure.to_string())),
            Err(failure) => Err(failure),
        }
    }
}
