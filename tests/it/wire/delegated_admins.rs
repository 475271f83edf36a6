//! RegisterOrganizationDelegatedAdmin and DeregisterOrganizationDelegatedAdmin.

use crate::support::{ACCOUNT, TestServer};
use serde_json::json;

async fn register(server: &TestServer, account: &str) -> String {
    let asked = json!({"MemberAccountId": account});
    let reply = server.call("RegisterOrganizationDelegatedAdmin", asked).await;
    if reply.status == 200 { "OK".to_owned() } else { reply.code() }
}

async fn deregister(server: &TestServer, account: &str) -> String {
    let asked = json!({"DelegatedAdminAccountId": account});
    let reply = server.call("DeregisterOrganizationDelegatedAdmin", asked).await;
    if reply.status == 200 { "OK".to_owned() } else { reply.code() }
}

#[tokio::test]
async fn an_organization_has_up_to_three_delegated_administrators() {
    let server = TestServer::start().await;
    for account in ["111111111111", "222222222222", "333333333333"] {
        assert_eq!(register(&server, account).await, "OK");
    }
    let server = server.restart_with(&[]).await;
    assert_eq!(register(&server, "111111111111").await, "AccountRegisteredException");
    assert_eq!(register(&server, "444444444444").await, "DelegatedAdminAccountLimitExceededException");
    assert_eq!(deregister(&server, "222222222222").await, "OK");
    assert_eq!(deregister(&server, "222222222222").await, "AccountNotRegisteredException");
    assert_eq!(register(&server, "444444444444").await, "OK");
}

#[tokio::test]
async fn what_is_no_other_account_is_refused() {
    let server = TestServer::start().await;
    assert_eq!(register(&server, ACCOUNT).await, "CannotDelegateManagementAccountException");
    for (account, code) in [
        ("", "InvalidParameterException"),
        ("11111111111", "InvalidParameterException"),
        ("11111111111a", "InvalidParameterException"),
        ("11111111111111111", "InvalidParameterException"),
        ("1111111111111", "AccountNotFoundException"),
    ] {
        assert_eq!(register(&server, account).await, code, "{account}");
        assert_eq!(deregister(&server, account).await, code, "{account}");
    }
}

#[tokio::test]
async fn a_reset_forgets_those_of_the_account() {
    let server = TestServer::start().await;
    assert_eq!(register(&server, "111111111111").await, "OK");
    let asked = json!({"MemberAccountId": "111111111111"});
    server.call_as("222222222222", "us-east-1", "RegisterOrganizationDelegatedAdmin", asked.clone()).await;
    assert_eq!(server.post(&format!("/_contrail/reset?account={ACCOUNT}"), "").await.status, 200);
    assert_eq!(deregister(&server, "111111111111").await, "AccountNotRegisteredException");
    let again =
        server.call_as("222222222222", "us-east-1", "RegisterOrganizationDelegatedAdmin", asked).await;
    assert_eq!(again.code(), "AccountRegisteredException");
}
