//! Reading everything out: records or rows as NDJSON, or rows as CSV, in bounded memory.

use crate::console::Console;
use crate::console::parameters::Parameters;
use crate::console::refusal::Refusal;
use crate::console::rows::{RecordMembers, Row};
use crate::domain::event_filter::EventFilter;
use crate::domain::text::{cut, escape_nul};
use crate::domain::timestamp::iso;
use crate::store::{EventRow, ExportStep, Order, Session, StoreResult};
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};

/// Events fetched at a time.
const PIECE: u32 = 500;

/// Events that are looked at in one go: it takes some 20 ms when a text is looked for (measured). Then another export has its
/// turn on the connection, and it is seen whether the caller is still there.
const SEARCHED: u32 = 20_000;

const CSV_HEADER: &str = "time,event_name,event_source,region,account,actor,actor_type,access_key,source_ip,read_only,\
     error,resources,event_id\r\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Records, a line each.
    Ndjson,
    /// What `view=rows` shows of each event, a line of JSON each.
    Rows,
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
    let of_pages = ["before", RecordMembers::PARAMETER];
    if let Some(other) = of_pages.into_iter().find(|name| parameters.get(name).is_some()) {
        return Err(Refusal::Bad(format!("{other}: only with view=rows")));
    }
    let orders = [("asc", Order::OldestFirst), ("desc", Order::NewestFirst)];
    let order = parameters.one_of("order", &orders)?.unwrap_or(Order::OldestFirst);
    let formats = [("ndjson", Format::Ndjson), ("rows", Format::Rows), ("csv", Format::Csv)];
    let format = parameters.one_of("format", &formats)?.unwrap_or(Format::Ndjson);
    let left = parameters.number("limit", 0..=u64::MAX)?.unwrap_or(u64::MAX);
    // Every call that was answered before is in it, and may be the one behind which it begins.
    console.handed_over.readable().await;
    let after = match parameters.get("after") {
        None => None,
        Some(id) => {
            let key = console.store.read().await?.events().key_of(&escape_nul(id)).await?;
            let missing = || Refusal::NotFound(format!("after={:?}: there is no such event", cut(id, 100)));
            Some(key.ok_or_else(missing)?)
        }
    };
    let content_type = match format {
        Format::Ndjson | Format::Rows => "application/x-ndjson",
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
        let mut at = at;
        let mut text = match at.is_first && export.format == Format::Csv {
            true => CSV_HEADER.to_owned(),
            false => String::new(),
        };
        at.is_first = false;
        while text.is_empty() && at.left > 0 {
            let limit = u32::try_from(at.left).unwrap_or(PIECE).min(PIECE);
            let (events, next) = export.read(at.after, limit, &mut text).await.map_err(|error| {
                tracing::error!(error = %error, "events could not be read out");
                Failure::from(error)
            })?;
            at.left = if next.is_some() { at.left - events } else { 0 };
            at.after = next;
        }
        Ok((!text.is_empty()).then(|| (web::Bytes::from(text), (export, at))))
    })
}

impl Export {
    /// Adds the next events to a text; how many they are, and the key behind which it goes on.
    async fn read(
        &self,
        after: Option<i64>,
        limit: u32,
        text: &mut String,
    ) -> StoreResult<(u64, Option<i64>)> {
        let step = ExportStep { order: self.order, after, limit, searched: SEARCHED };
        let mut session = self.console.store.read_for_export().await?;
        match self.format {
            Format::Ndjson => {
                let piece = session.events().export(&self.filter, step).await?;
                for row in &piece.rows {
                    text.push_str(&row.record);
                    text.push('\n');
                }
                Ok((piece.rows.len() as u64, piece.next))
            }
            Format::Rows | Format::Csv => {
                let piece = session.events().export_rows(&self.filter, step).await?;
                for row in &piece.rows {
                    match self.format {
                        Format::Csv => push_csv(text, row),
                        // Rows are plain data, which always becomes JSON, on one line.
                        _ => *text += &(serde_json::to_string(&Row::of(row)).unwrap_or_default() + "\n"),
                    }
                }
                Ok((piece.rows.len() as u64, piece.next))
            }
        }
    }
}

fn push_csv(text: &mut String, row: &EventRow) {
    let time = iso(DateTime::<Utc>::from_timestamp(row.event_time(), 0).unwrap_or_default());
    let resources: Vec<_> = row.resources().into_iter().map(|resource| resource.resource_name).collect();
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
