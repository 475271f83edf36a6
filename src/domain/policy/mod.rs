//! IAM's policies: what the holder of an access key may do.
//!
//! What a policy says is understood whole as it is read, or refused: nothing of it is ever passed over. Source: IAM's user
//! guide, "IAM JSON policy element reference" and "Policy evaluation logic".

mod condition;
mod document;
mod key;
mod pattern;
pub mod permissions;
pub mod resource;
pub mod service;
pub mod service_request;
mod statement;

use document::Document;
pub use document::UnusablePolicy;
pub use key::PolicyContext;
use pattern::Pattern;
pub use statement::Target;
use statement::{Effect, Scope, Statement};
use std::collections::BTreeSet;

/// A policy that is attached to a user or a role.
#[derive(Debug, Clone)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// What a policy says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// No statement says anything about it.
    NotAllowed,
    /// A statement denies it.
    Denied,
}

impl Policy {
    /// Reads a policy's JSON.
    ///
    /// # Errors
    /// It is no policy, or something of it is not understood here.
    pub fn parse(json: &str) -> Result<Policy, UnusablePolicy> {
        let document: Document = serde_json::from_str(json)
            .map_err(|error| UnusablePolicy(format!("it cannot be read: {error}")))?;
        Ok(Policy { statements: document.statements()? })
    }

    /// Whether a request may be made of which it is not known what it does: with any action of `service` (`iam`), or any at
    /// all, on anything. Only a statement about all of that allows it, and any that may be about some of it denies it.
    pub fn decide_everything(&self, service: Option<&str>, context: &PolicyContext<'_>) -> Decision {
        let start = service.map(|service| format!("{service}:")).unwrap_or_default();
        let covers = |pattern: &Pattern| pattern.covers_all_of(&start);
        let touches = |pattern: &Pattern| pattern.may_match_behind(&start);
        let applies = |statement: &&Statement| {
            let is_about = match (statement.effect, &statement.actions) {
                (Effect::Allow, Scope::Of(patterns)) => patterns.iter().any(covers),
                (Effect::Allow, Scope::AllBut(patterns)) => !patterns.iter().any(touches),
                (Effect::Deny, Scope::Of(patterns)) => patterns.iter().any(touches),
                (Effect::Deny, Scope::AllBut(patterns)) => !patterns.iter().any(covers),
            };
            is_about
                && statement.is_about(Target::Unknown, context)
                && statement.conditions.iter().all(|condition| condition.holds(context))
        };
        self.decision(applies)
    }

    /// Whether a request may be made: an `action` (`cloudtrail:CreateTrail`) on a `target`.
    pub fn decide(&self, action: &str, target: Target<'_>, context: &PolicyContext<'_>) -> Decision {
        self.decision(|statement| statement.applies_to(action, target, context))
    }

    /// The actions in the policy that no call asks for, when calls ask for `permissions`: they may be misspelled.
    pub fn actions_of_no_call(&self, permissions: &BTreeSet<String>) -> Vec<String> {
        let patterns = self.statements.iter().flat_map(|statement| statement.actions.patterns());
        let is_asked_for = |pattern: &&Pattern| {
            permissions.iter().any(|permission| pattern.matches_ignoring_case(permission))
        };
        patterns.filter(|pattern| !is_asked_for(pattern)).map(Pattern::to_string).collect()
    }

    /// By the statements that apply: one that denies outweighs all that allow.
    fn decision(&self, applies: impl Fn(&&Statement) -> bool) -> Decision {
        let mut decision = Decision::NotAllowed;
        for statement in self.statements.iter().filter(applies) {
            match statement.effect {
                Effect::Deny => return Decision::Denied,
                Effect::Allow => decision = Decision::Allowed,
            }
        }
        decision
    }
}

#[cfg(test)]
mod tests;
