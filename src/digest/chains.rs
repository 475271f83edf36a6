//! Which chains there are, and the digests in them.

use crate::digest::{DigestError, Digesting};
use crate::digest_keys::{self, DigestKeyError};
use crate::domain::digest::{Cover, Delivered, Digest, sha256};
use crate::domain::object_key;
use crate::store::{Chain, DigestKey, NewDigest, Session, StoreResult, Wanted};
use chrono::DateTime;
use std::collections::HashMap;

/// What the trails ask of the chains.
#[derive(Debug, Default)]
struct Changes {
    start: Vec<Wanted>,
    go_on: Vec<(i64, Wanted)>,
    end: Vec<i64>,
}

impl Changes {
    async fn look(session: &mut impl Session) -> StoreResult<Changes> {
        let (wanted, chains) = (session.digests().wanted_chains().await?, session.digests().chains().await?);
        let mut changes = Changes::default();
        for chain in &chains {
            match wanted.iter().find(|w| w.whose == chain.wanted.whose) {
                Some(same) if *same == chain.wanted && !chain.closing => {}
                Some(other) => changes.go_on.push((chain.id, other.clone())),
                None if chain.closing => {}
                None => changes.end.push(chain.id),
            }
        }
        let fresh = wanted.into_iter().filter(|w| !chains.iter().any(|c| c.wanted.whose == w.whose));
        changes.start.extend(fresh);
        Ok(changes)
    }

    fn is_none(&self) -> bool {
        self.start.is_empty() && self.go_on.is_empty() && self.end.is_empty()
    }
}

/// Begins, changes and ends chains as the trails have it.
pub(super) async fn reconcile(digesting: &Digesting) -> StoreResult<()> {
    if Changes::look(&mut digesting.store.read().await?).await?.is_none() {
        return Ok(());
    }
    let now = digesting.clock.now().timestamp();
    let mut session = digesting.store.write().await?;
    // Looked at again: only here is it what will be true after the commit.
    let changes = Changes::look(&mut session).await?;
    for wanted in &changes.start {
        session.digests().start_chain(wanted, now).await?;
    }
    for (id, wanted) in &changes.go_on {
        session.digests().continue_chain(*id, wanted).await?;
    }
    for id in changes.end {
        session.digests().end_chain(id, false).await?;
    }
    session.commit().await
}

/// What the next digest of a chain covers, and whether it is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Due {
    start: i64,
    end: i64,
    last: bool,
}

/// Whether a digest is due at `now` (seconds), every `period`. `first`: the chain has none yet; `named`: there are log
/// files to name; `busy`: more log files are to come.
fn due(
    chain: &Chain,
    (now, period): (i64, i64),
    flush: bool,
    (first, named, busy): (bool, bool, bool),
) -> Option<Due> {
    // The time of the end is in the digest's name: two digests never end in the same second.
    let next = now.max(chain.last_end + 1);
    if first {
        // The first digest covers the period before the start: observed.
        return Some(Due { start: chain.last_end - period, end: chain.last_end, last: false });
    }
    let start = chain.last_end;
    if chain.closing && !busy {
        return Some(Due { start, end: next, last: true });
    }
    let passed = (now - chain.last_end) / period;
    if passed > 0 && !chain.closing {
        // After a time without a server one digest covers all of it.
        return Some(Due { start, end: chain.last_end + passed * period, last: false });
    }
    (flush && named).then_some(Due { start, end: next, last: false })
}

/// Writes the digests that are due, signed.
pub(super) async fn write_due(digesting: &Digesting, flush: bool) -> Result<(), DigestError> {
    let now = digesting.clock.now().timestamp();
    let period = i64::try_from(digesting.settings.digest_period.0.as_secs()).unwrap_or(i64::MAX).max(1);
    let mut keys: HashMap<String, DigestKey> = HashMap::new();
    // A chain that has just got its first digest may have its last one due.
    for _ in 0..2 {
        for chain in digesting.store.read().await?.digests().chains().await? {
            let mut session = digesting.store.read().await?;
            if look(&mut session, &chain, (now, period), flush).await?.is_none() {
                continue;
            }
            drop(session);
            let region = &chain.wanted.whose.region;
            if !keys.contains_key(region) {
                keys.insert(region.clone(), digesting.keys.current(region).await?);
            }
            write(digesting, chain.id, (now, period), flush, &keys).await?;
        }
    }
    Ok(())
}

async fn look(
    session: &mut impl Session,
    chain: &Chain,
    time: (i64, i64),
    flush: bool,
) -> StoreResult<Option<Due>> {
    let first = session.digests().last(chain.id).await?.is_none();
    let named = flush && !session.digests().undigested(&chain.wanted.whose).await?.is_empty();
    let busy = chain.closing && session.digests().is_delivering(&chain.wanted.whose).await?;
    Ok(due(chain, time, flush, (first, named, busy)))
}

/// Writes the next digest of a chain, if it is still due.
async fn write(
    digesting: &Digesting,
    chain: i64,
    time: (i64, i64),
    flush: bool,
    keys: &HashMap<String, DigestKey>,
) -> Result<(), DigestError> {
    let mut session = digesting.store.write().await?;
    // Looked at again: a trail may have been changed meanwhile.
    let chain = session.digests().chains().await?.into_iter().find(|c| c.id == chain);
    let Some(chain) = chain else { return Ok(()) };
    let Some(due) = look(&mut session, &chain, time, flush).await? else { return Ok(()) };
    let Some(key) = keys.get(&chain.wanted.whose.region) else { return Ok(()) };
    let previous = session.digests().last(chain.id).await?;
    let undigested = session.digests().undigested(&chain.wanted.whose).await?;
    let (ids, files): (Vec<i64>, Vec<Delivered>) = undigested.into_iter().unzip();
    let whose = &chain.wanted.whose;
    let moment = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let object_key = object_key::digest(
        chain.wanted.s3_key_prefix.as_deref(),
        &whose.trail_account,
        &whose.region,
        (&whose.trail_name, &whose.home_region),
        moment(due.end),
    );
    let cover = Cover {
        account: &whose.trail_account,
        bucket: &chain.wanted.s3_bucket_name,
        key: &object_key,
        fingerprint: &key.fingerprint,
        start: moment(due.start),
        end: moment(due.end),
    };
    let digest = Digest::new(cover, previous.as_ref(), &files);
    let failed = |cause: String| DigestKeyError::Unusable { region: whose.region.clone(), cause };
    let content = serde_json::to_string(&digest).map_err(|e| failed(e.to_string()))?;
    let hash = sha256(content.as_bytes());
    let signature = digest_keys::sign(key, &digest.string_to_sign(&hash)).map_err(failed)?;
    let stored = NewDigest {
        s3_object_key: &object_key,
        start_time: due.start,
        end_time: due.end,
        fingerprint: &key.fingerprint,
        sha256: &hash,
        signature: &signature,
        content: &content,
    };
    let now = digesting.clock.now().timestamp_millis();
    session.digests().insert(&chain, &stored, &ids, now).await?;
    if due.last {
        session.digests().end_chain(chain.id, true).await?;
    }
    Ok(session.commit().await?)
}
