//! `contrail tail`: new events as they are stored, until the person has seen enough.

use super::Ended;
use super::filters::Filters;
use super::lines::Lines;
use super::remote::{Purpose, Remote, Server};
use super::table::{Row, head};
use crate::config::Settings;
use clap::Args;
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// The pause before a stream that ended is asked for again; a server that restarts is back by then.
const PAUSE: Duration = Duration::from_secs(1);

/// A stream that is silent for so long is broken: the server gives a sign of life every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

#[derive(Debug, Args)]
pub(super) struct Tail {
    #[command(flatten)]
    server: Server,
    /// Print whole records, a line of JSON each
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    filters: Filters,
}

/// A message of the stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Message {
    id: Option<String>,
    event: String,
    data: String,
}

impl Tail {
    /// Ends only when the first connection fails, or the server refuses the filters.
    pub(super) async fn run(self, settings: Settings) -> Ended {
        let mut place = None;
        let mut is_connected = false;
        loop {
            let ended = self.follow(&settings, &mut place, &mut is_connected).await;
            match ended {
                // A connection that never was, a refusal, or a closed pipe: trying again would change nothing.
                Err(Stop::For(error)) => return Err(error),
                Err(Stop::Broken(error)) if !is_connected => return Err(error),
                Err(Stop::Broken(error)) => eprintln!("contrail: {error}; trying again"),
                Ok(()) => eprintln!("contrail: the server ended the stream; trying again"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Prints what comes behind `place` until the stream ends.
    async fn follow(
        &self,
        settings: &Settings,
        place: &mut Option<String>,
        is_connected: &mut bool,
    ) -> Result<(), Stop> {
        // Each time anew: a server that was started again may listen elsewhere.
        let remote = self.server.connect(settings, Purpose::Read)?;
        let mut request = remote.request(Method::GET, "/_contrail/events/stream");
        request = request.query(&self.filters.parameters());
        if let Some(place) = place {
            request = request.header("last-event-id", place.as_str());
        }
        let response = remote.send(request).await.map_err(Stop::Broken)?;
        if !response.status().is_success() {
            return Err(Stop::For(remote.refusal(response).await));
        }
        if !*is_connected && !self.json && std::io::stdout().is_terminal() {
            writeln!(anstream::stdout(), "{}", head())?;
        }
        *is_connected = true;
        let mut lines = Lines::of(response);
        let mut message = Message::default();
        loop {
            let line = tokio::time::timeout(SILENCE, lines.next()).await;
            let line =
                line.map_err(|_| Stop::Broken("the stream is silent".into()))?.map_err(Stop::Broken)?;
            let Some(line) = line else { return Ok(()) };
            if message.take(&line) {
                let message = std::mem::take(&mut message);
                self.print(&remote, &message).await?;
                // Only now: what was not printed comes again.
                *place = message.id.or(place.take());
            }
        }
    }

    async fn print(&self, remote: &Remote, message: &Message) -> Result<(), Stop> {
        match message.event.as_str() {
            "gap" => eprintln!("contrail: events may be missing here; `contrail events` has all"),
            "events" => {
                let rows: Vec<Row> = serde_json::from_str(&message.data)?;
                for row in rows {
                    let line = if self.json { record_of(remote, &row).await? } else { row.line() };
                    let mut out = anstream::stdout();
                    writeln!(out, "{line}")?;
                    out.flush()?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The record of an event: the stream has rows only.
async fn record_of(remote: &Remote, row: &Row) -> Result<String, Stop> {
    #[derive(Deserialize)]
    struct Answer {
        record: Box<RawValue>,
    }
    let id = percent_encoding::utf8_percent_encode(&row.id, percent_encoding::NON_ALPHANUMERIC);
    let request = remote.request(Method::GET, &format!("/_contrail/events/{id}"));
    let request = request.query(&[("account", &row.account), ("region", &row.region)]);
    let response = remote.answer(request).await.map_err(Stop::Broken)?;
    let answer: Answer = response.json().await.map_err(|error| Stop::Broken(error.into()))?;
    Ok(answer.record.get().to_owned())
}

/// Why a stream is followed no longer.
enum Stop {
    /// The connection broke.
    Broken(Box<dyn Error>),
    /// Something that another connection does not mend.
    For(Box<dyn Error>),
}

impl<E: Into<Box<dyn Error>>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::For(error.into())
    }
}

impl Message {
    /// Takes a line of the stream; whether the message is complete.
    fn take(&mut self, line: &str) -> bool {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return line.is_empty(),
            "id" => self.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.event),
            "data" => self.data.push_str(value),
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_end_with_an_empty_line_and_signs_of_life_are_none() {
        let mut message = Message::default();
        for line in [": alive", "retry: 2000", "id: 7-1", "event: events", "data: []"] {
            assert!(!message.take(line), "{line}");
        }
        assert!(message.take(""));
        let want = Message { id: Some("7-1".into()), event: "events".into(), data: "[]".into() };
        assert_eq!(message, want);
    }
}
