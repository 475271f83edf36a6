//! Log files: cut from pending events, put, and then the events are no longer pending.

use crate::store::{Deliveries, Destination, Session, StoreResult, WriteSession};
use sqlx::FromRow;

/// A log file whose object is still to be put.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct WaitingFile {
    /// `log_files.id`
    pub id: i64,
    /// The bucket, ...
    pub s3_bucket_name: String,
    /// ... the key, ...
    pub s3_object_key: String,
    /// ... and the KMS key, fixed when the file was cut.
    pub kms_key_id: Option<String>,
    /// The file's events: this number of arrival ...
    pub first_number: i64,
    /// ... to this one, among those pending for the destination.
    pub last_number: i64,
    /// When it was cut, milliseconds since 1970.
    pub created_at: i64,
}

/// What was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutFile {
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
}

/// Events of a destination that are in no file yet.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Uncut {
    /// The destination.
    #[sqlx(flatten)]
    pub destination: Destination,
    /// Whether they have to go at once.
    pub due: bool,
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
    /// `eventSource`
    pub event_source: String,
    /// The record, JSON.
    pub record: String,
}

/// A stored log file that has not been announced everywhere.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
#[expect(missing_docs, reason = "the names are those of the table")]
pub struct Unannounced {
    pub id: i64,
    pub s3_bucket_name: String,
    pub s3_object_key: String,
    pub sns_topic_arn: Option<String>,
    pub notify: bool,
    pub webhook: bool,
    pub created_at: i64,
}

impl<S: Session> Deliveries<'_, S> {
    /// Destinations of a kind with pending events that are in no file, by id. For kinds that know no files these are
    /// all pending events.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn uncut(&mut self, kind: &str) -> StoreResult<Vec<Uncut>> {
        let uncut = sqlx::query_as(
            "SELECT d.*, p.number AS first_number, coalesce(e.stored_at, 0) AS first_stored_at FROM destinations d \
             JOIN pending_events p ON p.destination = d.id AND p.number = (SELECT min(q.number) FROM pending_events q \
             WHERE q.destination = d.id AND q.number > coalesce((SELECT max(f.last_number) FROM log_files f \
             WHERE f.state = 'waiting' AND f.destination = d.id), -1)) \
             LEFT JOIN events e ON e.key = p.event_key WHERE d.kind = $1 ORDER BY d.id",
        );
        Ok(uncut.bind(kind).fetch_all(self.db()).await?)
    }

    /// The number of arrival of the latest event pending for a destination.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn last_pending(&mut self, destination: i64) -> StoreResult<Option<i64>> {
        let last = sqlx::query_scalar("SELECT max(number) FROM pending_events WHERE destination = $1");
        Ok(last.bind(destination).fetch_one(self.db()).await?)
    }

    /// Destinations that have waiting log files, by id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn waiting_destinations(&mut self) -> StoreResult<Vec<Destination>> {
        let waiting = sqlx::query_as(
            "SELECT * FROM destinations WHERE id IN (SELECT destination FROM log_files WHERE state = 'waiting') \
             ORDER BY id",
        );
        Ok(waiting.fetch_all(self.db()).await?)
    }

    /// The next log file of a destination, in the order of their events.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn next_waiting_file(&mut self, destination: i64) -> StoreResult<Option<WaitingFile>> {
        let file = sqlx::query_as(
            "SELECT * FROM log_files WHERE state = 'waiting' AND destination = $1 \
             ORDER BY first_number LIMIT 1",
        );
        Ok(file.bind(destination).fetch_optional(self.db()).await?)
    }

    /// At most `limit` pending events of a destination, from one number of arrival to another, in that order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn pending_events(
        &mut self,
        destination: i64,
        (first, last): (i64, i64),
        limit: u32,
    ) -> StoreResult<Vec<PendingEvent>> {
        let events = sqlx::query_as(
            "SELECT p.number, e.event_time, e.event_source, e.record FROM pending_events p \
             JOIN events e ON e.key = p.event_key \
             WHERE p.destination = $1 AND p.number BETWEEN $2 AND $3 ORDER BY p.number LIMIT $4",
        );
        Ok(events.bind(destination).bind(first).bind(last).bind(limit).fetch_all(self.db()).await?)
    }

    /// Destinations with stored log files that are still to be announced, by id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unannounced_destinations(&mut self) -> StoreResult<Vec<Destination>> {
        let waiting = sqlx::query_as(
            "SELECT * FROM destinations WHERE id IN (SELECT destination FROM log_files WHERE state = 'stored' \
             AND notify = TRUE UNION SELECT destination FROM log_files WHERE state = 'stored' AND webhook = TRUE) \
             ORDER BY id",
        );
        Ok(waiting.fetch_all(self.db()).await?)
    }

    /// At most 100 log files of a destination that are to be announced, in the order in which they were cut.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unannounced_files(&mut self, destination: i64) -> StoreResult<Vec<Unannounced>> {
        let files = sqlx::query_as(
            "SELECT * FROM log_files WHERE id IN (SELECT id FROM log_files WHERE notify = TRUE AND state = 'stored' \
             AND destination = $1 UNION SELECT id FROM log_files WHERE webhook = TRUE AND state = 'stored' \
             AND destination = $1) ORDER BY id LIMIT 100",
        );
        Ok(files.bind(destination).fetch_all(self.db()).await?)
    }
}

impl Deliveries<'_, WriteSession> {
    /// Makes a log file of the events from `first` to `last`, with its key.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn cut_file(
        &mut self,
        destination: &Destination,
        (first, last): (i64, i64),
        key: &str,
        webhook: bool,
        now: i64,
    ) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO log_files (destination, trail_account, home_region, trail_name, trail_created_at, account, \
             region, s3_bucket_name, s3_object_key, kms_key_id, sns_topic_arn, first_number, last_number, created_at, \
             state, validated, notify, webhook) SELECT id, trail_account, home_region, trail_name, trail_created_at, \
             account, region, s3_bucket_name, $4, kms_key_id, sns_topic_arn, $2, $3, $6, 'waiting', \
             log_file_validation_enabled, sns_topic_arn IS NOT NULL, $5 FROM destinations WHERE id = $1",
        )
        .bind(destination.id)
        .bind(first)
        .bind(last)
        .bind(key)
        .bind(webhook)
        .bind(now)
        .execute(self.db())
        .await?;
        sqlx::query("UPDATE destinations SET due = FALSE WHERE id = $1")
            .bind(destination.id)
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Lets a waiting file, which would grow too large, end at `last`.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn shorten_file(&mut self, id: i64, last: i64) -> StoreResult<()> {
        sqlx::query("UPDATE log_files SET last_number = $2 WHERE id = $1 AND state = 'waiting'")
            .bind(id)
            .bind(last)
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Notes that a log file's object is there: its events are no longer pending. `false` when the file is no longer
    /// waiting (its trail got another bucket meanwhile); then nothing was changed.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn file_stored(
        &mut self,
        destination: i64,
        file: &WaitingFile,
        put: &PutFile,
        now: i64,
    ) -> StoreResult<bool> {
        let stored = sqlx::query(
            "UPDATE log_files SET state = 'stored', stored_at = $2, events = $3, bytes = $4, sha256 = $5, \
             oldest_event_time = $6, newest_event_time = $7, last_number = $8 WHERE id = $1 AND state = 'waiting'",
        )
        .bind(file.id)
        .bind(now)
        .bind(put.events)
        .bind(put.bytes)
        .bind(&put.sha256)
        .bind(put.oldest_event_time)
        .bind(put.newest_event_time)
        .bind(file.last_number)
        .execute(self.db())
        .await?;
        if stored.rows_affected() == 0 {
            return Ok(false);
        }
        self.no_longer_pending(destination, (file.first_number, file.last_number)).await?;
        Ok(true)
    }

    /// Gives a log file up after too long a time; its events are no longer pending.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn abandon_file(&mut self, destination: i64, file: &WaitingFile) -> StoreResult<()> {
        sqlx::query(
            "UPDATE log_files SET state = 'abandoned', validated = FALSE, notify = FALSE, webhook = FALSE \
             WHERE id = $1",
        )
        .bind(file.id)
        .execute(self.db())
        .await?;
        self.no_longer_pending(destination, (file.first_number, file.last_number)).await
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
        let removed =
            sqlx::query("DELETE FROM pending_events WHERE destination = $1 AND number BETWEEN $2 AND $3")
                .bind(destination)
                .bind(first)
                .bind(last)
                .execute(self.db())
                .await?
                .rows_affected();
        self.count_pending(destination, 0i64.saturating_sub_unsigned(removed)).await
    }

    /// Notes that a log file has been announced at its topic (`notify`) and at the webhook.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn file_announced(&mut self, id: i64, notify: bool, webhook: bool) -> StoreResult<()> {
        sqlx::query(
            "UPDATE log_files SET notify = notify AND NOT $2, webhook = webhook AND NOT $3 WHERE id = $1",
        )
        .bind(id)
        .bind(notify)
        .bind(webhook)
        .execute(self.db())
        .await?;
        Ok(())
    }
}
