//! A forwarded call is read once, and the answer stays with it: for its admission, for the keys that it hands out, for its
//! record.

use super::{Contrail, contrail};
use crate::support::http;
use crate::support::upstream::Upstream;

/// Calls IAM at a path of its own; how often the log says that its signature was read, and its operation identified.
async fn readings(more: &str) -> (usize, usize) {
    let (folder, upstream) = (tempfile::tempdir().unwrap(), Upstream::start().await);
    let config = folder.path().join("contrail.toml");
    let policy = folder.path().join("policy.json");
    let all =
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
    std::fs::write(&policy, all).unwrap();
    let policy = if more.is_empty() { String::new() } else { format!("policy_file = {policy:?}\n") };
    let identity = "[[identities]]\naccess_key = \"AKIAANA\"\naccount = \"111122223333\"\nuser = \"ana\"\n";
    std::fs::write(&config, format!("era = \"today\"\n{more}{identity}{policy}")).unwrap();
    let data = folder.path().join("data");
    let mut command =
        contrail(&["--port", "0", "--data-dir", data.to_str().unwrap(), "--upstream", &upstream.url]);
    command.args(["--config", config.to_str().unwrap(), "--log-level", "warn,contrail::aws=trace"]);
    let server = Contrail::spawn(command);
    upstream.will_say("200 OK", "text/xml", "<CreateUserResponse/>");
    let scope = "AKIAANA/20261122/us-east-1/iam/aws4_request";
    let create = http()
        .post(format!("{}/", server.url))
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )
        .header("content-type", "application/x-www-form-urlencoded");
    let create = create.body("Action=CreateUser&Version=2010-05-08&UserName=eve");
    assert_eq!(create.send().await.unwrap().status(), 200);
    // Answered when the call is stored.
    let exported = server.get("/_contrail/events").await.text;
    assert!(exported.contains("CreateUser"), "{exported}");
    let process = server.process;
    process.signal("TERM");
    let log = process.ended().stderr;
    let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    (count("a signature is read"), count("an operation is identified"))
}

#[tokio::test]
async fn a_forwarded_call_is_read_once() {
    assert_eq!(readings("").await, (1, 1), "without checks");
    let checked = "[auth]\nmode = \"known\"\nproxy = true\n";
    assert_eq!(readings(checked).await, (1, 1), "with a policy");
}
