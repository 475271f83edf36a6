//! One operation of STS, which tools ask before anything else: GetCallerIdentity.

use crate::aws::protocol::escape_xml;
use crate::domain::caller::Caller;
use chrono::{DateTime, Utc};

/// STS's only version.
pub(super) const VERSION: &str = "2011-06-15";
pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The operation.
pub(super) const ACTION: &str = "GetCallerIdentity";

/// Who calls, as the members of its result.
pub(super) fn result(caller: &Caller, now: DateTime<Utc>) -> String {
    let identity = caller.identity.user_identity(&caller.account, &caller.region, None, now);
    let (arn, user) = (escape_xml(identity.arn().unwrap_or_default()), escape_xml(identity.principal_id()));
    format!("<Arn>{arn}</Arn><UserId>{user}</UserId><Account>{}</Account>", caller.account)
}
