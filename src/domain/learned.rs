//! What emulators say of callers as they hand out users and keys.

use crate::domain::account_id::AccountId;
use crate::domain::identity::{IamEntity, Identity};
use chrono::{DateTime, TimeDelta, Utc};

/// How long a temporary key is remembered after it has expired: emulators do not always refuse it then.
const REMEMBERED: TimeDelta = TimeDelta::days(7);

/// Something that was learned of callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LearnedCaller {
    /// Of a user that was made.
    User(LearnedUser),
    /// Of a key that was handed out.
    Key(LearnedKey),
}

/// A user that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedUser {
    /// The account of whoever made it.
    pub account: AccountId,
    /// The user.
    pub user: IamEntity,
}

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedKey {
    /// `AKIA…`, `ASIA…`
    pub access_key_id: String,
    /// The account that it belongs to.
    pub account: AccountId,
    /// Who is behind it.
    pub identity: Identity,
    /// When it was handed out.
    pub created: DateTime<Utc>,
    /// When it expires; `None` for one that lasts.
    pub expires: Option<DateTime<Utc>>,
}

impl LearnedKey {
    /// Whether it has expired so long ago that nobody uses it any more.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires.is_some_and(|expires| expires < over_before(now))
    }
}

/// Keys that have expired before this are over.
pub fn over_before(now: DateTime<Utc>) -> DateTime<Utc> {
    now - REMEMBERED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_over_a_week_after_it_has_expired() {
        let expires: DateTime<Utc> = "2026-11-22T06:30:00Z".parse().unwrap();
        let key = |expires| LearnedKey {
            access_key_id: "ASIAX".into(),
            account: AccountId::parse("111122223333").unwrap(),
            identity: Identity::ROOT,
            created: DateTime::UNIX_EPOCH,
            expires,
        };
        assert!(!key(Some(expires)).is_over(expires + TimeDelta::days(7)));
        assert!(key(Some(expires)).is_over(expires + TimeDelta::days(7) + TimeDelta::seconds(1)));
        assert!(!key(None).is_over(expires + TimeDelta::days(3650)));
    }
}
