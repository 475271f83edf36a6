//! Who calls: access key → account and identity, credential scope → region. Whether they may is for others to say.
//!
//! Settings name some keys. Others are learned from what emulators answer as they hand them out.

use crate::config::Settings;
use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::caller::Caller;
use crate::domain::identity::{IamEntity, Identity, Principal};
use crate::domain::learned::{LearnedCaller, LearnedKey, LearnedUser};
use crate::domain::region::Region;
use crate::error::{ApiResult, Code};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

/// Learned keys between two looks for those that are over.
const KEYS_A_LOOK: usize = 1024;

/// The access keys that settings name, those that were learned, and the account of all others.
#[derive(Debug)]
pub struct Callers {
    account: AccountId,
    identities: HashMap<String, (AccountId, Identity)>,
    learned: RwLock<LearnedCallers>,
    /// What was learned and is not stored yet.
    unsaved: Mutex<Vec<LearnedCaller>>,
    has_warned: AtomicBool,
}

#[derive(Debug, Default)]
struct LearnedCallers {
    keys: HashMap<String, LearnedKey>,
    /// By the account of whoever made them, and their own, and by their names.
    users: HashMap<(AccountId, String), IamEntity>,
    keys_at_last_look: usize,
}

/// What a request holds about its caller. Not to be shown: a signature is among it.
#[derive(Default)]
pub struct Evidence<'a> {
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// `X-Amz-Credential` of a presigned URL, decoded.
    pub credential: Option<&'a str>,
    /// The peer's address.
    pub source_ip: String,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}

impl Callers {
    /// As the settings have it.
    pub fn new(settings: &Settings) -> Callers {
        let identity =
            |setting: &crate::config::IdentitySetting| match (&setting.user, &setting.role, &setting.session)
            {
                (Some(user), ..) => Principal::User(IamEntity::named(user)).into(),
                (None, Some(role), Some(session)) => {
                    Principal::Role { role: IamEntity::named(role), session_name: session.clone() }.into()
                }
                _ => Identity::ROOT,
            };
        let identities =
            settings.identities.iter().map(|s| (s.access_key.clone(), (s.account.clone(), identity(s))));
        Callers {
            account: settings.account.clone(),
            identities: identities.collect(),
            learned: RwLock::default(),
            unsaved: Mutex::default(),
            has_warned: AtomicBool::new(false),
        }
    }

    /// Whether settings name a key, or it was learned.
    pub fn knows(&self, access_key: &str) -> bool {
        self.identities.contains_key(access_key) || self.learned().keys.contains_key(access_key)
    }

    /// Whose key it is: an account and who in it.
    pub fn holder(&self, access_key: Option<&str>) -> (AccountId, Identity) {
        if let Some(known) = access_key.and_then(|key| self.identities.get(key)) {
            return known.clone();
        }
        if let Some(known) = access_key.and_then(|key| self.learned().keys.get(key).cloned()) {
            return (known.account, known.identity);
        }
        (access_key.and_then(AccountId::parse).unwrap_or_else(|| self.account.clone()), Identity::ROOT)
    }

    /// A user of whom whoever made them was told, or one of this name of whom nothing else is known.
    pub fn user(&self, account: &AccountId, name: &str) -> IamEntity {
        let known = self.learned().users.get(&(account.clone(), name.to_owned())).cloned();
        known.unwrap_or_else(|| IamEntity::named(name))
    }

    /// Takes note of something that an emulator has answered; it counts from now on, and waits to be stored.
    pub fn learn(&self, caller: LearnedCaller, now: DateTime<Utc>) {
        self.remember(caller.clone(), now);
        self.unsaved().push(caller);
    }

    /// Takes note of something that is stored.
    pub fn remember(&self, caller: LearnedCaller, now: DateTime<Utc>) {
        // Nothing panics while the lock is held.
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        match caller {
            LearnedCaller::Key(key) => {
                learned.keys.insert(key.access_key_id.clone(), key);
            }
            LearnedCaller::User(LearnedUser { account, user }) => {
                // Who calls for themselves does so in the account of their own ARN.
                let own = user
                    .arn
                    .as_deref()
                    .and_then(ArnParts::split)
                    .and_then(|arn| AccountId::parse(arn.account));
                for account in [Some(account), own].into_iter().flatten() {
                    learned.users.insert((account, user.name.clone()), user.clone());
                }
            }
        }
        if learned.keys.len() > learned.keys_at_last_look + KEYS_A_LOOK {
            learned.keys.retain(|_, key| !key.is_over(now));
            learned.keys_at_last_look = learned.keys.len();
        }
    }

    /// What was learned and is not stored yet. Whoever takes it stores it, or gives it back.
    pub fn take_unsaved(&self) -> Vec<LearnedCaller> {
        std::mem::take(&mut *self.unsaved())
    }

    /// Gives back what could not be stored.
    pub fn give_back(&self, learned: Vec<LearnedCaller>) {
        self.unsaved().splice(..0, learned);
    }

    /// Says once in the log what to do when an emulator has answered a caller of `account` for another one, `answered`.
    pub fn check_account(&self, account: &AccountId, answered: &AccountId) {
        let is_default = *account == self.account;
        if is_default && account != answered && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %account,
                %answered,
                "the emulator answers for another account than calls are recorded in: start with --account {answered}"
            );
        }
    }

    fn learned(&self) -> std::sync::RwLockReadGuard<'_, LearnedCallers> {
        self.learned.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn unsaved(&self) -> MutexGuard<'_, Vec<LearnedCaller>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The caller of a request. An unsigned one is the default account's root user in us-east-1.
    ///
    /// # Errors
    /// `IncompleteSignatureException` when there is a signature, but no access key or region can be read from it.
    pub fn identify(&self, evidence: Evidence<'_>) -> ApiResult<Caller> {
        let incomplete = |why: &str| Code::IncompleteSignatureException.because(why.to_owned());
        let credential = match evidence.authorization {
            Some(header) if header.starts_with("AWS4-") => {
                let value = header.split_once("Credential=").map(|(_, rest)| rest);
                let value = value.and_then(|rest| rest.split([',', ' ']).next());
                Some(
                    value
                        .ok_or_else(|| incomplete("Authorization header requires 'Credential' parameter."))?,
                )
            }
            _ => evidence.credential,
        };
        let (access_key, region) = match credential {
            None => (None, Region::us_east_1()),
            Some(scope) => {
                let parts: Vec<_> = scope.split('/').collect();
                let region = match parts.as_slice() {
                    [_, _, region, _, "aws4_request"] => Some(*region),
                    // SigV4A signs for a set of regions, which stands elsewhere.
                    [_, _, _, "aws4_request"] => None,
                    _ => {
                        return Err(incomplete(
                            "Credential must have the form key/date/region/service/aws4_request.",
                        ));
                    }
                };
                if parts[0].is_empty() {
                    return Err(incomplete("Credential names no access key."));
                }
                let invalid = || incomplete("Credential should be scoped to a valid region.");
                let region = region.map(|region| Region::parse(region).ok_or_else(invalid)).transpose()?;
                // boto 2 reads the region off the host's name: "localhost", or "0" from 127.0.0.1.
                let region = region.filter(|region| region.contains('-')).unwrap_or_else(Region::us_east_1);
                (Some(parts[0]), region)
            }
        };
        let (account, identity) = self.holder(access_key);
        Ok(Caller {
            account,
            region,
            access_key: access_key.map(str::to_owned),
            identity,
            source_ip: evidence.source_ip,
            user_agent: evidence.user_agent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers() -> Callers {
        let mut settings = Settings::builtin(vec![]).unwrap();
        let account = AccountId::parse("111122223333").unwrap();
        settings.identities.push(crate::config::IdentitySetting::of_user("AKIAANA", account, "ana"));
        Callers::new(&settings)
    }

    fn signed(scope: &str) -> ApiResult<Caller> {
        let header = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
        callers().identify(Evidence { authorization: Some(&header), ..Evidence::default() })
    }

    #[test]
    fn the_key_says_whose_account_and_the_scope_which_region() {
        let ana = signed("AKIAANA/20261122/eu-west-1/cloudtrail/aws4_request").unwrap();
        assert_eq!((ana.account.as_str(), ana.region.as_str()), ("111122223333", "eu-west-1"));
        assert_eq!(ana.identity, Principal::User(IamEntity::named("ana")).into());
        let number = signed("444455556666/20261122/eu-west-1/cloudtrail/aws4_request").unwrap();
        assert_eq!((number.account.as_str(), number.identity), ("444455556666", Identity::ROOT));
        let other = signed("test/20261122/mars-north-1/cloudtrail/aws4_request").unwrap();
        assert_eq!((other.account.as_str(), other.region.as_str()), ("000000000000", "mars-north-1"));
        for not_a_region in ["localhost", "0"] {
            let boto2 = signed(&format!("test/20261122/{not_a_region}/cloudtrail/aws4_request")).unwrap();
            assert_eq!(boto2.region, "us-east-1");
        }
        let nobody = callers().identify(Evidence::default()).unwrap();
        assert_eq!((nobody.access_key, nobody.region.as_str()), (None, "us-east-1"));
        let presigned = Evidence {
            credential: Some("444455556666/20261122/eu-west-1/cloudtrail/aws4_request"),
            ..Evidence::default()
        };
        assert_eq!(callers().identify(presigned).unwrap().account, "444455556666");
    }

    #[test]
    fn half_a_signature_is_incomplete() {
        for scope in [
            "",
            "AKIA",
            "AKIA/20261122/us-east-1/cloudtrail",
            "/20261122/us-east-1/cloudtrail/aws4_request",
            "AKIA/20261122/US EAST/cloudtrail/aws4_request",
        ] {
            assert_eq!(signed(scope).unwrap_err().code, Code::IncompleteSignatureException, "{scope}");
        }
    }
}
