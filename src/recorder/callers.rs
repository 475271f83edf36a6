//! Who calls: access key → account and identity, credential scope → region. Signatures are not checked.

use crate::config::Settings;
use crate::domain::account_id::AccountId;
use crate::domain::caller::Caller;
use crate::domain::identity::Identity;
use crate::domain::region::Region;
use crate::error::{ApiResult, Code};
use std::collections::HashMap;

/// The access keys that settings name, and the account of all others.
#[derive(Debug)]
pub struct Callers {
    account: AccountId,
    identities: HashMap<String, (AccountId, Identity)>,
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
                (Some(user), ..) => Identity::User(user.clone()),
                (None, Some(role), Some(session)) => {
                    Identity::Role { role: role.clone(), session: session.clone() }
                }
                _ => Identity::Root,
            };
        let identities =
            settings.identities.iter().map(|s| (s.access_key.clone(), (s.account.clone(), identity(s))));
        Callers { account: settings.account.clone(), identities: identities.collect() }
    }

    /// Whose key it is: an account and who in it.
    pub fn holder(&self, access_key: Option<&str>) -> (AccountId, Identity) {
        if let Some(known) = access_key.and_then(|key| self.identities.get(key)) {
            return known.clone();
        }
        (access_key.and_then(AccountId::parse).unwrap_or_else(|| self.account.clone()), Identity::Root)
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
        settings.identities.push(crate::config::IdentitySetting {
            access_key: "AKIAANA".into(),
            account: AccountId::parse("111122223333").unwrap(),
            user: Some("ana".into()),
            role: None,
            session: None,
        });
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
        assert_eq!(ana.identity, Identity::User("ana".into()));
        let number = signed("444455556666/20261122/eu-west-1/cloudtrail/aws4_request").unwrap();
        assert_eq!((number.account.as_str(), number.identity), ("444455556666", Identity::Root));
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
