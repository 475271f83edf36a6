//! Our own paths are for those who may use them: web pages of other origins are kept out, and so is, where that is wished,
//! whoever has no token. A browser lets any page send simple requests to this machine, and a name that an attacker owns may
//! resolve to it; programs send none of the headers looked at here, or honest ones.

mod tokens;

use crate::config::ServerSettings;
use crate::error::{ApiResult, Code};
use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};
use tokens::Refused;
pub use tokens::{
    ADMIN_TOKEN_FILE, ADMIN_TOKEN_VARIABLE, READ_TOKEN_FILE, READ_TOKEN_VARIABLE, Tokens, UnusableToken,
};
pub(crate) use tokens::{Transport, from_environment};

/// The host names under which our own paths may be called.
#[derive(Debug, Clone)]
pub(crate) struct AllowedHosts {
    bound: IpAddr,
    names: Vec<String>,
}

impl AllowedHosts {
    /// Loopback names, the bound address, and those of the settings.
    pub(crate) fn new(server: &ServerSettings, address: SocketAddr) -> AllowedHosts {
        let mut names = vec!["localhost".to_owned(), server.host.to_lowercase()];
        names.extend(server.allowed_hosts.iter().map(|name| name.to_lowercase()));
        AllowedHosts { bound: address.ip(), names }
    }

    /// Whether `host` (a `Host` header) is one of ours. An address instead of a name cannot be another's name for us.
    fn knows(&self, host: &str) -> bool {
        let host = host.to_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host.as_str(),
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        match name.parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || ip == self.bound || self.bound.is_unspecified(),
            Err(_) => name.ends_with(".localhost") || self.names.iter().any(|known| known == name),
        }
    }

    /// For our own paths: a known host and no foreign page.
    fn check(&self, request: &HttpRequest, links: Links) -> Result<(), String> {
        let host = text(request.headers(), "host").unwrap_or_default();
        if !self.knows(host) {
            return Err(format!("host {host:?} is not known here; name it in [server] allowed_hosts"));
        }
        if links == Links::Allowed && is_navigation(request.headers()) {
            return Ok(());
        }
        if is_foreign_page(request.headers()) {
            return Err("requests from web pages of another origin are refused".to_owned());
        }
        if is_page_outside_console(request.headers()) {
            return Err("requests from pages in buckets are refused".to_owned());
        }
        Ok(())
    }
}

/// Who may use our own paths.
#[derive(Debug, Clone)]
pub(crate) struct OwnPaths {
    pub(crate) hosts: AllowedHosts,
    /// `None`: everybody who is on this machine, or is let in from elsewhere.
    pub(crate) tokens: Option<Tokens>,
}

/// Requests that may come in: a handler that asks for one of these is reached by no other.
macro_rules! let_in {
    ($($(#[$doc:meta])* $name:ident: $links:ident, $asks_for:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl FromRequest for $name {
            type Error = actix_web::Error;
            type Future = Ready<Result<$name, actix_web::Error>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(let_in(request, Links::$links, AsksFor::$asks_for).map(|()| $name))
            }
        }
    )*};
}

let_in! {
    /// A request on our own paths, from somebody who may make it.
    Ours: Refused, Token;
    /// A request for what holds nothing of anybody: whoever comes needs no token.
    OursWithoutToken: Refused, Nothing;
    /// The same for a page: a link to it may be followed from anywhere, by a person who then sees it in a window of its own.
    OursOrLink: Allowed, Nothing;
}

/// Whether a request that follows a link from elsewhere may come in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Links {
    Allowed,
    Refused,
}

/// What a handler asks of those who come, where tokens are asked for at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AsksFor {
    Token,
    Nothing,
}

fn let_in(request: &HttpRequest, links: Links, asks_for: AsksFor) -> Result<(), actix_web::Error> {
    let refused = |response: HttpResponse, why: &str| {
        Err(InternalError::from_response(why.to_owned(), response).into())
    };
    let Some(own_paths) = request.app_data::<web::Data<OwnPaths>>() else {
        return refused(refuse(403, "nobody is let in here"), "no rules");
    };
    if let Err(why) = own_paths.hosts.check(request, links) {
        return refused(refuse(403, &why), &why);
    }
    let tokens = own_paths.tokens.as_ref().filter(|_| asks_for == AsksFor::Token);
    match tokens.map_or(Ok(()), |tokens| tokens.check(request.method(), request.headers())) {
        Ok(()) => Ok(()),
        Err(Refused::Unknown) => {
            let mut response = refuse(401, "a token is needed: Authorization: Bearer <token>");
            let scheme = actix_web::http::header::HeaderValue::from_static("Bearer realm=\"contrail\"");
            response.headers_mut().insert(actix_web::http::header::WWW_AUTHENTICATE, scheme);
            refused(response, "no token")
        }
        Err(Refused::ReadOnly) => {
            let why = "this token, or this browser, may only read";
            refused(refuse(403, why), why)
        }
    }
}

/// For the AWS door: programs may call it any host they like, browsers only what it is called here, and no foreign page may
/// ask. A page of `evil.test` is of no other origin once that name resolves to this machine (DNS rebinding).
///
/// # Errors
/// `AccessDeniedException`
pub(crate) fn check_page(request: &HttpRequest) -> ApiResult<()> {
    let denied = |why: String| Err(Code::AccessDeniedException.because(why));
    let headers = request.headers();
    if is_foreign_page(headers) {
        return denied("Requests from web pages of another origin are refused.".to_owned());
    }
    let host = text(headers, "host").unwrap_or_default();
    let own_paths = request.app_data::<web::Data<OwnPaths>>();
    let is_known = own_paths.is_some_and(|own_paths| own_paths.hosts.knows(host));
    let is_page = headers.contains_key("origin") || is_browser(text(headers, "user-agent"));
    if is_page && !is_known {
        return denied(format!(
            "Host {host:?} is not known here to web browsers; name it in [server] allowed_hosts."
        ));
    }
    Ok(())
}

/// For calls that a URL or a form makes: no browser may. Any page can have one send them, in a picture's address for one,
/// which names no origin, and to a server without TLS nothing else that tells either.
///
/// # Errors
/// `AccessDeniedException`
pub(crate) fn check_not_browser(request: &HttpRequest) -> ApiResult<()> {
    match is_browser(text(request.headers(), "user-agent")) {
        true => Err(Code::AccessDeniedException
            .because("Web browsers may call CloudTrail in its JSON protocol only: X-Amz-Target at POST /.")),
        false => Ok(()),
    }
}

/// Whether a program that calls itself this is a web browser. They all do so; pages cannot change what it says when they
/// are opened, and SDKs say something else.
pub(crate) fn is_browser(user_agent: Option<&str>) -> bool {
    user_agent.is_some_and(|agent| agent.starts_with("Mozilla/"))
}

/// A refusal on our own paths: `{"error":"…"}`.
pub(crate) fn refuse(status: u16, why: &str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    HttpResponse::build(status).json(serde_json::json!({ "error": why }))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether the request says that it comes from a page of this host that is not the console's. The console's pages send no
/// `Referer`. A page in a bucket can leave it out, too: the sandbox keeps such pages out, this is a second check.
fn is_page_outside_console(headers: &HeaderMap) -> bool {
    let host = text(headers, "host").unwrap_or_default();
    let referer = text(headers, "referer").and_then(|referer| referer.split_once("://"));
    referer.is_some_and(|(_, rest)| {
        let (named, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_console = path == "/_contrail" || path.starts_with("/_contrail/");
        named.eq_ignore_ascii_case(host) && !is_console
    })
}

/// Whether the request says that a browser opens its answer as a page of its own.
fn is_navigation(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-mode") == Some("navigate") && text(headers, "sec-fetch-dest") == Some("document")
}

/// Whether the request says that a page of another origin made it.
fn is_foreign_page(headers: &HeaderMap) -> bool {
    if headers.contains_key("sec-fetch-site")
        && !matches!(text(headers, "sec-fetch-site"), Some("same-origin" | "none"))
    {
        return true;
    }
    headers.contains_key("origin") && {
        let host = text(headers, "host").unwrap_or_default();
        let origin = text(headers, "origin").and_then(|o| o.split_once("://")).map(|(_, host)| host);
        !origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use actix_web::test::TestRequest;

    fn hosts(bound: &str) -> AllowedHosts {
        let mut server = Settings::builtin(vec![]).unwrap().server;
        server.allowed_hosts = vec!["trail.Team.test".into()];
        AllowedHosts::new(&server, bound.parse().unwrap())
    }

    #[test]
    fn only_known_hosts_reach_our_own_paths() {
        let local = hosts("127.0.0.1:4700");
        for good in [
            "localhost:4700",
            "127.0.0.1:4700",
            "[::1]:4700",
            "[::1]",
            "LOCALHOST",
            "a.localhost:1",
            "trail.team.test",
        ] {
            assert!(local.knows(good), "{good}");
        }
        for bad in ["", "evil.test", "evil.test:4700", "192.168.0.7:4700", "localhost.evil.test"] {
            assert!(!local.knows(bad), "{bad}");
        }
        assert!(hosts("0.0.0.0:4700").knows("192.168.0.7:4700"));
        assert!(!hosts("0.0.0.0:4700").knows("evil.test"));
    }

    #[test]
    fn pages_of_other_origins_are_kept_out_and_programs_are_not() {
        let foreign = |headers: &[(&str, &str)]| {
            let mut request = TestRequest::post().insert_header(("host", "localhost:4700"));
            for header in headers {
                request = request.insert_header(*header);
            }
            is_foreign_page(request.to_http_request().headers())
        };
        assert!(!foreign(&[]));
        assert!(!foreign(&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:4700")]));
        assert!(!foreign(&[("sec-fetch-site", "none")]));
        assert!(foreign(&[("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[("sec-fetch-site", "same-site")]));
        assert!(foreign(&[("origin", "http://evil.test")]));
        assert!(foreign(&[("origin", "http://localhost:3000")]));
        assert!(foreign(&[("origin", "null")]));
    }
}
