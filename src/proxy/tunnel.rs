//! Connections that change to another protocol (WebSockets): from there on bytes pass both ways, whatever they mean.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

/// Joins both sides as soon as they have changed, until one of them ends.
pub(super) fn join(caller: OnUpgrade, upstream: OnUpgrade) {
    tokio::spawn(async move {
        let ended = match tokio::try_join!(caller, upstream) {
            Ok((caller, upstream)) => {
                let (mut caller, mut upstream) = (TokioIo::new(caller), TokioIo::new(upstream));
                let ended = tokio::io::copy_bidirectional(&mut caller, &mut upstream).await;
                ended.map(drop).map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = ended {
            tracing::debug!(error, "a tunnel to the upstream broke");
        }
    });
}
