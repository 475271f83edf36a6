//! The web page's files: what they are, how they are served, and what they must not do.

use crate::support::{Reply, TestServer, http, http_without_redirects};
use contrail::console::assets::ASSETS;
use std::collections::BTreeSet;

fn text(name: &str) -> &'static str {
    let (_, content) = ASSETS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}"));
    std::str::from_utf8(content).unwrap()
}

fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
    ASSETS.iter().map(|(name, _)| *name).filter(|name| name.ends_with(".js")).map(|name| (name, text(name)))
}

/// The modules that a script imports.
fn imports(script: &str) -> BTreeSet<&str> {
    script.split(" from '").skip(1).map(|rest| rest.split('\'').next().unwrap()).collect()
}

#[test]
fn every_file_of_the_folder_is_in_the_binary_and_the_other_way_round() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/assets");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let known: BTreeSet<String> = ASSETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, known);
}

#[test]
fn what_a_file_names_is_there() {
    let mut named = 0;
    for (script, content) in scripts() {
        for import in imports(content) {
            let file = import.strip_prefix("./").unwrap_or_else(|| panic!("{script} imports {import}"));
            text(file);
            named += 1;
        }
    }
    for part in text("index.html").split(['"', '\'']).filter_map(|part| part.strip_prefix("assets/")) {
        text(part);
        named += 1;
    }
    assert!(named > 20, "the search for names finds nothing any more");
}

#[test]
fn modules_import_downward_only() {
    let floors = [
        &["app"][..],
        &["events", "trails", "server"],
        &["querybar", "histogram", "facets", "table", "detail", "dialogs", "welcome", "live"],
        &["tree", "menu", "command", "failing"],
        &["api", "state"],
        &["columns"],
        &["model"],
        &["dom"],
    ];
    let floor = |name: &str| {
        floors.iter().position(|floor| floor.contains(&name)).unwrap_or_else(|| panic!("{name}"))
    };
    for (script, content) in scripts() {
        let own = floor(script.trim_end_matches(".js"));
        for import in imports(content) {
            let other = floor(import.trim_start_matches("./").trim_end_matches(".js"));
            assert!(other > own, "{script} imports {import}");
        }
    }
}

#[test]
fn no_file_can_turn_a_text_into_markup_or_reach_another_server() {
    for (name, content) in ASSETS {
        // A name, and a command for people.
        let content = std::str::from_utf8(content).unwrap().replace("http://www.w3.org/2000/svg", "");
        let content = content.replace("contrail --upstream http://127.0.0.1:4566'", "");
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "DOMParser",
            "style=",
            "http://",
            "https://",
            "javascript:",
            "srcdoc",
            "setHTML",
        ] {
            assert!(!content.contains(word), "{name} has {word}");
        }
        let makes_nodes = content.contains("createElement");
        assert!(!makes_nodes || *name == "dom.js", "{name} makes nodes");
        let asks = content.contains("fetch(") || content.contains("EventSource(");
        assert!(!asks || *name == "api.js", "{name} asks the server");
    }
}

async fn get(server: &TestServer, path: &str, headers: &[(&'static str, &str)]) -> Reply {
    let client = http_without_redirects();
    let mut request = client.get(format!("{}{path}", server.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn the_page_is_served_with_its_policy_and_asked_for_again_only_when_it_changed() {
    let server = TestServer::start().await;
    for (name, content_type) in [
        ("", "text/html; charset=utf-8"),
        ("assets/app.js", "text/javascript; charset=utf-8"),
        ("assets/base.css", "text/css; charset=utf-8"),
        ("assets/icon.svg", "image/svg+xml"),
    ] {
        let path = format!("/_contrail/{name}");
        let file = get(&server, &path, &[]).await;
        assert_eq!((file.status, file.header("content-type")), (200, content_type), "{name}");
        assert_eq!(file.header("cache-control"), "no-cache");
        let policy = file.header("content-security-policy");
        for part in
            ["default-src 'none'", "script-src 'self'", "trusted-types 'none'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{name}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        for header in [
            "x-content-type-options",
            "referrer-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
        ] {
            assert!(!file.header(header).is_empty(), "{name}: {header}");
        }
        let again = get(&server, &path, &[("if-none-match", file.header("etag"))]).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{name}");
    }
    let slashless = get(&server, "/_contrail", &[]).await;
    assert_eq!((slashless.status, slashless.header("location")), (307, "_contrail/"));
    for path in
        ["/_contrail/assets/nothing.js", "/_contrail/assets/../mod.rs", "/_contrail/assets/%2e%2e%2fmod.rs"]
    {
        assert_eq!(get(&server, path, &[]).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_link_from_elsewhere_opens_the_page_and_nothing_else() {
    let server = TestServer::start().await;
    let link =
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    assert_eq!(get(&server, "/_contrail/?range=1h", &link).await.status, 200);
    for path in ["/_contrail/events", "/_contrail/assets/app.js", "/_contrail/scopes"] {
        assert_eq!(get(&server, path, &link).await.status, 403, "{path}");
    }
    let frame =
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    assert_eq!(get(&server, "/_contrail/", &frame).await.status, 403);
    assert_eq!(get(&server, "/_contrail/", &[("host", "evil.test")]).await.status, 403);
}

#[tokio::test]
async fn without_the_console_there_is_no_page_and_programs_read_on() {
    let server = TestServer::with(&[("console.enabled", "false")]).await;
    for path in ["/_contrail/", "/_contrail", "/_contrail/assets/app.js"] {
        let reply = http().get(format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(reply.status(), 404, "{path}");
    }
    assert_eq!(server.get("/_contrail/events?view=rows").await.status, 200);
}
