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
use crate::domain::event::Event;
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
use crate::store::{Outlets, ReadSession, Route, Session, Store, StoreResult, StoredEvents, WriteSession};
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
pub struct Context<'a, S> {
    /// Who calls.
    pub caller: &'a Caller,
    /// The server.
    pub service: &'a Service,
    /// The database: for reading, or a transaction that is committed with the call's record.
    pub db: &'a mut S,
}

/// One operation of the API.
pub trait Operation {
    /// Its name in `X-Amz-Target`.
    const NAME: &'static str;
    /// [`ReadSession`](crate::store::ReadSession) if it can change nothing, which is `readOnly` of its records;
    /// else [`WriteSession`](crate::store::WriteSession).
    type Session: OperationSession;
    /// What is asked. Serialized again it is `requestParameters` of the record.
    type Input: DeserializeOwned + Serialize + Send;
    /// What is answered.
    type Output: Serialize + Send;
    /// Tries what needs the network, before the session is taken. An error refuses the call. It must check by itself all
    /// that makes the input wrong, and hold no session while it waits for others.
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
        context: &mut Context<'_, Self::Session>,
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

/// What differs between operations that only read and those that change something: their session, and what becomes of it
/// with the call's record.
pub trait OperationSession: Session {
    /// `readOnly` of the records.
    const READ_ONLY: bool;

    /// Takes a session.
    fn open(store: &Store) -> impl Future<Output = StoreResult<Self>> + Send;

    /// Where the record of this call has to go, before the call changes or removes the trail that takes it.
    fn destinations(
        &mut self,
        caller: &Caller,
        service: &Service,
    ) -> impl Future<Output = StoreResult<Vec<i64>>> + Send;

    /// Ends a call that was answered: what it changed and its record are durable together.
    fn finish(
        self,
        event: Option<Event>,
        destinations: &[i64],
        caller: &Caller,
        service: &Service,
    ) -> impl Future<Output = ApiResult<()>> + Send;
}

impl OperationSession for ReadSession {
    const READ_ONLY: bool = true;

    async fn open(store: &Store) -> StoreResult<ReadSession> {
        store.read().await
    }

    async fn destinations(&mut self, _: &Caller, _: &Service) -> StoreResult<Vec<i64>> {
        Ok(Vec::new())
    }

    async fn finish(self, event: Option<Event>, _: &[i64], _: &Caller, service: &Service) -> ApiResult<()> {
        // The writer's queue may be full: whoever waits for it must not keep others from reading.
        drop(self);
        if let Some(event) = event {
            service.writer.later(event).await;
        }
        Ok(())
    }
}

impl OperationSession for WriteSession {
    const READ_ONLY: bool = false;

    async fn open(store: &Store) -> StoreResult<WriteSession> {
        store.write().await
    }

    async fn destinations(&mut self, caller: &Caller, service: &Service) -> StoreResult<Vec<i64>> {
        let trails = self.trails().logging(&caller.account).await?;
        let route = Route { account: &caller.account, region: &caller.region, global: false, reads: false };
        self.deliveries().destinations(&trails, &route, service.outlets).await
    }

    async fn finish(
        mut self,
        event: Option<Event>,
        destinations: &[i64],
        caller: &Caller,
        service: &Service,
    ) -> ApiResult<()> {
        let mut stored = StoredEvents::default();
        if let Some(event) = &event {
            stored = self.events().insert(&[event], service.clock.now().timestamp_millis()).await?;
            self.deliveries().queue_event(&stored, destinations).await?;
        }
        service.logging.commit(self, Some(&caller.account)).await?;
        service.arrivals.publish(&stored);
        service.metrics.stored("call", u64::from(event.is_some()));
        Ok(())
    }
}

/// The frame around every operation.
async fn run<O: Operation>(body: &[u8], caller: &Caller, service: &Service, id: Uuid) -> ApiResult<Vec<u8>> {
    let read_only = O::Session::READ_ONLY;
    let record = |request: Option<Value>, outcome: Result<Option<Value>, &ApiError>, logged: bool| {
        let call =
            OwnCall { operation: O::NAME, read_only, caller, request_id: id, request, outcome, logged };
        let wanted = logged || service.settings.era == Era::Today;
        wanted.then(|| call.event(&service.clock, &service.ids).map_err(ApiError::internal)).transpose()
    };
    // Whether it is logged is decided as the call arrives: the first StartLogging is not, the last StopLogging is.
    let logged = service.logging.covers(caller, &mut service.store.read().await?).await?;
    // Counted before anything is read, as AWS does; a refused call uses up nothing.
    if let Err(error) = service.limits.check(O::NAME, caller) {
        if let Some(event) = record(None, Err(&error), logged)? {
            service.writer.later(event).await;
        }
        return Err(error);
    }
    let input: O::Input = read_input(body)?;
    let request = lower_camel(serde_json::to_value(&input).map_err(ApiError::internal)?);
    let refused = async |request: Value, error: &ApiError| {
        if error.code != Code::InternalFailure
            && let Some(event) = record(Some(request), Err(error), logged)?
        {
            if read_only {
                service.writer.later(event).await;
            } else {
                service.writer.store(vec![event], Source::Call).await.map_err(ApiError::internal)?;
            }
        }
        Ok::<(), ApiError>(())
    };
    if let Err(error) = O::prepare(&input, caller, service).await {
        refused(request, &error).await?;
        return Err(error);
    }
    let mut db = O::Session::open(&service.store).await?;
    let destinations = if logged { db.destinations(caller, service).await? } else { Vec::new() };
    match O::call(input, &mut Context { caller, service, db: &mut db }).await {
        Ok(output) => {
            let answer = match read_only {
                true => None,
                false => Some(lower_camel(serde_json::to_value(&output).map_err(ApiError::internal)?)),
            };
            let event = record(Some(request), Ok(answer), logged)?;
            db.finish(event, &destinations, caller, service).await?;
            serde_json::to_vec(&output).map_err(ApiError::internal)
        }
        Err(error) => {
            drop(db);
            refused(request, &error).await?;
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
