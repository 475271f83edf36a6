//! The query of a question: a filter, and what the path knows beside it.

use crate::console::refusal::Refusal;
use crate::domain::event_filter::EventFilter;
use crate::domain::text::cut;
use actix_web::web;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A query, read.
#[derive(Debug)]
pub(super) struct Parameters {
    /// Which events.
    pub(super) filter: EventFilter,
    others: Vec<(String, String)>,
}

impl Parameters {
    /// Reads a query string; `known` are the parameters beside those of a filter.
    ///
    /// # Errors
    /// A parameter that nobody knows, that comes twice, or whose value makes no sense.
    pub(super) fn parse(query: &str, known: &[&str]) -> Result<Parameters, Refusal> {
        let mut filter = EventFilter::default();
        let others = others(query, known, |name, value| filter.take(name, value))?;
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && from > to
        {
            return Err(Refusal::Bad(format!("from: {from} is after to, which is {to}")));
        }
        Ok(Parameters { filter, others })
    }

    /// The same for a path that has no filter.
    ///
    /// # Errors
    /// A parameter that nobody knows, or that comes twice.
    pub(super) fn without_filter(query: &str, known: &[&str]) -> Result<Parameters, Refusal> {
        let others = others(query, known, |_, _| Ok(false))?;
        Ok(Parameters { filter: EventFilter::default(), others })
    }

    /// The value of a parameter, if it is given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.others.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A number within a range, if it is given.
    ///
    /// # Errors
    /// It is no number, or out of range.
    pub(super) fn number<N>(&self, name: &str, range: RangeInclusive<N>) -> Result<Option<N>, Refusal>
    where
        N: FromStr + PartialOrd + std::fmt::Display,
    {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse::<N>() {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            _ => Err(Refusal::Bad(format!(
                "{name}: {:?} is not a whole number from {} to {}",
                cut(text, 100),
                range.start(),
                range.end()
            ))),
        }
    }

    /// One of a few words, if it is given.
    ///
    /// # Errors
    /// It is another one.
    pub(super) fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.map(Some).ok_or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            Refusal::Bad(format!("{name}: {:?} is none of {}", cut(text, 100), words.join(", ")))
        })
    }
}

/// The parameters that `take` does not take.
fn others(
    query: &str,
    known: &[&str],
    mut take: impl FnMut(&str, &str) -> Result<bool, String>,
) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
        .map_err(|error| Refusal::Bad(format!("the query cannot be read: {error}")))?;
    let mut others = Vec::<(String, String)>::new();
    for (name, value) in pairs.into_inner() {
        if take(&name, &value).map_err(|why| Refusal::Bad(format!("{name}: {why}")))? {
            continue;
        }
        if !known.contains(&name.as_str()) {
            return Err(Refusal::Bad(format!("there is no parameter {:?} here", cut(&name, 100))));
        }
        if others.iter().any(|(other, _)| *other == name) {
            return Err(Refusal::Bad(format!("{name}: given twice")));
        }
        others.push((name, value));
    }
    Ok(others)
}
