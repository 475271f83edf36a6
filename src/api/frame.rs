//! The frame around every operation: the limit, reading the input, the session, the record, the commit.

use crate::api::{Context, Operation, OperationInput, Service};
use crate::domain::arn::trail_arn;
use crate::domain::caller::Caller;
use crate::domain::policy::Target;
use crate::domain::record::lower_camel;
use crate::domain::routing::{CapturedEvent, LoggingTrails};
use crate::error::{ApiError, ApiResult, Code};
use crate::recorder::own_call::OwnCall;
use crate::store::{ReadSession, Session, Store, StoreResult, WriteSession};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::future::Future;
use uuid::Uuid;

/// What differs between operations that only read and those that change something: their session, and when their record
/// is durable.
pub trait OperationSession: Session {
    /// `readOnly` of the records.
    const READ_ONLY: bool;

    /// Takes a session.
    fn open(store: &Store) -> impl Future<Output = StoreResult<Self>> + Send;

    /// Ends a call that was answered.
    fn finish(self, record: CapturedEvent, service: &Service) -> impl Future<Output = ApiResult<()>> + Send;

    /// Stores the record of a call that was refused.
    fn refused(record: CapturedEvent, service: &Service) -> impl Future<Output = ApiResult<()>> + Send;
}

impl OperationSession for ReadSession {
    const READ_ONLY: bool = true;

    async fn open(store: &Store) -> StoreResult<ReadSession> {
        store.read().await
    }

    async fn finish(self, record: CapturedEvent, service: &Service) -> ApiResult<()> {
        // There may be no room for the record: a call that waits for it must not keep others from reading.
        drop(self);
        record_read(record, service).await
    }

    async fn refused(record: CapturedEvent, service: &Service) -> ApiResult<()> {
        record_read(record, service).await
    }
}

/// Stores the record of a call that only reads: behind its answer, unless every answered call has to be recorded.
async fn record_read(record: CapturedEvent, service: &Service) -> ApiResult<()> {
    match service.settings.recorder.strict {
        true => service.writer.store(vec![record]).await.map(drop).map_err(ApiError::internal),
        false => {
            service.writer.later(record).await;
            Ok(())
        }
    }
}

impl OperationSession for WriteSession {
    const READ_ONLY: bool = false;

    async fn open(store: &Store) -> StoreResult<WriteSession> {
        store.write().await
    }

    /// What the call changed and its record are durable together.
    async fn finish(self, record: CapturedEvent, service: &Service) -> ApiResult<()> {
        Ok(service.writer.commit(self, &record).await?)
    }

    async fn refused(record: CapturedEvent, service: &Service) -> ApiResult<()> {
        service.writer.store(vec![record]).await.map_err(ApiError::internal)?;
        Ok(())
    }
}

/// A call that is being answered.
struct Call<'a> {
    service: &'a Service,
    caller: &'a Caller,
    id: Uuid,
    /// Which trails were logging as it arrived: the first StartLogging is taken by none, the last StopLogging is.
    trails: LoggingTrails,
}

impl Call<'_> {
    /// The record of this call. Every call has one: which of them AWS's history of 2015 shows is known by the trails that
    /// were logging.
    fn record<O: Operation>(
        &self,
        request: Option<Value>,
        outcome: Result<Option<Value>, &ApiError>,
    ) -> ApiResult<CapturedEvent> {
        let Call { service, caller, .. } = self;
        let call = OwnCall {
            operation: O::NAME,
            read_only: O::Session::READ_ONLY,
            caller,
            request_id: self.id,
            request,
            outcome,
        };
        let event = call.event(&service.clock, &service.ids).map_err(ApiError::internal)?;
        Ok(self.trails.capture(event))
    }

    /// Records that the call was refused.
    async fn refuse<O: Operation>(&self, request: Option<Value>, error: ApiError) -> ApiResult<Vec<u8>> {
        if error.code != Code::InternalFailure {
            O::Session::refused(self.record::<O>(request, Err(&error))?, self.service).await?;
        }
        Err(error)
    }
}

/// Answers a call of one operation.
pub(super) async fn run<O: Operation>(
    body: &[u8],
    caller: &Caller,
    service: &Service,
    id: Uuid,
) -> ApiResult<Vec<u8>> {
    let call = Call { service, caller, id, trails: service.store.logging_trails(&caller.account) };
    let input: ApiResult<O::Input> = read_input(body);
    let authorized = authorize::<O>(input.as_ref().ok(), &call);
    // What cannot be read counts as well, as at AWS; a refused call uses up nothing. Nor does one of a caller who may not
    // make it: it would be taken from the others of the account.
    if authorized.is_ok()
        && let Err(error) = service.limits.check(O::NAME, caller)
    {
        record_read(call.record::<O>(None, Err(&error))?, service).await?;
        return Err(error);
    }
    let input = input?;
    let request = Some(lower_camel(serde_json::to_value(&input).map_err(ApiError::internal)?));
    if let Err(error) = authorized {
        return call.refuse::<O>(request, error).await;
    }
    if let Err(error) = O::prepare(&input, caller, service).await {
        return call.refuse::<O>(request, error).await;
    }
    let mut db = O::Session::open(&service.store).await?;
    match O::call(input, &mut Context { caller, service, db: &mut db }).await {
        Ok(output) => {
            let answer = match O::Session::READ_ONLY {
                true => None,
                false => Some(lower_camel(serde_json::to_value(&output).map_err(ApiError::internal)?)),
            };
            db.finish(call.record::<O>(request, Ok(answer))?, service).await?;
            serde_json::to_vec(&output).map_err(ApiError::internal)
        }
        Err(error) => {
            drop(db);
            call.refuse::<O>(request, error).await
        }
    }
}

/// Whether the caller's policy allows the operation on all that the call names; on nothing, if it cannot be read.
fn authorize<O: Operation>(input: Option<&O::Input>, call: &Call<'_>) -> ApiResult<()> {
    let (caller, now) = (call.caller, call.service.clock.now());
    let action = format!("cloudtrail:{}", O::NAME);
    let arn = |name: &str| match name.starts_with("arn:") {
        true => name.to_owned(),
        false => trail_arn(&caller.region, &caller.account, name),
    };
    let denied = |why: String| Code::AccessDeniedException.because(why);
    let resources = input.map_or(Vec::new(), OperationInput::resources);
    if resources.is_empty() {
        return caller.authorize(&action, Target::Nothing, now).map_err(denied);
    }
    for name in resources {
        caller.authorize(&action, Target::Arn(&arn(name)), now).map_err(denied)?;
    }
    Ok(())
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
