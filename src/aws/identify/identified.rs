//! A request whose service and operation are known.

use crate::aws::catalog::{AwsOperation, AwsService, Fit};
use crate::aws::protocol::Protocol;
use crate::domain::event_facts::EventFacts;
use std::sync::Arc;

/// A request whose service and operation are known.
#[derive(Debug, Clone)]
pub struct Identified {
    /// The service.
    pub service: Arc<AwsService>,
    /// The operation's name as the API has it: `ListObjectsV2`, `CreateFunction`.
    pub operation: String,
    /// `eventSource` of the call.
    pub event_source: String,
    /// The operation in the catalog; `None` for one that is newer than the catalog and trusted by its name.
    pub known: Option<Arc<AwsOperation>>,
    /// The protocol that the request is in, which is not always the model's first choice.
    pub protocol: Protocol,
    /// The labels of the path with their values, percent-decoded: `("FunctionName", "demo")`, `("Bucket", "b-1")`,
    /// `("Key", "a/b c")`. For S3 a bucket in the host name stands here as well.
    pub labels: Vec<(String, String)>,
    /// Whether every server reads the same labels.
    pub has_certain_labels: bool,
}

impl Identified {
    /// A call that its method and path say.
    pub(super) fn routed(fit: Fit, signing_name: Option<&str>) -> Option<Identified> {
        Some(Identified {
            event_source: event_source(&fit.service, signing_name),
            protocol: *fit.service.protocols.first()?,
            operation: fit.operation.name.clone(),
            service: fit.service,
            known: Some(fit.operation),
            labels: fit.labels,
            has_certain_labels: true,
        })
    }

    /// `eventName` of the call.
    pub fn event_name(&self) -> &str {
        self.known.as_ref().map_or(&self.operation, |known| &known.event_name)
    }

    /// What kind of event it is.
    pub fn facts(&self) -> EventFacts {
        let known = self.known.as_ref().map(|known| known.facts);
        known
            .or_else(|| self.service.event(&self.operation))
            .unwrap_or_else(|| EventFacts::by_name(&self.operation))
    }

    /// Whether it is the same operation.
    pub(super) fn is_same(&self, other: &Identified) -> bool {
        self.service.key == other.service.key && self.operation == other.operation
    }
}

/// What a service is called in records of calls that are signed for this name.
pub(super) fn event_source(service: &AwsService, signing_name: Option<&str>) -> String {
    let other = service.also.iter().find(|(name, _)| Some(name.as_str()) == signing_name);
    other.map_or(&service.event_source, |(_, source)| source).clone()
}
