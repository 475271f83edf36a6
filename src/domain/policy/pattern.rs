//! Patterns of actions, resources and values: `*` for any text, `?` for one character, `${aws:username}` for a value of the
//! request.

use super::key::{Key, Keys, PolicyContext};
use std::fmt::{self, Write};

/// `arn:partition:service:region:account:resource`
const ARN_SEGMENTS: usize = 6;

/// The version in which `${…}` is a variable.
pub(super) const WITH_VARIABLES: &str = "2012-10-17";

/// A pattern, read.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Char(char),
    /// `?`
    One,
    /// `*`
    Any,
    Value(Key),
}

/// What stands for something else in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Nothing: in conditions like StringEquals of the older version.
    Plain,
    /// `*` and `?`.
    Wildcards,
    /// `${…}`: in conditions like StringEquals.
    Variables,
    /// All of it.
    Full,
}

/// How a policy is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct PolicySyntax {
    /// What stands for something else in patterns; the policy's version says it.
    pub(super) patterns: Syntax,
    /// Of whose requests keys are asked.
    pub(super) keys: Keys,
}

impl PolicySyntax {
    /// That of a version. One that there is not is read as the older one.
    pub(super) fn of(version: Option<&str>, keys: Keys) -> PolicySyntax {
        let patterns = if version == Some(WITH_VARIABLES) { Syntax::Full } else { Syntax::Wildcards };
        PolicySyntax { patterns, keys }
    }

    pub(super) fn with(self, patterns: Syntax) -> PolicySyntax {
        PolicySyntax { patterns, ..self }
    }
}

/// As it is written, for one without variables.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Char(c) => f.write_char(*c),
            Part::One => f.write_char('?'),
            Part::Any => f.write_char('*'),
            Part::Value(_) => f.write_str("${…}"),
        })
    }
}

impl Pattern {
    /// # Errors
    /// A variable that cannot be answered, or that does not end.
    pub(super) fn parse(text: &str, syntax: PolicySyntax) -> Result<Pattern, String> {
        let has_variables = matches!(syntax.patterns, Syntax::Variables | Syntax::Full);
        let has_wildcards = matches!(syntax.patterns, Syntax::Wildcards | Syntax::Full);
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if has_variables && let Some(inside) = rest.strip_prefix("${") {
                let (name, behind) =
                    inside.split_once('}').ok_or_else(|| format!("a variable in {text:?} does not end"))?;
                parts.push(match name {
                    "*" | "?" | "$" => Part::Char(name.chars().next().unwrap_or_default()),
                    _ if name.contains(',') => {
                        return Err(format!("defaults of variables are not understood here: {text:?}"));
                    }
                    _ => Part::Value(Key::parse(name, syntax.keys)?),
                });
                rest = behind;
                continue;
            }
            parts.push(match c {
                '*' if has_wildcards => Part::Any,
                '?' if has_wildcards => Part::One,
                c => Part::Char(c),
            });
            rest = &rest[c.len_utf8()..];
        }
        Ok(Pattern(parts))
    }

    /// Whether the pattern fits a text. One with a variable that the request has no value for fits none.
    pub(super) fn matches(&self, text: &str, context: &PolicyContext<'_>) -> bool {
        self.filled_in(context).is_some_and(|parts| fits(&parts, text, |one, other| one == other))
    }

    /// Whether it fits everything.
    pub(super) fn is_everything(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|part| *part == Part::Any)
    }

    /// The same part by part of two ARNs, of which the sixth and last may hold colons itself.
    pub(super) fn matches_arn(&self, arn: &str, context: &PolicyContext<'_>) -> bool {
        let Some(parts) = self.filled_in(context) else { return false };
        let segments: Vec<_> = parts.splitn(ARN_SEGMENTS, |part| *part == Part::Char(':')).collect();
        let texts: Vec<_> = arn.splitn(ARN_SEGMENTS, ':').collect();
        let fits = |(segment, text): (&&[Part], &&str)| fits(segment, text, |one, other| one == other);
        segments.len() == texts.len() && segments.iter().zip(&texts).all(fits)
    }

    /// With the values of variables; `None` when there is none for one of them.
    fn filled_in(&self, context: &PolicyContext<'_>) -> Option<Vec<Part>> {
        let mut parts = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            match part {
                Part::Value(key) => parts.extend(key.of(context)?.chars().map(Part::Char)),
                part => parts.push(part.clone()),
            }
        }
        Some(parts)
    }

    /// The same without variables, and capitals do not count.
    pub(super) fn matches_ignoring_case(&self, text: &str) -> bool {
        fits(&self.0, text, |one, other| one.eq_ignore_ascii_case(&other))
    }

    /// Whether it fits every text that begins like this, whatever comes behind; capitals do not count.
    pub(super) fn covers_all_of(&self, start: &str) -> bool {
        self.0.last() == Some(&Part::Any) && self.matches_ignoring_case(start)
    }

    /// Whether it fits some text that begins like this; capitals do not count. It does if a part of it from its beginning
    /// fits `start`: what is left of it fits something.
    pub(super) fn may_match_behind(&self, start: &str) -> bool {
        let same = |one: char, other: char| one.eq_ignore_ascii_case(&other);
        (0..=self.0.len()).any(|end| fits(&self.0[..end], start, same))
    }

    /// The text that the pattern stands for, when it has no wildcards. `None` with a variable that has no value.
    pub(super) fn text(&self, context: &PolicyContext<'_>) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Char(c) => text.push(*c),
                Part::One => text.push('?'),
                Part::Any => text.push('*'),
                Part::Value(key) => text.push_str(&key.of(context)?),
            }
        }
        Some(text)
    }
}

/// Whether parts fit a text, in time that grows with their lengths multiplied at the most: after a failure only the last
/// `*` takes one character more.
fn fits(parts: &[Part], text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut part, mut at) = (0, 0);
    // The last `*`, and where what it stands for ends.
    let mut star = None;
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                star = Some((part, at));
                part += 1;
            }
            Some(Part::One) => {
                part += 1;
                at += 1;
            }
            Some(Part::Char(c)) if same(*c, text[at]) => {
                part += 1;
                at += 1;
            }
            _ => match star {
                Some((star_part, end)) => {
                    star = Some((star_part, end + 1));
                    part = star_part + 1;
                    at = end + 1;
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|part| *part == Part::Any)
}
