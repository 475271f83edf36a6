//! What an emulator's answers say of callers: users that were made, access keys that were handed out, and to whom. Secrets
//! in them are not looked at.

use crate::aws::identify::Identified;
use crate::aws::request::Request;
use crate::callers::Callers;
use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::identity::{CredentialSession, ExternalSubject, IamEntity, Identity, Principal};
use crate::domain::learned::{LearnedCaller, LearnedKey, LearnedUser, UserName};
use crate::recorder::content::Content;
use crate::recorder::elements::xml::Element;
use crate::recorder::exchange::{Exchange, Reply};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Tags that a session can have (API reference, AssumeRole).
const MOST_TAGS: usize = 50;

/// Whether a call may be one of those that hand out users and keys, as far as its head tells.
pub(super) fn may_hand_out(request: &Request) -> bool {
    match request.signature().claim().ok().flatten().map(|claim| claim.service.as_deref()) {
        Some(Some(service)) => matches!(service, "iam" | "sts"),
        // AssumeRoleWithWebIdentity and AssumeRoleWithSAML are not signed, and older clients sign in their form.
        Some(None) | None => request.method == http::Method::POST || request.query().contains("Action"),
    }
}

/// Who makes a call of STS with a token of an identity provider instead of a signature: as the answer has them, else as the
/// token does, which says it of itself when the call is refused, too.
pub(super) fn external(call: &Identified, exchange: &Exchange) -> Option<Identity> {
    let answer = || Answer::of(call, exchange.reply.as_ref()?);
    let (kind, subject) = match (call.service.key.as_str(), call.operation.as_str()) {
        ("sts", "AssumeRoleWithWebIdentity") => (
            "WebIdentityUser",
            answer().and_then(|answer| answer.web_identity()).or_else(|| of_token(exchange)),
        ),
        ("sts", "AssumeRoleWithSAML") => ("SAMLUser", answer().and_then(|answer| answer.saml_subject())),
        _ => return None,
    };
    Some(Principal::External { kind, subject }.into())
}

/// The caller that a web identity token (a JWT) names. The token is not verified here: the service that is called does that.
fn of_token(exchange: &Exchange) -> Option<ExternalSubject> {
    #[derive(Deserialize)]
    struct Claims {
        iss: String,
        sub: String,
        aud: Option<Audience>,
        azp: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    let token = asked(exchange, "WebIdentityToken")?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let Claims { iss, sub, aud, azp } = serde_json::from_slice(&claims).ok()?;
    let audience = match aud {
        Some(Audience::One(audience)) => audience,
        Some(Audience::Many(audiences)) => audiences.into_iter().next()?,
        None => azp?,
    };
    let issuer = iss.trim_start_matches("https://");
    let provider = match issuer {
        // The one provider of tokens like this that AWS knows by itself.
        "accounts.google.com" => issuer.to_owned(),
        _ => {
            let role = asked(exchange, "RoleArn")?;
            let arn = ArnParts::split(&role)?;
            format!("arn:{}:iam::{}:oidc-provider/{issuer}", arn.partition, arn.account)
        }
    };
    Some(ExternalSubject { principal_id: format!("{provider}:{audience}:{sub}"), name: sub, provider })
}

/// Whether a call, or its answer, names users, keys or accounts; all others are not read.
pub(super) fn names_callers(call: &Identified) -> bool {
    matches!(
        (call.service.key.as_str(), call.operation.as_str()),
        ("iam", "CreateAccessKey" | "CreateUser" | "DeleteAccessKey" | "DeleteUser" | "UpdateUser")
            | ("sts", "AssumeRole" | "AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity")
            | ("sts", "GetCallerIdentity" | "GetFederationToken" | "GetSessionToken")
    )
}

/// What is learned from a call that an identity in an account has made.
pub(super) fn learned(
    call: &Identified,
    exchange: &Exchange,
    callers: &Callers,
    (account, identity): &(AccountId, Identity),
) -> Option<LearnedCaller> {
    let reply = exchange.reply.as_ref()?;
    let user = |name: &str| Some(UserName { account: account.clone(), name: asked(exchange, name)? });
    // Their answers say nothing but that it is done.
    match (call.service.key.as_str(), call.operation.as_str()) {
        _ if reply.status != 200 => return None,
        ("iam", "DeleteUser") => return user("UserName").map(LearnedCaller::NoUser),
        ("iam", "UpdateUser") => {
            let from = user("UserName")?;
            let (to, path) = (asked(exchange, "NewUserName"), asked(exchange, "NewPath"));
            let to = to.unwrap_or_else(|| from.name.clone());
            return Some(LearnedCaller::Renamed { from, to, path });
        }
        ("iam", "DeleteAccessKey") => {
            let access_key_id = asked(exchange, "AccessKeyId")?;
            return Some(LearnedCaller::NoKey { access_key_id, deleted: exchange.time });
        }
        _ => {}
    }
    let answer = Answer::of(call, reply)?;
    match (call.service.key.as_str(), call.operation.as_str()) {
        ("iam", "CreateUser") => {
            let arn = answer.text(&["User", "Arn"])?;
            callers.check_account(account, &account_of(arn)?);
            let user = IamEntity {
                name: answer.text(&["User", "UserName"])?.to_owned(),
                unique_id: Some(answer.text(&["User", "UserId"])?.to_owned()),
                arn: Some(arn.to_owned()),
            };
            Some(LearnedCaller::User(LearnedUser { account: account.clone(), user }))
        }
        ("iam", "CreateAccessKey") => {
            let user = answer.text(&["AccessKey", "UserName"]).filter(|name| !name.is_empty());
            let user = user.map(|name| callers.user(account, name));
            let owner = user.as_ref().and_then(|user| account_of(user.arn.as_deref()?));
            Some(LearnedCaller::Key(LearnedKey {
                access_key_id: answer.text(&["AccessKey", "AccessKeyId"])?.to_owned(),
                account: owner.unwrap_or_else(|| account.clone()),
                identity: user.map_or(Principal::Root, Principal::User).into(),
                created: exchange.time,
                expires: None,
                deleted: None,
            }))
        }
        ("sts", "GetCallerIdentity") => {
            callers.check_account(account, &AccountId::parse(answer.text(&["Account"])?)?);
            None
        }
        ("sts", "AssumeRole" | "AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity") => {
            let asked_arn = asked(exchange, "RoleArn")?;
            let session_arn = answer.text(&["AssumedRoleUser", "Arn"]).unwrap_or(&asked_arn);
            let owner = account_of(session_arn)?;
            let name = asked_arn.rsplit_once('/')?.1.to_owned();
            // `AROA…:session`; where an emulator does not say it, the caller has.
            let session =
                answer.text(&["AssumedRoleUser", "AssumedRoleId"]).and_then(|id| id.split_once(':'));
            let (unique_id, session_name) = match session {
                Some((id, session_name)) => (Some(id.to_owned()), session_name.to_owned()),
                None => (None, asked(exchange, "RoleSessionName")?),
            };
            let role = IamEntity { name, unique_id, arn: Some(asked_arn) };
            let mut carried = Carried::by(identity);
            carried.add_asked(exchange);
            if let Some(set) = answer.text(&["SourceIdentity"]).filter(|set| !set.is_empty()) {
                carried.source_identity = Some(set.to_owned());
            }
            answer.key(owner, Principal::Role { role, session_name }, exchange, carried)
        }
        ("sts", "GetSessionToken") => {
            answer.key(account.clone(), identity.principal.clone(), exchange, Carried::by(identity))
        }
        ("sts", "GetFederationToken") => {
            let arn = answer.text(&["FederatedUser", "Arn"])?;
            let owner = account_of(arn)?;
            callers.check_account(account, &owner);
            let name = arn.rsplit_once('/')?.1.to_owned();
            let issuer = match &identity.principal {
                Principal::User(user) => Some(user.clone()),
                _ => None,
            };
            answer.key(owner, Principal::FederatedUser { name, issuer }, exchange, Carried::by(identity))
        }
        _ => None,
    }
}

/// What a session hands on to those that are made with it.
#[derive(Default)]
struct Carried {
    source_identity: Option<String>,
    transitive_tags: BTreeMap<String, String>,
}

impl Carried {
    fn by(identity: &Identity) -> Carried {
        let Some(session) = &identity.session else { return Carried::default() };
        Carried {
            source_identity: session.source_identity.clone(),
            transitive_tags: session.transitive_tags.clone(),
        }
    }

    /// Adds what an AssumeRole asks for.
    fn add_asked(&mut self, exchange: &Exchange) {
        if let Some(set) = asked(exchange, "SourceIdentity") {
            self.source_identity = Some(set);
        }
        let numbered = |name: &dyn Fn(usize) -> String| {
            let values: Vec<_> = (1..=MOST_TAGS).map_while(|n| asked(exchange, &name(n))).collect();
            values
        };
        let keys = numbered(&|n| format!("Tags.member.{n}.Key"));
        let transitive = numbered(&|n| format!("TransitiveTagKeys.member.{n}"));
        for (n, key) in keys.into_iter().enumerate().filter(|(_, key)| transitive.contains(key)) {
            let value = asked(exchange, &format!("Tags.member.{}.Value", n + 1)).unwrap_or_default();
            self.transitive_tags.insert(key, value);
        }
    }
}

/// What is in an answer of the query protocol.
struct Answer(Element);

impl Answer {
    fn of(call: &Identified, reply: &Reply) -> Option<Answer> {
        if reply.status != 200 {
            return None;
        }
        let mut answer = Element::read(Content::of(&reply.headers, &reply.body).bytes()?)?;
        let name = format!("{}Result", call.operation);
        let at = answer.children.iter().position(|child| child.name == name)?;
        Some(Answer(answer.children.swap_remove(at)))
    }

    fn text(&self, path: &[&str]) -> Option<&str> {
        path.iter()
            .try_fold(&self.0, |element, name| element.child(name))
            .map(|element| element.text.as_str())
    }

    /// The caller that AssumeRoleWithWebIdentity names.
    fn web_identity(&self) -> Option<ExternalSubject> {
        let text = |name| self.text(&[name]).filter(|text| !text.is_empty());
        let (name, audience) = (text("SubjectFromWebIdentityToken")?, text("Audience")?);
        let provider = text("Provider")?.to_owned();
        Some(ExternalSubject {
            principal_id: format!("{provider}:{audience}:{name}"),
            name: name.to_owned(),
            provider,
        })
    }

    /// The caller that AssumeRoleWithSAML names. Records have the name's qualifier for the provider (observed).
    fn saml_subject(&self) -> Option<ExternalSubject> {
        let text = |name| self.text(&[name]).filter(|text| !text.is_empty());
        let name = text("Subject")?;
        let provider = text("NameQualifier").or_else(|| text("Issuer"))?;
        let principal_id = format!("{provider}:{name}");
        Some(ExternalSubject { principal_id, name: name.to_owned(), provider: provider.to_owned() })
    }

    /// The temporary key in it.
    fn key(
        &self,
        account: AccountId,
        principal: Principal,
        exchange: &Exchange,
        Carried { source_identity, transitive_tags }: Carried,
    ) -> Option<LearnedCaller> {
        let created = exchange.time;
        let session = Some(CredentialSession {
            created,
            mfa_authenticated: asked(exchange, "TokenCode").is_some(),
            federated_provider: self.text(&["Provider"]).map(str::to_owned),
            source_identity,
            transitive_tags,
        });
        Some(LearnedCaller::Key(LearnedKey {
            access_key_id: self.text(&["Credentials", "AccessKeyId"])?.to_owned(),
            account,
            identity: Identity { principal, session },
            created,
            expires: Some(self.text(&["Credentials", "Expiration"])?.parse().ok()?),
            deleted: None,
        }))
    }
}

/// The value of a member of a form.
fn asked(exchange: &Exchange, name: &str) -> Option<String> {
    exchange.body.whole()?;
    let members = exchange.request.parameters().iter().chain(&exchange.form().pairs);
    members.into_iter().find(|(member, _)| member == name).map(|(_, value)| value.clone())
}

fn account_of(arn: &str) -> Option<AccountId> {
    AccountId::parse(ArnParts::split(arn)?.account)
}
