//! What the operations on delegated administrators share.

use crate::domain::account_id::AccountId;
use crate::domain::text::cut;
use crate::error::{ApiResult, Code};

/// The account that a call names.
///
/// # Errors
/// `InvalidParameterException` for what is not 12 to 16 digits, `AccountNotFoundException` for what is no account's id.
pub(super) fn account(id: Option<&str>) -> ApiResult<AccountId> {
    let id = id.unwrap_or_default();
    if !(12..=16).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Code::InvalidParameterException
            .because(format!("The account ID must be 12 to 16 digits: {:?}", cut(id, 100))));
    }
    AccountId::parse(id).ok_or_else(|| {
        Code::AccountNotFoundException
            .because(format!("The account {id} was not found in your organization."))
    })
}
