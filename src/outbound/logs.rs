//! Records for log groups. Knows nothing of trails.

use super::aws::{Clients, WHOLE_CALL, failure, within};
use super::{Failure, Sent};
use crate::domain::arn::ArnParts;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;

/// A log group as its ARN names it.
pub(super) struct Group<'a> {
    region: &'a str,
    name: &'a str,
}

impl<'a> Group<'a> {
    /// `arn:aws:logs:{region}:{account}:log-group:{name}:*`
    pub(super) fn parse(arn: &'a str) -> Result<Group<'a>, Failure> {
        let parts = ArnParts::split(arn);
        let named = parts.and_then(|arn| {
            let name = arn.resource.strip_prefix("log-group:")?;
            Some(Group { region: arn.region, name: name.strip_suffix(":*").unwrap_or(name) })
        });
        named.ok_or_else(|| Failure::new("InvalidParameterException", "the log group's ARN is malformed"))
    }
}

/// Makes a stream, unless it is there.
pub(super) async fn create_stream(
    clients: &Clients<Client>,
    account: &str,
    group: &Group<'_>,
    stream: &str,
) -> Sent {
    within(WHOLE_CALL, async {
        let client = clients.get(account, group.region, Client::new).await;
        create(&client, group, stream).await
    })
    .await
}

/// Puts records at `time` (milliseconds since 1970) into a stream, which is made if it is not there.
pub(super) async fn put(
    clients: &Clients<Client>,
    account: &str,
    group: &Group<'_>,
    stream: &str,
    (time, records): (i64, Vec<String>),
) -> Sent {
    let events =
        records.into_iter().map(|record| InputLogEvent::builder().timestamp(time).message(record).build());
    let events = events.collect::<Result<Vec<_>, _>>();
    let events = events.map_err(|e| Failure::new("InvalidParameterException", e.to_string()))?;
    within(WHOLE_CALL, async {
        let client = clients.get(account, group.region, Client::new).await;
        match put_once(&client, group, stream, events.clone()).await {
            Err(failure) if failure.code == "ResourceNotFoundException" => {
                create(&client, group, stream).await?;
                put_once(&client, group, stream, events).await
            }
            result => result,
        }
    })
    .await
}

async fn create(client: &Client, group: &Group<'_>, stream: &str) -> Sent {
    let made = client.create_log_stream().log_group_name(group.name).log_stream_name(stream).send().await;
    match made.map_err(|e| failure(&e)) {
        Err(failure) if failure.code != "ResourceAlreadyExistsException" => Err(failure),
        _ => Ok(()),
    }
}

async fn put_once(client: &Client, group: &Group<'_>, stream: &str, events: Vec<InputLogEvent>) -> Sent {
    let put = client.put_log_events().log_group_name(group.name).log_stream_name(stream);
    put.set_log_events(Some(events)).send().await.map(drop).map_err(|e| failure(&e))
}
