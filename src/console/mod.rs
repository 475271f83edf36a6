//! Reading the event history under `/_contrail/`: a read API for programs, and the web page that is made from it.
//!
//! All of it only reads. Nothing here is throttled, recorded or kept apart by account: who asks says which account.

pub mod assets;
mod export;
mod login;
mod parameters;
mod read;
mod refusal;
mod rows;
mod selectors;
mod stream;
mod trails;

use crate::clock::Clock;
use crate::config::Settings;
use crate::metrics::Metrics;
use crate::recorder::arrivals::Arrivals;
use crate::recorder::handed_over::HandedOver;
use crate::store::{ReadSession, Store, StoreResult};
use actix_web::guard as routing;
use actix_web::middleware::DefaultHeaders;
use actix_web::{Resource, web};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Gives a path its handler.
type Handler = fn(Resource) -> Resource;

/// What a browser is told about everything here (console policy: nothing but our own files runs, no page frames it, no
/// text becomes markup).
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// What the console reads from, cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Console {
    pub settings: Arc<Settings>,
    pub clock: Clock,
    /// When the server was started.
    pub started: DateTime<Utc>,
    pub store: Store,
    /// What has just been stored, for those who follow it live.
    pub arrivals: Arrivals,
    /// What is about to be stored.
    pub handed_over: HandedOver,
    pub metrics: Metrics,
}

/// Adds the routes of the read API, and of the page unless the settings say that there is none.
pub fn routes(console: &Console) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + use<> {
    let has_page = console.settings.console.enabled;
    let console = web::Data::new(console.clone());
    let places = web::Data::new(stream::Places::default());
    let version = web::Data::new(assets::Version::of_assets());
    move |config| {
        config.app_data(console.clone()).app_data(places.clone()).app_data(version.clone());
        let read: [(&str, Handler); 9] = [
            ("/_contrail/events", |r| r.to(read::events)),
            ("/_contrail/events/histogram", |r| r.to(read::histogram)),
            ("/_contrail/events/facets", |r| r.to(read::facets)),
            ("/_contrail/events/stream", |r| r.to(stream::stream)),
            ("/_contrail/events/{id}", |r| r.to(read::event)),
            ("/_contrail/scopes", |r| r.to(read::scopes)),
            ("/_contrail/server", |r| r.to(read::server)),
            ("/_contrail/trails", |r| r.to(trails::trails)),
            ("/_contrail/failing", |r| r.to(trails::failing)),
        ];
        let page: [(&str, Handler); 4] = [
            ("/_contrail", |r| r.to(assets::without_slash)),
            ("/_contrail/", |r| r.to(assets::shell)),
            ("/_contrail/login", |r| r.to(login::page)),
            ("/_contrail/assets/{name}", |r| r.to(assets::asset)),
        ];
        for (path, handler) in read.into_iter().chain(page.into_iter().filter(|_| has_page)) {
            config.service(handler(web::resource(path).guard(routing::Get())).wrap(headers()));
        }
        if has_page {
            config.route("/_contrail/login", web::post().to(login::sign_in));
        }
    }
}

fn headers() -> DefaultHeaders {
    let nothing_is_kept = DefaultHeaders::new().add(("cache-control", "no-store"));
    HEADERS.iter().fold(nothing_is_kept, |headers, header| headers.add(*header))
}

/// A session for one question, in which every call that was answered before is found.
async fn reader(console: &Console) -> StoreResult<ReadSession> {
    console.handed_over.readable().await;
    bounded_reader(console).await
}

/// A session that has the time that the settings give a question.
async fn bounded_reader(console: &Console) -> StoreResult<ReadSession> {
    let clock = console.clock.clone();
    let deadline = clock.elapsed() + console.settings.console.read_timeout.0;
    console.store.read_bounded(move || clock.elapsed() >= deadline).await
}
