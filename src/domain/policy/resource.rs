//! Policies of resources (a bucket's), which name who they are about. They are kept as they are put, also when something of
//! them is not understood here; then a statement that allows says nothing, and one that denies always does.
//!
//! Source: IAM's user guide, "AWS JSON policy elements: Principal" and "Cross-account policy evaluation logic".

use super::document::{PolicySyntax, read_statement};
use super::statement::{Effect, Statement, Target};
use super::{Decision, PolicyContext};
use serde_json::{Map, Value};

/// The policy of a resource.
#[derive(Debug)]
pub struct ResourcePolicy {
    statements: Vec<ResourceStatement>,
}

#[derive(Debug)]
struct ResourceStatement {
    principals: Principals,
    effect: Effect,
    /// `None` if it is not understood.
    about: Option<Statement>,
}

#[derive(Debug)]
enum Principals {
    Of(Vec<String>),
    AllBut(Vec<String>),
}

/// Whether statements count that are about everybody: a bucket may keep them out (S3's public access block).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Everybody {
    /// They do.
    Counts,
    /// They do not.
    IsKeptOut,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The caller's account.
    pub account: &'a str,
    /// The caller's ARN.
    pub arn: &'a str,
    /// The role's, if the caller is a session of one.
    pub role_arn: Option<&'a str>,
}

impl ResourcePolicy {
    /// Reads a policy's JSON; `None` for what is none.
    pub fn parse(json: &str) -> Option<ResourcePolicy> {
        let document: Map<String, Value> = serde_json::from_str(json).ok()?;
        let syntax = PolicySyntax::of(document.get("Version").and_then(Value::as_str));
        let statements = match document.get("Statement")? {
            Value::Array(statements) => statements.clone(),
            one => vec![one.clone()],
        };
        let statements = statements.into_iter().map(|statement| ResourceStatement::read(statement, syntax));
        Some(ResourcePolicy { statements: statements.collect::<Option<_>>()? })
    }

    /// What it says to a request: an `action` (`s3:GetObject`) on the resource with this ARN.
    pub fn decide(
        &self,
        asker: Asker<'_>,
        everybody: Everybody,
        (action, arn): (&str, &str),
        context: &PolicyContext<'_>,
    ) -> Decision {
        let mut decision = Decision::NotAllowed;
        for statement in &self.statements {
            if !statement.is_for(asker) {
                continue;
            }
            let applies = |about: &Statement| about.applies_to(action, Target::Arn(arn), context);
            match (statement.effect, &statement.about) {
                (Effect::Deny, None) => return Decision::Denied,
                (Effect::Deny, Some(about)) if applies(about) => return Decision::Denied,
                (Effect::Allow, Some(about))
                    if (everybody == Everybody::Counts || !statement.is_public()) && applies(about) =>
                {
                    decision = Decision::Allowed;
                }
                _ => {}
            }
        }
        decision
    }
}

impl ResourceStatement {
    fn read(statement: Value, syntax: PolicySyntax) -> Option<ResourceStatement> {
        let Value::Object(mut members) = statement else { return None };
        let principals = match (members.remove("Principal"), members.remove("NotPrincipal")) {
            (Some(of), None) => Principals::Of(names(&of)),
            (None, Some(all_but)) => Principals::AllBut(names(&all_but)),
            _ => return None,
        };
        let effect = match members.get("Effect")?.as_str()? {
            "Allow" => Effect::Allow,
            "Deny" => Effect::Deny,
            _ => return None,
        };
        let about = read_statement(Value::Object(members), syntax).ok();
        Some(ResourceStatement { principals, effect, about })
    }

    fn is_for(&self, asker: Asker<'_>) -> bool {
        let named = |names: &[String]| names.iter().any(|name| is(name, asker));
        match &self.principals {
            Principals::Of(names) => named(names),
            Principals::AllBut(names) => !named(names),
        }
    }

    fn is_public(&self) -> bool {
        match &self.principals {
            Principals::Of(names) => names.iter().any(|name| name == "*"),
            Principals::AllBut(_) => true,
        }
    }
}

/// The principals of AWS that are named: accounts, ARNs, or everybody. Services and identity providers do not sign here.
fn names(principal: &Value) -> Vec<String> {
    let texts = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(texts) => texts.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    match principal {
        Value::String(_) => texts(principal),
        Value::Object(kinds) => kinds.get("AWS").map(texts).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Whether a principal is who asks. An account stands for all in it.
fn is(name: &str, asker: Asker<'_>) -> bool {
    let of_account = |name: &str| {
        let account = name.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
        account.unwrap_or(name) == asker.account
    };
    name == "*" || of_account(name) || name == asker.arn || asker.role_arn == Some(name)
}
