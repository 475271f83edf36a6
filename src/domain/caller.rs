//! Who makes a call, from where.

use crate::domain::identity::Identity;

/// A caller, as far as the request tells.
#[derive(Debug, Clone)]
pub struct Caller {
    /// 12 digits.
    pub account: String,
    /// The region of the call.
    pub region: String,
    /// The access key id, if the request carries one.
    pub access_key: Option<String>,
    /// What that key stands for.
    pub identity: Identity,
    /// The peer's address.
    pub source_ip: String,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}
