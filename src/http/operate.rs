//! Operating the server: health, metrics, flush, reset.

use crate::aws::catalog::Catalog;
use crate::domain::account_id::AccountId;
use crate::error::ApiError;
use crate::guard::{Ours, refuse};
use crate::http::Front;
use crate::metrics::{Metrics, TextFormat};
use crate::recorder::handed_over::HandedOver;
use crate::recorder::reset;
use crate::recorder::writer::Writer;
use crate::store::{BUCKETS, Session, Store, StoreResult};
use crate::workers::Workers;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What operating a server takes, cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Operator {
    pub store: Store,
    pub writer: Writer,
    pub handed_over: HandedOver,
    pub metrics: Metrics,
    pub catalog: Arc<Catalog>,
    pub workers: Workers,
    /// A permit for each body that may be imported at the same time.
    pub imports: Arc<Semaphore>,
}

/// `GET /_contrail/health`, `/health`, `/_localstack/health`: open to every host name, as health checks come by many.
pub(super) async fn health(front: web::Data<Front>, operator: web::Data<Operator>) -> HttpResponse {
    let backlog = async { operator.store.read().await?.deliveries().backlog().await }.await;
    let failing = operator.workers.failing();
    let (mut response, state, backlog) = match backlog {
        Ok(backlog) if failing.is_empty() => (HttpResponse::Ok(), "available", Some(backlog)),
        // Calls are answered, and something that is to come of them is not done.
        Ok(backlog) => (HttpResponse::Ok(), "degraded", Some(backlog)),
        Err(error) => {
            tracing::error!(error = %error, "the database cannot be read");
            (HttpResponse::ServiceUnavailable(), "error", None)
        }
    };
    response.json(json!({
        "services": {"cloudtrail": state},
        "failing_workers": failing,
        "delivery": backlog.map(|backlog| json!({
            "pending_events": backlog.pending_events,
            "waiting_files": backlog.waiting_files,
            "failing_destinations": backlog.failing_destinations,
        })),
        "forwarded_calls": operator.handed_over.forwarded_calls.as_ref().map(|_| operator.metrics.forwarded_calls.by_service()),
        "edition": "contrail",
        "version": env!("CARGO_PKG_VERSION"),
        "era": front.settings.era.name(),
    }))
}

/// `GET /_contrail/metrics`
pub(super) async fn metrics(
    _: Ours,
    request: HttpRequest,
    front: web::Data<Front>,
    operator: web::Data<Operator>,
) -> HttpResponse {
    let read = async {
        let mut session = operator.store.read().await?;
        let size = session.maintenance().size_bytes().await?;
        StoreResult::Ok((size, session.deliveries().backlog().await?))
    };
    match read.await {
        Ok((size, backlog)) => {
            let data_dir = &front.settings.server.data_dir;
            operator.metrics.database_bytes.set(size);
            operator.metrics.look_at_disk(data_dir, &data_dir.join(BUCKETS));
            operator.metrics.events_pending.set(backlog.pending_events);
            operator.metrics.destinations_failing.set(backlog.failing_destinations);
        }
        Err(error) => {
            // What was measured before would pass for what is; monitoring sees that there is nothing.
            tracing::error!(error = %error, "the database cannot be read");
            return refuse(503, "the database cannot be read");
        }
    }
    let accept = request.headers().get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = TextFormat::accepted(accept);
    match operator.metrics.render(format) {
        Ok(text) => HttpResponse::Ok().content_type(format.content_type()).body(text),
        Err(_) => refuse(500, "the metrics could not be written"),
    }
}

/// `POST /_contrail/flush`: delivers everything that waits, now.
pub(super) async fn flush(_: Ours, operator: web::Data<Operator>) -> HttpResponse {
    // What has been answered is stored first: records of calls that only read are written behind.
    let flushed = match operator.handed_over.stored().await {
        Ok(()) => operator.workers.flush().await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let keys = |keys: Vec<(String, String)>| -> Vec<_> {
        keys.into_iter().map(|(bucket, key)| json!({"bucket": bucket, "key": key})).collect()
    };
    match flushed {
        Ok(flushed) => HttpResponse::Ok().json(json!({
            "log_files": keys(flushed.log_files),
            "digests": keys(flushed.digests),
            "failures": flushed.failures,
        })),
        Err(error) => {
            tracing::error!(error, "flush failed");
            refuse(500, "the flush failed; what waits is delivered later")
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reset {
    account: Option<String>,
    everything: Option<String>,
}

/// `POST /_contrail/reset?account=…` or `?everything=yes`
pub(super) async fn reset(
    _: Ours,
    query: web::Query<Reset>,
    front: web::Data<Front>,
    operator: web::Data<Operator>,
) -> HttpResponse {
    let account = match (query.account.as_deref(), query.everything.as_deref()) {
        (Some(account), None) => AccountId::parse(account).map(Some),
        (None, Some("yes")) => Some(None),
        _ => None,
    };
    let Some(account) = account else {
        return refuse(400, "say what to remove: ?account=<12 digits> or ?everything=yes");
    };
    // In a task of its own: it goes on to the end also when its caller goes away.
    let (store, now, handed_over) = (operator.store.clone(), front.clock.now(), operator.handed_over.clone());
    let of = account.clone();
    let reset = tokio::spawn(async move {
        // Records of calls that were answered before would come behind it otherwise.
        handed_over.stored().await.map_err(ApiError::internal)?;
        reset::reset(&store, of.as_ref(), now).await
    });
    match reset.await.map_err(ApiError::internal).flatten() {
        Ok(removed) => {
            let (trails, events) = (removed.trails, removed.events);
            tracing::warn!(account = account.as_deref().unwrap_or("all"), trails, events, "reset");
            HttpResponse::Ok().json(json!({"trails": trails, "events": events}))
        }
        Err(error) => {
            tracing::error!(error = ?error, "a reset failed before its end");
            refuse(500, "the reset failed before its end; do it again")
        }
    }
}
