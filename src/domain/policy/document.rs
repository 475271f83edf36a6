//! The JSON of a policy. A member that is not known is refused.

use super::condition::Condition;
use super::key::Keys;
use super::pattern::{Pattern, PolicySyntax, Syntax, WITH_VARIABLES};
use super::statement::{Effect, Scope, Statement};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// Why a policy cannot be used, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnusablePolicy(pub(super) String);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Document {
    version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMany<StatementDocument>,
}

/// One of something, or a list of it. Written out so that errors name what is wrong inside.
struct OneOrMany<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<OneOrMany<T>, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one, or a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|one| OneOrMany(vec![one]))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(text.into_deserializer()).map(|one| OneOrMany(vec![one]))
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(|one| OneOrMany(vec![one]))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(|one| OneOrMany(vec![one]))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(|one| OneOrMany(vec![one]))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(|one| OneOrMany(vec![one]))
            }
        }

        from.deserialize_any(Reader(PhantomData))
    }
}

/// A JSON object in which no name occurs twice: the first of two would be passed over.
struct Members<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Members<T>, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(String, T)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, T>()? {
                    if members.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                        return Err(Error::custom(format!("{name:?} occurs twice")));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        from.deserialize_map(Reader(PhantomData))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct StatementDocument {
    sid: Option<String>,
    effect: String,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    condition: Option<Members<Members<OneOrMany<Value>>>>,
}

/// A value of a condition: policies write numbers and truth values with and without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Text(String),
    Bool(bool),
    Number(serde_json::Number),
}

impl Value {
    fn into_text(self) -> String {
        match self {
            Value::Text(text) => text,
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
        }
    }
}

/// One statement.
///
/// # Errors
/// What of it is not understood.
pub(super) fn read_statement(json: serde_json::Value, syntax: PolicySyntax) -> Result<Statement, String> {
    let statement: StatementDocument = serde_json::from_value(json).map_err(|error| error.to_string())?;
    statement.read(syntax)
}

impl Document {
    /// The statements, understood.
    pub(super) fn statements(self) -> Result<Vec<Statement>, UnusablePolicy> {
        let syntax = match self.version.as_deref() {
            version @ (Some(WITH_VARIABLES | "2008-10-17") | None) => {
                PolicySyntax::of(version, Keys::OfCallers)
            }
            Some(other) => return Err(UnusablePolicy(format!("there is no policy version {other:?}"))),
        };
        let OneOrMany(statements) = self.statement;
        if statements.is_empty() {
            return Err(UnusablePolicy("it has no statement".to_owned()));
        }
        let numbered = statements.into_iter().enumerate();
        numbered
            .map(|(index, statement)| {
                let name = match &statement.sid {
                    Some(sid) => format!("statement {sid:?}"),
                    None => format!("statement {}", index + 1),
                };
                statement.read(syntax).map_err(|why| UnusablePolicy(format!("{name}: {why}")))
            })
            .collect()
    }
}

impl StatementDocument {
    fn read(self, syntax: PolicySyntax) -> Result<Statement, String> {
        let effect = match self.effect.as_str() {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            other => return Err(format!("the effect {other:?} is neither \"Allow\" nor \"Deny\"")),
        };
        let actions = scope("Action", self.action, self.not_action, |text| {
            // Actions hold no variables.
            let pattern = Pattern::parse(text, syntax.with(Syntax::Wildcards))?;
            if is_action(text) {
                Ok(pattern)
            } else {
                Err(format!("{text:?} is no action: \"service:Name\" or \"*\""))
            }
        })?;
        let resources = scope("Resource", self.resource, self.not_resource, |text| {
            // A pattern that fits nothing by a slip would be a deny that is passed over.
            let is_arn = text.starts_with("arn:") && (text.split(':').count() >= 6 || text.contains('*'));
            let is_resource = is_arn || text == "*";
            if !is_resource {
                return Err(format!("{text:?} is no resource: an ARN or \"*\""));
            }
            Pattern::parse(text, syntax)
        })?;
        let mut conditions = Vec::new();
        for (operator, Members(keys)) in self.condition.map_or(Vec::new(), |Members(operators)| operators) {
            for (key, OneOrMany(values)) in keys {
                if values.is_empty() {
                    return Err(format!("{operator} of {key} has no value"));
                }
                let values: Vec<_> = values.into_iter().map(Value::into_text).collect();
                conditions.push(Condition::parse(&operator, &key, &values, syntax)?);
            }
        }
        Ok(Statement { effect, actions, resources, conditions })
    }
}

/// Whether this can name actions: `s3:Get*`. With a blank in it, it would name none, and a deny would be lost.
fn is_action(text: &str) -> bool {
    let is = |part: &str, more: &[u8]| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    text == "*" || text.split_once(':').is_some_and(|(service, name)| is(service, b"-*?") && is(name, b"*?"))
}

fn scope(
    name: &str,
    of: Option<OneOrMany<String>>,
    all_but: Option<OneOrMany<String>>,
    read: impl Fn(&str) -> Result<Pattern, String>,
) -> Result<Scope, String> {
    let patterns = |OneOrMany(texts): OneOrMany<String>| -> Result<Vec<Pattern>, String> {
        if texts.is_empty() {
            return Err(format!("{name} is empty"));
        }
        texts.iter().map(|text| read(text)).collect()
    };
    match (of, all_but) {
        (Some(texts), None) => Ok(Scope::Of(patterns(texts)?)),
        (None, Some(texts)) => Ok(Scope::AllBut(patterns(texts)?)),
        _ => Err(format!("it needs {name} or Not{name}, and not both")),
    }
}
