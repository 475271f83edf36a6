//! The questions of the read API that have one answer: pages, an event, counts by time and by value, what there is.

use crate::console::Console;
use crate::console::export;
use crate::console::parameters::Parameters;
use crate::console::refusal::Refusal;
use crate::console::rows::{RecordMembers, Row};
use crate::console::{bounded_reader, reader};
use crate::domain::event_filter::Field;
use crate::domain::text::escape_nul;
use crate::guard::Ours;
use crate::store::{ReadBounds, Session};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

/// Rows on a page, unless the call says otherwise, and the most that it can ask for.
const PAGE: u32 = 200;
const MAX_PAGE: u32 = 1000;

/// Widths of a histogram's spans in seconds. Longer ones are whole days.
const STEPS: [i64; 18] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY];
const DAY: i64 = 86_400;

#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Rows,
}

/// A page of rows.
#[derive(Serialize)]
struct Page<'a> {
    events: Vec<Row<'a>>,
    /// The cursor behind which the next page begins.
    next: Option<String>,
    /// How many records were looked through, when that ended the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    searched: Option<u32>,
}

/// How much one question may read, as the settings have it.
fn bounds(console: &Console) -> ReadBounds {
    let settings = &console.settings.console;
    ReadBounds { searched: settings.search_records, sampled: settings.facet_events }
}

/// `GET /_contrail/events`: a page of rows with `view=rows`, else all records.
pub(super) async fn events(
    _: Ours,
    request: HttpRequest,
    console: web::Data<Console>,
) -> Result<HttpResponse, Refusal> {
    let known = ["view", "order", "limit", "before", "after", "format", RecordMembers::PARAMETER];
    let parameters = Parameters::parse(request.query_string(), &known)?;
    let Some(View::Rows) = parameters.one_of("view", &[("rows", View::Rows)])? else {
        return export::export(parameters, console).await;
    };
    parameters.one_of("order", &[("desc", ())])?;
    if let Some(other) = ["after", "format"].into_iter().find(|name| parameters.get(name).is_some()) {
        return Err(Refusal::Bad(format!("{other}: there is none with view=rows")));
    }
    let limit = parameters.number("limit", 1..=MAX_PAGE)?.unwrap_or(PAGE);
    let before = parameters.number("before", 0..=i64::MAX)?;
    let also = RecordMembers::asked(&parameters)?;
    let bounds = bounds(&console);
    let mut session = reader(&console).await?;
    let page = session.events().page(&parameters.filter, before, limit, bounds).await?;
    Ok(HttpResponse::Ok().json(Page {
        events: Row::all(&page.events, &also, session.events()).await?,
        next: page.next.map(|key| key.to_string()),
        searched: page.partial.then_some(bounds.searched),
    }))
}

/// `GET /_contrail/events/{id}`: the newest event of an id that passes the filter, with its record.
pub(super) async fn event(
    _: Ours,
    id: web::Path<String>,
    request: HttpRequest,
    console: web::Data<Console>,
) -> Result<HttpResponse, Refusal> {
    #[derive(Serialize)]
    struct Answer<'a> {
        event: Row<'a>,
        record: &'a RawValue,
    }
    let filter = Parameters::parse(request.query_string(), &[])?.filter;
    let found = reader(&console).await?.events().by_id(&escape_nul(&id), &filter).await?;
    let (row, record) = found.ok_or_else(|| Refusal::NotFound("there is no such event".to_owned()))?;
    // A record is JSON: nothing else is taken in.
    let record = RawValue::from_string(record).unwrap_or_default();
    Ok(HttpResponse::Ok().json(Answer { event: Row::of(&row), record: &record }))
}

/// `GET /_contrail/events/histogram`
pub(super) async fn histogram(
    _: Ours,
    request: HttpRequest,
    console: web::Data<Console>,
) -> Result<HttpResponse, Refusal> {
    let parameters = Parameters::parse(request.query_string(), &["buckets"])?;
    let wanted = parameters.number("buckets", 1..=400)?.unwrap_or(96);
    let required = |name: &str, value: Option<i64>| {
        value.ok_or_else(|| Refusal::Bad(format!("{name}: a histogram needs a beginning and an end")))
    };
    let from = required("from", parameters.filter.from)?;
    let to = required("to", parameters.filter.to)?;
    let (start, step, buckets) = spans(from, to, wanted);
    let bounds = bounds(&console);
    let histogram =
        reader(&console).await?.events().histogram(&parameters.filter, start, step, buckets, bounds).await?;
    Ok(HttpResponse::Ok().json(json!({
        "from": start,
        "step": step,
        "total": histogram.buckets.iter().flatten().sum::<i64>(),
        "sampled": if histogram.partial { json!(bounds.searched) } else { json!(false) },
        "buckets": histogram.buckets,
    })))
}

/// About `wanted` spans of a round width that cover a time: the start of the first, their width, and how many. They
/// begin at multiples of the width, so that bars keep their places while time goes on.
fn spans(from: i64, to: i64, wanted: i64) -> (i64, i64, usize) {
    let least = (to - from + 1).div_euclid(wanted).max(1);
    let least = if least * wanted < to - from + 1 { least + 1 } else { least };
    let days = (least + DAY - 1) / DAY * DAY;
    let step = STEPS.into_iter().find(|step| *step >= least).unwrap_or(days);
    let start = from / step * step;
    (start, step, usize::try_from((to - start) / step + 1).unwrap_or(1))
}

/// `GET /_contrail/events/facets`
pub(super) async fn facets(
    _: Ours,
    request: HttpRequest,
    console: web::Data<Console>,
) -> Result<HttpResponse, Refusal> {
    let parameters = Parameters::parse(request.query_string(), &["fields", "limit"])?;
    let limit = parameters.number("limit", 1..=50)?.unwrap_or(12);
    let mut fields = Vec::new();
    match parameters.get("fields") {
        None => fields.extend(Field::ALL.map(|(field, _)| field)),
        Some(names) => {
            for name in names.split(',') {
                let field = Field::of(name);
                let field =
                    field.ok_or_else(|| Refusal::Bad(format!("fields: there is no field {name:?}")))?;
                if !fields.contains(&field) {
                    fields.push(field);
                }
            }
        }
    }
    let bounds = bounds(&console);
    let counted = reader(&console).await?.events().facets(&parameters.filter, &fields, limit, bounds).await?;
    let mut facets = serde_json::Map::new();
    for (field, facet) in fields.iter().zip(counted.facets) {
        let name = Field::ALL.iter().find(|(known, _)| known == field).map_or("", |(_, name)| name);
        facets.insert(name.to_owned(), json!({"values": facet.values, "distinct": facet.distinct}));
    }
    Ok(HttpResponse::Ok().json(json!({
        "facets": facets,
        "sampled": if counted.sampled { json!(bounds.sampled) } else { json!(false) },
    })))
}

/// `GET /_contrail/scopes`: the server, and which accounts and regions have events.
pub(super) async fn scopes(
    _: Ours,
    request: HttpRequest,
    console: web::Data<Console>,
) -> Result<HttpResponse, Refusal> {
    Parameters::without_filter(request.query_string(), &[])?;
    let scopes = reader(&console).await?.events().scopes().await?;
    Ok(HttpResponse::Ok().json(json!({
        "server": {
            "version": env!("CARGO_PKG_VERSION"),
            "era": console.settings.era.name(),
            "started": console.started.timestamp(),
        },
        "now": console.clock.now().timestamp(),
        "total": scopes.accounts.iter().map(|(_, events)| events).sum::<i64>(),
        "accounts": scopes.accounts,
        "regions": scopes.regions,
        "oldest": scopes.oldest,
        "window_days": console.settings.lookup_window().map(|window| window.num_days()),
    })))
}

/// `GET /_contrail/server`: the server itself: what it holds, what waits, and its settings.
pub(super) async fn server(
    _: Ours,
    request: HttpRequest,
    console: web::Data<Console>,
) -> Result<HttpResponse, Refusal> {
    Parameters::without_filter(request.query_string(), &[])?;
    // What waits to be stored is part of the answer, and not waited for.
    let mut session = bounded_reader(&console).await?;
    let backlog = session.deliveries().backlog().await?;
    let scopes = session.events().scopes().await?;
    Ok(HttpResponse::Ok().json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "era": console.settings.era.name(),
        "started": console.started.timestamp(),
        "now": console.clock.now().timestamp(),
        "database_bytes": session.maintenance().size_bytes().await?,
        "events": scopes.accounts.iter().map(|(_, events)| events).sum::<i64>(),
        "oldest": scopes.oldest,
        "scopes": session.events().count_by_scope().await?,
        "waiting": {
            "to_be_stored": console.metrics.queue.get(),
            "to_be_delivered": backlog.pending_events,
            "oldest_stored": session.deliveries().oldest_pending().await?.map(|millis| millis.div_euclid(1000)),
            "log_files": backlog.waiting_files,
            "failing_destinations": backlog.failing_destinations,
        },
        "settings": console.settings.shown(),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_round_few_enough_and_cover_the_time() {
        for (from, to, wanted, want) in [
            (100, 100, 96, (100, 1, 1)),
            (0, 3599, 60, (0, 60, 60)),
            (59, 3600, 60, (0, 60, 61)),
            (0, 86_399, 100, (0, 900, 96)),
            (0, 90 * DAY - 1, 96, (0, DAY, 90)),
            (0, 8_589_934_590, 96, (0, 1036 * DAY, 96)),
        ] {
            assert_eq!(spans(from, to, wanted), want, "{from} {to} {wanted}");
        }
    }
}
