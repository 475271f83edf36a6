//! XML as JSON: by what a service's members hold, or as it stands.

use crate::aws::catalog::Kinds;
use crate::aws::typed::{guess, scalar};
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use serde_json::{Map, Value};

/// Elements within elements. Nothing that AWS knows is nested so deeply.
const MAX_DEPTH: usize = 48;

/// An element, its name without a prefix.
#[derive(Debug, Default)]
pub(in crate::recorder) struct Element {
    pub(in crate::recorder) name: String,
    namespace: Option<String>,
    pub(in crate::recorder) children: Vec<Element>,
    pub(in crate::recorder) text: String,
}

impl Element {
    /// The outermost element of a document; `None` for what is no XML, or is nested too deeply.
    pub(in crate::recorder) fn read(bytes: &[u8]) -> Option<Element> {
        let mut reader = Reader::from_str(std::str::from_utf8(bytes).ok()?);
        // What stands around the outermost element.
        let mut open = vec![Element::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if open.len() <= MAX_DEPTH => open.push(Element::begin(&start)?),
                Event::Empty(start) => open.last_mut()?.children.push(Element::begin(&start)?),
                Event::End(_) => {
                    let element = open.pop()?;
                    open.last_mut()?.children.push(element);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content().ok()?),
                Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content().ok()?),
                Event::GeneralRef(name) => open.last_mut()?.text.push_str(&entity(&name)?),
                Event::Start(_) => return None,
                Event::Eof => return open.pop()?.children.into_iter().next_back(),
                _ => {}
            }
        }
    }

    fn begin(start: &BytesStart<'_>) -> Option<Element> {
        let name = std::str::from_utf8(start.local_name().into_inner()).ok()?.to_owned();
        let namespace = start.try_get_attribute("xmlns").ok()?;
        let namespace = namespace.and_then(|attribute| String::from_utf8(attribute.value.into_owned()).ok());
        Some(Element { name, namespace, ..Element::default() })
    }

    /// A child of this name.
    pub(in crate::recorder) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// What is in it, by what members of its names hold.
    pub(in crate::recorder) fn members(&self, kinds: &Kinds) -> Map<String, Value> {
        grouped(&self.children, |child| child.typed(kinds), |name| kinds.lists.contains_key(name))
    }

    /// Its value, by what a member of its name holds.
    pub(in crate::recorder) fn typed(&self, kinds: &Kinds) -> Value {
        if self.children.is_empty() {
            return scalar(&self.text, &self.name, kinds);
        }
        if kinds.maps.contains(&self.name) {
            return Value::Object(self.children.iter().filter_map(|entry| entry.pair(kinds)).collect());
        }
        // Items have different names in lists of the same name.
        let is_item = |child: &Element| child.name == self.children[0].name;
        if kinds.lists.contains_key(&self.name) && self.children.iter().all(is_item) {
            return Value::Array(self.children.iter().map(|item| item.item(kinds)).collect());
        }
        Value::Object(self.members(kinds))
    }

    /// An item of a list; its name says nothing of it.
    fn item(&self, kinds: &Kinds) -> Value {
        match self.children.is_empty() {
            true => Value::String(self.text.clone()),
            false => Value::Object(self.members(kinds)),
        }
    }

    /// An entry of a map: two elements, a name and a value.
    fn pair(&self, kinds: &Kinds) -> Option<(String, Value)> {
        let [name, value] = self.children.as_slice() else { return None };
        Some((name.text.clone(), value.typed(kinds)))
    }

    /// As it stands, with its namespace: several children of a name are a list, one is none, and text is what it looks
    /// like.
    pub(in crate::recorder) fn as_it_stands(&self) -> Value {
        if self.children.is_empty() && self.namespace.is_none() {
            return guess(&self.text);
        }
        let namespace = self.namespace.iter().map(|name| ("xmlns".to_owned(), name.as_str().into()));
        let children = grouped(&self.children, Element::as_it_stands, |_| false);
        Value::Object(namespace.chain(children).collect())
    }
}

/// Children by name. Those of a name that comes several times, or that is a list's, are a list.
fn grouped(
    children: &[Element],
    value: impl Fn(&Element) -> Value,
    is_list: impl Fn(&str) -> bool,
) -> Map<String, Value> {
    let mut seen = std::collections::HashMap::<&str, usize>::new();
    for child in children {
        *seen.entry(&child.name).or_default() += 1;
    }
    let mut members = Map::new();
    for child in children {
        let value = value(child);
        let is_alone = seen.get(child.name.as_str()) == Some(&1);
        // One value, or a list in an element of its own, and not one of a list's items without such an element.
        if is_alone && (value.is_array() || !is_list(&child.name)) {
            members.insert(child.name.clone(), value);
        } else if let Value::Array(items) =
            members.entry(child.name.clone()).or_insert_with(|| Value::Array(Vec::new()))
        {
            items.push(value);
        }
    }
    members
}

/// The text of `&name;`
fn entity(name: &BytesRef<'_>) -> Option<String> {
    if let Some(letter) = name.resolve_char_ref().ok()? {
        return Some(letter.to_string());
    }
    resolve_xml_entity(&name.decode().ok()?).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kinds() -> Kinds {
        let lists = [("Roles", "member"), ("groupSet", "item"), ("Flat", "member")];
        Kinds {
            numbers: ["Port".to_owned()].into(),
            booleans: ["IsDefault".to_owned()].into(),
            lists: lists.map(|(list, item)| (list.to_owned(), item.to_owned())).into(),
            maps: ["Attributes".to_owned()].into(),
            ..Kinds::default()
        }
    }

    #[test]
    fn members_are_what_the_model_says() {
        let xml = "<R xmlns='urn:x'><Port>80</Port><IsDefault>true</IsDefault><Roles/><Name>a &amp; &#98;</Name>\
            <groupSet><item><Id>1</Id></item></groupSet><Flat>1</Flat><Doc><![CDATA[<x>]]></Doc>\
            <Attributes><entry><key>K</key><value>v</value></entry></Attributes></R>";
        assert_eq!(
            Value::Object(Element::read(xml.as_bytes()).unwrap().members(&kinds())),
            json!({
                "Port": 80, "IsDefault": true, "Roles": [], "Name": "a & b", "groupSet": [{"Id": "1"}],
                "Flat": ["1"], "Doc": "<x>", "Attributes": {"K": "v"}
            })
        );
    }

    #[test]
    fn what_no_model_is_asked_for_is_what_it_looks_like() {
        let xml = "<?xml version='1.0'?>\n<Tagging xmlns=\"urn:x\"><TagSet><Tag><Key>a</Key><Value>true</Value></Tag>\
            <Tag><Key>007</Key><Value>7</Value></Tag></TagSet><Empty/></Tagging>\n";
        assert_eq!(
            Element::read(xml.as_bytes()).unwrap().as_it_stands(),
            json!({
                "xmlns": "urn:x",
                "TagSet": {"Tag": [{"Key": "a", "Value": true}, {"Key": "007", "Value": 7}]},
                "Empty": ""
            })
        );
    }

    #[test]
    fn what_is_no_xml_or_too_deep_is_nothing() {
        let deep = "<a>".repeat(100_000) + &"</a>".repeat(100_000);
        for bytes in [&b"{}"[..], b"", b"<a>", b"<a></b>", b"\xff", deep.as_bytes()] {
            assert!(Element::read(bytes).is_none());
        }
    }
}
