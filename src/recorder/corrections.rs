//! Events of older data folders are read again, once, when more is known of AWS's operations than when they were stored: the
//! rows beside their records are corrected.

use crate::aws::catalog::{Catalog, FACTS_VERSION};
use crate::domain::event::Event;
use crate::store::{CorrectionMark, Session, Store, StoreResult};

/// Events that are corrected in one transaction.
const PIECE: i64 = 1_000;

/// Pieces between two reports.
const REPORT_EVERY: i64 = 50;

/// How far it has come, in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Those that have been looked at.
    pub done: i64,
    /// All.
    pub total: i64,
}

/// Corrects the events of a folder, in pieces that are each durable: whoever is interrupted goes on at the next start.
/// `report` learns now and then how far it has come, at first that it begins; it is not called when there is nothing to
/// do. How many events were corrected.
///
/// # Errors
/// The database cannot be read or written.
pub async fn run(store: &Store, catalog: &Catalog, mut report: impl FnMut(Progress)) -> StoreResult<i64> {
    let mark = store.read().await?.events().correction_mark().await?;
    let mut until = match mark {
        CorrectionMark { version: FACTS_VERSION, until: None } => return Ok(0),
        CorrectionMark { version: FACTS_VERSION, until: Some(key) } => key,
        _ => -1,
    };
    let (mut done, total) = store.read().await?.events().count_until(until).await?;
    let mut corrected = 0;
    for piece in 0.. {
        if total > 0 && piece % REPORT_EVERY == 0 {
            report(Progress { done, total });
        }
        let mut session = store.write().await?;
        let stored = session.events().to_check(until, PIECE).await?;
        for row in &stored {
            // What could be read once can be read again; if not, it stays as it is.
            let Ok(event) = Event::from_record(&row.record, &row.account, 0, catalog) else { continue };
            corrected += i64::from(session.events().correct(row, &event).await?);
        }
        let last = stored.last().map(|row| row.key);
        session.events().set_correction_mark(CorrectionMark { version: FACTS_VERSION, until: last }).await?;
        session.commit().await?;
        let Some(last) = last else { break };
        until = last;
        done += stored.len() as i64;
    }
    Ok(corrected)
}
