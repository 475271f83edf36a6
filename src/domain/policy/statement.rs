//! A statement of a policy: what it is about, and what it says.

use super::condition::Condition;
use super::key::PolicyContext;
use super::pattern::Pattern;

/// What an action is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// Nothing that has an ARN: policies allow it on `*`.
    Nothing,
    /// The resource with this ARN.
    Arn(&'a str),
    /// Something, but it is not known what: only a statement about all resources allows it, and any that may be about it
    /// denies it.
    Unknown,
}

#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    pub(super) actions: Scope,
    pub(super) resources: Scope,
    pub(super) conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// Actions or resources that a statement is about.
#[derive(Debug, Clone)]
pub(super) enum Scope {
    /// `Action`, `Resource`
    Of(Vec<Pattern>),
    /// `NotAction`, `NotResource`
    AllBut(Vec<Pattern>),
}

impl Scope {
    pub(super) fn patterns(&self) -> &[Pattern] {
        match self {
            Scope::Of(patterns) | Scope::AllBut(patterns) => patterns,
        }
    }

    pub(super) fn has(&self, matches: impl Fn(&Pattern) -> bool) -> bool {
        match self {
            Scope::Of(patterns) => patterns.iter().any(matches),
            Scope::AllBut(patterns) => !patterns.iter().any(matches),
        }
    }
}

impl Statement {
    /// Whether it is about a request.
    pub(super) fn applies_to(&self, action: &str, target: Target<'_>, context: &PolicyContext<'_>) -> bool {
        self.actions.has(|pattern| pattern.matches_ignoring_case(action))
            && self.is_about(target, context)
            && self.conditions.iter().all(|condition| condition.holds(context))
    }

    /// Whether its resources are what an action is on.
    pub(super) fn is_about(&self, target: Target<'_>, context: &PolicyContext<'_>) -> bool {
        match (target, self.effect) {
            (Target::Nothing, _) => self.resources.has(|pattern| pattern.matches("*", context)),
            (Target::Arn(arn), _) => self.resources.has(|pattern| pattern.matches(arn, context)),
            (Target::Unknown, Effect::Allow) => {
                matches!(&self.resources, Scope::Of(patterns) if patterns.iter().any(Pattern::is_everything))
            }
            (Target::Unknown, Effect::Deny) => true,
        }
    }
}
