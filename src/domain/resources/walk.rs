//! Walks JSON without building it, and picks the texts to which paths lead.

use super::rules::{Path, ResourceMember};
use crate::domain::text::is_spelt;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A place in JSON, and what of the paths is still to go.
pub(super) struct Walk<'a, F> {
    /// What may still be met below: members whose path has led here so far, and those that can be anywhere.
    wanted: Vec<&'static ResourceMember>,
    /// What is met here.
    met: Vec<&'static ResourceMember>,
    /// Members above this place.
    depth: usize,
    found: &'a mut F,
}

impl<'a, F: FnMut(&'static ResourceMember, &str)> Walk<'a, F> {
    /// At the top, with everything still to be met.
    pub(super) fn new(wanted: Vec<&'static ResourceMember>, found: &'a mut F) -> Walk<'a, F> {
        Walk { wanted, met: Vec::new(), depth: 0, found }
    }

    /// The same place, for an item of a list.
    fn item(&mut self) -> Walk<'_, F> {
        Walk {
            wanted: self.wanted.clone(),
            met: self.met.clone(),
            depth: self.depth,
            found: &mut *self.found,
        }
    }

    /// The member `name` of this place; `None` if nothing is wanted there.
    fn member(&mut self, name: &str) -> Option<Walk<'_, F>> {
        let (mut wanted, mut met) = (Vec::new(), Vec::new());
        for member in &self.wanted {
            match &member.path {
                Path::Anywhere(last) => {
                    wanted.push(*member);
                    if is_spelt(name, last) {
                        met.push(*member);
                    }
                }
                Path::Members(names) if names.get(self.depth) == Some(&name) => {
                    let into = if names.len() == self.depth + 1 { &mut met } else { &mut wanted };
                    into.push(*member);
                }
                Path::Members(_) => {}
            }
        }
        let leads_on = !wanted.is_empty() || !met.is_empty();
        leads_on.then(|| Walk { wanted, met, depth: self.depth + 1, found: &mut *self.found })
    }
}

impl<'de, F: FnMut(&'static ResourceMember, &str)> DeserializeSeed<'de> for Walk<'_, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&'static ResourceMember, &str)> Visitor<'de> for Walk<'_, F> {
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
        while items.next_element_seed(self.item())?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        for member in &self.met {
            (self.found)(member, text);
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
