//! Events as lines for people.

use chrono::{DateTime, Utc};
use clap::builder::styling::{AnsiColor, Style};
use serde::Deserialize;
use std::fmt::Write;

/// An event as the read API's rows have it.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) region: String,
    /// Seconds since 1970.
    time: i64,
    name: String,
    source: String,
    actor: Option<String>,
    read_only: bool,
    error: Option<String>,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
}

/// Widths of the columns but the last, which is as long as it is. A longer value moves what is behind it.
const WIDTHS: [usize; 6] = [20, 12, 14, 12, 24, 16];

/// The heads of the columns.
pub(super) fn head() -> String {
    let heads = ["TIME", "ACCOUNT", "REGION", "SERVICE", "EVENT", "USER"];
    line(&heads.map(|head| (head.to_owned(), Style::new())), ("RESULT", Style::new()), "RESOURCES")
}

impl Row {
    /// One line, with colours: what changes something stands out, what failed more so.
    pub(super) fn line(&self) -> String {
        let time = DateTime::<Utc>::from_timestamp(self.time, 0).unwrap_or_default();
        let plain = Style::new();
        let name = if self.read_only { plain } else { plain.bold() };
        let service = self.source.strip_suffix(".amazonaws.com").unwrap_or(&self.source);
        let cells = [
            (time.format("%Y-%m-%dT%H:%M:%SZ").to_string(), plain.dimmed()),
            (self.account.clone(), plain.dimmed()),
            (self.region.clone(), plain.dimmed()),
            (service.to_owned(), plain),
            (self.name.clone(), name),
            (self.actor.clone().unwrap_or_else(|| "-".to_owned()), plain),
        ];
        let targets: Vec<_> = self.targets.iter().map(|target| target.name.as_str()).collect();
        let result = match &self.error {
            Some(error) => (error.as_str(), AnsiColor::Red.on_default()),
            None => ("ok", AnsiColor::Green.on_default()),
        };
        line(&cells, result, &targets.join(" "))
    }
}

fn line(cells: &[(String, Style); 6], (result, style): (&str, Style), rest: &str) -> String {
    let mut line = String::new();
    for ((text, style), width) in cells.iter().zip(WIDTHS) {
        let text = printable(text);
        // Writing to a string does not fail.
        let _ = write!(line, "{style}{text}{style:#}{:1$}  ", "", width.saturating_sub(text.chars().count()));
    }
    let _ = write!(line, "{style}{}{style:#}", printable(result));
    if !rest.is_empty() {
        let _ = write!(line, "  {}", printable(rest));
    }
    line
}

/// A text without what a terminal would obey: records come from anywhere.
fn printable(text: &str) -> String {
    text.chars().fold(String::new(), |mut printable, c| {
        match c.is_control() {
            true => printable.extend(c.escape_default()),
            false => printable.push(c),
        }
        printable
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_that_a_terminal_does_not_obey() {
        let row = r#"{"id":"1","cursor":"1","time":1795325400,"name":"Delete\u001b[2JTrail","source":"cloudtrail.amazonaws.com",
            "region":"us-east-1","account":"111122223333","actor":"ana","read_only":false,"error":"AccessDenied",
            "targets":[{"type":null,"name":"demo\n"},{"type":null,"name":"bucket"}]}"#;
        let row: Row = serde_json::from_str(row).unwrap();
        let line = anstream::adapter::strip_str(&row.line()).to_string();
        let want = "2026-11-22T05:30:00Z  111122223333  us-east-1       cloudtrail    Delete\\u{1b}[2JTrail      \
                    ana               AccessDenied  demo\\n bucket";
        assert_eq!(line, want);
        assert!(head().starts_with("TIME                  ACCOUNT       REGION"), "{}", head());
    }
}
