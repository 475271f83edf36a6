//! `POST /_contrail/events`: putting records in, as a stream.

use crate::auth::claimed_signer;
use crate::guard::{Ours, refuse};
use crate::http::body::{self, Stalled};
use crate::http::{Front, Operator, head};
use crate::recorder::intake::{Intake, IntakeError, IntakeOptions, IntakeReport, Newest};
use crate::recorder::unpack::UnpackError;
use actix_http::ConnectionType;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

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
    front: web::Data<Front>,
    operator: web::Data<Operator>,
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
    let signer = match claimed_signer(&head(&request)) {
        Ok(signer) => signer,
        Err(refusal) => return refuse(400, &refusal.message()),
    };
    let (account, _) = front.callers.holder(signer.as_ref().map(|signer| signer.access_key.as_str()));
    let mut options = IntakeOptions {
        account,
        shift: query.shift.unwrap_or(0),
        max_unpacked_bytes: front.settings.intake.max_unpacked_bytes,
        catalog: Arc::clone(&operator.catalog),
    };
    let within = front.settings.server.chunk_timeout.0;
    // Before anything of the body is read: what waits is with its sender.
    let Ok(Ok(_permit)) = tokio::time::timeout(within, operator.imports.acquire()).await else {
        let mut response = refuse(503, "too many bodies are being imported; try again later");
        response.head_mut().set_connection_type(ConnectionType::Close);
        return response;
    };
    if rebase {
        let folder = &front.settings.server.data_dir;
        let spooled = match spool(&mut payload, within, &options, folder).await {
            Ok(spooled) => spooled,
            Err(response) => return response,
        };
        let to_now = spooled.newest.map_or(0, |newest| front.clock.now().timestamp() - newest);
        options.shift = options.shift.saturating_add(to_now);
        let intake = Intake::new(operator.writer.clone(), operator.metrics.clone(), options);
        return from_file(intake, spooled.file).await;
    }
    let mut intake = Intake::new(operator.writer.clone(), operator.metrics.clone(), options);
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

/// A body on disk, for what must be read twice: in the data folder, whose disk is watched, and not among what others keep
/// for a while.
struct Spooled {
    file: tokio::fs::File,
    newest: Option<i64>,
}

async fn spool(
    payload: &mut web::Payload,
    within: std::time::Duration,
    options: &IntakeOptions,
    folder: &Path,
) -> Result<Spooled, HttpResponse> {
    let failed = |error: std::io::Error| {
        tracing::error!(error = %error, "a body could not be kept for rebasing");
        refuse(500, "the body could not be kept for rebasing")
    };
    let mut file = tokio::fs::File::from_std(tempfile::tempfile_in(folder).map_err(failed)?);
    let mut newest = Newest::new(options);
    let mut left = options.max_unpacked_bytes;
    while let Some(chunk) = body::next(payload, within).await.map_err(stalled_response)? {
        let Some(rest) = left.checked_sub(chunk.len() as u64) else {
            let most = options.max_unpacked_bytes;
            let mut response =
                refuse(413, &format!("the body is larger than {most} bytes (intake.max_unpacked_bytes)"));
            response.head_mut().set_connection_type(ConnectionType::Close);
            return Err(response);
        };
        left = rest;
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
