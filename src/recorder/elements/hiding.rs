//! What must not stand in a record: values that are secret or private. AWS hides some behind a word and leaves others out;
//! what the models mark as sensitive, and what a name says is a secret, is hidden here as well.

use crate::aws::catalog::AwsOperation;
use crate::aws::identify::Identified;
use crate::domain::record::HIDDEN;
use crate::domain::text::is_spelt;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// How names of secrets end, in small letters without `_` and `-`. Tokens for paging, and those that only tell calls apart
/// (`NextToken`, `ClientRequestToken`), are none.
const SECRETS: &[&str] = &[
    "password",
    "passwords",
    "passphrase",
    "secret",
    "secretkey",
    "secretstring",
    "secretbinary",
    "secretaccesskey",
    "credential",
    "credentials",
    "privatekey",
    "presharedkey",
    "signingkey",
    "keymaterial",
    "apikey",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "bearertoken",
    "sessiontoken",
    "securitytoken",
    "identitytoken",
    "idtoken",
    "apitoken",
    "oauthtoken",
    "devicetoken",
    "registrationtoken",
    "authorizationtoken",
    "authenticationtoken",
    "authorizationcode",
    "confirmationcode",
    "verificationcode",
    "secretcode",
    "usercode",
    "authenticationcode1",
    "authenticationcode2",
    "activationcode",
    "privatekeybase64",
    "webtoken",
    "clitoken",
    "samlassertion",
    "jwt",
    "tokencode",
    "connectionstring",
    "userdata",
];

/// How names of environments of programs end, in the same letters. What is in their variables is hidden, whatever they are
/// called.
const ENVIRONMENTS: &[&str] = &[
    "environment",
    "environmentvariables",
    "environmentvariablesoverride",
    "envvars",
    "environmentoverrides",
];

/// The options of Elastic Beanstalk that become variables of the environment.
const BEANSTALK_ENVIRONMENT: &str = "aws:elasticbeanstalk:application:environment";

/// What is hidden in the members of a call.
pub(super) struct Hiding<'a> {
    operation: Option<&'a AwsOperation>,
    sensitive: &'a HashSet<String>,
    maps: &'a HashSet<String>,
    service: &'a str,
}

impl<'a> Hiding<'a> {
    pub(super) fn of(call: &'a Identified) -> Hiding<'a> {
        Hiding {
            operation: call.known.as_deref(),
            sensitive: call.service.sensitive(),
            maps: &call.service.kinds().maps,
            service: &call.service.key,
        }
    }

    /// Hides what is to be hidden in members that have the names of the wire.
    pub(super) fn apply(&self, members: &mut Map<String, Value>) {
        if let Some(operation) = self.operation {
            operation.dropped.iter().for_each(|path| {
                at(members, path, &mut |members, name| {
                    members.shift_remove(name);
                })
            });
            operation.secret.iter().for_each(|path| {
                at(members, path, &mut |members, name| {
                    if let Some(value) = members.get_mut(name) {
                        self.hide(value, name);
                    }
                })
            });
        }
        self.walk(members);
    }

    /// Hides members that are secret by their names, wherever they stand.
    fn walk(&self, members: &mut Map<String, Value>) {
        self.hide_named_values(members);
        for (name, value) in members.iter_mut() {
            if self.sensitive.contains(name) || (is_secret(name) && !value.is_object()) {
                self.hide(value, name);
            } else if ends_with_one_of(name, ENVIRONMENTS) {
                self.hide_environment(value, name);
            } else {
                self.walk_into(value);
            }
        }
    }

    /// Hides the values of variables: `[{"name": "A", "value": "…"}]`, or `{"A": "…"}` where that is a map. A structure of
    /// the same name has them somewhere in it.
    fn hide_environment(&self, value: &mut Value, name: &str) {
        let is_map = self.maps.contains(name) || !name.to_ascii_lowercase().ends_with("environment");
        match value {
            Value::Array(items) => {
                for item in items.iter_mut().filter_map(Value::as_object_mut) {
                    for (name, value) in
                        item.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case("value"))
                    {
                        self.hide(value, name);
                    }
                }
            }
            Value::Object(variables) if is_map && variables.values().all(Value::is_string) => {
                variables.iter_mut().for_each(|(name, value)| self.hide(value, name));
            }
            other => self.walk_into(other),
        }
    }

    fn walk_into(&self, value: &mut Value) {
        match value {
            Value::Object(members) => self.walk(members),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk_into(item)),
            _ => {}
        }
    }

    /// `{"name": "DB_PASSWORD", "value": "…"}`: the name of the secret is itself a value.
    fn hide_named_values(&self, members: &mut Map<String, Value>) {
        let is_one_of =
            |name: &str, names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        let is_named = |(name, value): (&String, &Value)| {
            is_one_of(name, &["name", "key", "parameterkey", "parametername", "optionname"])
                && value.as_str().is_some_and(is_secret)
        };
        let is_variable = |(name, value): (&String, &Value)| {
            name.eq_ignore_ascii_case("namespace") && value == BEANSTALK_ENVIRONMENT
        };
        if !members.iter().any(is_named) && !members.iter().any(is_variable) {
            return;
        }
        for (name, value) in members.iter_mut() {
            if is_one_of(name, &["value", "parametervalue"]) {
                self.hide(value, name);
            }
        }
    }

    /// Puts a word in place of a value, or of each of a list.
    fn hide(&self, value: &mut Value, name: &str) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(item, name)),
            Value::Null | Value::Bool(_) => {}
            _ => *value = self.word(name).into(),
        }
    }

    /// AWS's word for it, which depends on the service.
    fn word(&self, name: &str) -> &'static str {
        match (self.service, name) {
            ("ec2", _) => "<sensitiveDataRemoved>",
            ("ssm", "TokenValue") => "Value hidden due to security reasons.",
            ("polly" | "rds-data", _) => "**********",
            ("athena", _) => "***OMITTED***",
            (service, _) if service.starts_with("geo-") => "***",
            _ => HIDDEN,
        }
    }
}

/// Whether a member of this name holds a secret.
pub(super) fn is_secret(name: &str) -> bool {
    ends_with_one_of(name, SECRETS)
}

/// Whether a name ends like this, in small letters without `_` and `-`.
fn ends_with_one_of(name: &str, ends: &[&str]) -> bool {
    let ends_with = |end: &str| {
        let letters = name.bytes().rev().filter(|byte| !matches!(byte, b'_' | b'-'));
        let mut letters = letters.map(|byte| byte.to_ascii_lowercase());
        end.bytes().rev().all(|byte| letters.next() == Some(byte))
    };
    ends.iter().any(|end| ends_with(end))
}

/// Does something with the members to which a path leads; lists on it are as if they were not there, and `*` stands for
/// all names of a map.
fn at(members: &mut Map<String, Value>, path: &str, then: &mut impl FnMut(&mut Map<String, Value>, &str)) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    // EC2's requests begin names with a capital, its answers do not.
    let is_meant = |name: &&String| first == "*" || is_spelt(name, first);
    let names: Vec<String> = members.keys().filter(is_meant).cloned().collect();
    for name in names {
        match rest {
            None => then(members, &name),
            Some(rest) => {
                if let Some(value) = members.get_mut(&name) {
                    within(value, rest, then);
                }
            }
        }
    }
}

fn within(value: &mut Value, path: &str, then: &mut impl FnMut(&mut Map<String, Value>, &str)) {
    match value {
        Value::Object(members) => at(members, path, then),
        Value::Array(items) => items.iter_mut().for_each(|item| within(item, path, then)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_secret() {
        for name in
            ["MasterUserPassword", "DB_PASSWORD", "api-key", "clientSecret", "X_AUTH_TOKEN", "passwords"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in
            ["NextToken", "ClientRequestToken", "SecretId", "PasswordResetRequired", "KeyId", "", "word"]
        {
            assert!(!is_secret(name), "{name}");
        }
    }
}
