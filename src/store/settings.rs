//! What the server itself remembers: named values.

use crate::store::{Settings, StoreResult, WriteSession};

impl Settings<'_, WriteSession> {
    /// The value of `name`, which is set to `initial` if it has none yet.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn get_or_set(&mut self, name: &str, initial: &str) -> StoreResult<String> {
        sqlx::query("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(initial)
            .execute(self.db())
            .await?;
        let value = sqlx::query_scalar("SELECT value FROM settings WHERE name = $1");
        Ok(value.bind(name).fetch_one(self.db()).await?)
    }
}
