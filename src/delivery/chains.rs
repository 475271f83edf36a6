//! Chains of digests: for which trails and regions there are any, and when each gets its next digest.

use crate::delivery::{Delivery, Flush};
use crate::store::{Chain, DigestKey, NewDigest, Session, StoreResult, WantedChain};
use std::collections::HashMap;

/// What the trails ask of the chains.
#[derive(Debug, Default)]
struct Changes {
    start: Vec<WantedChain>,
    reopen: Vec<i64>,
    end: Vec<i64>,
}

impl Changes {
    async fn look(db: &mut impl Session) -> StoreResult<Changes> {
        let (wanted, chains) = (db.digests().wanted_chains().await?, db.digests().chains().await?);
        let mut changes = Changes::default();
        for chain in &chains {
            match (wanted.contains(&chain.of), chain.closing) {
                (true, true) => changes.reopen.push(chain.id),
                (false, false) => changes.end.push(chain.id),
                (true, false) | (false, true) => {}
            }
        }
        changes.start.extend(wanted.into_iter().filter(|w| !chains.iter().any(|chain| chain.of == *w)));
        Ok(changes)
    }

    fn is_none(&self) -> bool {
        self.start.is_empty() && self.reopen.is_empty() && self.end.is_empty()
    }
}

/// Begins, reopens and ends chains as the trails have it.
pub(super) async fn reconcile(delivery: &Delivery) -> StoreResult<()> {
    if Changes::look(&mut delivery.store.read().await?).await?.is_none() {
        return Ok(());
    }
    let now = delivery.clock.now().timestamp();
    let mut db = delivery.store.write().await?;
    // Looked at again: only here is it what will be true after the commit.
    let changes = Changes::look(&mut db).await?;
    for wanted in &changes.start {
        db.digests().start_chain(wanted, now).await?;
    }
    for id in changes.reopen {
        db.digests().reopen_chain(id).await?;
    }
    for id in changes.end {
        db.digests().end_chain(id).await?;
    }
    db.commit().await
}

/// When digests are written.
#[derive(Debug, Clone, Copy)]
struct Timing {
    /// Seconds since 1970.
    now: i64,
    /// Seconds.
    period: i64,
    flush: Flush,
}

/// How far a chain is.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// It has a digest.
    has_begun: bool,
    /// There are log files that none of its digests names.
    has_undigested: bool,
    /// More log files are to come.
    is_delivering: bool,
}

/// What the next digest of a chain covers, seconds since 1970, and whether it is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    start: i64,
    end: i64,
    is_last: bool,
}

/// Whether a digest is due.
fn due(chain: &Chain, timing: Timing, progress: Progress) -> Option<Due> {
    let Timing { now, period, flush } = timing;
    // The time of the end is in the digest's name: two digests never end in the same second.
    let next = now.max(chain.last_end + 1);
    if !progress.has_begun {
        // The first digest covers the period before the start: observed.
        return Some(Due { start: chain.last_end - period, end: chain.last_end, is_last: false });
    }
    let start = chain.last_end;
    if chain.closing && !progress.is_delivering {
        return Some(Due { start, end: next, is_last: true });
    }
    let passed = (now - chain.last_end) / period;
    if passed > 0 && !chain.closing {
        // After a time without a server one digest covers all of it.
        return Some(Due { start, end: chain.last_end + passed * period, is_last: false });
    }
    (flush == Flush::Yes && progress.has_undigested).then_some(Due { start, end: next, is_last: false })
}

/// Stores the digests that are due, to be put. Log files that are on their way are named by the next one, as AWS's digests
/// name what was delivered in their time; only the last one of a chain waits for them.
pub(super) async fn write_due(delivery: &Delivery, flush: Flush) -> StoreResult<()> {
    let now = delivery.clock.now().timestamp();
    let period = i64::try_from(delivery.settings.digest_period.0.as_secs()).unwrap_or(i64::MAX).max(1);
    let timing = Timing { now, period, flush };
    let mut keys: HashMap<String, DigestKey> = HashMap::new();
    // A chain that has just got its first digest may have its last one due.
    for _ in 0..2 {
        // By itself: in the loop's head the session would be held until its end.
        let chains = delivery.store.read().await?.digests().chains().await?;
        for chain in chains {
            let region = &chain.of.region;
            if look(&mut delivery.store.read().await?, &chain, timing).await?.is_none() {
                continue;
            }
            let key = match keys.get(region.as_str()) {
                Some(key) => key,
                None => match delivery.digest_keys.current(region).await {
                    Ok(key) => keys.entry(region.to_string()).or_insert(key),
                    Err(error) => {
                        tracing::error!(%region, %error, "a digest has to wait: there is no key to sign it with");
                        continue;
                    }
                },
            };
            write(delivery, chain.id, timing, &key.fingerprint).await?;
        }
    }
    Ok(())
}

async fn look(db: &mut impl Session, chain: &Chain, timing: Timing) -> StoreResult<Option<Due>> {
    let progress = Progress {
        has_begun: db.digests().has_any(chain.id).await?,
        has_undigested: timing.flush == Flush::Yes && db.digests().has_undigested(&chain.of).await?,
        is_delivering: chain.closing && db.digests().is_delivering(&chain.of).await?,
    };
    Ok(due(chain, timing, progress))
}

/// Stores the next digest of a chain, if it is still due.
async fn write(delivery: &Delivery, chain: i64, timing: Timing, fingerprint: &str) -> StoreResult<()> {
    let mut db = delivery.store.write().await?;
    // Looked at again: a trail may have been changed meanwhile.
    let chain = db.digests().chains().await?.into_iter().find(|c| c.id == chain);
    let Some(chain) = chain else { return Ok(()) };
    let Some(due) = look(&mut db, &chain, timing).await? else { return Ok(()) };
    let digest = NewDigest { start_time: due.start, end_time: due.end, fingerprint, is_last: due.is_last };
    db.digests().insert(&chain, &digest, delivery.now_millis()).await?;
    db.commit().await
}
