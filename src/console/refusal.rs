//! Why a question is not answered, as HTTP says it.

use crate::guard::refuse;
use crate::store::{StoreError, StoreErrorKind};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// It makes no sense; the text names the parameter.
    #[error("{0}")]
    Bad(String),
    /// What it asks for is not there.
    #[error("{0}")]
    NotFound(String),
    /// As many as can be served follow already.
    #[error("too many readers follow the events already")]
    TooManyReaders,
    /// The database did not answer.
    #[error("{}", store_text(.0))]
    Store(#[from] StoreError),
}

fn store_text(error: &StoreError) -> &'static str {
    match error.kind() {
        StoreErrorKind::Interrupted => "too much to read: narrow the time",
        StoreErrorKind::Busy => "the store is busy",
        _ => "the events could not be read",
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Refusal::Bad(_) => StatusCode::BAD_REQUEST,
            Refusal::NotFound(_) => StatusCode::NOT_FOUND,
            Refusal::TooManyReaders => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Store(error) => match error.kind() {
                StoreErrorKind::Interrupted | StoreErrorKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Refusal::Store(error) = self
            && error.kind() != StoreErrorKind::Interrupted
        {
            tracing::error!(error = %error, "the event history could not be read");
        }
        refuse(self.status_code().as_u16(), &self.to_string())
    }
}
