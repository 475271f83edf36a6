//! Who calls: access key → account and identity. Whether they may is for others to say.
//!
//! Settings name some keys. Others are learned from what emulators answer as they hand them out.

use crate::aws::catalog::Catalog;
use crate::config::{IdentitySetting, Settings};
use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::caller::{Caller, Origin, Signer};
use crate::domain::identity::{IamEntity, Identity, Principal};
use crate::domain::learned::{LearnedCaller, LearnedKey, LearnedUser, UserName, renamed_arn};
use crate::domain::policy::{Policy, permissions};
use crate::domain::region::Region;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Learned keys between two looks for those that are over.
const KEYS_A_LOOK: usize = 1024;

/// The most keys that are remembered, of which each takes some 500 bytes, and users. Emulators that forget all that they
/// know at their restart hand out ever new ones.
const MAX_KEYS: usize = 100_000;
const MAX_USERS: usize = 100_000;

/// What waits to be stored, at most.
const MAX_UNSAVED: usize = 10_000;

/// The access keys that settings name, those that were learned, and the account of all others.
#[derive(Debug)]
pub struct Callers {
    account: AccountId,
    identities: HashMap<String, KnownCaller>,
    learned: RwLock<LearnedCallers>,
    /// What was learned and is not stored yet.
    unsaved: Mutex<Vec<LearnedCaller>>,
    has_warned: AtomicBool,
    has_warned_of_keys: AtomicBool,
}

/// The holder of a key that settings name.
#[derive(Debug, Clone)]
struct KnownCaller {
    account: AccountId,
    identity: Identity,
    policy: Option<Arc<Policy>>,
}

/// Why a caller's policy cannot be used: one line for the person who started the server.
#[derive(Debug, thiserror::Error)]
#[error("identities: {access_key}: policy_file {path}: {why}")]
pub struct UnusablePolicyFile {
    access_key: String,
    path: String,
    why: String,
}

#[derive(Debug, Default)]
struct LearnedCallers {
    keys: HashMap<String, LearnedKey>,
    /// By the account of whoever made them, and their own, and by their names.
    users: HashMap<(AccountId, String), IamEntity>,
    keys_at_last_look: usize,
}

impl LearnedCallers {
    fn forget_user(&mut self, UserName { account, name }: &UserName) {
        if let Some(user) = self.users.remove(&(account.clone(), name.clone())) {
            // It may be known in two accounts.
            self.users.retain(|(_, other), known| other != name || known.arn != user.arn);
        }
    }

    fn rename(&mut self, from: &UserName, to: &str, path: Option<&str>) {
        let Some(before) = self.users.get(&(from.account.clone(), from.name.clone())).cloned() else {
            return;
        };
        let arn = before.arn.as_deref().map(|arn| renamed_arn(arn, to, path));
        let after = IamEntity { name: to.to_owned(), arn, unique_id: before.unique_id.clone() };
        let known: Vec<_> =
            self.users.iter().filter(|(_, user)| **user == before).map(|(key, _)| key.0.clone()).collect();
        for account in known {
            self.users.remove(&(account.clone(), from.name.clone()));
            self.users.insert((account, to.to_owned()), after.clone());
        }
        for key in self.keys.values_mut() {
            if key.identity.principal == Principal::User(before.clone()) {
                key.identity.principal = Principal::User(after.clone());
            }
        }
    }
}

impl Callers {
    /// As the settings have it. Reads the files that hold policies.
    ///
    /// # Errors
    /// A policy that cannot be read, or of which something is not understood.
    pub fn open(settings: &Settings) -> Result<Callers, UnusablePolicyFile> {
        let known = |setting: &IdentitySetting| Ok((setting.access_key.clone(), KnownCaller::of(setting)?));
        Ok(Callers {
            account: settings.account.clone(),
            identities: settings.identities.iter().map(known).collect::<Result<_, _>>()?,
            learned: RwLock::default(),
            unsaved: Mutex::default(),
            has_warned: AtomicBool::new(false),
            has_warned_of_keys: AtomicBool::new(false),
        })
    }

    /// Actions in the policies of the settings that no call of the catalog's operations asks for, with the access key of whose
    /// policy it is. Some of IAM's are right all the same, as no call is named after them (`iam:PassRole`).
    pub fn actions_of_no_call(&self, catalog: &Catalog) -> Vec<(&str, Vec<String>)> {
        let policies = self.identities.iter();
        let policies = policies.filter_map(|(key, known)| Some((key.as_str(), known.policy.as_ref()?)));
        let policies: Vec<_> = policies.collect();
        if policies.is_empty() {
            return Vec::new();
        }
        let services = catalog.services().iter();
        let operations = services.flat_map(|service| {
            service.operations().keys().map(|operation| (service.event_source.as_str(), operation.as_str()))
        });
        let permissions = permissions::of_all(operations);
        let unknown =
            policies.into_iter().map(|(key, policy)| (key, policy.actions_of_no_call(&permissions)));
        unknown.filter(|(_, actions)| !actions.is_empty()).collect()
    }

    /// Whether settings name a key, or it was learned.
    pub fn knows(&self, access_key: &str) -> bool {
        let is_good = |key: &LearnedKey| key.deleted.is_none();
        self.identities.contains_key(access_key) || self.learned().keys.get(access_key).is_some_and(is_good)
    }

    /// Whose key it is: an account and who in it.
    pub fn holder(&self, access_key: Option<&str>) -> (AccountId, Identity) {
        if let Some(known) = access_key.and_then(|key| self.identities.get(key)) {
            return (known.account.clone(), known.identity.clone());
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

    /// Takes note of something that an emulator has answered; it counts from now on, and waits to be stored. While nothing
    /// can be stored, only so much waits: a restart would forget the rest.
    pub fn learn(&self, caller: LearnedCaller, now: DateTime<Utc>) {
        self.remember(caller.clone(), now);
        let mut unsaved = self.unsaved();
        if unsaved.len() < MAX_UNSAVED {
            unsaved.push(caller);
        }
    }

    /// Takes note of something that is stored.
    pub fn remember(&self, caller: LearnedCaller, now: DateTime<Utc>) {
        // Nothing panics while the lock is held.
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        match caller {
            LearnedCaller::Key(key) => {
                if learned.keys.len() < MAX_KEYS || learned.keys.contains_key(&key.access_key_id) {
                    learned.keys.insert(key.access_key_id.clone(), key);
                } else if !self.has_warned_of_keys.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        keys = MAX_KEYS,
                        "the emulator has handed out more keys than are remembered: calls with further ones are recorded \
                         as the default account's root user"
                    );
                }
            }
            LearnedCaller::NoKey { access_key_id, deleted } => {
                if let Some(key) = learned.keys.get_mut(&access_key_id) {
                    key.deleted = Some(deleted);
                }
            }
            LearnedCaller::NoUser(user) => learned.forget_user(&user),
            LearnedCaller::Renamed { from, to, path } => learned.rename(&from, &to, path.as_deref()),
            LearnedCaller::User(LearnedUser { account, user }) => {
                // Who calls for themselves does so in the account of their own ARN.
                let own = user
                    .arn
                    .as_deref()
                    .and_then(ArnParts::split)
                    .and_then(|arn| AccountId::parse(arn.account));
                for account in [Some(account), own].into_iter().flatten() {
                    if learned.users.len() < MAX_USERS {
                        learned.users.insert((account, user.name.clone()), user.clone());
                    }
                }
            }
        }
        if learned.keys.len() > learned.keys_at_last_look + KEYS_A_LOOK {
            learned.keys.retain(|_, key| !key.is_over(now));
            learned.keys_at_last_look = learned.keys.len();
        }
    }

    /// Whether something was learned that is not stored yet.
    pub fn has_unsaved(&self) -> bool {
        !self.unsaved().is_empty()
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

    /// The caller of a request that `signer` has signed; without one, the default account's root user in us-east-1.
    pub fn caller(&self, signer: Option<Signer>, origin: Origin) -> Caller {
        let (access_key, region) = match signer {
            Some(Signer { access_key, region }) => (Some(access_key), region),
            None => (None, Region::us_east_1()),
        };
        let (account, identity) = self.holder(access_key.as_deref());
        let known = access_key.as_deref().and_then(|key| self.identities.get(key));
        let policy = known.and_then(|known| known.policy.clone());
        Caller { account, region, access_key, identity, origin, policy }
    }
}

impl KnownCaller {
    fn of(setting: &IdentitySetting) -> Result<KnownCaller, UnusablePolicyFile> {
        let principal = match (&setting.user, &setting.role, &setting.session) {
            (Some(user), ..) => Principal::User(IamEntity::named(user)),
            (None, Some(role), Some(session)) => {
                Principal::Role { role: IamEntity::named(role), session_name: session.clone() }
            }
            _ => Principal::Root,
        };
        let policy = setting.policy_file.as_ref().map(|path| {
            let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
            let policy = text.and_then(|text| Policy::parse(&text).map_err(|error| error.to_string()));
            policy.map(Arc::new).map_err(|why| UnusablePolicyFile {
                access_key: setting.access_key.clone(),
                path: path.display().to_string(),
                why,
            })
        });
        let (account, identity) = (setting.account.clone(), principal.into());
        Ok(KnownCaller { account, identity, policy: policy.transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callers() -> Callers {
        let mut settings = Settings::builtin(vec![]).unwrap();
        let account = AccountId::parse("111122223333").unwrap();
        settings.identities.push(crate::config::IdentitySetting::of_user("AKIAANA", account, "ana"));
        Callers::open(&settings).unwrap()
    }

    fn signed(access_key: &str) -> Caller {
        let signer = Signer { access_key: access_key.into(), region: Region::parse("eu-west-1").unwrap() };
        callers().caller(Some(signer), Origin::default())
    }

    #[test]
    fn the_key_says_whose_account_it_is() {
        let ana = signed("AKIAANA");
        assert_eq!((ana.account.as_str(), ana.region.as_str()), ("111122223333", "eu-west-1"));
        assert_eq!(ana.identity, Principal::User(IamEntity::named("ana")).into());
        let number = signed("444455556666");
        assert_eq!((number.account.as_str(), number.identity), ("444455556666", Identity::ROOT));
        assert_eq!(signed("test").account, "000000000000");
        let nobody = callers().caller(None, Origin::default());
        assert_eq!((nobody.access_key, nobody.region.as_str()), (None, "us-east-1"));
    }
}
