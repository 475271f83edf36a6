//! What records of EC2 show. Operations as old as its API of 2015-03-01 have a form of their own (lists are
//! `nameSet: {"items": [...]}`), in part by operation: `ec2.tsv`. Younger ones are shown as they went over the wire.

use crate::aws::typed::guess;
use crate::domain::record::first_letter_small;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The table; its head says how it is written.
const TABLE: &str = include_str!("ec2.tsv");

static SHAPES: LazyLock<HashMap<&'static str, Shape>> =
    LazyLock::new(|| TABLE.lines().filter_map(Shape::read).collect());

/// How the request of an operation is shown.
#[derive(Debug, Default)]
struct Shape {
    lists: Vec<List>,
    defaults: Vec<(&'static str, Value)>,
    /// (on the wire, in the record): `Size`, `size`; `ImageId`, `instancesSet.imageId`;
    /// `Placement.AvailabilityZone`, `availabilityZone`
    renamed: Vec<(&'static str, &'static str)>,
    /// Numbers that are text.
    texts: Vec<&'static str>,
}

/// A list of a request.
#[derive(Debug, Clone, Copy)]
struct List {
    wire: &'static str,
    name: &'static str,
    /// What an item is called that is no object.
    item: &'static str,
    /// `items`, but for a few `item`.
    items: &'static str,
    /// Whether it is there when nothing was sent.
    always: bool,
}

impl Shape {
    /// A line of the table, which is tested; `None` for a comment.
    fn read(line: &'static str) -> Option<(&'static str, Shape)> {
        let mut cells = line.split('\t');
        let operation = cells.next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
        let mut shape = Shape::default();
        let words =
            |cell: Option<&'static str>| cell.unwrap_or_default().split(' ').filter(|word| !word.is_empty());
        shape.lists = words(cells.next()).map(List::read).collect::<Option<_>>()?;
        for word in words(cells.next()) {
            if let Some((name, value)) = word.split_once('=') {
                shape.defaults.push((name, serde_json::from_str(value).ok()?));
            } else if let Some((wire, name)) = word.split_once('>') {
                shape.renamed.push((wire, name));
            } else {
                shape.texts.push(word.strip_suffix(":text")?);
            }
        }
        Some((operation, shape))
    }
}

impl List {
    fn read(word: &'static str) -> Option<List> {
        let (wire, rest) = word.split_once('=')?;
        let (rest, items) = rest.split_once(':').unwrap_or((rest, "items"));
        let (name, item) = rest.split_once('.').unwrap_or((rest, ""));
        let always = !wire.starts_with('?');
        Some(List { wire: wire.trim_start_matches('?'), name, item, items, always })
    }

    /// A list that is in no table. Names of several things stand for themselves; all others are `…Set`.
    fn general(wire: &str) -> (String, String) {
        let own = |name: &str, item: &str| (name.to_owned(), item.to_owned());
        match wire {
            "BlockDeviceMapping" | "Add" | "Remove" => own(&first_letter_small(wire), "value"),
            "PrivateIpAddresses" | "Ipv6Addresses" => {
                own(&format!("{}Set", first_letter_small(wire)), "value")
            }
            "SecurityGroupId" => own("groupSet", "groupId"),
            "SecurityGroup" => own("groupSet", "groupName"),
            _ if wire.ends_with('s') => own(&first_letter_small(wire), "value"),
            _ => own(&format!("{}Set", first_letter_small(wire)), &first_letter_small(wire)),
        }
    }
}

/// `requestParameters` of an operation, whose members have the names of the wire.
pub(super) fn request(operation: &str, is_young: bool, members: Map<String, Value>) -> Map<String, Value> {
    if is_young {
        let sent = match members.is_empty() {
            true => "".into(),
            false => {
                Value::Object(members.into_iter().map(|(name, value)| (name, numbered(value))).collect())
            }
        };
        return Map::from_iter([(format!("{operation}Request"), sent)]);
    }
    let none = Shape::default();
    let shape = SHAPES.get(operation).unwrap_or(&none);
    let mut members = permission(members);
    let attribute_type = attribute_type(operation, &mut members);
    raise(&mut members, &shape.renamed);
    let mut shown = Map::new();
    // Here, so that it comes first, as in AWS's records.
    for list in shape.lists.iter().filter(|list| list.always && !members.contains_key(list.wire)) {
        shown.insert(list.name.to_owned(), json!({}));
    }
    for (wire, value) in members {
        if let Some(list) = shape.lists.iter().find(|list| list.wire == wire) {
            shown.insert(list.name.to_owned(), items(value, list.item, list.items));
        } else if let Some((_, name)) = shape.renamed.iter().find(|(name, _)| *name == wire) {
            put(&mut shown, name, member(&wire, value).1);
        } else {
            let (name, value) = member(&wire, value);
            shown.insert(name, value);
        }
    }
    if let Some(attribute) = attribute_type {
        shown.insert("attributeType".to_owned(), attribute.into());
    }
    for (name, value) in &shape.defaults {
        shown.entry(*name).or_insert_with(|| value.clone());
    }
    as_text(&mut shown, &shape.texts);
    shown
}

/// The older way to say who may use an image or a snapshot (`OperationType=add&UserId.1=…`) as the newer one.
fn permission(mut members: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::String(change)) = members.shift_remove("OperationType") else { return members };
    let name = match members.get("Attribute").and_then(Value::as_str) {
        Some("createVolumePermission") => "CreateVolumePermission",
        _ => "LaunchPermission",
    };
    let mut who = Vec::new();
    for (list, item) in [("UserId", "UserId"), ("UserGroup", "Group")] {
        if let Some(Value::Array(items)) = members.shift_remove(list) {
            who.extend(items.into_iter().map(|named| json!({item: named})));
        }
    }
    let change = if change == "remove" { "Remove" } else { "Add" };
    members.insert(name.to_owned(), json!({change: who}));
    members
}

/// Which attribute of an image or a snapshot a call is about: the one that it names, or else the one that it changes. Those
/// of snapshots are names of AWS's own, `CREATE_VOLUME_PERMISSION`.
fn attribute_type(operation: &str, members: &mut Map<String, Value>) -> Option<String> {
    let is_of_snapshot = operation.ends_with("SnapshotAttribute");
    if !is_of_snapshot && !operation.ends_with("ImageAttribute") {
        return None;
    }
    let changed = [
        ("CreateVolumePermission", "createVolumePermission"),
        ("LaunchPermission", "launchPermission"),
        ("Description", "description"),
        ("ProductCode", "productCodes"),
        ("ImdsSupport", "imdsSupport"),
    ];
    let attribute = match members.shift_remove("Attribute") {
        Some(Value::String(named)) => named,
        _ => changed.into_iter().find(|(wire, _)| members.contains_key(*wire))?.1.to_owned(),
    };
    let in_capitals = |letter: char| match letter.is_ascii_uppercase() {
        true => format!("_{letter}"),
        false => letter.to_ascii_uppercase().to_string(),
    };
    Some(if is_of_snapshot { attribute.chars().map(in_capitals).collect() } else { attribute })
}

/// Takes members out of structures that records show beside them: `Placement.AvailabilityZone`.
fn raise(members: &mut Map<String, Value>, renamed: &[(&str, &str)]) {
    for (wire, _) in renamed {
        let Some((structure, name)) = wire.split_once('.') else { continue };
        let Some(Value::Object(within)) = members.get_mut(structure) else { continue };
        let Some(value) = within.shift_remove(name) else { continue };
        if within.is_empty() {
            members.shift_remove(structure);
        }
        members.insert((*wire).to_owned(), value);
    }
}

/// Puts a member in its place: `-` is nowhere, `instancesSet.imageId` in the only item of a list.
fn put(shown: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        Some((list, name)) => {
            let item = shown.get_mut(list).and_then(|list| list.pointer_mut("/items/0")?.as_object_mut());
            match item {
                Some(item) => {
                    item.insert(name.to_owned(), value);
                }
                None => {
                    shown.insert(list.to_owned(), json!({"items": [{name: value}]}));
                }
            }
        }
        None if name == "-" => {}
        None => {
            shown.insert(name.to_owned(), value);
        }
    }
}

fn as_text(members: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        if let Some(value) = members.get_mut(*name).filter(|value| value.is_number()) {
            *value = value.to_string().into();
        }
    }
}

/// A member that is in no table.
fn member(wire: &str, value: Value) -> (String, Value) {
    match value {
        Value::Array(_) => {
            let (name, item) = List::general(wire);
            (name, items(value, &item, "items"))
        }
        Value::Object(members) => (first_letter_small(wire), object(given(wire, members))),
        other => (first_letter_small(wire), other),
    }
}

/// What is given in a structure: without text that is empty, as Terraform sends it for an instance without a profile. What
/// is set to nothing by a `Value` of its own stays. Numbers of ICMP look like text, for other members have their names.
fn given(wire: &str, members: Map<String, Value>) -> Map<String, Value> {
    let is_given = |(name, value): &(String, Value)| name == "Value" || value != "";
    members
        .into_iter()
        .filter(is_given)
        .map(|(name, value)| match &value {
            Value::String(text) if wire == "Icmp" => (name, guess(text)),
            _ => (name, value),
        })
        .collect()
}

fn object(members: Map<String, Value>) -> Value {
    if let Some(tags) = members.get("Tag").filter(|_| members.contains_key("ResourceType")) {
        // Of a specification of tags, they are a plain list.
        let plain = |tag: &Value| json!({"key": tag["Key"], "value": tag["Value"]});
        let tags: Vec<Value> = tags.as_array().into_iter().flatten().map(plain).collect();
        return json!({"resourceType": members["ResourceType"], "tags": tags});
    }
    let is_rule = members.contains_key("IpProtocol");
    let is_switch = members.len() == 1;
    let mut shown: Map<String, Value> = members
        .into_iter()
        .map(|(wire, value)| match value.as_str().filter(|_| is_switch && wire == "Value").map(guess) {
            Some(Value::Bool(on)) => ("value".to_owned(), on.into()),
            _ => member(&wire, value),
        })
        .collect();
    if is_rule {
        for list in ["groups", "ipRanges", "ipv6Ranges", "prefixListIds"] {
            shown.entry(list).or_insert_with(|| json!({}));
        }
    }
    Value::Object(shown)
}

/// A list: an object without members when it is empty.
fn items(list: Value, item: &str, items: &str) -> Value {
    let Value::Array(list) = list else { return json!({}) };
    let shown = |value: Value| match value {
        Value::Object(members) => object(members),
        other => json!({item: other}),
    };
    let list: Vec<Value> = list.into_iter().map(shown).collect();
    if list.is_empty() { json!({}) } else { json!({items: list}) }
}

/// A value of a younger operation: items have numbers, one alone is no list, and text is what it looks like.
fn numbered(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, numbered(value))).collect())
        }
        Value::Array(list) => {
            let mut list: Vec<Value> =
                list.into_iter().zip(1..).map(|(item, number)| item_of(item, number)).collect();
            if list.len() == 1 { list.remove(0) } else { Value::Array(list) }
        }
        Value::String(text) => guess(&text),
        other => other,
    }
}

fn item_of(item: Value, number: usize) -> Value {
    match numbered(item) {
        Value::Object(mut members) => {
            members.insert("tag".to_owned(), number.into());
            Value::Object(members)
        }
        content => json!({"tag": number, "content": content}),
    }
}

/// `responseElements` of an answer to an operation that changes something; its names are those of the wire.
pub(super) fn response(operation: &str, mut members: Map<String, Value>) -> Map<String, Value> {
    let none = Shape::default();
    let shape = SHAPES.get(operation).unwrap_or(&none);
    let mut shown = Map::new();
    // It comes first in AWS's records.
    if let Some(id) = members.shift_remove("requestId") {
        put(&mut shown, "requestId", id);
    }
    for (name, value) in members {
        let value = answered(&name, value);
        match shape.renamed.iter().find(|(wire, _)| *wire == name) {
            Some((_, name)) => put(&mut shown, name, value),
            None if name == "return" => put(&mut shown, "_return", guess(value.as_str().unwrap_or("true"))),
            None => put(&mut shown, &name, value),
        }
    }
    // What AWS answers to whoever gets nothing else; some emulators leave it out.
    if shown.keys().all(|name| name == "requestId") {
        shown.insert("_return".to_owned(), true.into());
    }
    as_text(&mut shown, &shape.texts);
    shown
}

/// A value of an answer; its names are those of the record already.
fn answered(name: &str, value: Value) -> Value {
    match value {
        Value::Object(mut members) => {
            let is_state = ["instanceState", "currentState", "previousState"].contains(&name);
            for number in ["code", "type"].iter().filter(|_| is_state || name == "icmpTypeCode") {
                if let Some(Value::String(text)) = members.get(*number) {
                    let value = guess(text);
                    members.insert((*number).to_owned(), value);
                }
            }
            let answered = |(name, value): (String, Value)| {
                let value = answered(&name, value);
                (name, value)
            };
            Value::Object(members.into_iter().map(answered).collect())
        }
        Value::Array(list) => {
            let list: Vec<Value> = list.into_iter().map(|item| answered("", item)).collect();
            let items = if name == "privateIpAddressesSet" { "item" } else { "items" };
            if list.is_empty() { json!({}) } else { json!({items: list}) }
        }
        // Names that are structures here and something else in other answers.
        Value::String(text) if text.is_empty() && ["stateReason", "monitoring"].contains(&name) => json!({}),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_shape_or_a_comment() {
        let is_shape = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let bad: Vec<&str> =
            TABLE.lines().filter(is_shape).filter(|line| Shape::read(line).is_none()).collect();
        assert!(bad.is_empty(), "{bad:?}");
        assert!(SHAPES.len() >= 40, "{}", SHAPES.len());
    }
}
