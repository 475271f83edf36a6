//! CloudTrail's API without its wire: who may ask how often, what each operation does, and its record.
//!
//! An operation is one file in [`ops`], a `pub mod` line there, and a line in the `operations!` table below. Everything
//! that operations share happens here, around them: the limit, reading the input, the session, the record, the commit.

pub mod limits;
pub mod ops;
mod preflight;
pub mod tags;
pub mod trails;

use crate::buckets::Buckets;
use crate::clock::{Clock, Ids};
use crate::config::{Era, Settings};
use crate::digest_keys::DigestKeys;
use crate::domain::caller::Caller;
use crate::domain::page_token::TokenKey;
use crate::domain::record::lower_camel;
use crate::domain::text::cut;
use crate::error::{ApiError, ApiResult, Code};
use crate::metrics::{CallLabels, Metrics};
use crate::outbound::Outbound;
use crate::recorder::arrivals::Arrivals;
use crate::recorder::callers::Callers;
use crate::recorder::forwarded_calls::ForwardedCalls;
use crate::recorder::logging::Logging;
use crate::recorder::own_call::OwnCall;
use crate::recorder::writer::{Source, Writer};
use crate::store::{Outlets, Route, Session, Store, StoredEvents};
use chrono::{DateTime, Utc};
use limits::Limits;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// What every operation may reach, cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Service {
    pub settings: Arc<Settings>,
    pub clock: Clock,
    /// When the server was started.
    pub started: DateTime<Utc>,
    pub ids: Ids,
    pub store: Store,
    pub writer: Writer,
    /// What has just been stored, for those who follow it live.
    pub arrivals: Arrivals,
    pub metrics: Metrics,
    pub callers: Arc<Callers>,
    pub limits: Arc<Limits>,
    pub logging: Arc<Logging>,
    pub digest_keys: DigestKeys,
    pub outbound: Outbound,
    pub outlets: Outlets,
    /// Records forwarded calls, when there is an upstream.
    pub forwarded_calls: Option<ForwardedCalls>,
    /// the embedded bucket store, unless an S3 elsewhere is used.
    pub buckets: Option<Buckets>,
    /// Seals page tokens; lives in the database, so that tokens survive a restart.
    pub token_key: TokenKey,
}

/// What one call works with.
#[derive(Debug)]
pub struct Context<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// The server.
    pub service: &'a Service,
    /// The database: for reading, or a transaction that is committed with the call's record.
    pub db: &'a mut Session,
}

/// One operation of the API.
pub trait Operation {
    /// Its name in `X-Amz-Target`.
    const NAME: &'static str;
    /// Whether it can change nothing: `readOnly` of its records.
    const READ_ONLY: bool;
    /// What is asked. Serialized again it is `requestParameters` of the record.
    type Input: DeserializeOwned + Serialize + Send;
    /// What is answered.
    type Output: Serialize + Send;
    /// Whether there is something to try first: see [`Operation::prepare`].
    const PREPARES: bool = false;
    /// Tries what needs the network, before the one session that writes is taken. An error refuses the call. It must
    /// check by itself all that makes the input wrong, and hold no session while it waits for others.
    fn prepare(
        _input: &Self::Input,
        _caller: &Caller,
        _service: &Service,
    ) -> impl Future<Output = ApiResult<()>> + Send {
        async { Ok(()) }
    }
    /// Does it. An error undoes everything that was done in the session.
    fn call(
        input: Self::Input,
        context: &mut Context<'_>,
    ) -> impl Future<Output = ApiResult<Self::Output>> + Send;
}

macro_rules! operations {
    ($($operation:ty,)*) => {
        /// The operations that are here.
        pub const OPERATIONS: &[&str] = &[$(<$operation as Operation>::NAME,)*];

        /// Answers a call: the reply's JSON, or why it was refused.
        ///
        /// # Errors
        /// Whatever the operation documents, and the errors of the front layer.
        pub async fn call(target: &str, body: &[u8], caller: &Caller, service: &Service, id: Uuid) -> ApiResult<Vec<u8>> {
            let (operation, result) = match target {
                $(<$operation as Operation>::NAME =>
                    (<$operation as Operation>::NAME, Box::pin(run::<$operation>(body, caller, service, id)).await),)*
                other => ("unknown", Err(not_here(other))),
            };
            let code = result.as_ref().map_or_else(|e| e.code.name(), |_| "OK");
            service.metrics.calls.get_or_create(&CallLabels { operation, code }).inc();
            result
        }
    };
}

operations! {
    ops::add_tags::AddTags,
    ops::create_trail::CreateTrail,
    ops::delete_trail::DeleteTrail,
    ops::describe_trails::DescribeTrails,
    ops::get_event_selectors::GetEventSelectors,
    ops::get_trail::GetTrail,
    ops::get_trail_status::GetTrailStatus,
    ops::list_public_keys::ListPublicKeys,
    ops::list_tags::ListTags,
    ops::list_trails::ListTrails,
    ops::lookup_events::LookupEvents,
    ops::remove_tags::RemoveTags,
    ops::start_logging::StartLogging,
    ops::stop_logging::StopLogging,
    ops::update_trail::UpdateTrail,
}

/// Operations that AWS has and that are not here yet.
pub const NOT_YET: &[&str] = &[
    "CancelQuery",
    "CreateChannel",
    "CreateDashboard",
    "CreateEventDataStore",
    "DeleteChannel",
    "DeleteDashboard",
    "DeleteEventDataStore",
    "DeleteResourcePolicy",
    "DeregisterOrganizationDelegatedAdmin",
    "DescribeQuery",
    "DisableFederation",
    "EnableFederation",
    "GenerateQuery",
    "GetChannel",
    "GetDashboard",
    "GetEventConfiguration",
    "GetEventDataStore",
    "GetImport",
    "GetInsightSelectors",
    "GetQueryResults",
    "GetResourcePolicy",
    "ListChannels",
    "ListDashboards",
    "ListEventDataStores",
    "ListImportFailures",
    "ListImports",
    "ListInsightsData",
    "ListInsightsMetricData",
    "ListQueries",
    "PutEventConfiguration",
    "PutEventSelectors",
    "PutInsightSelectors",
    "PutResourcePolicy",
    "RegisterOrganizationDelegatedAdmin",
    "RestoreEventDataStore",
    "SearchSampleQueries",
    "StartDashboardRefresh",
    "StartEventDataStoreIngestion",
    "StartImport",
    "StartQuery",
    "StopEventDataStoreIngestion",
    "StopImport",
    "UpdateChannel",
    "UpdateDashboard",
    "UpdateEventDataStore",
];

fn not_here(operation: &str) -> ApiError {
    if NOT_YET.contains(&operation) {
        Code::UnsupportedOperationException.because(format!("Contrail does not support {operation} yet."))
    } else {
        Code::UnknownOperationException.because(format!("Unknown operation: {:?}", cut(operation, 100)))
    }
}

/// The frame around every operation.
async fn run<O: Operation>(body: &[u8], caller: &Caller, service: &Service, id: Uuid) -> ApiResult<Vec<u8>> {
    let record = |request: Option<Value>, outcome: Result<Option<Value>, &ApiError>, logged: bool| {
        let (operation, read_only) = (O::NAME, O::READ_ONLY);
        let call = OwnCall { operation, read_only, caller, request_id: id, request, outcome, logged };
        let wanted = logged || service.settings.era == Era::Today;
        wanted.then(|| call.event(&service.clock, &service.ids).map_err(ApiError::internal)).transpose()
    };
    // Counted before anything is read, as AWS does; a refused call uses up nothing.
    if let Err(error) = service.limits.check(O::NAME, caller) {
        let logged = service.logging.covers(caller, &mut service.store.read().await?).await?;
        if let Some(event) = record(None, Err(&error), logged)? {
            service.writer.later(event).await;
        }
        return Err(error);
    }
    let input: O::Input = read_input(body)?;
    let request = lower_camel(serde_json::to_value(&input).map_err(ApiError::internal)?);
    let refused = async |request: Value, error: &ApiError, logged: bool| {
        if error.code != Code::InternalFailure
            && let Some(event) = record(Some(request), Err(error), logged)?
        {
            if O::READ_ONLY {
                service.writer.later(event).await;
            } else {
                service.writer.store(vec![event], Source::Call).await.map_err(ApiError::internal)?;
            }
        }
        Ok::<(), ApiError>(())
    };
    // Whether it is logged is decided as the call arrives: the first StartLogging is not, the last StopLogging is.
    let mut arrived = None;
    if O::PREPARES {
        let logged = service.logging.covers(caller, &mut service.store.read().await?).await?;
        if let Err(error) = O::prepare(&input, caller, service).await {
            refused(request, &error, logged).await?;
            return Err(error);
        }
        arrived = Some(logged);
    }
    let mut db = if O::READ_ONLY { service.store.read().await? } else { service.store.write().await? };
    let logged = match arrived {
        Some(logged) => logged,
        None => service.logging.covers(caller, &mut db).await?,
    };
    let destinations = if O::READ_ONLY || !logged {
        Vec::new()
    } else {
        // Before the call changes or removes the trail that takes its record; from the database, as the settings of these
        // trails are stored with what they take.
        let trails = db.logging_trails(&caller.account).await?;
        let route = Route { account: &caller.account, region: &caller.region, global: false, reads: false };
        db.destinations(&trails, &route, service.outlets).await?
    };
    match O::call(input, &mut Context { caller, service, db: &mut db }).await {
        Ok(output) if O::READ_ONLY => {
            // The writer's queue may be full: whoever waits for it must not keep others from reading.
            drop(db);
            if let Some(event) = record(Some(request), Ok(None), logged)? {
                service.writer.later(event).await;
            }
            serde_json::to_vec(&output).map_err(ApiError::internal)
        }
        Ok(output) => {
            let answer = lower_camel(serde_json::to_value(&output).map_err(ApiError::internal)?);
            let event = record(Some(request), Ok(Some(answer)), logged)?;
            let mut stored = StoredEvents::default();
            if let Some(event) = &event {
                stored = db.insert_events(&[event], service.clock.now().timestamp_millis()).await?;
                db.queue_event(&stored, &destinations).await?;
            }
            service.logging.commit(db, Some(&caller.account)).await?;
            service.arrivals.publish(&stored);
            service.metrics.stored("call", u64::from(event.is_some()));
            serde_json::to_vec(&output).map_err(ApiError::internal)
        }
        Err(error) => {
            drop(db);
            refused(request, &error, logged).await?;
            Err(error)
        }
    }
}

/// Reads an operation's input. An empty body counts as `{}`.
fn read_input<T: DeserializeOwned>(body: &[u8]) -> ApiResult<T> {
    let body = if body.is_empty() { b"{}" } else { body };
    if body.iter().find(|b| !b.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Code::SerializationException.because("The request body is not a JSON object."));
    }
    serde_json::from_slice(body).map_err(|e| {
        let text = e.to_string();
        let text = text.split(" at line ").next().unwrap_or(&text);
        Code::SerializationException.because(format!("The request body could not be read: {text}"))
    })
}
