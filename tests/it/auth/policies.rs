//! What the holders of keys may do, by the policies of the settings: at the AWS door and in the bucket store.

use super::{ANA, file, request};
use crate::support::signer::{Key, Request, sha256};
use crate::support::{Reply, TestServer};
use serde_json::{Value, json};
use tempfile::TempDir;

const BOB: Key = Key { id: "AKIABOB", secret: "bob", token: None };
const ROOT: Key = Key { id: "111122223333", secret: "root", token: None };

/// A server with three callers of one account: `ROOT`, who may do everything, and `ANA` and `BOB` with these policies.
async fn server_with(ana: Value, bob: Value) -> (TestServer, TempDir) {
    server_and(ana, bob, &[]).await
}

/// The same with more settings.
async fn server_and(ana: Value, bob: Value, more: &[(&'static str, &str)]) -> (TestServer, TempDir) {
    let secrets = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| file(secrets.path(), name, &text);
    let policy = |name: &str, statements: Value| {
        write(name, json!({"Version": "2012-10-17", "Statement": statements}).to_string())
    };
    let root = format!("[root]\naws_access_key_id={}\naws_secret_access_key={}\n", ROOT.id, ROOT.secret);
    let (root, ana, bob) = (write("root", root), policy("ana.json", ana), policy("bob.json", bob));
    let (ana_secret, bob_secret) = (write("ana", ANA.secret.into()), write("bob", BOB.secret.into()));
    let settings = [
        ("era", "today"),
        ("auth.mode", "signed"),
        ("auth.credentials_file", &root),
        ("identities[0].access_key", ANA.id),
        ("identities[0].account", "111122223333"),
        ("identities[0].user", "ana"),
        ("identities[0].secret_file", &ana_secret),
        ("identities[0].policy_file", &ana),
        ("identities[1].access_key", BOB.id),
        ("identities[1].account", "111122223333"),
        ("identities[1].role", "reader"),
        ("identities[1].session", "bob"),
        ("identities[1].secret_file", &bob_secret),
        ("identities[1].policy_file", &bob),
    ];
    let server = TestServer::with(&[&settings, more].concat()).await;
    (server, secrets)
}

async fn call(server: &TestServer, key: &Key, operation: &str, input: Value) -> Reply {
    let mut request = request(server, "cloudtrail", "POST", "/");
    request.set("content-type", "application/x-amz-json-1.1");
    request.set("x-amz-target", format!("CloudTrail_20131101.{operation}"));
    request.body = input.to_string().into();
    request.sign(key);
    request.send(&server.url).await
}

/// A request to the bucket store; its status.
async fn s3(
    server: &TestServer,
    key: &Key,
    method: &str,
    path: &str,
    more: &[(&str, &str)],
) -> (u16, String) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut request = Request { query: query.into(), ..request(server, "s3", method, path) };
    for (name, value) in more {
        match *name {
            "body" => request.body = (*value).into(),
            name => request.set(name, value),
        }
    }
    request.set("x-amz-content-sha256", sha256(&request.body));
    request.sign(key);
    let reply = request.send(&server.url).await;
    (reply.status, reply.text)
}

fn allow(action: impl Into<Value>, resource: impl Into<Value>) -> Value {
    json!({"Effect": "Allow", "Action": action.into(), "Resource": resource.into()})
}

#[tokio::test]
async fn each_caller_can_do_what_their_policy_says_and_nothing_else() {
    let own = "arn:aws:cloudtrail:*:111122223333:trail/ana-*";
    let (server, _secrets) = server_with(
        json!([allow("cloudtrail:*", own), allow("cloudtrail:DescribeTrails", "*")]),
        json!([allow(["cloudtrail:Get*", "cloudtrail:List*", "cloudtrail:LookupEvents"], "*")]),
    )
    .await;
    let input = |name: &str| json!({"Name": name, "S3BucketName": "my-bucket"});
    let code =
        async |key: &Key, operation: &str, input: Value| call(&server, key, operation, input).await.code();
    let denied = "AccessDeniedException";
    assert_eq!(code(&ANA, "CreateTrail", input("ana-demo")).await, "");
    assert_eq!(code(&ANA, "CreateTrail", input("demo")).await, denied);
    assert_eq!(code(&BOB, "CreateTrail", input("bob-demo")).await, denied);
    assert_eq!(code(&ROOT, "CreateTrail", input("demo")).await, "");
    let arn = |name: &str| format!("arn:aws:cloudtrail:us-east-1:111122223333:trail/{name}");
    for (operation, member) in [
        ("GetTrail", "Name"),
        ("GetTrailStatus", "Name"),
        ("GetEventSelectors", "TrailName"),
        ("GetInsightSelectors", "TrailName"),
        ("GetEventConfiguration", "TrailName"),
    ] {
        let of = |name: String| json!({member: name});
        for name in ["ana-demo".to_owned(), arn("ana-demo")] {
            assert_ne!(code(&ANA, operation, of(name.clone())).await, denied, "{operation} {name}");
            assert_ne!(code(&BOB, operation, of(name)).await, denied, "{operation}");
        }
        for name in ["demo".to_owned(), arn("demo")] {
            assert_eq!(code(&ANA, operation, of(name.clone())).await, denied, "{operation} {name}");
            assert_ne!(code(&BOB, operation, of(name)).await, denied, "{operation}");
        }
    }
    let tags = json!([{"Key": "a"}]);
    for (operation, other) in [
        ("StartLogging", json!({"Name": "demo"})),
        ("StopLogging", json!({"Name": "demo"})),
        ("DeleteTrail", json!({"Name": "demo"})),
        ("UpdateTrail", json!({"Name": "demo"})),
        ("PutEventSelectors", json!({"TrailName": "demo", "EventSelectors": [{}]})),
        ("PutInsightSelectors", json!({"TrailName": "demo", "InsightSelectors": []})),
        ("PutEventConfiguration", json!({"TrailName": "demo"})),
        ("AddTags", json!({"ResourceId": arn("demo"), "TagsList": tags})),
        ("RemoveTags", json!({"ResourceId": arn("demo"), "TagsList": tags})),
    ] {
        let mine = serde_json::from_str(&other.to_string().replace("demo", "ana-demo")).unwrap();
        for (key, input, may) in [(&ANA, &mine, true), (&ANA, &other, false), (&BOB, &mine, false)] {
            assert_eq!(
                code(key, operation, input.clone()).await != denied,
                may,
                "{operation} {} {input}",
                key.id
            );
        }
    }
    // One trail of two that is not allowed is one too many.
    let both = json!({"ResourceIdList": [arn("ana-demo"), arn("demo")]});
    assert_eq!(code(&ANA, "ListTags", both).await, denied);
    for (operation, ana) in
        [("DescribeTrails", ""), ("LookupEvents", denied), ("ListTrails", denied), ("ListPublicKeys", denied)]
    {
        assert_eq!(code(&ANA, operation, json!({})).await, ana, "{operation}");
    }
    for (operation, bob) in
        [("DescribeTrails", denied), ("LookupEvents", ""), ("ListTrails", ""), ("ListPublicKeys", "")]
    {
        assert_eq!(code(&BOB, operation, json!({})).await, bob, "{operation}");
    }
}

#[tokio::test]
async fn a_refusal_has_the_text_of_aws_and_is_recorded() {
    let deny = json!({"Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"});
    let (server, _secrets) = server_with(json!([allow("*", "*"), deny]), json!([allow("s3:*", "*")])).await;
    assert_eq!(
        call(&server, &ROOT, "CreateTrail", json!({"Name": "demo", "S3BucketName": "my-bucket"}))
            .await
            .code(),
        ""
    );
    let text =
        async |key: &Key, operation: &str, input: Value| call(&server, key, operation, input).await.error().1;
    let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/demo";
    assert_eq!(
        text(&ANA, "StopLogging", json!({"Name": "demo"})).await,
        format!(
            "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: cloudtrail:StopLogging on resource: \
             {arn} with an explicit deny in an identity-based policy"
        )
    );
    assert_eq!(
        text(&BOB, "StopLogging", json!({"Name": "demo"})).await,
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/reader/bob is not authorized to perform: \
             cloudtrail:StopLogging on resource: {arn} because no identity-based policy allows the \
             cloudtrail:StopLogging action"
        )
    );
    let refusal = "User: arn:aws:sts::111122223333:assumed-role/reader/bob is not authorized to perform: \
                   cloudtrail:LookupEvents because no identity-based policy allows the cloudtrail:LookupEvents action";
    assert_eq!(text(&BOB, "LookupEvents", json!({})).await, refusal);
    server.settle().await;
    let records = server.get("/_contrail/events?account=111122223333&error=AccessDenied").await;
    let records: Vec<Value> = records.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["StopLogging", "StopLogging", "LookupEvents"]);
    assert_eq!(records[2]["errorMessage"], refusal);
    assert_eq!(records[0]["requestParameters"], json!({"name": "demo"}));
}

#[tokio::test]
async fn conditions_look_at_the_call_that_is_made() {
    let here = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
        "IpAddress": {"aws:SourceIp": "127.0.0.0/8"},
        "DateLessThan": {"aws:CurrentTime": "2026-11-22T06:00:00Z"},
        "StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:username": "ana"},
    }});
    let elsewhere = json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"},
        "NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"},
    }});
    let role = json!({"Effect": "Allow", "Action": "cloudtrail:ListTrails", "Resource": "*", "Condition": {
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/reader"},
        "Null": {"aws:username": "true"},
        "StringEquals": {"aws:PrincipalType": "AssumedRole"},
    }});
    let (server, _secrets) = server_with(json!([here]), json!([elsewhere, role])).await;
    assert_eq!(call(&server, &ANA, "DescribeTrails", json!({})).await.code(), "");
    assert_eq!(call(&server, &BOB, "DescribeTrails", json!({})).await.code(), "AccessDeniedException");
    assert_eq!(call(&server, &BOB, "ListTrails", json!({})).await.code(), "");
    server.wait(1800);
    assert_eq!(call(&server, &ANA, "DescribeTrails", json!({})).await.code(), "AccessDeniedException");
}

#[tokio::test]
async fn buckets_and_objects_are_for_those_whose_policy_says_so() {
    let (server, _secrets) = server_with(
        json!([
            allow("s3:*", ["arn:aws:s3:::box", "arn:aws:s3:::box/ana/*"]),
            {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::box/ana/kept"},
        ]),
        json!([allow(["s3:GetObject", "s3:ListBucket", "s3:ListAllMyBuckets"], "*")]),
    )
    .await;
    let status = async |key: &Key, method: &str, path: &str, more: &[(&str, &str)]| {
        s3(&server, key, method, path, more).await.0
    };
    assert_eq!(status(&BOB, "PUT", "/box", &[]).await, 403);
    assert_eq!(status(&ANA, "PUT", "/other", &[]).await, 403);
    assert_eq!(status(&ANA, "PUT", "/box", &[]).await, 200);
    let body = [("body", "hello")];
    assert_eq!(status(&ROOT, "PUT", "/box/bob/x", &body).await, 200);
    assert_eq!(status(&ANA, "PUT", "/box/bob/x", &body).await, 403);
    for name in ["x", "kept"] {
        assert_eq!(status(&ANA, "PUT", &format!("/box/ana/{name}"), &body).await, 200);
        assert_eq!(status(&BOB, "PUT", &format!("/box/ana/{name}"), &body).await, 403);
    }
    for (path, ana, bob) in [
        ("/", 403, 200),
        ("/box", 200, 200),
        ("/box?list-type=2", 200, 200),
        ("/box?versions", 200, 403),
        ("/box?acl", 200, 403),
        ("/box?policy", 404, 403),
        ("/box?uploads", 200, 403),
        ("/box/ana/x", 200, 200),
        ("/box/bob/x", 403, 200),
        ("/box/ana/x?tagging", 200, 403),
        ("/box/ana/x?versionId=null", 200, 403),
    ] {
        assert_eq!(status(&ANA, "GET", path, &[]).await, ana, "{path}");
        assert_eq!(status(&BOB, "GET", path, &[]).await, bob, "{path}");
    }
    assert_eq!(status(&ANA, "HEAD", "/box/bob/x", &[]).await, 403);
    assert_eq!(status(&BOB, "HEAD", "/box", &[]).await, 200);
    // What is copied from has to be readable.
    assert_eq!(status(&ANA, "PUT", "/box/ana/y", &[("x-amz-copy-source", "/box/ana/x")]).await, 200);
    assert_eq!(status(&ANA, "PUT", "/box/ana/y", &[("x-amz-copy-source", "/box/bob/x")]).await, 403);
    assert_eq!(status(&BOB, "PUT", "/box/ana/y", &[("x-amz-copy-source", "/box/bob/x")]).await, 403);
    let (_, upload) = s3(&server, &ANA, "POST", "/box/ana/z?uploads", &[]).await;
    let upload = upload.split_once("<UploadId>").unwrap().1.split_once('<').unwrap().0.to_owned();
    let part = format!("/box/ana/z?partNumber=1&uploadId={upload}");
    assert_eq!(status(&ANA, "PUT", &part, &[("x-amz-copy-source", "/box/bob/x")]).await, 403);
    assert_eq!(status(&BOB, "PUT", &part, &body).await, 403);
    assert_eq!(status(&ANA, "PUT", &part, &body).await, 200);
    // Of many objects each has to be allowed.
    let many = |keys: &[&str]| {
        let objects: String = keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>")).collect();
        format!("<Delete>{objects}</Delete>")
    };
    for (key, keys, expected) in [
        (&ANA, &["ana/x", "ana/kept"][..], 403),
        (&ANA, &["ana/x", "bob/x"], 403),
        (&BOB, &["ana/x"], 403),
        (&ANA, &["ana/x", "ana/y"], 200),
    ] {
        let body = many(keys);
        let md5 = base64::Engine::encode(
            &base64::prelude::BASE64_STANDARD,
            <md5::Md5 as md5::Digest>::digest(&body),
        );
        let found = status(key, "POST", "/box?delete", &[("body", &body), ("content-md5", &md5)]).await;
        assert_eq!(found, expected, "{keys:?}");
    }
    assert_eq!(status(&ANA, "DELETE", "/box/ana/kept", &[]).await, 403);
    assert_eq!(status(&ANA, "GET", "/box/ana/kept", &[]).await, 200);
    let (_, text) = s3(&server, &BOB, "DELETE", "/box/bob/x", &[]).await;
    let expected = "User: arn:aws:sts::111122223333:assumed-role/reader/bob is not authorized to perform: s3:DeleteObject on \
                    resource: arn:aws:s3:::box/bob/x because no identity-based policy allows the s3:DeleteObject action";
    assert!(text.contains(expected) && text.contains("<Code>AccessDenied</Code>"), "{text}");
}

#[tokio::test]
async fn tags_and_grants_that_come_with_an_object_need_their_own_permission() {
    let (server, _secrets) = server_with(
        json!([allow(["s3:CreateBucket", "s3:PutObject"], "*")]),
        json!([allow(["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAcl"], "*")]),
    )
    .await;
    assert_eq!(s3(&server, &ANA, "PUT", "/box", &[("x-amz-acl", "private")]).await.0, 403);
    assert_eq!(s3(&server, &ANA, "PUT", "/box", &[]).await.0, 200);
    for (name, value) in [("x-amz-tagging", "a=b"), ("x-amz-acl", "private"), ("x-amz-grant-read", "id=0")] {
        assert_eq!(s3(&server, &ANA, "PUT", "/box/key", &[(name, value)]).await.0, 403, "{name}");
        assert_ne!(s3(&server, &BOB, "PUT", "/box/key", &[(name, value)]).await.0, 403, "{name}");
    }
}

#[test]
fn the_policy_in_the_documentation_is_one() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/team.md")).unwrap();
    let policies = page.split("```json\n").skip(1).filter(|block| block.starts_with("{\"Version\""));
    let policies: Vec<_> = policies.map(|block| block.split("```").next().unwrap()).collect();
    assert!(!policies.is_empty());
    for policy in policies {
        contrail::domain::policy::Policy::parse(policy).unwrap();
    }
}

#[tokio::test]
async fn a_caller_who_may_not_look_up_takes_nothing_of_the_accounts_rate() {
    let allow = |actions: &str| json!([{"Effect": "Allow", "Action": actions, "Resource": "*"}]);
    let (server, _secrets) = server_with(allow("cloudtrail:Describe*"), allow("cloudtrail:*")).await;
    for _ in 0..20 {
        let reply = call(&server, &ANA, "LookupEvents", json!({})).await;
        assert_eq!(reply.code(), "AccessDeniedException", "{}", reply.text);
        let reply = call(&server, &ANA, "LookupEvents", json!({"StartTime": "never"})).await;
        assert_eq!(reply.code(), "SerializationException", "{}", reply.text);
    }
    // The era's rate, as if nothing had been asked.
    for expected in [200, 200, 400] {
        assert_eq!(call(&server, &BOB, "LookupEvents", json!({})).await.status, expected);
    }
    let reply = call(&server, &BOB, "LookupEvents", json!({"StartTime": "never"})).await;
    assert_eq!(reply.code(), "ThrottlingException", "what cannot be read counts");
}

/// The address is that of the caller at every door, when a proxy stands before them all.
#[tokio::test]
async fn an_address_condition_looks_at_whom_a_trusted_proxy_names() {
    let near = json!([{"Effect": "Allow", "Action": "*", "Resource": "*",
                       "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}]);
    let proxy = [("server.trusted_proxies", "127.0.0.1")];
    for (more, from, may) in
        [(&proxy[..], "10.0.0.7", true), (&proxy, "10.0.0.7, 203.0.113.9", false), (&[], "10.0.0.7", false)]
    {
        let (server, _secrets) = server_and(near.clone(), near.clone(), more).await;
        let forwarded = ("x-forwarded-for", from);
        let mut aws = request(&server, "cloudtrail", "POST", "/");
        aws.set("content-type", "application/x-amz-json-1.1");
        aws.set("x-amz-target", "CloudTrail_20131101.DescribeTrails");
        aws.set(forwarded.0, forwarded.1);
        aws.body = b"{}".to_vec();
        aws.sign(&ANA);
        assert_eq!(aws.send(&server.url).await.status == 200, may, "{from}");
        let status = s3(&server, &ANA, "GET", "/", &[forwarded]).await.0;
        assert_eq!(status == 200, may, "{from}");
        server.settle().await;
        let records = server.get("/_contrail/events").await.text;
        let record: Value = serde_json::from_str(records.lines().next().unwrap()).unwrap();
        let nearest = if more.is_empty() { "127.0.0.1" } else { from.rsplit(", ").next().unwrap() };
        assert_eq!(record["sourceIPAddress"], nearest);
    }
}
