//! What a server is made of: each part is built once, here, and each room gets what it needs of them.

use super::StartError;
use crate::api::{self, limits::Limits};
use crate::auth::Auth;
use crate::aws::catalog::Catalog;
use crate::aws::host::HostNames;
use crate::aws::identify::Identifier;
use crate::buckets::Buckets;
use crate::callers::Callers;
use crate::clock::{Clock, Ids};
use crate::config::Settings;
use crate::console::Console;
use crate::delivery::{self, Delivery};
use crate::digest_keys::DigestKeys;
use crate::domain::page_token::TokenKey;
use crate::guard::Tokens;
use crate::http::{BodyRoom, Doors, Front, Operator};
use crate::metrics::Metrics;
use crate::outbound::Outbound;
use crate::proxy::{self, UnusableTrust};
use crate::recorder::arrivals::Arrivals;
use crate::recorder::bucket_regions::BucketRegions;
use crate::recorder::commit::Committer;
use crate::recorder::corrections::{self, Progress};
use crate::recorder::forwarded_call::ForwardedCallRecorder;
use crate::recorder::forwarded_calls::ForwardedCalls;
use crate::recorder::handed_over::HandedOver;
use crate::recorder::retention::Retention;
use crate::recorder::writer::{Writer, WriterTask};
use crate::store::{DataDir, EventBusTakes, Session, Store};
use crate::workers::Workers;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The setting in the database that holds the key of page tokens.
pub(super) const TOKEN_KEY: &str = "page_token_key";

/// The parts of a server, cheap to clone.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Parts {
    pub settings: Arc<Settings>,
    pub clock: Clock,
    /// When the server was started.
    pub started: DateTime<Utc>,
    pub ids: Ids,
    pub store: Store,
    pub writer: Writer,
    pub arrivals: Arrivals,
    pub metrics: Metrics,
    pub callers: Arc<Callers>,
    pub auth: Auth,
    pub catalog: Arc<Catalog>,
    pub identifier: Arc<Identifier>,
    /// Records forwarded calls, when there is an upstream.
    pub forwarded_calls: Option<ForwardedCalls>,
    pub digest_keys: DigestKeys,
    pub outbound: Outbound,
    /// The embedded bucket store, unless an S3 elsewhere is used.
    pub buckets: Option<Buckets>,
    pub token_key: TokenKey,
}

impl Parts {
    /// Opens what is in the folder, and starts the task that writes events.
    pub(super) async fn open(
        settings: Settings,
        folder: &DataDir,
        clock: Clock,
        ids: Ids,
    ) -> Result<(Parts, WriterTask), StartError> {
        let store = Store::open(folder).await?;
        let token_key = token_key(&store, &ids).await?;
        let buckets = match settings.delivery.s3_endpoint {
            None => Some(Buckets::open(&folder.buckets(), clock.clone(), ids.clone()).await?),
            Some(_) => None,
        };
        let catalog = Catalog::open(settings.recorder.operations.as_deref())?;
        if settings.recorder.operations.is_some() {
            let (from, made) = catalog.origin();
            tracing::info!(from, made, "a table of AWS's operations is used instead of the built-in one");
        }
        let own = std::iter::once(&settings.server.host).chain(&settings.server.allowed_hosts);
        let hosts =
            HostNames::new(own.map(String::as_str), settings.recorder.base_hosts.iter().map(String::as_str));
        let identifier = Arc::new(Identifier { catalog: Arc::clone(&catalog), hosts });
        let corrected = corrections::run(&store, &catalog, |progress| {
            let Progress { done, total } = progress;
            tracing::info!(
                done,
                of = total,
                "older events are being read again, as more is known of them now"
            );
        });
        let corrected = corrected.await.map_err(StartError::Corrections)?;
        if corrected > 0 {
            tracing::info!(corrected, "older events were corrected");
        }
        let settings = Arc::new(settings);
        let metrics = Metrics::default();
        let callers = Arc::new(Callers::open(&settings)?);
        for (access_key, actions) in callers.actions_of_no_call(&catalog) {
            let actions = actions.join(", ");
            tracing::warn!(
                access_key,
                actions,
                "no call asks for these actions of a policy: are they spelled rightly?"
            );
        }
        for learned in store.read().await?.learned_keys().all().await? {
            callers.remember(learned, clock.now());
        }
        let auth = Auth::open(&settings, Arc::clone(&callers), clock.clone()).await?;
        let arrivals = Arrivals::new(clock.now().timestamp_micros());
        let committer = Committer {
            arrivals: arrivals.clone(),
            event_bus: EventBusTakes::of(&settings.delivery),
            clock: clock.clone(),
        };
        let (writer, writer_task) = Writer::start(store.clone(), committer, metrics.clone());
        let forwarded_calls = if settings.recorder.is_on() {
            let recorder = ForwardedCallRecorder {
                identifier: Arc::clone(&identifier),
                callers: Arc::clone(&callers),
                settings: Arc::clone(&settings),
                ids: ids.clone(),
                bucket_regions: BucketRegions::default(),
            };
            Some(ForwardedCalls::start(
                recorder,
                store.clone(),
                writer.clone(),
                clock.clone(),
                metrics.clone(),
            ))
        } else {
            None
        };
        let started = clock.now();
        metrics.describe(env!("CARGO_PKG_VERSION"), settings.era.name(), started.timestamp());
        let parts = Parts {
            started,
            digest_keys: DigestKeys::new(store.clone(), clock.clone(), &settings.delivery),
            outbound: Outbound::new(&settings, buckets.clone()),
            settings,
            clock,
            ids,
            store,
            writer,
            arrivals,
            metrics,
            callers,
            auth,
            catalog,
            identifier,
            forwarded_calls,
            buckets,
            token_key,
        };
        Ok((parts, writer_task))
    }

    /// The work in the background.
    pub(super) fn workers(&self) -> Workers {
        let Parts { settings, clock, ids, store, metrics, digest_keys, outbound, .. } = self.clone();
        let retention = Retention::new(store.clone(), clock.clone(), settings.retention());
        let settings = settings.delivery.clone();
        let delivery =
            Delivery::new(delivery::Parts { settings, store, digest_keys, outbound, clock, ids, metrics });
        Workers::new(delivery, retention, self.clock.clone())
    }

    /// All doors but the proxy, with what stands behind them.
    pub(super) fn doors(&self, workers: Workers, tokens: Option<Tokens>) -> Doors {
        Doors {
            front: self.front(),
            api: self.api(),
            console: self.console(),
            operator: self.operator(workers),
            buckets: self.buckets.clone(),
            tokens,
        }
    }

    fn front(&self) -> Front {
        let Parts { settings, clock, ids, callers, auth, .. } = self.clone();
        Front { settings, clock, ids, callers, auth, bodies: BodyRoom::default() }
    }

    fn console(&self) -> Console {
        let Parts { settings, clock, started, store, arrivals, metrics, .. } = self.clone();
        Console { settings, clock, started, store, arrivals, handed_over: self.handed_over(), metrics }
    }

    fn operator(&self, workers: Workers) -> Operator {
        let Parts { settings, store, writer, metrics, catalog, .. } = self.clone();
        let imports = Arc::new(Semaphore::new(match settings.limits.imports {
            0 => Semaphore::MAX_PERMITS,
            imports => imports.min(Semaphore::MAX_PERMITS),
        }));
        Operator { store, writer, handed_over: self.handed_over(), metrics, catalog, workers, imports }
    }

    /// What is about to be stored; for tests and tools in the same process, too.
    pub fn handed_over(&self) -> HandedOver {
        HandedOver { writer: self.writer.clone(), forwarded_calls: self.forwarded_calls.clone() }
    }

    /// CloudTrail's API.
    fn api(&self) -> api::Service {
        let Parts { settings, clock, ids, store, writer, metrics, digest_keys, outbound, token_key, .. } =
            self.clone();
        let limits = Arc::new(Limits::new(&settings, &clock));
        let handed_over = self.handed_over();
        api::Service {
            settings,
            clock,
            ids,
            store,
            writer,
            handed_over,
            metrics,
            limits,
            digest_keys,
            outbound,
            token_key,
        }
    }

    /// The proxy, when there is an upstream.
    ///
    /// # Errors
    /// The certificates that are to be trusted cannot be used.
    pub(super) fn proxy(&self) -> Result<Option<proxy::Proxy>, UnusableTrust> {
        let Parts { settings, clock, ids, store, callers, auth, identifier, .. } = self.clone();
        let Some(calls) = self.forwarded_calls.clone() else { return Ok(None) };
        let proxy =
            proxy::Proxy::new(proxy::Parts { settings, clock, ids, store, callers, auth, identifier, calls });
        proxy.map(Some)
    }
}

/// The key that seals page tokens: made once, kept in the database.
async fn token_key(store: &Store, ids: &Ids) -> Result<TokenKey, StartError> {
    let mut session = store.write().await?;
    let kept = session.settings().get_or_set(TOKEN_KEY, &TokenKey::new(ids.secret()).to_hex()).await?;
    session.commit().await?;
    TokenKey::from_hex(&kept).ok_or(StartError::TokenKey)
}
