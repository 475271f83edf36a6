//! Members of a call that comes as a form: `Tags.member.1.Key=a` is a member of an item of a list.

use crate::aws::catalog::Kinds;
use crate::aws::signature::parameters;
use crate::aws::typed::scalar;
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// Names within a name. What has more is one name from there on: nothing that AWS knows is nested so deeply.
const MAX_DEPTH: usize = 24;

/// What stands below a name, in the order in which it was sent.
#[derive(Default)]
struct Node {
    text: String,
    below: IndexMap<String, Node>,
}

/// The members of a form, with the names that it has for them, without those that every form has.
pub fn members<'a>(pairs: impl Iterator<Item = &'a (String, String)>, kinds: &Kinds) -> Map<String, Value> {
    let mut top = Node::default();
    for (name, text) in pairs {
        let mut node = &mut top;
        for part in name.splitn(MAX_DEPTH, '.') {
            node = node.below.entry(part.to_owned()).or_default();
        }
        node.text.clone_from(text);
    }
    // Which operation of which API it is for stands in every form.
    let is_common = |name: &str| matches!(name, "Action" | "Version") || parameters::is_parameter(name);
    top.below.retain(|name, _| !is_common(name));
    object(top.below, kinds)
}

fn object(below: IndexMap<String, Node>, kinds: &Kinds) -> Map<String, Value> {
    below
        .into_iter()
        .map(|(name, node)| {
            let value = value(node, &name, kinds);
            (name, value)
        })
        .collect()
}

fn value(mut node: Node, name: &str, kinds: &Kinds) -> Value {
    if node.below.is_empty() {
        return scalar(&node.text, name, kinds);
    }
    // `Tags.member.1`, `Filters.Filter.1`, `Attributes.entry.1`: the name between says nothing.
    let item = kinds.lists.get(name).map_or("member", String::as_str);
    let is_between = |key: &String| key == "member" || key == "entry" || key == item;
    if node.below.len() == 1
        && node.below.first().is_some_and(|(key, items)| is_between(key) && is_numbered(items))
        && let Some((_, items)) = node.below.pop()
    {
        node = items;
    }
    if !is_numbered(&node) {
        return Value::Object(object(node.below, kinds));
    }
    let is_map = kinds.maps.contains(name);
    let mut items: Vec<(u32, Node)> =
        node.below.into_iter().filter_map(|(number, node)| Some((number.parse().ok()?, node))).collect();
    items.sort_by_key(|(number, _)| *number);
    // An item is no list, though its name is that of one.
    let items: Vec<Value> = items
        .into_iter()
        .map(|(_, node)| match node.below.is_empty() {
            true => Value::String(node.text),
            false => Value::Object(object(node.below, kinds)),
        })
        .collect();
    if is_map { map(items) } else { Value::Array(items) }
}

/// Whether everything below has a number.
fn is_numbered(node: &Node) -> bool {
    !node.below.is_empty() && node.below.keys().all(|name| name.parse::<u32>().is_ok())
}

/// Items of two members each, a name and a value, as an object.
pub fn map(items: Vec<Value>) -> Value {
    let pair = |item: Value| {
        let Value::Object(members) = item else { return None };
        let mut members = members.into_iter();
        let (name, value) = (members.next()?.1, members.next().map_or(Value::Null, |(_, value)| value));
        Some((name.as_str()?.to_owned(), value))
    };
    Value::Object(items.into_iter().filter_map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::pairs::pairs;
    use serde_json::json;

    fn read(form: &str) -> Value {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let kinds = Kinds {
            numbers: names(&["MaxItems"]),
            booleans: ["Force".to_owned()].into(),
            lists: [("Tags", "member"), ("SubnetIds", "SubnetIdentifier")]
                .map(|(list, item)| (list.to_owned(), item.to_owned()))
                .into(),
            maps: ["Attributes".to_owned()].into(),
            ..Kinds::default()
        };
        Value::Object(members(pairs(form).iter(), &kinds))
    }

    #[test]
    fn names_with_dots_are_members_of_members_and_numbers_are_lists() {
        assert_eq!(
            read(
                "Action=A&Version=1&Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=&MaxItems=7&Force=true"
            ),
            json!({"Tags": [{"Key": "a", "Value": ""}, {"Key": "b"}], "MaxItems": 7, "Force": true})
        );
        assert_eq!(
            read("SubnetIds.SubnetIdentifier.1=s-1&Filter.10=x&Filter.9=w&Ebs.Size=8"),
            json!({"SubnetIds": ["s-1"], "Filter": ["w", "x"], "Ebs": {"Size": "8"}})
        );
        let map = "Attributes.entry.1.key=Policy&Attributes.entry.1.value=p&Attributes.entry.2.key=K";
        assert_eq!(read(map), json!({"Attributes": {"Policy": "p", "K": null}}));
        assert_eq!(read("Tags="), json!({"Tags": []}), "an empty list");
        assert_eq!(read("MaxItems=many"), json!({"MaxItems": "many"}), "what is wrong is shown as it is");
    }

    #[test]
    fn a_name_of_nothing_but_dots_is_no_trouble() {
        let deep = format!("A{}=x", ".".repeat(200_000));
        assert!(read(&deep).to_string().len() > 200_000);
    }
}
