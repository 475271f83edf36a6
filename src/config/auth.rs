//! `[auth]` and `[[identities]]`: who may call, and who callers are.

use super::one_of;
use crate::domain::account_id::AccountId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[auth]`: who may call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// Who may call.
    pub mode: AuthMode,
    /// Whether calls that are forwarded are checked likewise.
    pub proxy: bool,
    /// Who may use the paths under `/_contrail/`.
    pub own_paths: OwnPathsAccess,
    /// A file with access keys and their secrets, in the form of the AWS CLI's `credentials`.
    pub credentials_file: Option<PathBuf>,
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", rename_all = "kebab-case")]
pub enum AuthMode {
    /// Everybody.
    Off,
    /// Whoever names an access key that is known here. Signatures are not checked.
    Known,
    /// Whoever signs with the secret of such a key.
    Signed,
}

impl AuthMode {
    /// As it is written in settings.
    pub const fn name(self) -> &'static str {
        match self {
            AuthMode::Off => "off",
            AuthMode::Known => "known",
            AuthMode::Signed => "signed",
        }
    }
}

impl TryFrom<String> for AuthMode {
    type Error = String;
    fn try_from(text: String) -> Result<AuthMode, String> {
        one_of(&text, &[("off", AuthMode::Off), ("known", AuthMode::Known), ("signed", AuthMode::Signed)])
    }
}

/// Who may use the paths under `/_contrail/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", rename_all = "kebab-case")]
pub enum OwnPathsAccess {
    /// Everybody while the server is bound to loopback, else whoever has a token.
    Auto,
    /// Everybody.
    Open,
    /// Whoever has a token.
    Token,
}

impl TryFrom<String> for OwnPathsAccess {
    type Error = String;
    fn try_from(text: String) -> Result<OwnPathsAccess, String> {
        let values = [
            ("auto", OwnPathsAccess::Auto),
            ("open", OwnPathsAccess::Open),
            ("token", OwnPathsAccess::Token),
        ];
        one_of(&text, &values)
    }
}

/// `[[identities]]`: who the holder of an access key is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentitySetting {
    /// The access key id.
    pub access_key: String,
    /// The account it belongs to: 12 digits.
    pub account: AccountId,
    /// An IAM user's name.
    pub user: Option<String>,
    /// An assumed role's name ...
    pub role: Option<String>,
    /// ... and the session's.
    pub session: Option<String>,
    /// A file that holds the key's secret and nothing else.
    pub secret_file: Option<PathBuf>,
    /// The environment variable that holds it.
    pub secret_env: Option<String>,
    /// A file that holds the session token of temporary credentials.
    pub session_token_file: Option<PathBuf>,
    /// When they expire.
    pub expires: Option<DateTime<Utc>>,
    /// A file with the IAM policy of the user or role; without one they may do everything.
    pub policy_file: Option<PathBuf>,
}

impl IdentitySetting {
    /// A user's key, without a secret.
    pub fn of_user(access_key: &str, account: AccountId, user: &str) -> IdentitySetting {
        IdentitySetting {
            access_key: access_key.to_owned(),
            account,
            user: Some(user.to_owned()),
            role: None,
            session: None,
            secret_file: None,
            secret_env: None,
            session_token_file: None,
            expires: None,
            policy_file: None,
        }
    }

    /// Who it is, for people: `user "ana" of 111122223333`.
    pub(super) fn holder(&self) -> String {
        let (user, role) = (self.user.as_deref(), self.role.as_deref());
        let kind = if user.is_some() { "user" } else { "role" };
        format!("{kind} {:?} of {}", user.or(role).unwrap_or_default(), self.account)
    }

    /// Refuses what contradicts itself.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn check(&self, mode: AuthMode) -> Result<(), String> {
        let wrong = |why: &str| Err(format!("{}{why}", self.access_key));
        if self.user.is_some() == self.role.is_some() {
            return wrong(" needs a user or a role, not both");
        }
        if self.role.is_some() != self.session.is_some() {
            return wrong(": role and session go together");
        }
        if self.secret_file.is_some() && self.secret_env.is_some() {
            return wrong(": its secret is in secret_file or in secret_env, not in both");
        }
        if self.session_token_file.is_some() && self.secret_file.is_none() && self.secret_env.is_none() {
            return wrong(" has a session_token_file, and no secret_file or secret_env beside it");
        }
        if self.policy_file.is_some() && mode == AuthMode::Off {
            return wrong(" has a policy_file, which means nothing while auth.mode is \"off\"");
        }
        Ok(())
    }
}
