//! Messages for topics. Knows nothing of trails.

use super::aws::{Clients, WHOLE_CALL, failure, within};
use super::{Failure, Sent};
use crate::domain::arn::ArnParts;
use aws_sdk_sns::Client;

/// Publishes at a topic in the region that its ARN names.
pub(super) async fn publish(
    clients: &Clients<Client>,
    account: &str,
    topic_arn: &str,
    message: &str,
) -> Sent {
    let Some(topic) = ArnParts::split(topic_arn) else {
        return Err(Failure::new("InvalidParameter", "the topic's ARN is malformed"));
    };
    within(WHOLE_CALL, async {
        let client = clients.get(account, topic.region, Client::new).await;
        let sent = client.publish().topic_arn(topic_arn).message(message).send().await;
        sent.map(drop).map_err(|e| failure(&e))
    })
    .await
}
