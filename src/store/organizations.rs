//! Delegated administrators of organizations.

use crate::domain::account_id::AccountId;
use crate::store::{Organizations, Session, StoreResult, WriteSession};

impl<S: Session> Organizations<'_, S> {
    /// The delegated administrators of the organization that an account manages, in the order of their ids.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn delegated_admins(&mut self, management: &AccountId) -> StoreResult<Vec<AccountId>> {
        let admins = "SELECT account FROM delegated_admins WHERE management_account = $1 ORDER BY account";
        Ok(sqlx::query_scalar(admins).bind(management).fetch_all(self.db()).await?)
    }
}

impl Organizations<'_, WriteSession> {
    /// Notes a delegated administrator, at `now` (milliseconds since 1970).
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn register_delegated_admin(
        &mut self,
        management: &AccountId,
        admin: &AccountId,
        now: i64,
    ) -> StoreResult<()> {
        let insert =
            "INSERT INTO delegated_admins (management_account, account, registered_at) VALUES ($1, $2, $3)";
        sqlx::query(insert).bind(management).bind(admin).bind(now).execute(self.db()).await?;
        Ok(())
    }

    /// Forgets a delegated administrator; whether it was one.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn deregister_delegated_admin(
        &mut self,
        management: &AccountId,
        admin: &AccountId,
    ) -> StoreResult<bool> {
        let delete = "DELETE FROM delegated_admins WHERE management_account = $1 AND account = $2";
        Ok(sqlx::query(delete).bind(management).bind(admin).execute(self.db()).await?.rows_affected() > 0)
    }
}
