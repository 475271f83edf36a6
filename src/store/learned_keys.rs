//! Users and keys that were learned from what emulators answer.

use crate::domain::account_id::AccountId;
use crate::domain::identity::{CredentialSession, IamEntity, Identity, Principal};
use crate::domain::learned::{LearnedCaller, LearnedKey, LearnedUser, UserName, renamed_arn};
use crate::store::{LearnedKeys, Session, StoreResult, WriteSession};
use chrono::{DateTime, Utc};
use sqlx::FromRow;

#[derive(FromRow)]
struct KeyRow {
    access_key_id: String,
    account: AccountId,
    #[sqlx(rename = "type")]
    kind: String,
    name: Option<String>,
    principal_id: Option<String>,
    arn: Option<String>,
    session_name: Option<String>,
    mfa_authenticated: bool,
    federated_provider: Option<String>,
    source_identity: Option<String>,
    transitive_tags: Option<String>,
    created_at: i64,
    expires_at: Option<i64>,
    deleted_at: Option<i64>,
}

#[derive(FromRow)]
struct UserRow {
    account: AccountId,
    name: String,
    principal_id: Option<String>,
    arn: Option<String>,
}

impl<S: Session> LearnedKeys<'_, S> {
    /// Everything that was learned.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn all(&mut self) -> StoreResult<Vec<LearnedCaller>> {
        let users = "SELECT account, name, principal_id, arn FROM learned_users";
        let users: Vec<UserRow> = sqlx::query_as(users).fetch_all(self.db()).await?;
        let keys = "SELECT access_key_id, account, type, name, principal_id, arn, session_name, \
                    mfa_authenticated, federated_provider, source_identity, transitive_tags, created_at, expires_at, \
                    deleted_at FROM learned_keys";
        let keys: Vec<KeyRow> = sqlx::query_as(keys).fetch_all(self.db()).await?;
        let users = users.into_iter().map(UserRow::learned);
        Ok(users.chain(keys.into_iter().filter_map(KeyRow::learned)).collect())
    }
}

impl LearnedKeys<'_, WriteSession> {
    /// Stores something that was learned; what was known of the same user or key is replaced.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn save(&mut self, learned: &LearnedCaller) -> StoreResult<()> {
        match learned {
            LearnedCaller::User(user) => self.save_user(user).await,
            LearnedCaller::Key(key) => self.save_key(key).await,
            LearnedCaller::NoUser(user) => self.remove_user(user).await,
            LearnedCaller::Renamed { from, to, path } => self.rename(from, to, path.as_deref()).await,
            LearnedCaller::NoKey { access_key_id, deleted } => {
                let delete = sqlx::query("UPDATE learned_keys SET deleted_at = $2 WHERE access_key_id = $1");
                let delete = delete.bind(access_key_id).bind(deleted.timestamp_millis());
                delete.execute(self.db()).await?;
                Ok(())
            }
        }
    }

    async fn save_user(&mut self, LearnedUser { account, user }: &LearnedUser) -> StoreResult<()> {
        let insert =
            "INSERT OR REPLACE INTO learned_users (account, name, principal_id, arn) VALUES ($1, $2, $3, $4)";
        sqlx::query(insert)
            .bind(account)
            .bind(&user.name)
            .bind(&user.unique_id)
            .bind(&user.arn)
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// A user stands once, with the account of who has made it; who asks now may be in the account of its ARN.
    async fn find_user(&mut self, UserName { account, name }: &UserName) -> StoreResult<Option<UserRow>> {
        let find = "SELECT account, name, principal_id, arn FROM learned_users \
                    WHERE name = $2 AND (account = $1 OR arn LIKE 'arn:%:iam::' || $1 || ':user/%') \
                    ORDER BY account <> $1 LIMIT 1";
        Ok(sqlx::query_as(find).bind(account).bind(name).fetch_optional(self.db()).await?)
    }

    async fn remove_user(&mut self, user: &UserName) -> StoreResult<()> {
        let Some(UserRow { account, name, .. }) = self.find_user(user).await? else { return Ok(()) };
        let delete = sqlx::query("DELETE FROM learned_users WHERE account = $1 AND name = $2");
        delete.bind(account).bind(name).execute(self.db()).await?;
        Ok(())
    }

    async fn rename(&mut self, from: &UserName, to: &str, path: Option<&str>) -> StoreResult<()> {
        let Some(UserRow { account, name, principal_id, arn }) = self.find_user(from).await? else {
            return Ok(());
        };
        let new_arn = arn.as_deref().map(|arn| renamed_arn(arn, to, path));
        self.remove_user(from).await?;
        let user = IamEntity { name: to.to_owned(), unique_id: principal_id, arn: new_arn.clone() };
        self.save_user(&LearnedUser { account, user }).await?;
        let keys =
            "UPDATE learned_keys SET name = $3, arn = $4 WHERE type = 'IAMUser' AND name = $1 AND arn IS $2";
        sqlx::query(keys).bind(name).bind(arn).bind(to).bind(new_arn).execute(self.db()).await?;
        Ok(())
    }

    async fn save_key(&mut self, key: &LearnedKey) -> StoreResult<()> {
        let (entity, session_name) = match &key.identity.principal {
            Principal::Root | Principal::External { .. } | Principal::Unsigned(_) => (None, None),
            Principal::User(user) => (Some(user), None),
            Principal::Role { role, session_name } => (Some(role), Some(session_name)),
            Principal::FederatedUser { name, issuer } => (issuer.as_ref(), Some(name)),
        };
        let session = key.identity.session.as_ref();
        let insert = "INSERT OR REPLACE INTO learned_keys (access_key_id, account, type, name, principal_id, arn, \
                      session_name, mfa_authenticated, federated_provider, source_identity, transitive_tags, \
                      created_at, expires_at, deleted_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
        let tags = session.map(|session| &session.transitive_tags).filter(|tags| !tags.is_empty());
        // Texts always become JSON.
        let tags = tags.map(|tags| serde_json::to_string(tags).unwrap_or_default());
        sqlx::query(insert)
            .bind(&key.access_key_id)
            .bind(&key.account)
            .bind(key.identity.kind())
            .bind(entity.map(|entity| &entity.name))
            .bind(entity.and_then(|entity| entity.unique_id.as_ref()))
            .bind(entity.and_then(|entity| entity.arn.as_ref()))
            .bind(session_name)
            .bind(session.is_some_and(|session| session.mfa_authenticated))
            .bind(session.and_then(|session| session.federated_provider.as_ref()))
            .bind(session.and_then(|session| session.source_identity.as_ref()))
            .bind(tags)
            .bind(key.created.timestamp_millis())
            .bind(key.expires.map(|expires| expires.timestamp_millis()))
            .bind(key.deleted.map(|deleted| deleted.timestamp_millis()))
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// Forgets keys that have expired, or were deleted, before a point in time.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_expired(&mut self, before: DateTime<Utc>) -> StoreResult<()> {
        let delete = sqlx::query("DELETE FROM learned_keys WHERE expires_at < $1 OR deleted_at < $1");
        delete.bind(before.timestamp_millis()).execute(self.db()).await?;
        Ok(())
    }
}

impl UserRow {
    fn learned(self) -> LearnedCaller {
        let user = IamEntity { name: self.name, unique_id: self.principal_id, arn: self.arn };
        LearnedCaller::User(LearnedUser { account: self.account, user })
    }
}

impl KeyRow {
    /// `None` for a row that nobody here has written.
    fn learned(self) -> Option<LearnedCaller> {
        let created = DateTime::from_timestamp_millis(self.created_at)?;
        let entity = self.name.map(|name| IamEntity { name, unique_id: self.principal_id, arn: self.arn });
        let principal = match (self.kind.as_str(), entity, self.session_name) {
            ("Root", ..) => Principal::Root,
            ("IAMUser", Some(user), _) => Principal::User(user),
            ("AssumedRole", Some(role), Some(session_name)) => Principal::Role { role, session_name },
            ("FederatedUser", issuer, Some(name)) => Principal::FederatedUser { name, issuer },
            _ => return None,
        };
        let expires = self.expires_at.and_then(DateTime::from_timestamp_millis);
        let tags = self.transitive_tags.as_deref().and_then(|tags| serde_json::from_str(tags).ok());
        // Credentials that expire are those of a session.
        let session = expires.map(|_| CredentialSession {
            created,
            mfa_authenticated: self.mfa_authenticated,
            federated_provider: self.federated_provider,
            source_identity: self.source_identity,
            transitive_tags: tags.unwrap_or_default(),
        });
        Some(LearnedCaller::Key(LearnedKey {
            access_key_id: self.access_key_id,
            account: self.account,
            identity: Identity { principal, session },
            created,
            expires,
            deleted: self.deleted_at.and_then(DateTime::from_timestamp_millis),
        }))
    }
}
