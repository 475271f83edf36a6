//! Who makes a call, from where.

use crate::domain::account_id::AccountId;
use crate::domain::identity::Identity;
use crate::domain::region::Region;

/// A caller, as far as the request tells.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account whose key it is.
    pub account: AccountId,
    /// The region of the call.
    pub region: Region,
    /// The access key id, if the request carries one.
    pub access_key: Option<String>,
    /// What that key stands for.
    pub identity: Identity,
    /// The peer's address.
    pub source_ip: String,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
}
