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
    /// A user was deleted.
    NoUser(UserName),
    /// A user has another name, or another path, which its ARN has.
    Renamed {
        /// Before.
        from: UserName,
        /// Now.
        to: String,
        /// The new path, if it is another one.
        path: Option<String>,
    },
    /// A key was deleted.
    NoKey {
        /// `AKIA…`
        access_key_id: String,
        /// When.
        deleted: DateTime<Utc>,
    },
}

/// The name of a user, in the account of the caller that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName {
    /// The account.
    pub account: AccountId,
    /// The name.
    pub name: String,
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
    /// When it was deleted. It is good for nothing since, but calls made before may still be recorded.
    pub deleted: Option<DateTime<Utc>>,
}

/// The ARN of a user who has got another name or path.
pub fn renamed_arn(arn: &str, name: &str, path: Option<&str>) -> String {
    let Some((start, resource)) = arn.split_once(":user/") else { return arn.to_owned() };
    let old_path = resource.rsplit_once('/').map_or("/".to_owned(), |(path, _)| format!("/{path}/"));
    format!("{start}:user{}{name}", path.unwrap_or(&old_path))
}

impl LearnedKey {
    /// Whether it has expired, or was deleted, so long ago that it is not used any more.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        let is_over = |end: Option<DateTime<Utc>>| end.is_some_and(|end| end < over_before(now));
        is_over(self.expires) || is_over(self.deleted)
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
            deleted: None,
        };
        assert!(!key(Some(expires)).is_over(expires + TimeDelta::days(7)));
        assert!(key(Some(expires)).is_over(expires + TimeDelta::days(7) + TimeDelta::seconds(1)));
        assert!(!key(None).is_over(expires + TimeDelta::days(3650)));
        let deleted = LearnedKey { deleted: Some(expires), ..key(None) };
        assert!(!deleted.is_over(expires) && deleted.is_over(expires + TimeDelta::days(8)));
    }

    #[test]
    fn the_arn_of_a_user_has_its_name_and_path() {
        for (arn, name, path, expected) in [
            ("arn:aws:iam::1:user/ana", "bea", None, "arn:aws:iam::1:user/bea"),
            ("arn:aws:iam::1:user/a/b/ana", "bea", None, "arn:aws:iam::1:user/a/b/bea"),
            ("arn:aws:iam::1:user/a/b/ana", "ana", Some("/c/"), "arn:aws:iam::1:user/c/ana"),
            ("arn:aws:iam::1:user/ana", "ana", Some("/"), "arn:aws:iam::1:user/ana"),
            ("no arn", "bea", None, "no arn"),
        ] {
            assert_eq!(renamed_arn(arn, name, path), expected);
        }
    }
}
