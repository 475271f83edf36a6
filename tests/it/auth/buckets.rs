//! Buckets belong to accounts: who may use another's, where it is asked who calls.

use super::{ANA, file, request, signed_server};
use crate::support::TestServer;
use crate::support::signer::{Key, sha256};
use serde_json::json;
use tempfile::TempDir;

/// A user of another account.
const EVE: Key = Key { id: "AKIAEVE", secret: "eve-secret", token: None };

/// A server with `ANA` and `EVE`, who may do everything in their accounts, and the bucket `box` of Ana's with an object.
async fn server() -> (TestServer, TempDir, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let eve = file(folder.path(), "eve", EVE.secret);
    let (server, secrets) = signed_server(&[
        ("era", "today"),
        ("identities[2].access_key", EVE.id),
        ("identities[2].account", "444455556666"),
        ("identities[2].user", "eve"),
        ("identities[2].secret_file", &eve),
    ])
    .await;
    for (path, body) in [("/box", ""), ("/box/key", "hello")] {
        assert_eq!(ask(&server, &ANA, "PUT", path, body).await.0, 200);
    }
    (server, secrets, folder)
}

/// The status and the text of an answer.
async fn ask(server: &TestServer, key: &Key, method: &str, path: &str, body: &str) -> (u16, String) {
    ask_with(server, key, (method, path), &[], body).await
}

async fn ask_with(
    server: &TestServer,
    key: &Key,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut request = request(server, "s3", method, path);
    request.query = query.into();
    request.body = body.into();
    request.set("x-amz-content-sha256", sha256(body));
    for (name, value) in headers {
        request.set(name, *value);
    }
    request.sign(key);
    let reply = request.send(&server.url).await;
    (reply.status, reply.text)
}

async fn status(server: &TestServer, key: &Key, method: &str, path: &str) -> u16 {
    ask(server, key, method, path, "").await.0
}

#[tokio::test]
async fn another_account_does_nothing_in_a_bucket_and_does_not_see_it() {
    let (server, _secrets, _folder) = server().await;
    let delete = "<Delete><Object><Key>key</Key></Object></Delete>";
    for (method, path, body) in [
        ("GET", "/box/key", ""),
        ("HEAD", "/box/key", ""),
        ("HEAD", "/box", ""),
        ("GET", "/box", ""),
        ("GET", "/box?list-type=2", ""),
        ("GET", "/box?versions", ""),
        ("GET", "/box?policy", ""),
        ("PUT", "/box/key", "eve"),
        ("PUT", "/box/other", "eve"),
        ("PUT", "/box?policy", r#"{"Statement":[]}"#),
        ("DELETE", "/box?publicAccessBlock", ""),
        ("DELETE", "/box/key", ""),
        ("DELETE", "/box", ""),
        ("POST", "/box?delete", delete),
        ("POST", "/box/key?uploads", ""),
    ] {
        let (status, text) = ask(&server, &EVE, method, path, body).await;
        assert_eq!(status, 403, "{method} {path}: {text}");
    }
    assert_eq!(status(&server, &EVE, "PUT", "/mine").await, 200);
    let copy = [("x-amz-copy-source", "/box/key")];
    assert_eq!(ask_with(&server, &EVE, ("PUT", "/mine/key"), &copy, "").await.0, 403);
    let (status, text) = ask(&server, &EVE, "PUT", "/box", "").await;
    assert!(status == 409 && text.contains("<Code>BucketAlreadyExists</Code>"), "{text}");
    let names = async |key| ask(&server, key, "GET", "/", "").await.1.matches("<Name>").count();
    assert_eq!((names(&ANA).await, names(&EVE).await), (1, 1));
    assert_eq!(ask(&server, &ANA, "GET", "/box/key", "").await, (200, "hello".into()));
    let (status, text) = ask(&server, &EVE, "GET", "/none/key", "").await;
    assert!(status == 404 && text.contains("NoSuchBucket"), "{text}");
}

#[tokio::test]
async fn the_buckets_policy_lets_others_in_and_keeps_its_own_out() {
    let (server, _secrets, _folder) = server().await;
    let put_policy = async |statements: serde_json::Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        assert_eq!(ask(&server, &ANA, "PUT", "/box?policy", &policy).await.0, 204);
    };
    let allow = |principal: serde_json::Value, action: &str| json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "arn:aws:s3:::box/*"});
    for principal in [
        json!({"AWS": "444455556666"}),
        json!({"AWS": ["arn:aws:iam::999999999999:root", "arn:aws:iam::444455556666:root"]}),
        json!({"AWS": "arn:aws:iam::444455556666:user/eve"}),
    ] {
        put_policy(json!([allow(principal.clone(), "s3:GetObject")])).await;
        assert_eq!(ask(&server, &EVE, "GET", "/box/key", "").await, (200, "hello".into()), "{principal}");
        assert_eq!(status(&server, &EVE, "PUT", "/box/key").await, 403, "{principal}");
        assert_eq!(status(&server, &EVE, "GET", "/box").await, 403, "{principal}");
    }
    for principal in [
        json!({"AWS": "arn:aws:iam::444455556666:user/ana"}),
        json!({"Service": "cloudtrail.amazonaws.com"}),
        // What a new bucket blocks.
        json!("*"),
        json!({"AWS": "*"}),
    ] {
        put_policy(json!([allow(principal.clone(), "s3:*")])).await;
        assert_eq!(status(&server, &EVE, "GET", "/box/key").await, 403, "{principal}");
    }
    // Of a condition that cannot be answered here nothing is allowed, and everything denied.
    let unclear = json!({"StringEquals": {"s3:x-amz-acl": "private"}});
    let mut statement = allow(json!({"AWS": "444455556666"}), "s3:*");
    statement["Condition"] = unclear;
    put_policy(json!([statement.clone()])).await;
    assert_eq!(status(&server, &EVE, "GET", "/box/key").await, 403);
    statement["Effect"] = "Deny".into();
    put_policy(json!([allow(json!({"AWS": "444455556666"}), "s3:*"), statement])).await;
    assert_eq!(status(&server, &EVE, "GET", "/box/key").await, 403);

    // What could not be read could deny nothing.
    for malformed in [
        r#"{"Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"deny","Principal":"*","Action":"s3:*","Resource":"*"}]}"#,
        r#"{"Statement":["x"]}"#,
        r#"{"Version":"2012-10-17"}"#,
    ] {
        let (status, text) = ask(&server, &ANA, "PUT", "/box?policy", malformed).await;
        assert!(status == 400 && text.contains("<Code>MalformedPolicy</Code>"), "{malformed}: {text}");
    }

    put_policy(json!([allow(json!("*"), "s3:GetObject")])).await;
    assert_eq!(status(&server, &ANA, "DELETE", "/box?publicAccessBlock").await, 204);
    assert_eq!(status(&server, &EVE, "GET", "/box/key").await, 200);
    let mut deny = allow(json!({"AWS": "111122223333"}), "s3:DeleteObject");
    deny["Effect"] = "Deny".into();
    put_policy(json!([deny])).await;
    assert_eq!(status(&server, &ANA, "DELETE", "/box/key").await, 403);
    assert_eq!(status(&server, &ANA, "GET", "/box/key").await, 200);
}

#[tokio::test]
async fn public_acls_count_once_they_are_not_ignored() {
    let (server, _secrets, _folder) = server().await;
    let public = [("x-amz-acl", "public-read")];
    assert_eq!(ask_with(&server, &ANA, ("PUT", "/box/open"), &public, "open").await.0, 200);
    assert_eq!(ask_with(&server, &ANA, ("PUT", "/box?acl"), &public, "").await.0, 200);
    let all = async || {
        let mut statuses = Vec::new();
        for (method, path) in
            [("GET", "/box/open"), ("GET", "/box"), ("GET", "/box/key"), ("PUT", "/box/open")]
        {
            statuses.push(status(&server, &EVE, method, path).await);
        }
        statuses
    };
    assert_eq!(all().await, [403, 403, 403, 403]);
    assert_eq!(status(&server, &ANA, "DELETE", "/box?publicAccessBlock").await, 204);
    assert_eq!(all().await, [200, 200, 403, 403]);
}

#[tokio::test]
async fn the_bucket_of_a_trail_is_its_accounts_and_one_from_before_is_everybodys() {
    let (server, _secrets, _folder) = server().await;
    let mut create = request(&server, "cloudtrail", "POST", "/");
    create.set("content-type", "application/x-amz-json-1.1");
    create.set("x-amz-target", "CloudTrail_20131101.CreateTrail");
    create.body = json!({"Name": "demo", "S3BucketName": "eves-logs"}).to_string().into();
    create.sign(&EVE);
    assert_eq!(create.send(&server.url).await.status, 200);
    let statuses = async |path: &str| {
        (status(&server, &ANA, "GET", path).await, status(&server, &EVE, "GET", path).await)
    };
    assert_eq!(statuses("/eves-logs").await, (403, 200));
    let database = rusqlite::Connection::open(server.folder.path().join("buckets.db")).unwrap();
    database.execute("UPDATE buckets SET account = NULL WHERE name = 'box'", []).unwrap();
    assert_eq!(statuses("/box/key").await, (200, 200));
}

#[tokio::test]
async fn while_nobody_asks_who_calls_buckets_are_everybodys_and_know_whose_they_are() {
    let server = TestServer::start().await;
    let (one, other) = (Key { id: "111122223333", ..ANA }, Key { id: "444455556666", ..ANA });
    for (path, body) in [("/box", ""), ("/box/key", "hello")] {
        assert_eq!(ask(&server, &one, "PUT", path, body).await.0, 200);
    }
    assert_eq!(ask(&server, &other, "GET", "/box/key", "").await, (200, "hello".into()));
    assert_eq!(ask(&server, &other, "GET", "/", "").await.1.matches("<Name>").count(), 1);
    assert_eq!(status(&server, &other, "PUT", "/box").await, 200, "as S3 answers a second time in us-east-1");
    let database = rusqlite::Connection::open(server.folder.path().join("buckets.db")).unwrap();
    let account: String = database.query_row("SELECT account FROM buckets", [], |row| row.get(0)).unwrap();
    assert_eq!(account, "111122223333");
}
