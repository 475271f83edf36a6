//! Who makes a call, from where.

use crate::domain::account_id::AccountId;
use crate::domain::identity::Identity;
use crate::domain::policy::resource::{Asker, Everybody, ResourcePolicy};
use crate::domain::policy::{Decision, Policy, PolicyContext, Target};
use crate::domain::region::Region;
use crate::domain::tls::TlsDetails;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Who has signed a request, by what it says of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The access key id.
    pub access_key: String,
    /// The region that it is signed for.
    pub region: Region,
}

/// Where a call comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The peer's address.
    pub source_ip: String,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// What TLS has agreed on; `None` for plain HTTP.
    pub tls: Option<TlsDetails>,
}

/// A caller, as far as the request tells.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account whose key it is.
    pub account: AccountId,
    /// The region of the call.
    pub region: Region,
    /// The access key id, if the request carries one.
    pub access_key: Option<String>,
    /// What that key stands for.
    pub identity: Identity,
    /// Where the call comes from.
    pub origin: Origin,
    /// What the holder of the key may do; `None` for everything.
    pub policy: Option<Arc<Policy>>,
}

/// Something that belongs to an account and says itself who may use it.
#[derive(Debug, Clone, Copy)]
pub struct OwnedResource<'a> {
    /// Whose it is; `None` for everybody's.
    pub account: Option<&'a AccountId>,
    /// Its policy, if there is one.
    pub policy: Option<&'a ResourcePolicy>,
    /// Whether that may be about everybody.
    pub everybody: Everybody,
    /// Whether its ACL grants what is asked for to all who sign.
    pub is_granted: bool,
}

impl Caller {
    /// Whether the caller may do `action` (`cloudtrail:CreateTrail`) to `target`.
    ///
    /// # Errors
    /// The text of AWS's `AccessDenied`.
    pub fn authorize(&self, action: &str, target: Target<'_>, now: DateTime<Utc>) -> Result<(), String> {
        let on = match target {
            Target::Arn(arn) => format!(" on resource: {arn}"),
            Target::Nothing | Target::Unknown => String::new(),
        };
        self.ask(now, action, &on, |policy, context| policy.decide(action, target, context))
    }

    /// Whether the caller may do everything that `service` (`iam`) has, or everything there is, on all resources. Asked where
    /// it is unclear what a request does.
    ///
    /// # Errors
    /// The text of AWS's `AccessDenied`.
    pub fn authorize_everything(&self, service: Option<&str>, now: DateTime<Utc>) -> Result<(), String> {
        let action = service.map_or("*".to_owned(), |service| format!("{service}:*"));
        self.ask(now, &action, "", |policy, context| policy.decide_everything(service, context))
    }

    /// Whether the caller may do `action` (`s3:GetObject`) to what has `arn` and belongs to an account and has a policy of its
    /// own: that decides as well. `None` as the account stands for everybody's.
    ///
    /// # Errors
    /// The text of AWS's `AccessDenied`.
    pub fn authorize_on(
        &self,
        action: &str,
        arn: &str,
        resource: &OwnedResource<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), String> {
        let is_own = resource.account.is_none_or(|account| *account == self.account);
        self.with_context(now, |caller_arn, context| {
            let own = self.policy.as_ref().map(|policy| policy.decide(action, Target::Arn(arn), context));
            let own = own.unwrap_or(Decision::Allowed);
            let role_arn = Some(context.principal_arn).filter(|role| *role != caller_arn);
            let asker = Asker { account: &self.account, arn: caller_arn, role_arn };
            let of_resource = resource.policy.map_or(Decision::NotAllowed, |policy| {
                policy.decide(asker, resource.everybody, (action, arn), context)
            });
            let because = match (own, of_resource) {
                (Decision::Denied, _) => "with an explicit deny in an identity-based policy".to_owned(),
                (_, Decision::Denied) => "with an explicit deny in a resource-based policy".to_owned(),
                (Decision::Allowed, _) if is_own || resource.is_granted => return Ok(()),
                (Decision::Allowed, Decision::Allowed) => return Ok(()),
                // In one account either is enough.
                (_, Decision::Allowed) if is_own => return Ok(()),
                (Decision::Allowed, _) => {
                    format!("because no resource-based policy allows the {action} action")
                }
                _ => format!("because no identity-based policy allows the {action} action"),
            };
            Err(format!(
                "User: {caller_arn} is not authorized to perform: {action} on resource: {arn} {because}"
            ))
        })
    }

    fn ask(
        &self,
        now: DateTime<Utc>,
        action: &str,
        on: &str,
        decide: impl Fn(&Policy, &PolicyContext<'_>) -> Decision,
    ) -> Result<(), String> {
        let Some(policy) = &self.policy else { return Ok(()) };
        self.with_context(now, |arn, context| {
            let why = match decide(policy, context) {
                Decision::Allowed => return Ok(()),
                Decision::NotAllowed => {
                    format!("because no identity-based policy allows the {action} action")
                }
                Decision::Denied => "with an explicit deny in an identity-based policy".to_owned(),
            };
            Err(format!("User: {arn} is not authorized to perform: {action}{on} {why}"))
        })
    }

    /// What policies are asked with: the caller's ARN, and the context.
    fn with_context<T>(&self, now: DateTime<Utc>, decide: impl FnOnce(&str, &PolicyContext<'_>) -> T) -> T {
        let identity = self.identity.user_identity(&self.account, &self.region, None, now);
        let arn = identity.arn().unwrap_or_default();
        let context = PolicyContext {
            source_ip: self.origin.source_ip.parse().ok(),
            region: &self.region,
            time: now,
            user_name: self.identity.iam_user_name(),
            user_id: identity.principal_id(),
            principal_arn: identity.role_arn().unwrap_or(arn),
            account: &self.account,
            principal_type: self.identity.policy_type(),
            user_agent: self.origin.user_agent.as_deref(),
            is_secure: self.origin.tls.is_some(),
            service: None,
        };
        decide(arn, &context)
    }
}
