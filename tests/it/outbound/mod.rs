//! What goes out on the wire to S3, SNS, CloudWatch Logs, EventBridge and a webhook, and what comes back when it fails.

mod doors;
mod events;
mod logs;
mod s3;
mod sns;
mod webhook;

use crate::support::fakes::FakeAws;
use contrail::config::Settings;
use contrail::outbound::{Failure, Outbound, Sent};

/// An account that no setting names.
const ACCOUNT: &str = "111122223333";

/// A fake, and what delivers to it, whatever credentials the machine has.
async fn fake() -> (FakeAws, Outbound) {
    let fake = FakeAws::start().await;
    let hook = fake.webhook();
    let mut settings = fake.settings().to_vec();
    settings.push(("delivery.webhook", &hook));
    let outbound = outbound(&settings);
    (fake, outbound)
}

fn outbound(settings: &[(&'static str, &str)]) -> Outbound {
    let settings = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    Outbound::without_environment(&Settings::builtin(settings).unwrap().delivery, None)
}

/// The code and text of a failure.
fn why(sent: Sent) -> (String, String) {
    let Failure { code, message } = sent.unwrap_err();
    (code, message)
}
