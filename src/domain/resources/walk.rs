//! Walks JSON without building it, and picks the texts to which paths lead.

use super::rules::{Path, Source};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A place in JSON, and what of the paths is still to go.
pub(super) struct Walk<'a, F> {
    /// The paths that may lead on from here: those from the top whose members so far were met, and those to members that
    /// can be anywhere.
    paths: Vec<&'static Source>,
    /// The paths that end here.
    ended: Vec<&'static Source>,
    /// Members above this place.
    depth: usize,
    found: &'a mut F,
}

impl<'a, F: FnMut(&'static Source, &str)> Walk<'a, F> {
    /// At the top, with all paths to go.
    pub(super) fn new(paths: Vec<&'static Source>, found: &'a mut F) -> Walk<'a, F> {
        Walk { paths, ended: Vec::new(), depth: 0, found }
    }

    /// The same place, for an item of a list.
    fn again(&mut self) -> Walk<'_, F> {
        Walk {
            paths: self.paths.clone(),
            ended: self.ended.clone(),
            depth: self.depth,
            found: &mut *self.found,
        }
    }

    /// The member `name` of this place; `None` if no path goes there.
    fn member(&mut self, name: &str) -> Option<Walk<'_, F>> {
        let (mut paths, mut ended) = (Vec::new(), Vec::new());
        for source in &self.paths {
            match &source.path {
                Path::Anywhere(wanted) => {
                    paths.push(*source);
                    if is_spelt(name, wanted) {
                        ended.push(*source);
                    }
                }
                Path::Members(members) if members.get(self.depth) == Some(&name) => {
                    let into = if members.len() == self.depth + 1 { &mut ended } else { &mut paths };
                    into.push(*source);
                }
                Path::Members(_) => {}
            }
        }
        let leads_on = !paths.is_empty() || !ended.is_empty();
        leads_on.then(|| Walk { paths, ended, depth: self.depth + 1, found: &mut *self.found })
    }
}

/// Whether `name` is `wanted`, but for the case of its first letter.
fn is_spelt(name: &str, wanted: &str) -> bool {
    let (name, wanted) = (name.as_bytes(), wanted.as_bytes());
    match (name.split_first(), wanted.split_first()) {
        (Some((a, name)), Some((b, wanted))) => a.eq_ignore_ascii_case(b) && name == wanted,
        _ => false,
    }
}

impl<'de, F: FnMut(&'static Source, &str)> DeserializeSeed<'de> for Walk<'_, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&'static Source, &str)> Visitor<'de> for Walk<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match self.member(&name) {
                Some(member) => map.next_value_seed(member)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut items: S) -> Result<(), S::Error> {
        while items.next_element_seed(self.again())?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        for source in &self.ended {
            (self.found)(source, text);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
