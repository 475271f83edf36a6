//! What an emulator's answers say of callers: users that were made, access keys that were handed out, and to whom. Secrets
//! in them are not looked at.

use crate::aws::identify::Identified;
use crate::aws::request::Request;
use crate::callers::Callers;
use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::identity::{CredentialSession, IamEntity, Identity, Principal};
use crate::domain::learned::{LearnedCaller, LearnedKey, LearnedUser, UserName};
use crate::recorder::content::Content;
use crate::recorder::elements::xml::Element;
use crate::recorder::exchange::{Exchange, Reply};

/// Whether a call may be one of those that hand out users and keys, as far as its head tells.
pub(super) fn may_hand_out(request: &Request) -> bool {
    match request.signature().claim().ok().flatten().map(|claim| claim.service.as_deref()) {
        Some(Some(service)) => matches!(service, "iam" | "sts"),
        // AssumeRoleWithWebIdentity and AssumeRoleWithSAML are not signed, and older clients sign in their form.
        Some(None) | None => request.method == http::Method::POST || request.query().contains("Action"),
    }
}

/// Who makes a call of STS with a token of an identity provider instead of a signature, as the answer has them.
pub(super) fn external(call: &Identified, exchange: &Exchange) -> Option<Identity> {
    let (kind, name) = match (call.service.key.as_str(), call.operation.as_str()) {
        ("sts", "AssumeRoleWithWebIdentity") => ("WebIdentityUser", "SubjectFromWebIdentityToken"),
        ("sts", "AssumeRoleWithSAML") => ("SAMLUser", "Subject"),
        _ => return None,
    };
    let answer = Answer::of(call, exchange.reply.as_ref()?)?;
    let (name, audience) = (answer.text(&[name])?, answer.text(&["Audience"])?);
    let provider = answer.text(&["Provider"]).or_else(|| answer.text(&["Issuer"]))?;
    let principal_id = match kind {
        "SAMLUser" => format!("{}:{name}", answer.text(&["NameQualifier"]).unwrap_or(audience)),
        _ => format!("{provider}:{audience}:{name}"),
    };
    let (name, provider) = (name.to_owned(), provider.to_owned());
    Some(Principal::External { kind, principal_id, name, provider }.into())
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
            answer.key(owner, Principal::Role { role, session_name }, exchange)
        }
        ("sts", "GetSessionToken") => answer.key(account.clone(), identity.principal.clone(), exchange),
        ("sts", "GetFederationToken") => {
            let arn = answer.text(&["FederatedUser", "Arn"])?;
            let owner = account_of(arn)?;
            callers.check_account(account, &owner);
            let name = arn.rsplit_once('/')?.1.to_owned();
            let issuer = match &identity.principal {
                Principal::User(user) => Some(user.clone()),
                _ => None,
            };
            answer.key(owner, Principal::FederatedUser { name, issuer }, exchange)
        }
        _ => None,
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

    /// The temporary key in it.
    fn key(&self, account: AccountId, principal: Principal, exchange: &Exchange) -> Option<LearnedCaller> {
        let created = exchange.time;
        let session = Some(CredentialSession {
            created,
            mfa_authenticated: asked(exchange, "TokenCode").is_some(),
            federated_provider: self.text(&["Provider"]).map(str::to_owned),
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
