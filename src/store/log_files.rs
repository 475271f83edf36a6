//! Log files: cut from pending events, put, and then the events are no longer pending.

use crate::store::{Deliveries, Destination, DestinationKind, Session, StoreResult, WriteSession};
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use sqlx::FromRow;

/// A log file whose object is still to be put.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct WaitingFile {
    /// `log_files.id`
    pub id: i64,
    /// The object's key without the trail's prefix, fixed when the file was cut.
    pub object_name: String,
    /// The file's events: this number of arrival ...
    pub first_number: i64,
    /// ... to this one, among those pending for the destination.
    pub last_number: i64,
    /// When it was cut, milliseconds since 1970.
    pub created_at: i64,
}

/// What was put, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutFile {
    /// The bucket ...
    pub s3_bucket_name: String,
    /// ... and the key.
    pub s3_object_key: String,
    /// Events in it.
    pub events: i64,
    /// Bytes of the object.
    pub bytes: i64,
    /// SHA-256 of its unpacked content, lower-case hexadecimal.
    pub sha256: String,
    /// The time of its oldest event, seconds since 1970 ...
    pub oldest_event_time: i64,
    /// ... and of its newest.
    pub newest_event_time: i64,
    /// Whether a digest has to name it.
    pub validated: bool,
}

/// Events of a destination that are in no file yet.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Uncut {
    /// The destination.
    #[sqlx(flatten)]
    pub destination: Destination,
    /// Number of arrival of the first of them.
    pub first_number: i64,
    /// When that was stored, milliseconds since 1970.
    pub first_stored_at: i64,
}

/// A pending event.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PendingEvent {
    /// Number of arrival.
    pub number: i64,
    /// Seconds since 1970.
    pub event_time: i64,
    /// Milliseconds since 1970.
    pub stored_at: i64,
    /// `eventSource`
    pub event_source: String,
    /// The record, JSON.
    pub record: String,
}

/// How much is read at once.
#[derive(Debug, Clone, Copy)]
pub struct PieceBounds {
    /// Events.
    pub events: u32,
    /// Bytes of their records; the event that goes beyond it is the last one.
    pub bytes: usize,
}

/// Pending events that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingEvents {
    /// In the order of arrival.
    pub events: Vec<PendingEvent>,
    /// Whether there is none behind them in the range that was asked for.
    pub is_all: bool,
}

impl<S: Session> Deliveries<'_, S> {
    /// Destinations of log files with pending events that are in no file, by id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn uncut(&mut self) -> StoreResult<Vec<Uncut>> {
        let uncut = sqlx::query_as(
            "SELECT d.*, p.number AS first_number, coalesce(e.stored_at, 0) AS first_stored_at FROM destinations d \
             JOIN pending_events p ON p.destination = d.id AND p.number = (SELECT min(q.number) FROM pending_events q \
             WHERE q.destination = d.id AND q.number > coalesce((SELECT max(f.last_number) FROM log_files f \
             WHERE f.state = 'waiting' AND f.destination = d.id), -1)) \
             LEFT JOIN events e ON e.key = p.event_key WHERE d.kind = 'log_file' AND d.wiped = 0 ORDER BY d.id",
        );
        Ok(uncut.fetch_all(self.db()).await?)
    }

    /// The number of arrival of the latest event pending for a destination.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn last_pending(&mut self, destination: i64) -> StoreResult<Option<i64>> {
        let last = sqlx::query_scalar("SELECT max(number) FROM pending_events WHERE destination = $1");
        Ok(last.bind(destination).fetch_one(self.db()).await?)
    }

    /// The next log file of a destination, in the order of their events.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn next_waiting_file(&mut self, destination: i64) -> StoreResult<Option<WaitingFile>> {
        let file = sqlx::query_as(
            "SELECT * FROM log_files WHERE state = 'waiting' AND destination = $1 ORDER BY first_number LIMIT 1",
        );
        Ok(file.bind(destination).fetch_optional(self.db()).await?)
    }

    /// Pending events of a destination, from one number of arrival to another, in that order: as many as the bounds allow,
    /// and one at least if there is any. Of what is behind them nothing is read but what the driver reads ahead.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn pending_events(
        &mut self,
        destination: i64,
        (first, last): (i64, i64),
        bounds: PieceBounds,
    ) -> StoreResult<PendingEvents> {
        let query = sqlx::query_as(
            "SELECT p.number, e.event_time, e.stored_at, e.event_source, e.record FROM pending_events p \
             JOIN events e ON e.key = p.event_key \
             WHERE p.destination = $1 AND p.number BETWEEN $2 AND $3 ORDER BY p.number LIMIT $4",
        );
        let query = query.bind(destination).bind(first).bind(last).bind(bounds.events);
        let mut rows: BoxStream<'_, Result<PendingEvent, sqlx::Error>> = query.fetch(self.db());
        let (mut events, mut bytes): (Vec<PendingEvent>, usize) = (Vec::new(), 0);
        while let Some(event) = rows.try_next().await? {
            bytes += event.record.len();
            events.push(event);
            if bytes > bounds.bytes {
                return Ok(PendingEvents { events, is_all: false });
            }
        }
        let is_all = events.len() < bounds.events as usize;
        Ok(PendingEvents { events, is_all })
    }
}

impl Deliveries<'_, WriteSession> {
    /// Makes a log file of the events from `first` to `last`, with its name.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn cut_file(
        &mut self,
        destination: i64,
        (first, last): (i64, i64),
        object_name: &str,
        now: i64,
    ) -> StoreResult<()> {
        let insert = sqlx::query(
            "INSERT INTO log_files (destination, object_name, first_number, last_number, created_at, state) \
             VALUES ($1, $2, $3, $4, $5, 'waiting')",
        );
        let insert = insert.bind(destination).bind(object_name).bind(first).bind(last).bind(now);
        insert.execute(self.db()).await?;
        let cut = sqlx::query("UPDATE destinations SET due = FALSE WHERE id = $1");
        cut.bind(destination).execute(self.db()).await?;
        Ok(())
    }

    /// Lets a waiting file, which would grow too large, end at `last`.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn shorten_file(&mut self, id: i64, last: i64) -> StoreResult<()> {
        let shorten =
            sqlx::query("UPDATE log_files SET last_number = $2 WHERE id = $1 AND state = 'waiting'");
        shorten.bind(id).bind(last).execute(self.db()).await?;
        Ok(())
    }

    /// Notes that a log file's object is there: its events are no longer pending, and it waits to be announced at the
    /// destinations of the kinds in `announce`. Nothing happens when it was wiped meanwhile.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn file_stored(
        &mut self,
        destination: &Destination,
        file: &WaitingFile,
        put: &PutFile,
        announce: &[DestinationKind],
        now: i64,
    ) -> StoreResult<()> {
        let stored = sqlx::query(
            "UPDATE log_files SET state = 'stored', stored_at = $2, events = $3, bytes = $4, sha256 = $5, \
             oldest_event_time = $6, newest_event_time = $7, last_number = $8, s3_bucket_name = $9, \
             s3_object_key = $10, validated = $11 WHERE id = $1 AND state = 'waiting'",
        )
        .bind(file.id)
        .bind(now)
        .bind(put.events)
        .bind(put.bytes)
        .bind(&put.sha256)
        .bind(put.oldest_event_time)
        .bind(put.newest_event_time)
        .bind(file.last_number)
        .bind(&put.s3_bucket_name)
        .bind(&put.s3_object_key)
        .bind(put.validated)
        .execute(self.db())
        .await?;
        if stored.rows_affected() == 0 {
            return Ok(());
        }
        self.no_longer_pending(destination.id, (file.first_number, file.last_number)).await?;
        for kind in announce {
            let (account, region) = (&destination.account, &destination.region);
            if let Some(id) = self.destination(*kind, destination.trail_id, account, region).await? {
                self.insert_notice(id, file.id).await?;
            }
        }
        Ok(())
    }

    /// Gives up the log files of a destination that were cut before `before` (milliseconds since 1970), as far as at most
    /// `limit` of their events go with them; how many events are no longer pending. A file of which some are left waits on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn abandon_files(&mut self, destination: i64, before: i64, limit: u32) -> StoreResult<u64> {
        let mut left = u64::from(limit);
        while let Some(file) = self.next_waiting_file(destination).await?.filter(|f| f.created_at < before) {
            let remove = sqlx::query(
                "DELETE FROM pending_events WHERE destination = $1 AND number IN (SELECT number FROM pending_events \
                 WHERE destination = $1 AND number BETWEEN $2 AND $3 ORDER BY number LIMIT $4)",
            );
            let (first, last) = (file.first_number, file.last_number);
            let remove =
                remove.bind(destination).bind(first).bind(last).bind(i64::try_from(left).unwrap_or(0));
            let removed = remove.execute(self.db()).await?.rows_affected();
            self.count_removed(destination, removed).await?;
            left -= removed.min(left);
            if left == 0 {
                break;
            }
            let abandon = sqlx::query("UPDATE log_files SET state = 'abandoned' WHERE id = $1");
            abandon.bind(file.id).execute(self.db()).await?;
        }
        Ok(u64::from(limit) - left)
    }

    /// Removes a waiting log file of which no event is left.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn drop_file(&mut self, destination: i64, file: &WaitingFile) -> StoreResult<()> {
        sqlx::query("DELETE FROM log_files WHERE id = $1").bind(file.id).execute(self.db()).await?;
        self.no_longer_pending(destination, (file.first_number, file.last_number)).await
    }

    /// Removes pending events of a destination, from one number of arrival to another.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn no_longer_pending(
        &mut self,
        destination: i64,
        (first, last): (i64, i64),
    ) -> StoreResult<()> {
        let remove = "DELETE FROM pending_events WHERE destination = $1 AND number BETWEEN $2 AND $3";
        let remove = sqlx::query(remove).bind(destination).bind(first).bind(last);
        let removed = remove.execute(self.db()).await?.rows_affected();
        self.count_removed(destination, removed).await
    }

    /// Removes at most `limit` of a destination's pending events that were stored before `before` (milliseconds since
    /// 1970), the first ones first; how many.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn give_up_pending(&mut self, destination: i64, before: i64, limit: u32) -> StoreResult<u64> {
        let remove = sqlx::query(
            "DELETE FROM pending_events WHERE destination = $1 AND number IN (SELECT p.number FROM pending_events p \
             LEFT JOIN events e ON e.key = p.event_key WHERE p.destination = $1 AND coalesce(e.stored_at, 0) < $2 \
             ORDER BY p.number LIMIT $3)",
        );
        let remove = remove.bind(destination).bind(before).bind(limit);
        let removed = remove.execute(self.db()).await?.rows_affected();
        self.count_removed(destination, removed).await?;
        Ok(removed)
    }
}
