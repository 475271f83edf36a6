//! What became of forwarded calls, by service.

use super::ServiceLabels;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// What can become of a forwarded call, beside not being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Its event is stored.
    Recorded,
    /// There was no room for its record.
    Dropped,
    /// It was of no operation that is known.
    Unidentified,
    /// It was not forwarded, as there was no room for its record.
    Refused,
}

/// How many calls of a service met which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "see Fate")]
pub struct Fates {
    pub recorded: u64,
    pub dropped: u64,
    pub unidentified: u64,
    pub refused: u64,
}

/// Counts forwarded calls.
#[derive(Debug, Default)]
pub struct ForwardedCallCounts {
    recorded: Family<ServiceLabels, Counter>,
    dropped: Family<ServiceLabels, Counter>,
    unidentified: Family<ServiceLabels, Counter>,
    refused: Family<ServiceLabels, Counter>,
    /// The services that have been counted. There are no more than the catalog has.
    services: Mutex<BTreeSet<String>>,
}

impl ForwardedCallCounts {
    /// Counts that `registry` shows.
    pub(super) fn new(registry: &mut Registry) -> ForwardedCallCounts {
        let counts = ForwardedCallCounts::default();
        for (name, help, family) in [
            ("forwarded_calls_recorded", "Forwarded calls whose events are stored", &counts.recorded),
            (
                "forwarded_calls_dropped",
                "Forwarded calls that were not recorded for want of room",
                &counts.dropped,
            ),
            ("forwarded_calls_unidentified", "Forwarded calls of no known operation", &counts.unidentified),
            (
                "forwarded_calls_refused",
                "Calls that were not forwarded for want of room for their records",
                &counts.refused,
            ),
        ] {
            registry.register(name, help, family.clone());
        }
        counts
    }

    /// Counts a call. `service`: its event source, or `unsigned` or `unknown`; never what a caller has made up.
    pub fn count(&self, fate: Fate, service: &str) {
        let label = ServiceLabels { service: service.to_owned() };
        let family = match fate {
            Fate::Recorded => &self.recorded,
            Fate::Dropped => &self.dropped,
            Fate::Unidentified => &self.unidentified,
            Fate::Refused => &self.refused,
        };
        family.get_or_create(&label).inc();
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        if !services.contains(service) {
            services.insert(label.service);
        }
    }

    /// All counts, by service.
    pub fn by_service(&self) -> BTreeMap<String, Fates> {
        let services = self.services.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let counted = |service: String| {
            let label = ServiceLabels { service };
            let of =
                |family: &Family<ServiceLabels, Counter>| family.get(&label).map_or(0, |count| count.get());
            let fates = Fates {
                recorded: of(&self.recorded),
                dropped: of(&self.dropped),
                unidentified: of(&self.unidentified),
                refused: of(&self.refused),
            };
            (label.service, fates)
        };
        services.into_iter().map(counted).collect()
    }
}
