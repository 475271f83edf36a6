//! GetResourcePolicy, PutResourcePolicy and DeleteResourcePolicy: there is nothing that could have a policy yet.

use crate::support::{ACCOUNT, TestServer, arn};
use serde_json::json;

#[tokio::test]
async fn nothing_that_can_have_a_policy_is_there() {
    let server = TestServer::start().await;
    let store =
        format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:eventdatastore/11111111-2222-4333-8444-555555555555");
    let elsewhere = store.replace("us-east-1", "eu-west-1");
    let others = store.replace(ACCOUNT, "111122223333");
    for operation in ["GetResourcePolicy", "PutResourcePolicy", "DeleteResourcePolicy"] {
        for (resource, code) in [
            (store.as_str(), "ResourceNotFoundException"),
            (&store.replace("eventdatastore", "channel"), "ResourceNotFoundException"),
            (&arn("us-east-1", "demo"), "ResourceTypeNotSupportedException"),
            (&elsewhere, "ResourceARNNotValidException"),
            (&others, "ResourceARNNotValidException"),
            ("demo", "ResourceARNNotValidException"),
            ("", "ResourceARNNotValidException"),
            (&format!("{store}{}", "x".repeat(200)), "ResourceARNNotValidException"),
        ] {
            let mut asked = json!({"ResourceArn": resource});
            if operation == "PutResourcePolicy" {
                asked["ResourcePolicy"] = json!("{}");
            }
            assert_eq!(server.call(operation, asked).await.code(), code, "{operation} {resource}");
        }
    }
}

#[tokio::test]
async fn a_policy_is_a_json_object() {
    let server = TestServer::start().await;
    let store =
        format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:eventdatastore/11111111-2222-4333-8444-555555555555");
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(8192));
    for policy in [json!(null), json!(""), json!("[]"), json!("{"), json!(long)] {
        let asked = json!({"ResourceArn": store, "ResourcePolicy": policy});
        assert_eq!(
            server.call("PutResourcePolicy", asked).await.code(),
            "ResourcePolicyNotValidException",
            "{policy}"
        );
    }
}
