//! Tags of trails.

use crate::domain::tags::Tag;
use crate::store::{Session, StoreResult, Trail, Trails, WriteSession};

impl<S: Session> Trails<'_, S> {
    /// The tags of a trail, in the order in which they came.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn tags(&mut self, trail: &Trail) -> StoreResult<Vec<Tag>> {
        let tags: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT tag_key, tag_value FROM trail_tags \
             WHERE account = $1 AND home_region = $2 AND name = $3 ORDER BY position",
        )
        .bind(&trail.account)
        .bind(&trail.home_region)
        .bind(&trail.name)
        .fetch_all(self.db())
        .await?;
        Ok(tags.into_iter().map(|(key, value)| Tag { key, value }).collect())
    }
}

impl Trails<'_, WriteSession> {
    /// Gives a trail these tags. One whose key it has already gets the new value and keeps its place.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_tags(&mut self, trail: &Trail, tags: &[Tag]) -> StoreResult<()> {
        for tag in tags {
            sqlx::query(
                "INSERT INTO trail_tags (account, home_region, name, tag_key, tag_value, position) \
                 SELECT $1, $2, $3, $4, $5, COALESCE(MAX(position) + 1, 0) FROM trail_tags \
                 WHERE account = $1 AND home_region = $2 AND name = $3 \
                 ON CONFLICT (account, home_region, name, tag_key) DO UPDATE SET tag_value = excluded.tag_value",
            )
            .bind(&trail.account)
            .bind(&trail.home_region)
            .bind(&trail.name)
            .bind(&tag.key)
            .bind(&tag.value)
            .execute(self.db())
            .await?;
        }
        Ok(())
    }

    /// Takes the tags with these keys from a trail, as far as it has them.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_tags(&mut self, trail: &Trail, keys: &[&str]) -> StoreResult<()> {
        for key in keys {
            sqlx::query(
                "DELETE FROM trail_tags WHERE account = $1 AND home_region = $2 AND name = $3 AND tag_key = $4",
            )
            .bind(&trail.account)
            .bind(&trail.home_region)
            .bind(&trail.name)
            .bind(key)
            .execute(self.db())
            .await?;
        }
        Ok(())
    }
}
