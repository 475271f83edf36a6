//! Signing in: a browser shows a token once, and gets a cookie that is good for reading.

use super::assets::{self, Version};
use crate::domain::tls::TlsSession;
use crate::guard::{OursOrLink, OursWithoutToken, OwnPaths, Transport};
use actix_web::http::header::{HeaderName, HeaderValue, SET_COOKIE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

/// What this page is told in place of what all others are: it may send its form here, and say from where; without that a
/// browser calls the form's origin `null`.
const HEADERS: [(&str, &str); 2] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "same-origin"),
];

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Form {
    token: String,
}

/// `GET /_contrail/login`
pub(super) async fn page(_: OursOrLink, request: HttpRequest, version: web::Data<Version>) -> HttpResponse {
    let mut page = assets::file("login.html", &request, &version);
    for (name, value) in HEADERS {
        page.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    page
}

/// `POST /_contrail/login`
pub(super) async fn sign_in(
    _: OursWithoutToken,
    form: web::Form<Form>,
    request: HttpRequest,
    own_paths: web::Data<OwnPaths>,
) -> HttpResponse {
    let Some(tokens) = &own_paths.tokens else { return go_to("./") };
    if tokens.role(form.token.trim()).is_none() {
        // The page says what is wrong where its address ends so.
        return go_to("login#wrong");
    }
    let mut response = go_to("./");
    let transport = match request.conn_data::<TlsSession>() {
        Some(_) => Transport::Encrypted,
        None => Transport::Plain,
    };
    if let Ok(cookie) = HeaderValue::from_str(&tokens.set_cookie("/_contrail", transport)) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn go_to(place: &'static str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("location", place)).finish()
}
