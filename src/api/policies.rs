//! What the operations on resource policies share: the resource that has the policy.

use crate::api::OperationInput;
use crate::domain::arn::CloudTrailArn;
use crate::domain::caller::Caller;
use crate::domain::text::cut;
use crate::error::{ApiError, Code};
use serde::{Deserialize, Serialize};

/// Characters of an ARN (API reference).
const ARN_LENGTH: std::ops::RangeInclusive<usize> = 3..=256;

/// A call whose only member is the resource's ARN.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ResourceInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resource_arn: Option<String>,
}

impl OperationInput for ResourceInput {
    fn resources(&self) -> Vec<&str> {
        self.resource_arn.as_deref().into_iter().collect()
    }
}

/// No answer: what can have a policy is not there yet.
#[derive(Debug, Serialize)]
pub enum NoPolicy {}

/// Why the resource of a call has no policy: event data stores, dashboards and channels can have one, and none of them can
/// be made here yet.
///
/// `ResourceARNNotValidException`, `ResourceTypeNotSupportedException`, `ResourceNotFoundException`
pub(super) fn missing(arn: Option<&str>, caller: &Caller) -> ApiError {
    let arn = arn.unwrap_or_default();
    let shown = cut(arn, 300);
    let parsed = CloudTrailArn::parse(arn).ok().filter(|_| ARN_LENGTH.contains(&arn.chars().count()));
    let is_here = |arn: &CloudTrailArn<'_>| arn.account == caller.account && arn.region == caller.region;
    match parsed {
        Some(found) if !is_here(&found) => Code::ResourceARNNotValidException.because(format!(
            "The resource ARN {shown} is not one of account {} and region {}.",
            caller.account, caller.region
        )),
        Some(found) if !matches!(found.kind, "eventdatastore" | "dashboard" | "channel") => {
            Code::ResourceTypeNotSupportedException
                .because(format!("Resource type {} is not supported.", found.kind))
        }
        Some(_) => Code::ResourceNotFoundException.because(format!("The resource {shown} does not exist.")),
        None => Code::ResourceARNNotValidException.because(format!("The resource ARN is not valid: {shown}")),
    }
}
