//! `rules.tsv`, read: which members of which event's record name resources.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The table; its head says how it is written.
const TABLE: &str = include_str!("rules.tsv");

/// What stands for all sources in the table.
const ANY_SOURCE: &str = "*";

/// The part of a record in which a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// `requestParameters`
    Request,
    /// `responseElements`
    Response,
}

/// A member of a record whose values name resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResourceMember {
    /// In CloudFormation's style; `None` where AWS leaves it out.
    pub(super) resource_type: Option<&'static str>,
    pub(super) part: Part,
    pub(super) path: Path,
}

/// A way through the members of a part. Lists on it are as if they were not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Path {
    /// Member by member, from the top.
    Members(Vec<&'static str>),
    /// A member of this name anywhere, its first letter in either case.
    Anywhere(&'static str),
}

/// The rules for the events of one source.
#[derive(Debug, Default)]
struct SourceRules {
    events: HashMap<&'static str, Vec<ResourceMember>>,
    defaults: Vec<(Pattern, Vec<ResourceMember>)>,
}

/// Names with `*` for any text.
#[derive(Debug)]
struct Pattern {
    /// One of these; all if there are none.
    names: Vec<&'static str>,
    /// And none of these, which have a `!` in the table.
    but: Vec<&'static str>,
}

static RULES: LazyLock<HashMap<&'static str, SourceRules>> = LazyLock::new(|| {
    let mut rules: HashMap<&str, SourceRules> = HashMap::new();
    for line in TABLE.lines() {
        // Tested: the table has no other lines than these, comments and empty ones.
        let Some((source, event, members)) = rule(line) else { continue };
        let rules = rules.entry(source).or_default();
        if event.contains(['*', '!', ',']) {
            rules.defaults.push((Pattern::from(event), members));
        } else {
            rules.events.insert(event, members);
        }
    }
    rules
});

/// A line that is a rule: source, event, the members that name resources.
fn rule(line: &'static str) -> Option<(&'static str, &'static str, Vec<ResourceMember>)> {
    let mut cells = line.split('\t');
    let (source, event, _evidence, resources) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
    let members = match resources {
        "none" => Vec::new(),
        resources => resources.split(' ').map(member).collect::<Option<_>>()?,
    };
    (cells.next().is_none() && !source.starts_with('#')).then_some((source, event, members))
}

/// `AWS::IAM::User=request.userName`
fn member(text: &'static str) -> Option<ResourceMember> {
    let (resource_type, path) = text.split_once('=')?;
    let (part, path) = path.split_once('.')?;
    let part = match part {
        "request" => Part::Request,
        "response" => Part::Response,
        _ => return None,
    };
    let path = match path.strip_prefix('.') {
        Some(name) => Path::Anywhere(name),
        None => Path::Members(path.split('.').collect()),
    };
    Some(ResourceMember { resource_type: Some(resource_type).filter(|text| *text != "-"), part, path })
}

impl SourceRules {
    /// What the lines with patterns say that fit.
    fn fitting(&self, event_name: &str) -> impl Iterator<Item = &Vec<ResourceMember>> {
        self.defaults.iter().filter(move |(pattern, _)| pattern.fits(event_name)).map(|(_, members)| members)
    }
}

impl From<&'static str> for Pattern {
    fn from(text: &'static str) -> Pattern {
        let names = text.split(',').filter(|name| !name.starts_with('!')).collect();
        Pattern { names, but: text.split(',').filter_map(|name| name.strip_prefix('!')).collect() }
    }
}

impl Pattern {
    fn fits(&self, event_name: &str) -> bool {
        let is_one_of = |names: &[&str]| names.iter().any(|name| is_like(event_name, name));
        (self.names.is_empty() || is_one_of(&self.names)) && !is_one_of(&self.but)
    }
}

/// Whether a name is like a pattern: the name itself, or with `*` before or behind it.
fn is_like(name: &str, pattern: &str) -> bool {
    let text = pattern.trim_matches('*');
    match (pattern.starts_with('*'), pattern.ends_with('*')) {
        (true, true) => name.contains(text),
        (true, false) => name.ends_with(text),
        (false, true) => name.starts_with(text),
        (false, false) => name == text,
    }
}

/// The members of an event's record that name resources.
pub(super) fn resource_members(event_source: &str, event_name: &str) -> Vec<&'static ResourceMember> {
    let service = event_source.strip_suffix(".amazonaws.com").unwrap_or(event_source);
    let Some(rules) = RULES.get(service) else { return Vec::new() };
    if let Some(members) = rules.events.get(event_name) {
        return members.iter().collect();
    }
    let lists_nothing = RULES.get(ANY_SOURCE).is_some_and(|any| any.fitting(event_name).next().is_some());
    if lists_nothing { Vec::new() } else { rules.fitting(event_name).flatten().collect() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// All rules for single events.
    pub(in super::super) fn all() -> impl Iterator<Item = (&'static str, &'static str, Vec<ResourceMember>)> {
        TABLE.lines().filter_map(rule).filter(|(_, event, _)| !event.contains(['*', '!', ',']))
    }

    #[test]
    fn every_line_of_the_table_is_a_rule_a_comment_or_empty() {
        let is_good = |line: &&str| {
            line.is_empty() || line.starts_with("# ") || *line == "#" || {
                rule(TABLE.lines().find(|own| own == line).unwrap()).is_some()
            }
        };
        let bad: Vec<&str> = TABLE.lines().filter(|line| !is_good(line)).collect();
        assert!(bad.is_empty(), "{bad:?}");
        assert!(all().count() >= 629, "{}", all().count());
    }

    #[test]
    fn what_no_line_names_goes_by_the_patterns_of_its_source() {
        let names = |source: &str, event: &str| resource_members(source, event).len();
        assert_eq!(names("s3.amazonaws.com", "PutBucketNewThing"), 1);
        assert_eq!(names("s3.amazonaws.com", "GetBucketNewThing"), 0, "reads list nothing");
        assert_eq!(names("s3.amazonaws.com", "UpdateBucketNewThing"), 0);
        assert_eq!(names("rds.amazonaws.com", "AddTagsToThing"), 3, "of tagging calls only what is tagged");
        assert_eq!(names("rds.amazonaws.com", "AddRoleToThing"), 0);
        assert!(names("rds.amazonaws.com", "DoNewThing") > 20);
        assert!(names("iam.amazonaws.com", "DeleteNewThing") > 10);
        assert_eq!(names("iam.amazonaws.com", "CreateServiceLinkedRole"), 0);
        assert!(names("ec2.amazonaws.com", "CreateNewThing") > names("ec2.amazonaws.com", "DeleteNewThing"));
        assert_eq!(names("unknown.amazonaws.com", "CreateNewThing"), 0);
    }
}
