//! Policies of resources (a bucket's), which name who they are about. They are kept as they are put, also when something of
//! them is not understood here; then a statement that allows says nothing, and one that denies always does.
//!
//! Source: IAM's user guide, "AWS JSON policy elements: Principal" and "Cross-account policy evaluation logic".

use super::document::read_statement;
use super::key::Keys;
use super::pattern::PolicySyntax;
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
    Of(Names),
    AllBut(Names),
}

/// Principals that are named. Identity providers do not sign here.
#[derive(Debug, Default)]
struct Names {
    /// Accounts, ARNs, or everybody.
    aws: Vec<String>,
    /// `cloudtrail.amazonaws.com`
    services: Vec<String>,
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
    /// Reads a policy's JSON, as callers are judged by it; `None` for what is none.
    pub fn parse(json: &str) -> Option<ResourcePolicy> {
        ResourcePolicy::read(json, Keys::OfCallers)
    }

    /// The same for requests of services.
    pub(super) fn read(json: &str, keys: Keys) -> Option<ResourcePolicy> {
        let document: Map<String, Value> = serde_json::from_str(json).ok()?;
        let syntax = PolicySyntax::of(document.get("Version").and_then(Value::as_str), keys);
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
        let is_asker = |names: &Names| names.aws.iter().any(|name| is(name, asker));
        self.decision(is_asker, everybody, (action, arn), context)
    }

    /// The same for a service of AWS (`cloudtrail.amazonaws.com`), which no bucket keeps out with everybody.
    pub(super) fn decide_for_service(
        &self,
        service: &str,
        asked: (&str, &str),
        context: &PolicyContext<'_>,
    ) -> Decision {
        let is_service =
            |names: &Names| names.services.iter().any(|name| name == service) || names.are_everybody();
        self.decision(is_service, Everybody::Counts, asked, context)
    }

    fn decision(
        &self,
        is_asker: impl Fn(&Names) -> bool,
        everybody: Everybody,
        (action, arn): (&str, &str),
        context: &PolicyContext<'_>,
    ) -> Decision {
        let mut decision = Decision::NotAllowed;
        for statement in &self.statements {
            let is_for = match &statement.principals {
                Principals::Of(names) => is_asker(names),
                Principals::AllBut(names) => !is_asker(names),
            };
            if !is_for {
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
            (Some(of), None) => Principals::Of(Names::read(&of)),
            (None, Some(all_but)) => Principals::AllBut(Names::read(&all_but)),
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

    fn is_public(&self) -> bool {
        match &self.principals {
            Principals::Of(names) => names.are_everybody(),
            Principals::AllBut(_) => true,
        }
    }
}

impl Names {
    fn read(principal: &Value) -> Names {
        let texts = |value: &Value| match value {
            Value::String(text) => vec![text.clone()],
            Value::Array(texts) => texts.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        };
        match principal {
            Value::String(_) => Names { aws: texts(principal), ..Names::default() },
            Value::Object(kinds) => {
                let of = |kind: &str| kinds.get(kind).map(texts).unwrap_or_default();
                Names { aws: of("AWS"), services: of("Service") }
            }
            _ => Names::default(),
        }
    }

    fn are_everybody(&self) -> bool {
        self.aws.iter().any(|name| name == "*")
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
