//! Who a caller is, and how records say it (`userIdentity`).

use crate::domain::account_id::AccountId;
use crate::domain::region::Region;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What an access key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The account's root user: every key that is not configured.
    Root,
    /// An IAM user, by name.
    User(String),
    /// A role that was assumed.
    Role {
        /// The role's name.
        role: String,
        /// The session's name.
        session: String,
    },
}

/// `userIdentity` of a record. Members as AWS writes them for each type; absent ones are left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdentity {
    #[serde(rename = "type")]
    kind: &'static str,
    principal_id: String,
    arn: String,
    account_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_context: Option<SessionContext>,
}

impl UserIdentity {
    /// The ARN of the user, of the role's session, or of the account's root.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The unique id; for the root user the account's.
    pub fn principal_id(&self) -> &str {
        &self.principal_id
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    session_issuer: SessionIssuer,
    attributes: SessionAttributes,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionIssuer {
    #[serde(rename = "type")]
    kind: &'static str,
    principal_id: String,
    arn: String,
    account_id: AccountId,
    user_name: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionAttributes {
    creation_date: String,
    mfa_authenticated: &'static str,
}

impl Identity {
    /// `userIdentity.type`
    pub const fn kind(&self) -> &'static str {
        match self {
            Identity::Root => "Root",
            Identity::User(_) => "IAMUser",
            Identity::Role { .. } => "AssumedRole",
        }
    }

    /// The `Username` of a lookup: the user's name, `root`, or the session's name of a role.
    pub fn user_name(&self) -> &str {
        match self {
            Identity::Root => "root",
            Identity::User(name) => name,
            Identity::Role { session, .. } => session,
        }
    }

    /// The identity as a record shows it. `time` (ISO) stands in for the unknown start of a role's session.
    pub fn user_identity(
        &self,
        account: &AccountId,
        region: &Region,
        access_key: Option<&str>,
        time: &str,
    ) -> UserIdentity {
        let partition = region.partition();
        let iam = |resource: &str| format!("arn:{partition}:iam::{account}:{resource}");
        let mut identity = UserIdentity {
            kind: self.kind(),
            principal_id: account.to_string(),
            arn: iam("root"),
            account_id: account.clone(),
            access_key_id: access_key.map(str::to_owned),
            user_name: None,
            session_context: None,
        };
        match self {
            Identity::Root => {}
            Identity::User(name) => {
                identity.principal_id = unique_id("AIDA", account, name);
                identity.arn = iam(&format!("user/{name}"));
                identity.user_name = Some(name.clone());
            }
            Identity::Role { role, session } => {
                let principal_id = unique_id("AROA", account, role);
                identity.principal_id = format!("{principal_id}:{session}");
                identity.arn = format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}");
                identity.session_context = Some(SessionContext {
                    session_issuer: SessionIssuer {
                        kind: "Role",
                        principal_id,
                        arn: iam(&format!("role/{role}")),
                        account_id: account.clone(),
                        user_name: role.clone(),
                    },
                    attributes: SessionAttributes {
                        creation_date: time.to_owned(),
                        mfa_authenticated: "false",
                    },
                });
            }
        }
        identity
    }
}

/// An id in IAM's form: the prefix and 17 capitals or digits. The same name of an account always gets the same one.
fn unique_id(prefix: &str, account: &str, name: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::digest(format!("{prefix}/{account}/{name}"));
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    prefix.chars().chain(hash.iter().take(17).map(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(identity: &Identity) -> serde_json::Value {
        serde_json::to_value(identity.user_identity(
            &AccountId::parse("111122223333").unwrap(),
            &Region::us_east_1(),
            Some("AKIAX"),
            "2026-11-22T05:30:00Z",
        ))
        .unwrap()
    }

    #[test]
    fn root_is_the_account_itself() {
        insta::assert_json_snapshot!(shown(&Identity::Root), @r#"
        {
          "type": "Root",
          "principalId": "111122223333",
          "arn": "arn:aws:iam::111122223333:root",
          "accountId": "111122223333",
          "accessKeyId": "AKIAX"
        }
        "#);
    }

    #[test]
    fn a_user_has_a_name_and_a_role_has_a_session() {
        let ana = shown(&Identity::User("ana".into()));
        assert_eq!((ana["type"].as_str(), ana["userName"].as_str()), (Some("IAMUser"), Some("ana")));
        assert_eq!(ana["principalId"].as_str().map(str::len), Some(21));
        let ci = shown(&Identity::Role { role: "deployer".into(), session: "ci".into() });
        assert_eq!(ci["arn"], "arn:aws:sts::111122223333:assumed-role/deployer/ci");
        assert_eq!(ci["sessionContext"]["sessionIssuer"]["userName"], "deployer");
        assert!(ci.get("userName").is_none());
    }
}
