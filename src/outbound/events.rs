//! Events for the default event bus. Knows nothing of trails.

use super::aws::{Clients, WHOLE_CALL, failure, within};
use super::{BusEvent, Failure, Sent};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

/// Puts events on the bus of an account in a region.
pub(super) async fn put(
    clients: &Clients<Client>,
    account: &str,
    region: &str,
    events: Vec<BusEvent>,
) -> Sent {
    let count = events.len();
    let entries = events.into_iter().map(|event| {
        PutEventsRequestEntry::builder()
            .source(event.source)
            .detail_type(event.detail_type)
            .time(DateTime::from_secs(event.time))
            .detail(event.detail)
            .build()
    });
    let entries = entries.collect();
    let answer = within(WHOLE_CALL, async {
        let client = clients.get(account, region, Client::new).await;
        client.put_events().set_entries(Some(entries)).send().await.map_err(|e| failure(&e))
    })
    .await?;
    let mut refused = answer.entries().iter().filter(|entry| entry.error_code().is_some());
    match refused.next() {
        None => Ok(()),
        Some(first) => Err(Failure {
            code: first.error_code().unwrap_or_default().to_owned(),
            message: format!(
                "{} of {count} events were refused: {}",
                refused.count() + 1,
                first.error_message().unwrap_or("(no reason given)")
            ),
        }),
    }
}
