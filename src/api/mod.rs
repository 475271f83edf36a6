//! CloudTrail's API without its wire: who may ask how often, what each operation does, and its record.
//!
//! An operation is one file in a folder of [`ops`], a `pub mod` line there, and a line in the `operations!` table below.
//! Everything that operations share happens in `frame`, around them.

mod frame;
pub mod limits;
pub mod ops;
mod organizations;
mod policies;
mod preflight;
pub mod selectors;
pub mod tags;
pub mod trails;

use crate::clock::{Clock, Ids};
use crate::config::Settings;
use crate::digest_keys::DigestKeys;
use crate::domain::caller::Caller;
use crate::domain::page_token::TokenKey;
use crate::domain::text::cut;
use crate::error::{ApiError, ApiResult, Code};
use crate::metrics::{CallLabels, Metrics};
use crate::outbound::Outbound;
use crate::recorder::handed_over::HandedOver;
use crate::recorder::writer::Writer;
use crate::store::Store;
pub use frame::OperationSession;
use limits::Limits;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use uuid::Uuid;

/// What operations may reach, cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Service {
    pub settings: Arc<Settings>,
    pub clock: Clock,
    pub ids: Ids,
    pub store: Store,
    pub writer: Writer,
    /// What a lookup waits for.
    pub handed_over: HandedOver,
    pub metrics: Metrics,
    pub limits: Arc<Limits>,
    pub digest_keys: DigestKeys,
    pub outbound: Outbound,
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

/// What an operation is asked.
pub trait OperationInput: DeserializeOwned + Serialize + Send {
    /// The resources that it names, each by its ARN or as a trail by its name: policies may be about them. Empty for an
    /// operation on none.
    fn resources(&self) -> Vec<&str>;
}

/// One operation of the API.
pub trait Operation {
    /// Its name in `X-Amz-Target`.
    const NAME: &'static str;
    /// [`ReadSession`](crate::store::ReadSession) if it can change nothing, which is `readOnly` of its records;
    /// else [`WriteSession`](crate::store::WriteSession).
    type Session: OperationSession;
    /// What is asked. Serialized again it is `requestParameters` of the record.
    type Input: OperationInput;
    /// What is answered.
    type Output: Serialize + Send;
    /// Tries what needs the network, or waits for what has to be there, before the session is taken. An error refuses the
    /// call. It must check by itself all that makes the input wrong, and hold no session while it waits for others.
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
                    (<$operation as Operation>::NAME, Box::pin(frame::run::<$operation>(body, caller, service, id)).await),)*
                other => ("unknown", Err(not_here(other))),
            };
            let code = result.as_ref().map_or_else(|e| e.code.name(), |_| "OK");
            service.metrics.calls.get_or_create(&CallLabels { operation, code }).inc();
            result
        }
    };
}

operations! {
    ops::tags::add_tags::AddTags,
    ops::trails::create_trail::CreateTrail,
    ops::policies::delete_resource_policy::DeleteResourcePolicy,
    ops::trails::delete_trail::DeleteTrail,
    ops::organizations::deregister_organization_delegated_admin::DeregisterOrganizationDelegatedAdmin,
    ops::trails::describe_trails::DescribeTrails,
    ops::selectors::get_event_configuration::GetEventConfiguration,
    ops::selectors::get_event_selectors::GetEventSelectors,
    ops::selectors::get_insight_selectors::GetInsightSelectors,
    ops::policies::get_resource_policy::GetResourcePolicy,
    ops::trails::get_trail::GetTrail,
    ops::trails::get_trail_status::GetTrailStatus,
    ops::events::list_public_keys::ListPublicKeys,
    ops::tags::list_tags::ListTags,
    ops::trails::list_trails::ListTrails,
    ops::events::lookup_events::LookupEvents,
    ops::selectors::put_event_configuration::PutEventConfiguration,
    ops::selectors::put_event_selectors::PutEventSelectors,
    ops::selectors::put_insight_selectors::PutInsightSelectors,
    ops::policies::put_resource_policy::PutResourcePolicy,
    ops::organizations::register_organization_delegated_admin::RegisterOrganizationDelegatedAdmin,
    ops::tags::remove_tags::RemoveTags,
    ops::trails::start_logging::StartLogging,
    ops::trails::stop_logging::StopLogging,
    ops::trails::update_trail::UpdateTrail,
}

/// What AWS has and is not here yet, and the operations on it.
pub const NOT_YET: &[(&str, &[&str])] = &[
    ("channels", &["CreateChannel", "DeleteChannel", "GetChannel", "ListChannels", "UpdateChannel"]),
    (
        "dashboards",
        &[
            "CreateDashboard",
            "DeleteDashboard",
            "GetDashboard",
            "ListDashboards",
            "StartDashboardRefresh",
            "UpdateDashboard",
        ],
    ),
    (
        "event data stores",
        &[
            "CreateEventDataStore",
            "DeleteEventDataStore",
            "DisableFederation",
            "EnableFederation",
            "GetEventDataStore",
            "ListEventDataStores",
            "RestoreEventDataStore",
            "StartEventDataStoreIngestion",
            "StopEventDataStoreIngestion",
            "UpdateEventDataStore",
        ],
    ),
    ("imports", &["GetImport", "ListImportFailures", "ListImports", "StartImport", "StopImport"]),
    ("Insights events", &["ListInsightsData", "ListInsightsMetricData"]),
    (
        "queries",
        &[
            "CancelQuery",
            "DescribeQuery",
            "GenerateQuery",
            "GetQueryResults",
            "ListQueries",
            "SearchSampleQueries",
            "StartQuery",
        ],
    ),
];

fn not_here(operation: &str) -> ApiError {
    match NOT_YET.iter().find(|(_, operations)| operations.contains(&operation)) {
        Some((subject, _)) => Code::UnsupportedOperationException
            .because(format!("Contrail does not support {operation} yet: it has no {subject}.")),
        None => {
            Code::UnknownOperationException.because(format!("Unknown operation: {:?}", cut(operation, 100)))
        }
    }
}
