//! Reading everything out: records as NDJSON, or rows as CSV, in bounded memory.

use crate::console::Console;
use crate::console::parameters::Parameters;
use crate::console::refusal::Refusal;
use crate::domain::event_filter::EventFilter;
use crate::domain::text::{cut, escape_nul};
use crate::domain::timestamp::iso;
use crate::store::{EventRow, Order, Session, StoreResult};
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// Events fetched at a time.
const PIECE: u32 = 500;

/// How long an export waits for events that are about to be stored.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

const CSV_HEADER: &str = "time,event_name,event_source,region,account,actor,actor_type,access_key,source_ip,read_only,\
     error,resources,event_id\r\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Ndjson,
    Csv,
}

/// Answers with all events of the filter.
///
/// # Errors
/// A parameter makes no sense, or `after` names no event.
pub(super) async fn export(
    parameters: Parameters,
    console: web::Data<Console>,
) -> Result<HttpResponse, Refusal> {
    if parameters.get("before").is_some() {
        return Err(Refusal::Bad("before: only with view=rows".to_owned()));
    }
    let orders = [("asc", Order::OldestFirst), ("desc", Order::NewestFirst)];
    let order = parameters.one_of("order", &orders)?.unwrap_or(Order::OldestFirst);
    let formats = [("ndjson", Format::Ndjson), ("csv", Format::Csv)];
    let format = parameters.one_of("format", &formats)?.unwrap_or(Format::Ndjson);
    let left = parameters.number("limit", 0..=u64::MAX)?.unwrap_or(u64::MAX);
    let after = match parameters.get("after") {
        None => None,
        Some(id) => {
            let key = console.store.read().await?.events().key_of(&escape_nul(id)).await?;
            let missing = || Refusal::NotFound(format!("after={:?}: there is no such event", cut(id, 100)));
            Some(key.ok_or_else(missing)?)
        }
    };
    // Who asks for everything means the calls that have just been answered, too.
    let stored = tokio::time::timeout(LONGEST_WAIT, console.handed_over.stored()).await;
    if !matches!(stored, Ok(Ok(()))) {
        tracing::warn!("an export begins although events wait to be stored");
    }
    let content_type = match format {
        Format::Ndjson => "application/x-ndjson",
        Format::Csv => "text/csv; charset=utf-8",
    };
    let begin = Position { after, left, is_first: true };
    let export = Export { console, filter: parameters.filter, order, format };
    Ok(HttpResponse::Ok().content_type(content_type).streaming(pieces(export, begin)))
}

struct Export {
    console: web::Data<Console>,
    filter: EventFilter,
    order: Order,
    format: Format,
}

/// How far an export has come.
struct Position {
    after: Option<i64>,
    left: u64,
    is_first: bool,
}

type Failure = Box<dyn std::error::Error>;

/// The text, piece by piece: the next one is fetched when the last one has been sent.
fn pieces(export: Export, begin: Position) -> impl futures_util::Stream<Item = Result<web::Bytes, Failure>> {
    futures_util::stream::try_unfold((export, begin), |(export, at)| async move {
        let piece = u32::try_from(at.left).unwrap_or(PIECE).min(PIECE);
        let header = if at.is_first && export.format == Format::Csv { CSV_HEADER } else { "" };
        let read = if piece == 0 { Ok((String::new(), 0, None)) } else { export.read(at.after, piece).await };
        let (text, events, last) = read.map_err(|error| {
            tracing::error!(error = %error, "events could not be read out");
            Failure::from(error)
        })?;
        if events == 0 && header.is_empty() {
            return Ok(None);
        }
        let left = if events == 0 { 0 } else { at.left - events };
        let next = Position { after: last, left, is_first: false };
        Ok(Some((web::Bytes::from([header, &text].concat()), (export, next))))
    })
}

impl Export {
    /// The next events as text, how many they are, and the key of the last one.
    async fn read(&self, after: Option<i64>, limit: u32) -> StoreResult<(String, u64, Option<i64>)> {
        let mut session = self.console.store.read().await?;
        let mut text = String::new();
        match self.format {
            Format::Ndjson => {
                let rows = session.events().export(&self.filter, self.order, after, limit).await?;
                for row in &rows {
                    text.push_str(&row.record);
                    text.push('\n');
                }
                Ok((text, rows.len() as u64, rows.last().map(|row| row.key)))
            }
            Format::Csv => {
                let rows = session.events().export_rows(&self.filter, self.order, after, limit).await?;
                for row in &rows {
                    push_csv(&mut text, row);
                }
                Ok((text, rows.len() as u64, rows.last().map(|row| row.key)))
            }
        }
    }
}

fn push_csv(text: &mut String, row: &EventRow) {
    let time = iso(DateTime::<Utc>::from_timestamp(row.event_time(), 0).unwrap_or_default());
    let resources: Vec<_> = row.resources.iter().map(|(_, name)| name.as_str()).collect();
    let resources = resources.join(" ");
    let read_only = if row.read_only { "true" } else { "false" };
    let cells = [
        &time,
        row.event_name.as_str(),
        &row.event_source,
        &row.region,
        &row.account,
        row.actor.as_deref().unwrap_or_default(),
        row.actor_type.as_deref().unwrap_or_default(),
        row.access_key_id.as_deref().unwrap_or_default(),
        row.source_ip.as_deref().unwrap_or_default(),
        read_only,
        row.error_code.as_deref().unwrap_or_default(),
        &resources,
        &row.event_id,
    ];
    for (i, cell) in cells.into_iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        push_cell(text, cell);
    }
    text.push_str("\r\n");
}

/// A cell of CSV (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe in front.
fn push_cell(text: &mut String, cell: &str) {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if cell.contains(['"', ',', '\n', '\r']) {
        text.push('"');
        text.push_str(guard);
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(guard);
        text.push_str(cell);
    }
}
