//! RegisterOrganizationDelegatedAdmin: makes an account an administrator of the caller's organization.

use crate::api::organizations::account;
use crate::api::trails::Nothing;
use crate::api::{Context, Operation, OperationInput};
use crate::error::{ApiResult, Code};
use crate::store::{Session, WriteSession};
use serde::{Deserialize, Serialize};

/// Delegated administrators of an organization (user guide, "Quotas").
const MAX_ADMINS: usize = 3;

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_RegisterOrganizationDelegatedAdmin.html>
#[derive(Debug)]
pub struct RegisterOrganizationDelegatedAdmin;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member_account_id: Option<String>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl Operation for RegisterOrganizationDelegatedAdmin {
    const NAME: &'static str = "RegisterOrganizationDelegatedAdmin";
    type Session = WriteSession;
    type Input = Input;
    type Output = Nothing;

    async fn call(input: Input, context: &mut Context<'_, WriteSession>) -> ApiResult<Nothing> {
        let member = account(input.member_account_id.as_deref())?;
        let management = &context.caller.account;
        if member == *management {
            return Err(Code::CannotDelegateManagementAccountException.because(format!(
                "The management account {member} cannot be registered as a delegated administrator."
            )));
        }
        let admins = context.db.organizations().delegated_admins(management).await?;
        if admins.contains(&member) {
            return Err(Code::AccountRegisteredException.because(format!(
                "The account {member} is already registered as a delegated administrator."
            )));
        }
        if admins.len() >= MAX_ADMINS {
            return Err(Code::DelegatedAdminAccountLimitExceededException.because(format!(
                "An organization can have at most {MAX_ADMINS} delegated administrators."
            )));
        }
        let now = context.service.clock.now().timestamp_millis();
        context.db.organizations().register_delegated_admin(management, &member, now).await?;
        Ok(Nothing {})
    }
}
