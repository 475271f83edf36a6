//! The web page: its files, as they lie in `assets`, inside the binary.
//!
//! There is no build step: what is in the folder is what a browser gets. All addresses in it are relative, so that it
//! works behind a prefix.

use crate::guard::{OursOrLink, OursWithoutToken};
use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The shell, at `/_contrail/`; the other files lie under `assets/`.
const SHELL: &str = "index.html";

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        /// Every file, by name.
        pub const ASSETS: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("assets/", $name)))),*];
    };
}

assets![
    "api.js",
    "app.js",
    "base.css",
    "columns.js",
    "command.js",
    "detail.css",
    "detail.js",
    "dialogs.js",
    "dom.js",
    "events.css",
    "events.js",
    "facets.js",
    "failing.js",
    "histogram.js",
    "icon.svg",
    "index.html",
    "live.js",
    "login.css",
    "login.html",
    "menu.js",
    "model.js",
    "querybar.js",
    "server.js",
    "state.js",
    "table.js",
    "trails.js",
    "tree.js",
    "welcome.js",
];

/// A mark that changes whenever any of the files does.
#[derive(Debug, Clone)]
pub(super) struct Version(String);

impl Version {
    pub(super) fn of_assets() -> Version {
        let mut hash = Sha256::new();
        for (name, content) in ASSETS {
            hash.update(name);
            hash.update(content);
        }
        let mut tag = String::from("\"");
        for byte in &hash.finalize()[..12] {
            // Writing to a string does not fail.
            let _ = write!(tag, "{byte:02x}");
        }
        Version(tag + "\"")
    }
}

/// `GET /_contrail/`
pub(super) async fn shell(_: OursOrLink, request: HttpRequest, version: web::Data<Version>) -> HttpResponse {
    file(SHELL, &request, &version)
}

/// `GET /_contrail/assets/{name}`
pub(super) async fn asset(
    _: OursWithoutToken,
    name: web::Path<String>,
    request: HttpRequest,
    version: web::Data<Version>,
) -> HttpResponse {
    file(&name, &request, &version)
}

/// `GET /_contrail`: relative addresses need the slash at the end.
pub(super) async fn without_slash(_: OursOrLink) -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header(("location", "_contrail/")).finish()
}

pub(super) fn file(name: &str, request: &HttpRequest, version: &Version) -> HttpResponse {
    let Some((_, content)) = ASSETS.iter().find(|(known, _)| *known == name) else {
        return crate::guard::refuse(404, &format!("there is no {name:?} among the page's files"));
    };
    // A browser asks each time, and gets a file again only when it has changed.
    let known = request.headers().get("if-none-match").and_then(|tags| tags.to_str().ok());
    let is_known = known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == version.0));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(("etag", version.0.as_str())).insert_header(("cache-control", "no-cache"));
    if is_known {
        return response.finish();
    }
    response.content_type(match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "image/svg+xml",
    });
    response.body(*content)
}
