//! Events for the default event bus. Knows nothing of trails.

use super::aws::{Clients, WHOLE_CALL, failure, within};
use super::{BusEvent, Failure, RefusedEntries};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

/// Puts events on the bus of an account in a region; which of them were refused.
pub(super) async fn put(
    clients: &Clients<Client>,
    account: &str,
    region: &str,
    events: Vec<BusEvent>,
) -> Result<Option<RefusedEntries>, Failure> {
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
    let refused = answer.entries().iter().enumerate().filter(|(_, entry)| entry.error_code().is_some());
    let refused: Vec<_> = refused.collect();
    Ok(refused.first().map(|(_, first)| RefusedEntries {
        entries: refused.iter().map(|(at, _)| *at).collect(),
        failure: Failure {
            code: first.error_code().unwrap_or_default().to_owned(),
            message: format!(
                "{} of {count} events were refused: {}",
                refused.len(),
                first.error_message().unwrap_or("(no reason given)")
            ),
        },
    }))
}
