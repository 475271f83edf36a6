//! A team shares a server, started with the config file of docs/team.md: two people who may do different things, by every
//! door, over TLS.

use crate::support::Reply;
use crate::support::signer::{Key, Request, sha256};
use crate::support::tls::Trust;
use contrail::clock::{Clock, Ids};
use contrail::config::Settings;
use contrail::server::{Server, bind};
use serde_json::{Value, json};
use std::path::Path;

const ANA: Key = Key { id: "AKIAIOSFODNN7EXAMPLE", secret: "ana-secret", token: None };
const BOB: Key = Key { id: "AKIABOB", secret: "bob-secret", token: None };
const EVE: Key = Key { id: "AKIAEVE", secret: "eve-secret", token: None };

/// The config file of docs/team.md, with its files in `folder` and one more person in it.
fn config(folder: &Path) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/team.md")).unwrap();
    let block = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let lines = block.lines().filter(|line| line.contains('=')).count();
    assert!(lines <= 10, "the page has ten lines, not {lines}");
    let file = |name: &str| format!("{:?}", folder.join(name).display().to_string());
    let block =
        block.replace("\"credentials\"", &file("credentials")).replace("\"ana.json\"", &file("ana.json"));
    format!(
        "{block}[[identities]]\naccess_key = \"AKIABOB\"\naccount = \"111122223333\"\nuser = \"bob\"\npolicy_file = {}\n",
        file("bob.json")
    )
}

struct Team {
    url: String,
    trust: Trust,
    clock: Clock,
    admin: String,
    read: String,
}

impl Team {
    async fn aws(&self, key: &Key, operation: &str, input: Value) -> Reply {
        let mut request = self.request("cloudtrail", "POST", "/");
        request.set("content-type", "application/x-amz-json-1.1");
        request.set("x-amz-target", format!("CloudTrail_20131101.{operation}"));
        request.body = input.to_string().into();
        request.sign(key);
        request.send_over_tls(&self.url, &self.trust).await
    }

    async fn s3(&self, key: &Key, method: &str, path: &str, body: &str) -> u16 {
        let mut request = self.request("s3", method, path);
        request.body = body.into();
        request.set("x-amz-content-sha256", sha256(body));
        request.sign(key);
        request.send_over_tls(&self.url, &self.trust).await.status
    }

    async fn own(&self, method: &str, path: &str, header: Option<(&str, String)>) -> Reply {
        let mut request = self.request("", method, path);
        if let Some((path, query)) = path.split_once('?') {
            (request.path, request.query) = (path.into(), query.into());
        }
        if let Some((name, value)) = header {
            request.set(name, value);
        }
        request.send_over_tls(&self.url, &self.trust).await
    }

    fn request(&self, service: &str, method: &str, path: &str) -> Request {
        Request::new(service, method, path, self.url.trim_start_matches("https://"), self.clock.now())
    }
}

#[tokio::test]
async fn each_of_two_people_can_do_what_they_may_and_nothing_else_by_every_door() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    let profile = |key: &Key| {
        format!("[{0}]\naws_access_key_id = {0}\naws_secret_access_key = {1}\n", key.id, key.secret)
    };
    write("credentials", profile(&ANA) + &profile(&BOB));
    let policy = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let allow =
        |action: Value, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    write(
        "ana.json",
        policy(json!([
            allow(json!("cloudtrail:*"), "arn:aws:cloudtrail:*:*:trail/${aws:username}-*"),
            allow(json!("s3:*"), "arn:aws:s3:::ana-*"),
        ])),
    );
    write(
        "bob.json",
        policy(json!([
            allow(json!(["cloudtrail:LookupEvents", "cloudtrail:GetTrailStatus"]), "*"),
            allow(json!("s3:GetObject"), "*"),
        ])),
    );
    write("config.toml", config(folder.path()));
    let data = folder.path().join("data");
    let overrides = vec![
        ("server.port", "0".to_owned()),
        ("server.data_dir", data.display().to_string()),
        ("server.workers", "1".to_owned()),
        ("era", "today".to_owned()),
    ];
    let settings = Settings::load(Some(&folder.path().join("config.toml")), overrides).unwrap();
    let clock = Clock::manual(crate::support::start_of_time());
    let server = Server::build(settings.clone(), bind(&settings).unwrap(), clock.clone(), Ids::counted())
        .await
        .unwrap();
    let url = format!("https://127.0.0.1:{}", server.address.port());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
    let token = |name: &str| std::fs::read_to_string(data.join(name)).unwrap().trim().to_owned();
    let trust = Trust::in_file(&data.join("tls.crt"));
    // Ana runs the server, Bob looks at it.
    let team = Team { url, trust, clock, admin: token("admin.token"), read: token("read.token") };

    // CloudTrail's API.
    let create = |name: &str| json!({"Name": name, "S3BucketName": "ana-logs"});
    assert_eq!(team.aws(&ANA, "CreateTrail", create("ana-demo")).await.code(), "");
    assert_eq!(team.aws(&ANA, "CreateTrail", create("demo")).await.code(), "AccessDeniedException");
    assert_eq!(team.aws(&ANA, "LookupEvents", json!({})).await.code(), "AccessDeniedException");
    assert_eq!(team.aws(&BOB, "CreateTrail", create("bob-demo")).await.code(), "AccessDeniedException");
    assert_eq!(team.aws(&BOB, "LookupEvents", json!({})).await.code(), "");
    assert_eq!(team.aws(&BOB, "GetTrailStatus", json!({"Name": "ana-demo"})).await.code(), "");
    assert_eq!(team.aws(&EVE, "LookupEvents", json!({})).await.code(), "UnrecognizedClientException");
    let posing = Key { secret: EVE.secret, ..ANA };
    assert_eq!(
        team.aws(&posing, "DeleteTrail", json!({"Name": "ana-demo"})).await.code(),
        "InvalidSignatureException"
    );

    // The bucket store.
    assert_eq!(team.s3(&ANA, "PUT", "/ana-logs/key", "hello").await, 200);
    assert_eq!(team.s3(&ANA, "PUT", "/logs", "").await, 403);
    assert_eq!(team.s3(&BOB, "GET", "/ana-logs/key", "").await, 200);
    assert_eq!(team.s3(&BOB, "PUT", "/ana-logs/key", "hello").await, 403);
    assert_eq!(team.s3(&BOB, "GET", "/ana-logs", "").await, 403);
    assert_eq!(team.s3(&EVE, "GET", "/ana-logs/key", "").await, 403);

    // Contrail's own paths, for programs.
    let bearer = |token: &str| Some(("authorization", format!("Bearer {token}")));
    for (path, method, nobody, read, admin) in [
        ("/_contrail/events", "GET", 401, 200, 200),
        ("/_contrail/server", "GET", 401, 200, 200),
        ("/_contrail/health", "GET", 200, 200, 200),
        ("/_contrail/flush", "POST", 401, 403, 200),
        ("/_contrail/reset?account=111122223333", "POST", 401, 403, 200),
    ] {
        assert_eq!(team.own(method, path, None).await.status, nobody, "{path}");
        assert_eq!(
            team.own(method, path, bearer(ANA.secret)).await.status,
            nobody,
            "{path}: a secret is no token"
        );
        assert_eq!(team.own(method, path, bearer(&team.read)).await.status, read, "{path}");
        assert_eq!(team.own(method, path, bearer(&team.admin)).await.status, admin, "{path}");
    }

    // The console.
    let mut sign_in = team.request("", "POST", "/_contrail/login");
    sign_in.set("content-type", "application/x-www-form-urlencoded");
    sign_in.body = format!("token={}", team.read).into();
    let cookie = sign_in.send_over_tls(&team.url, &team.trust).await.header("set-cookie").to_owned();
    assert!(cookie.contains("Secure") && cookie.contains("HttpOnly"), "{cookie}");
    let cookie = || Some(("cookie", cookie.split(';').next().unwrap().to_owned()));
    assert_eq!(team.own("GET", "/_contrail/events?order=desc", cookie()).await.status, 200);
    assert_eq!(team.own("POST", "/_contrail/reset?everything=yes", cookie()).await.status, 403);
    assert_eq!(team.own("GET", "/_contrail/events?order=desc", None).await.status, 401);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
