//! Tokens for our own paths: who may read there, and who may do everything.

use crate::support::{Reply, TestServer, http, http_without_redirects, record};
use std::path::Path;

/// The token in a file of the data folder.
fn token(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap().trim().to_owned()
}

struct Asked {
    server: TestServer,
    admin: String,
    read: String,
}

impl Asked {
    /// A server that asks for tokens.
    async fn start() -> Asked {
        let server = TestServer::with(&[("auth.own_paths", "token")]).await;
        let folder = server.folder.path();
        Asked { admin: token(folder, "admin.token"), read: token(folder, "read.token"), server }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let client = http_without_redirects();
        let mut request = client.request(method.parse().unwrap(), format!("{}{path}", self.server.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::of(request.body(body.to_owned()).send().await.unwrap()).await
    }

    async fn with_token(&self, method: &str, path: &str, token: &str) -> u16 {
        self.send(method, path, &[("authorization", &format!("Bearer {token}"))], "").await.status
    }

    /// The cookie that a browser gets for a token.
    async fn cookie(&self, token: &str) -> Option<String> {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let reply = self.send("POST", "/_contrail/login", &form, &format!("token={token}")).await;
        assert_eq!(reply.status, 303, "{}", reply.text);
        let to = if reply.header("set-cookie").is_empty() { "login#wrong" } else { "./" };
        assert_eq!(reply.header("location"), to);
        reply.headers.get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned())
    }
}

const READING: [&str; 9] = [
    "/_contrail/events",
    "/_contrail/events/histogram?from=2026-11-22T05:00:00Z&to=2026-11-22T06:00:00Z",
    "/_contrail/events/facets",
    "/_contrail/events/00000000-0000-4000-a000-000000000001",
    "/_contrail/events?order=desc",
    "/_contrail/scopes",
    "/_contrail/server",
    "/_contrail/trails",
    "/_contrail/metrics",
];
const WRITING: [&str; 3] = ["/_contrail/events", "/_contrail/flush", "/_contrail/reset?everything=yes"];

#[tokio::test]
async fn without_a_token_nothing_is_read_or_done_and_health_is_told() {
    let asked = Asked::start().await;
    for wrong in ["", "wrong", &asked.admin[1..], &format!("{}0", asked.admin)] {
        for (method, paths) in [("GET", &READING[..]), ("POST", &WRITING[..])] {
            for path in paths {
                let reply =
                    asked.send(method, path, &[("authorization", &format!("Bearer {wrong}"))], "").await;
                assert_eq!(reply.status, 401, "{method} {path}");
                assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"contrail\"");
            }
        }
    }
    assert_eq!(asked.send("GET", "/_contrail/events/stream", &[], "").await.status, 401);
    assert_eq!(
        asked.send("GET", "/_contrail/scopes", &[("authorization", "Basic dGVzdA==")], "").await.status,
        401
    );
    assert_eq!(asked.send("GET", "/_contrail/health", &[], "").await.status, 200);
    assert_eq!(asked.send("GET", "/health", &[], "").await.status, 200);
    // CloudTrail's API has its own rules.
    assert_eq!(asked.server.call("DescribeTrails", serde_json::json!({})).await.status, 200);
}

#[tokio::test]
async fn one_token_is_for_reading_and_one_for_everything() {
    let asked = Asked::start().await;
    assert_ne!(asked.admin, asked.read);
    assert!(asked.admin.len() == 64 && asked.read.len() == 64);
    let lines = record(1, "2026-11-22T05:29:00Z", "RunInstances").to_string();
    let put = async |token: &str| {
        asked
            .send("POST", "/_contrail/events", &[("authorization", &format!("bearer {token}"))], &lines)
            .await
    };
    let refused = put(&asked.read).await;
    assert_eq!((refused.status, refused.text.contains("may only read")), (403, true), "{}", refused.text);
    assert_eq!(put(&asked.admin).await.status, 200);
    for path in READING {
        assert_eq!(asked.with_token("GET", path, &asked.read).await, 200, "{path}");
        assert_eq!(asked.with_token("GET", path, &asked.admin).await, 200, "{path}");
    }
    for path in &WRITING[1..] {
        assert_eq!(asked.with_token("POST", path, &asked.read).await, 403, "{path}");
    }
    let kept = asked
        .send("GET", "/_contrail/events", &[("authorization", &format!("Bearer {}", asked.read))], "")
        .await;
    assert_eq!(kept.text.lines().count(), 1, "a reading token has wiped something");
    for path in &WRITING[1..] {
        assert_eq!(asked.with_token("POST", path, &asked.admin).await, 200, "{path}");
    }
}

#[tokio::test]
async fn a_browser_signs_in_and_may_read() {
    let asked = Asked::start().await;
    // The page is for everybody; what it shows is not.
    for path in ["/_contrail/", "/_contrail/login", "/_contrail/assets/app.js", "/_contrail/assets/login.css"]
    {
        assert_eq!(asked.send("GET", path, &[], "").await.status, 200, "{path}");
    }
    let page = asked.send("GET", "/_contrail/login", &[], "").await;
    assert!(page.header("content-security-policy").contains("form-action 'self'"), "{:?}", page.headers);
    for token in [&asked.read, &asked.admin] {
        let cookie = asked.cookie(token).await.unwrap();
        assert!(cookie.ends_with("; Path=/_contrail; HttpOnly; SameSite=Strict"), "{cookie}");
        assert!(!cookie.contains(token.as_str()));
        let pair = cookie.split(';').next().unwrap();
        let with = |pair: &str| [("cookie", format!("theme=dark; {pair}"))];
        let status = async |method: &str, path: &str, pair: &str| {
            let headers = with(pair);
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            asked.send(method, path, &headers, "").await.status
        };
        assert_eq!(status("GET", "/_contrail/scopes", pair).await, 200);
        assert_eq!(status("POST", "/_contrail/reset?everything=yes", pair).await, 403);
        assert_eq!(status("GET", "/_contrail/scopes", &pair[..pair.len() - 1]).await, 401);
        // The cookie's value is no token.
        let value = pair.split_once('=').unwrap().1;
        assert_eq!(asked.with_token("GET", "/_contrail/scopes", value).await, 401);
    }
    assert_eq!(asked.cookie("wrong").await, None);
    assert_eq!(asked.cookie("").await, None);
}

#[tokio::test]
async fn a_token_does_not_open_the_paths_to_pages_of_other_origins() {
    let asked = Asked::start().await;
    let cookie = asked.cookie(&asked.read).await.unwrap();
    let bearer = format!("Bearer {}", asked.admin);
    for (name, value) in
        [("origin", "http://evil.test"), ("sec-fetch-site", "cross-site"), ("host", "evil.test")]
    {
        for credential in [("authorization", bearer.as_str()), ("cookie", cookie.as_str())] {
            let reply = asked.send("GET", "/_contrail/scopes", &[credential, (name, value)], "").await;
            assert_eq!(reply.status, 403, "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn tokens_are_kept_over_a_restart_and_nobody_else_may_read_them() {
    let Asked { server, admin, read } = Asked::start().await;
    #[cfg(unix)]
    for name in ["admin.token", "read.token"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(server.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let server = server.restart_with(&[]).await;
    let asked = Asked { server, admin, read };
    assert_eq!(asked.with_token("GET", "/_contrail/scopes", &asked.read).await, 200);
    assert_eq!(asked.with_token("POST", "/_contrail/flush", &asked.admin).await, 200);
    std::fs::write(asked.server.folder.path().join("admin.token"), "\n").unwrap();
    let error = asked.server.refused_restart().await.to_string();
    assert!(error.contains("admin.token: it is empty"), "{error}");
}

#[tokio::test]
async fn tokens_are_asked_for_beyond_loopback_unless_the_settings_say_otherwise() {
    for (host, own_paths, expected) in [
        ("127.0.0.1", "auto", 200),
        ("127.0.0.1", "token", 401),
        ("0.0.0.0", "auto", 401),
        ("0.0.0.0", "token", 401),
        ("0.0.0.0", "open", 200),
    ] {
        let server = TestServer::with(&[("server.host", host), ("auth.own_paths", own_paths)]).await;
        let reply =
            Reply::of(http().get(format!("{}/_contrail/scopes", server.url)).send().await.unwrap()).await;
        assert_eq!(reply.status, expected, "{host} {own_paths}");
        let has_file = server.folder.path().join("admin.token").exists();
        assert_eq!(has_file, expected == 401, "{host} {own_paths}");
    }
}
