//! Who a caller is, and how records say it (`userIdentity`).

use crate::domain::account_id::AccountId;
use crate::domain::region::Region;
use crate::domain::timestamp::iso;
use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Who is behind a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who it is.
    pub principal: Principal,
    /// The session that temporary credentials stand for; `None` for those that last.
    pub session: Option<CredentialSession>,
}

/// Who a caller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The account's root user: every key of which nothing is known.
    Root,
    /// An IAM user.
    User(IamEntity),
    /// A role that was assumed.
    Role {
        /// The role.
        role: IamEntity,
        /// The name of its session.
        session_name: String,
    },
    /// Somebody for whom an IAM user, or the root user, has got temporary credentials.
    FederatedUser {
        /// The name that was given to them.
        name: String,
        /// The user who has got them; `None` for the root user.
        issuer: Option<IamEntity>,
    },
    /// Somebody whom an identity provider has named, who asks for the credentials of a role.
    External {
        /// `WebIdentityUser` or `SAMLUser`
        kind: &'static str,
        /// What the provider calls them; `None` if that is not known, as the call was refused.
        subject: Option<ExternalSubject>,
    },
    /// A caller that has not signed.
    Unsigned(Unsigned),
}

/// A caller that an identity provider has named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalSubject {
    /// `provider:audience:subject`, or what the provider calls them.
    pub principal_id: String,
    /// The provider's name for them.
    pub name: String,
    /// The identity provider.
    pub provider: String,
}

/// What the records of different services make of a caller who has not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// S3's: an account `anonymous` (observed).
    InS3,
    /// Others': unknown.
    Elsewhere,
}

/// A user or a role of IAM. What is not known of it is made up, always the same for the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamEntity {
    /// Its name, without a path.
    pub name: String,
    /// Its unique id: `AIDA…`, `AROA…`
    pub unique_id: Option<String>,
    /// Its ARN.
    pub arn: Option<String>,
}

/// The session of temporary credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSession {
    /// When they were handed out.
    pub created: DateTime<Utc>,
    /// Whether they were asked for with a code of a device.
    pub mfa_authenticated: bool,
    /// The provider that vouched for a web identity, if one did.
    pub federated_provider: Option<String>,
    /// The identity that was set as a role was assumed. Sessions that are made with this one have it too.
    pub source_identity: Option<String>,
    /// The tags that sessions which are made with this one have too, in the order of their keys.
    pub transitive_tags: BTreeMap<String, String>,
}

/// `userIdentity` of a record. Members as AWS writes them for each type; absent ones are left out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdentity {
    #[serde(rename = "type")]
    kind: &'static str,
    principal_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_context: Option<SessionContext>,
}

impl UserIdentity {
    /// The ARN of the user, of the role's session, or of the account's root; those from outside have none.
    pub fn arn(&self) -> Option<&str> {
        self.arn.as_deref()
    }

    /// The ARN of the role, of a role's session.
    pub fn role_arn(&self) -> Option<&str> {
        let issuer = self.session_context.as_ref()?.session_issuer.as_ref()?;
        (issuer.kind == "Role").then_some(issuer.arn.as_str())
    }

    /// What stands for the name of a caller that has none.
    pub fn unnamed(&self) -> Option<&str> {
        let id = self.principal_id.rsplit(['/', ':']).next().filter(|id| !id.is_empty());
        id.or(self.account_id.as_deref())
    }

    /// The unique id; for the root user the account's.
    pub fn principal_id(&self) -> &str {
        &self.principal_id
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    session_issuer: Option<SessionIssuer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_id_federation_data: Option<WebIdFederationData>,
    attributes: SessionAttributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionIssuer {
    #[serde(rename = "type")]
    kind: &'static str,
    principal_id: String,
    arn: String,
    account_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct WebIdFederationData {
    federated_provider: String,
    attributes: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionAttributes {
    creation_date: String,
    mfa_authenticated: &'static str,
}

impl IamEntity {
    /// One of which only the name is known.
    pub fn named(name: impl Into<String>) -> IamEntity {
        IamEntity { name: name.into(), unique_id: None, arn: None }
    }
}

impl From<Principal> for Identity {
    /// With credentials that last.
    fn from(principal: Principal) -> Identity {
        Identity { principal, session: None }
    }
}

impl Identity {
    /// The account's root user.
    pub const ROOT: Identity = Identity { principal: Principal::Root, session: None };

    /// `userIdentity.type`
    pub const fn kind(&self) -> &'static str {
        match &self.principal {
            Principal::Root => "Root",
            Principal::User(_) => "IAMUser",
            Principal::Role { .. } => "AssumedRole",
            Principal::FederatedUser { .. } => "FederatedUser",
            Principal::External { kind, .. } => kind,
            Principal::Unsigned(Unsigned::InS3) => "AWSAccount",
            Principal::Unsigned(Unsigned::Elsewhere) => "Unknown",
        }
    }

    /// The name of an IAM user; others have none that policies could ask for.
    pub fn iam_user_name(&self) -> Option<&str> {
        match &self.principal {
            Principal::User(user) => Some(&user.name),
            _ => None,
        }
    }

    /// The name of the role, of a role's session.
    pub fn role_name(&self) -> Option<&str> {
        match &self.principal {
            Principal::Role { role, .. } => Some(&role.name),
            _ => None,
        }
    }

    /// What policies call this kind of caller (`aws:PrincipalType`).
    pub const fn policy_type(&self) -> &'static str {
        match &self.principal {
            Principal::Root => "Account",
            Principal::User(_) => "User",
            Principal::Role { .. } => "AssumedRole",
            Principal::FederatedUser { .. } => "FederatedUser",
            Principal::External { .. } | Principal::Unsigned(_) => "Anonymous",
        }
    }

    /// The `Username` of a lookup: the user's name, `root`, or the session's name of a role; `None` for those without a name.
    pub fn user_name(&self) -> Option<&str> {
        match &self.principal {
            Principal::Root => Some("root"),
            Principal::User(user) => Some(&user.name),
            Principal::Role { session_name, .. } => Some(session_name),
            Principal::FederatedUser { name, .. } => Some(name),
            Principal::External { subject, .. } => subject.as_ref().map(|subject| subject.name.as_str()),
            Principal::Unsigned(_) => None,
        }
    }

    /// The identity as a record shows it. `now` stands in for the start of a role's session that is not known.
    pub fn user_identity(
        &self,
        account: &AccountId,
        region: &Region,
        access_key: Option<&str>,
        now: DateTime<Utc>,
    ) -> UserIdentity {
        let partition = region.partition();
        let sts = |resource: String| format!("arn:{partition}:sts::{account}:{resource}");
        let issuer = |kind, entity: Option<&IamEntity>| SessionIssuer::of(kind, entity, account, partition);
        let root = issuer("Root", None);
        let mut identity = UserIdentity {
            kind: self.kind(),
            principal_id: root.principal_id,
            arn: Some(root.arn),
            account_id: Some(account.to_string()),
            access_key_id: access_key.map(str::to_owned),
            user_name: None,
            identity_provider: None,
            session_context: None,
        };
        let mut session_issuer = None;
        match &self.principal {
            Principal::Root => {}
            Principal::User(user) => {
                let user = issuer("IAMUser", Some(user));
                (identity.principal_id, identity.arn) = (user.principal_id, Some(user.arn));
                identity.user_name = user.user_name;
            }
            Principal::Role { role, session_name } => {
                let arn = sts(format!("assumed-role/{}/{session_name}", role.name));
                let role = issuer("Role", Some(role));
                identity.principal_id = format!("{}:{session_name}", role.principal_id);
                identity.arn = Some(arn);
                session_issuer = Some(role);
            }
            Principal::FederatedUser { name, issuer: user } => {
                identity.principal_id = format!("{account}:{name}");
                identity.arn = Some(sts(format!("federated-user/{name}")));
                let kind = if user.is_some() { "IAMUser" } else { "Root" };
                session_issuer = Some(issuer(kind, user.as_ref()));
            }
            Principal::External { subject, .. } => {
                (identity.arn, identity.account_id, identity.principal_id) = (None, None, String::new());
                if let Some(ExternalSubject { principal_id, name, provider }) = subject {
                    identity.principal_id.clone_from(principal_id);
                    identity.user_name = Some(name.clone());
                    identity.identity_provider = Some(provider.clone());
                }
            }
            Principal::Unsigned(unsigned) => {
                let (id, account) = match unsigned {
                    Unsigned::InS3 => ("", Some("anonymous")),
                    Unsigned::Elsewhere => ("Anonymous", None),
                };
                identity.principal_id = id.to_owned();
                (identity.arn, identity.account_id) = (None, account.map(str::to_owned));
            }
        }
        if session_issuer.is_some() || self.session.is_some() {
            let session = self.session.as_ref();
            let provider = session.and_then(|session| session.federated_provider.clone());
            identity.session_context = Some(SessionContext {
                session_issuer,
                web_id_federation_data: provider.map(|federated_provider| WebIdFederationData {
                    federated_provider,
                    attributes: serde_json::Map::new(),
                }),
                attributes: SessionAttributes {
                    creation_date: iso(session.map_or(now, |session| session.created)),
                    mfa_authenticated: match session.is_some_and(|session| session.mfa_authenticated) {
                        true => "true",
                        false => "false",
                    },
                },
                source_identity: session.and_then(|session| session.source_identity.clone()),
            });
        }
        identity
    }
}

impl SessionIssuer {
    /// A user or a role; without one the root user.
    fn of(
        kind: &'static str,
        entity: Option<&IamEntity>,
        account: &AccountId,
        partition: &str,
    ) -> SessionIssuer {
        let (path, prefix) = if kind == "Role" { ("role", "AROA") } else { ("user", "AIDA") };
        let iam = |resource: &str| format!("arn:{partition}:iam::{account}:{resource}");
        let name = entity.map(|entity| entity.name.as_str());
        let (made_up_id, made_up_arn) = match name {
            Some(name) => (unique_id(prefix, account, name), iam(&format!("{path}/{name}"))),
            None => (account.to_string(), iam("root")),
        };
        let principal_id = entity.and_then(|entity| entity.unique_id.clone()).unwrap_or(made_up_id);
        let arn = entity.and_then(|entity| entity.arn.clone()).unwrap_or(made_up_arn);
        SessionIssuer {
            kind,
            principal_id,
            arn,
            account_id: account.clone(),
            user_name: name.map(str::to_owned),
        }
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
            "2026-11-22T05:30:00Z".parse().unwrap(),
        ))
        .unwrap()
    }

    #[test]
    fn root_is_the_account_itself() {
        insta::assert_json_snapshot!(shown(&Identity::ROOT), @r#"
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
        let ana = shown(&Principal::User(IamEntity::named("ana")).into());
        assert_eq!((ana["type"].as_str(), ana["userName"].as_str()), (Some("IAMUser"), Some("ana")));
        assert_eq!(ana["principalId"].as_str().map(str::len), Some(21));
        let ci =
            shown(&Principal::Role { role: IamEntity::named("deployer"), session_name: "ci".into() }.into());
        assert_eq!(ci["arn"], "arn:aws:sts::111122223333:assumed-role/deployer/ci");
        assert_eq!(ci["sessionContext"]["sessionIssuer"]["userName"], "deployer");
        assert!(ci.get("userName").is_none());
    }

    #[test]
    fn what_an_emulator_has_said_of_somebody_is_shown_as_it_said_it() {
        let user = IamEntity {
            name: "ana".into(),
            unique_id: Some("AIDAX".into()),
            arn: Some("arn:aws:iam::111122223333:user/team/ana".into()),
        };
        let created = "2026-11-22T05:00:00Z".parse().unwrap();
        let session = Some(CredentialSession {
            created,
            mfa_authenticated: true,
            federated_provider: None,
            source_identity: Some("ana@example".into()),
            transitive_tags: BTreeMap::new(),
        });
        let ana = shown(&Identity { principal: Principal::User(user.clone()), session: session.clone() });
        assert_eq!(
            (&ana["principalId"], &ana["arn"]),
            (&"AIDAX".into(), &"arn:aws:iam::111122223333:user/team/ana".into())
        );
        assert_eq!(ana["sessionContext"]["attributes"]["creationDate"], "2026-11-22T05:00:00Z");
        assert_eq!(ana["sessionContext"]["attributes"]["mfaAuthenticated"], "true");
        assert_eq!(ana["sessionContext"].get("sessionIssuer"), None);
        assert_eq!(ana["sessionContext"]["sourceIdentity"], "ana@example");
        let guest = |issuer| Principal::FederatedUser { name: "guest".into(), issuer };
        let of_ana = shown(&Identity { principal: guest(Some(user)), session: session.clone() });
        assert_eq!(of_ana["principalId"], "111122223333:guest");
        assert_eq!(of_ana["arn"], "arn:aws:sts::111122223333:federated-user/guest");
        assert_eq!(of_ana["sessionContext"]["sessionIssuer"]["userName"], "ana");
        let of_root = shown(&Identity { principal: guest(None), session });
        insta::assert_json_snapshot!(of_root["sessionContext"]["sessionIssuer"], @r#"
        {
          "type": "Root",
          "principalId": "111122223333",
          "arn": "arn:aws:iam::111122223333:root",
          "accountId": "111122223333"
        }
        "#);
    }
}
