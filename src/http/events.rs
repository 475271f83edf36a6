//! `/_contrail/events`: putting records in and reading them out, as a stream in both directions.

use crate::api::Service;
use crate::domain::account_id::AccountId;
use crate::domain::lookup::LAST_SECOND;
use crate::domain::region::Region;
use crate::domain::text::escape_nul;
use crate::http::body::{self, Stalled};
use crate::http::guard::Ours;
use crate::http::{caller, refuse};
use crate::recorder::intake::{Intake, IntakeError, IntakeOptions, IntakeReport, Newest};
use crate::recorder::unpack::UnpackError;
use crate::store::{ErrorFilter, ExportFilter};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

/// Events fetched at a time when reading out.
const PIECE: u32 = 500;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportQuery {
    /// `now`: moves all records so that the newest one is now.
    rebase: Option<String>,
    /// Seconds to move all records by.
    shift: Option<i64>,
}

/// The answer to putting in: the report, and why it ended early if it did.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a IntakeReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// `POST /_contrail/events`
pub(super) async fn import(
    _: Ours,
    query: web::Query<ImportQuery>,
    request: HttpRequest,
    mut payload: web::Payload,
    service: web::Data<Service>,
) -> HttpResponse {
    let rebase = match query.rebase.as_deref() {
        None => false,
        Some("now") => true,
        Some(other) => return refuse(400, &format!("rebase={other:?}: only now is possible")),
    };
    // Gzip is known by its first bytes, said or not; other packings cannot be read.
    let packed = request.headers().get("content-encoding").and_then(|value| value.to_str().ok());
    if let Some(other) = packed.filter(|p| !matches!(*p, "gzip" | "identity")) {
        return refuse(415, &format!("content-encoding {other:?}: only gzip can be unpacked"));
    }
    let caller = match caller(&request, &service) {
        Ok(caller) => caller,
        Err(error) => return refuse(400, &error.message),
    };
    let mut options = IntakeOptions {
        account: caller.account,
        shift: query.shift.unwrap_or(0),
        max_unpacked_bytes: service.settings.intake.max_unpacked_bytes,
    };
    let within = service.settings.server.chunk_timeout.0;
    if rebase {
        let spooled = match spool(&mut payload, within, &options).await {
            Ok(spooled) => spooled,
            Err(response) => return response,
        };
        options.shift += spooled.newest.map_or(0, |newest| service.clock.now().timestamp() - newest);
        let intake = Intake::new(service.writer.clone(), service.metrics.clone(), options);
        return from_file(intake, spooled.file).await;
    }
    let mut intake = Intake::new(service.writer.clone(), service.metrics.clone(), options);
    loop {
        match body::next(&mut payload, within).await {
            Ok(Some(chunk)) => {
                if let Err(error) = intake.push(&chunk).await {
                    return report(intake, Some(error)).await;
                }
            }
            Ok(None) => return report(intake, None).await,
            Err(stalled) => return stalled_response(stalled),
        }
    }
}

/// A body on disk, for what must be read twice.
struct Spooled {
    file: tokio::fs::File,
    newest: Option<i64>,
}

async fn spool(
    payload: &mut web::Payload,
    within: std::time::Duration,
    options: &IntakeOptions,
) -> Result<Spooled, HttpResponse> {
    let failed = |error: std::io::Error| {
        tracing::error!(error = %error, "a body could not be kept for rebasing");
        refuse(500, "the body could not be kept for rebasing")
    };
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(failed)?);
    let mut newest = Newest::new(options);
    while let Some(chunk) = body::next(payload, within).await.map_err(stalled_response)? {
        newest.push(&chunk);
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.rewind().await.map_err(failed)?;
    Ok(Spooled { file, newest: newest.finish() })
}

async fn from_file(mut intake: Intake, mut file: tokio::fs::File) -> HttpResponse {
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match file.read(&mut chunk).await {
            Ok(0) => return report(intake, None).await,
            Ok(n) => {
                if let Err(error) = intake.push(&chunk[..n]).await {
                    return report(intake, Some(error)).await;
                }
            }
            Err(error) => {
                tracing::error!(error = %error, "a spooled body could not be read");
                return refuse(500, "the body could not be read again for rebasing");
            }
        }
    }
}

async fn report(intake: Intake, early: Option<IntakeError>) -> HttpResponse {
    let (report, end) = intake.finish().await;
    let error = early.or(end.err());
    let status = match &error {
        None if report.accepted + report.duplicates == 0 && report.rejected_count > 0 => 400,
        None => 200,
        Some(IntakeError::Unpack(UnpackError::TooMuch(_))) => 413,
        Some(IntakeError::Unpack(UnpackError::Damaged(_))) => 400,
        Some(IntakeError::NotStored(_)) => 500,
    };
    let status = actix_web::http::StatusCode::from_u16(status).unwrap_or_default();
    let mut response = HttpResponse::build(status);
    if status.as_u16() == 413 {
        response.force_close();
    }
    response.json(Answer { report: &report, error: error.map(|e| e.to_string()) })
}

fn stalled_response(stalled: Stalled) -> HttpResponse {
    let mut response = match stalled {
        Stalled::Timeout => refuse(408, "the body stopped coming; what was complete may have been stored"),
        Stalled::Broken => refuse(400, "the body broke off; what was complete may have been stored"),
    };
    response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    response
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportQuery {
    account: Option<String>,
    region: Option<String>,
    event_name: Option<String>,
    event_source: Option<String>,
    username: Option<String>,
    /// `true`, `false` or an error code.
    error: Option<String>,
    /// ISO or epoch seconds; included.
    from: Option<String>,
    /// ISO or epoch seconds; included.
    to: Option<String>,
    limit: Option<u64>,
    /// An event's id: go on behind it.
    after: Option<String>,
}

/// `GET /_contrail/events`
pub(super) async fn export(
    _: Ours,
    query: web::Query<ExportQuery>,
    service: web::Data<Service>,
) -> HttpResponse {
    let query = query.into_inner();
    let (from, to) = match (seconds("from", query.from.as_deref()), seconds("to", query.to.as_deref())) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(why), _) | (_, Err(why)) => return refuse(400, &why),
    };
    let after = match &query.after {
        None => -1,
        Some(id) => match position(&service, id).await {
            Ok(Some(key)) => key,
            Ok(None) => return refuse(404, &format!("after={id:?}: there is no such event")),
            Err(error) => {
                tracing::error!(error = %error, "events could not be read out");
                return refuse(500, "the events could not be read");
            }
        },
    };
    let account = query.account.map(AccountId::try_from).transpose();
    let region = query.region.map(Region::try_from).transpose();
    let (account, region) = match (account, region) {
        (Ok(account), Ok(region)) => (account, region),
        (Err(error), _) => return refuse(400, &format!("account: {error}")),
        (_, Err(error)) => return refuse(400, &format!("region: {error}")),
    };
    let filter = ExportFilter {
        account,
        region,
        event_name: query.event_name.map(as_stored),
        event_source: query.event_source.map(as_stored),
        username: query.username.map(as_stored),
        error: query.error.map(|error| match error.as_str() {
            "true" => ErrorFilter::Any,
            "false" => ErrorFilter::None,
            _ => ErrorFilter::Code(as_stored(error)),
        }),
        from,
        to,
    };
    HttpResponse::Ok().content_type("application/x-ndjson").streaming(records(
        service,
        filter,
        after,
        query.limit.unwrap_or(u64::MAX),
    ))
}

/// A value as columns hold it.
fn as_stored(value: String) -> String {
    escape_nul(&value).into_owned()
}

async fn position(service: &Service, event_id: &str) -> crate::store::StoreResult<Option<i64>> {
    service.store.read().await?.key_of(&escape_nul(event_id)).await
}

/// A time in a query: ISO 8601 or epoch seconds, kept within what event keys can hold.
fn seconds(name: &str, text: Option<&str>) -> Result<Option<i64>, String> {
    let Some(text) = text else { return Ok(None) };
    let seconds = match text.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => DateTime::parse_from_rfc3339(text)
            .map_err(|_| format!("{name}={text:?} is neither an ISO 8601 time nor epoch seconds"))?
            .timestamp(),
    };
    Ok(Some(seconds.clamp(0, LAST_SECOND)))
}

type Failure = Box<dyn std::error::Error>;

/// The records as NDJSON, piece by piece: the next one is fetched when the last one has been sent.
fn records(
    service: web::Data<Service>,
    filter: ExportFilter,
    after: i64,
    limit: u64,
) -> impl futures_util::Stream<Item = Result<web::Bytes, Failure>> {
    futures_util::stream::try_unfold((after, limit), move |(after, left)| {
        let (service, filter) = (service.clone(), filter.clone());
        async move {
            let piece = u32::try_from(left).unwrap_or(PIECE).min(PIECE);
            if piece == 0 {
                return Ok(None);
            }
            let rows = async { service.store.read().await?.export(&filter, after, piece).await }.await;
            let rows = rows.map_err(|error| {
                tracing::error!(error = %error, "events could not be read out");
                Failure::from(error)
            })?;
            let Some(last) = rows.last().map(|row| row.key) else { return Ok(None) };
            let left = left - rows.len() as u64;
            let mut text = String::new();
            for row in rows {
                text.push_str(&row.record);
                text.push('\n');
            }
            Ok(Some((web::Bytes::from(text), (last, left))))
        }
    })
}
