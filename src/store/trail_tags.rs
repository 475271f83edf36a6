//! Tags of trails.

use crate::domain::tags::Tag;
use crate::store::{Session, StoreResult, Trails, WriteSession};

impl<S: Session> Trails<'_, S> {
    /// The tags of a trail, in the order in which they came.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tags(&mut self, trail_id: i64) -> StoreResult<Vec<Tag>> {
        let tags = "SELECT tag_key, tag_value FROM trail_tags WHERE trail_id = $1 ORDER BY position";
        let tags: Vec<(String, Option<String>)> =
            sqlx::query_as(tags).bind(trail_id).fetch_all(self.db()).await?;
        Ok(tags.into_iter().map(|(key, value)| Tag { key, value }).collect())
    }
}

impl Trails<'_, WriteSession> {
    /// Gives a trail these tags. One whose key it has already gets the new value and keeps its place.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_tags(&mut self, trail_id: i64, tags: &[Tag]) -> StoreResult<()> {
        for tag in tags {
            let add = sqlx::query(
                "INSERT INTO trail_tags (trail_id, tag_key, tag_value, position) \
                 SELECT $1, $2, $3, COALESCE(MAX(position) + 1, 0) FROM trail_tags WHERE trail_id = $1 \
                 ON CONFLICT (trail_id, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
            );
            add.bind(trail_id).bind(&tag.key).bind(&tag.value).execute(self.db()).await?;
        }
        Ok(())
    }

    /// Takes the tags with these keys from a trail, as far as it has them.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_tags(&mut self, trail_id: i64, keys: &[&str]) -> StoreResult<()> {
        for key in keys {
            let remove = sqlx::query("DELETE FROM trail_tags WHERE trail_id = $1 AND tag_key = $2");
            remove.bind(trail_id).bind(key).execute(self.db()).await?;
        }
        Ok(())
    }
}
