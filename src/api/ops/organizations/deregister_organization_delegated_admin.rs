//! DeregisterOrganizationDelegatedAdmin: makes an account no administrator of the caller's organization any more.

use crate::api::organizations::account;
use crate::api::trails::Nothing;
use crate::api::{Context, Operation, OperationInput};
use crate::error::{ApiResult, Code};
use crate::store::{Session, WriteSession};
use serde::{Deserialize, Serialize};

/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DeregisterOrganizationDelegatedAdmin.html>
#[derive(Debug)]
pub struct DeregisterOrganizationDelegatedAdmin;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delegated_admin_account_id: Option<String>,
}

impl OperationInput for Input {
    fn resources(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl Operation for DeregisterOrganizationDelegatedAdmin {
    const NAME: &'static str = "DeregisterOrganizationDelegatedAdmin";
    type Session = WriteSession;
    type Input = Input;
    type Output = Nothing;

    async fn call(input: Input, context: &mut Context<'_, WriteSession>) -> ApiResult<Nothing> {
        let admin = account(input.delegated_admin_account_id.as_deref())?;
        let management = &context.caller.account;
        if !context.db.organizations().deregister_delegated_admin(management, &admin).await? {
            return Err(Code::AccountNotRegisteredException
                .because(format!("The account {admin} is not registered as a delegated administrator.")));
        }
        Ok(Nothing {})
    }
}
