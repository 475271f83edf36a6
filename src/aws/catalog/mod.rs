//! What AWS's services and operations are called, how requests for them look, and what kind of event a call is, as data.

mod kinds;
mod routes;
mod table;

use crate::domain::event_facts::{EventFacts, KnownEvents};
pub use kinds::Kinds;
use routes::Route;
pub use routes::{Fit, RestRequest};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use table::Table;
pub use table::{AwsOperation, AwsService, TableError};

/// The table that `generate.py` has written from botocore's models.
const EMBEDDED: &[u8] = include_bytes!("operations.tsv.gz");

/// Why a file is no table of operations: one line for the person who named it.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the table of operations {}: {cause}", path.display())]
pub struct UnusableTable {
    path: PathBuf,
    cause: TableError,
}

/// The version of what is known about events: `exceptions.tsv`, the rules for resources, and how columns are read from records
/// (an empty text is none). A change of these raises it, and the events of older data folders are corrected
/// (`recorder::corrections`).
pub const FACTS_VERSION: i64 = 3;

/// All services and operations. What is compiled in is unpacked when something is asked for the first time, and the
/// operations of a service when it is asked for.
#[derive(Default)]
pub struct Catalog {
    index: OnceLock<Index>,
}

impl fmt::Debug for Catalog {
    /// Short, as it is part of much that is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.index.get().map(|index| index.table.services.len());
        f.debug_struct("Catalog").field("services", &services).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Index {
    table: Table,
    by_signing_name: HashMap<String, Signing>,
    by_target: HashMap<String, Vec<Arc<AwsService>>>,
    by_event_source: HashMap<String, Vec<Arc<AwsService>>>,
    /// Of operations that come without a signature.
    unsigned_routes: OnceLock<Vec<Route>>,
}

/// The services that sign with the same name.
#[derive(Default)]
struct Signing {
    services: Vec<Arc<AwsService>>,
    routes: OnceLock<Vec<Route>>,
}

impl Catalog {
    /// The table in the binary.
    pub fn embedded() -> Arc<Catalog> {
        static SHARED: OnceLock<Arc<Catalog>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(Arc::default))
    }

    /// The table in `file`, as `generate.py` writes it, packed or not; without one, the table in the binary.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or is no such table.
    pub fn open(file: Option<&Path>) -> Result<Arc<Catalog>, UnusableTable> {
        let Some(path) = file else { return Ok(Catalog::embedded()) };
        let wrong = |cause| UnusableTable { path: path.to_owned(), cause };
        let bytes = std::fs::read(path).map_err(|error| wrong(error.into()))?;
        Catalog::read(&bytes).map(Arc::new).map_err(wrong)
    }

    fn read(bytes: &[u8]) -> Result<Catalog, TableError> {
        let table = Table::read(bytes)?;
        table.check()?;
        Ok(Catalog { index: OnceLock::from(Index::of(table)) })
    }

    /// What the table was made from, and on which day: `("botocore 1.44.8", "2026-11-25")`.
    pub fn origin(&self) -> (&str, &str) {
        let table = &self.index().table;
        (&table.origin, &table.made)
    }

    /// All services.
    pub fn services(&self) -> &[Arc<AwsService>] {
        &self.index().table.services
    }

    /// The services that sign with this name, the one of that name first.
    pub fn signing_as(&self, name: &str) -> &[Arc<AwsService>] {
        self.index().by_signing_name.get(name).map_or(&[], |signing| &signing.services)
    }

    /// The services whose `X-Amz-Target` begins like this; only what follows the last dot counts.
    pub fn targeted_by(&self, prefix: &str) -> &[Arc<AwsService>] {
        let last = prefix.rsplit('.').next().unwrap_or(prefix);
        self.index().by_target.get(last).map_or(&[], Vec::as_slice)
    }

    /// The services with operations of this name that come in a form.
    pub fn offering(&self, operation: &str) -> Vec<Arc<AwsService>> {
        let offers = |service: &&Arc<AwsService>| service.operations().contains_key(operation);
        self.services().iter().filter(|service| service.takes_forms()).filter(offers).cloned().collect()
    }

    /// The REST operation that fits a request best, with the labels of its path; behind it others of the same path that the
    /// request names as well (`?acl&policy`).
    pub fn route(&self, signing_name: &str, request: &RestRequest<'_>) -> Vec<Fit> {
        let Some(signing) = self.index().by_signing_name.get(signing_name) else { return Vec::new() };
        routes::fits(signing.routes.get_or_init(|| Route::all(&signing.services)), request)
    }

    /// The same for a request that has no signature, among the operations that come without one; S3's are not counted.
    pub fn route_unsigned(&self, request: &RestRequest<'_>) -> Option<Fit> {
        let index = self.index();
        let routes = index.unsigned_routes.get_or_init(|| {
            let services = index.table.services.iter().filter(|service| service.takes_unsigned);
            let mut routes = Route::all(&services.cloned().collect::<Vec<_>>());
            routes.retain(Route::is_unsigned);
            routes
        });
        routes::fits(routes, request).into_iter().next()
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            // Tested: it is part of the binary.
            Table::read(EMBEDDED).map(Index::of).unwrap_or_else(|error| {
                tracing::error!(%error, "the table of operations in the binary cannot be read");
                Index::default()
            })
        })
    }
}

impl KnownEvents for Catalog {
    fn known(&self, event_source: &str, event_name: &str) -> Option<EventFacts> {
        let services = self.index().by_event_source.get(event_source)?;
        services.iter().find_map(|service| service.event(event_name))
    }
}

impl Index {
    fn of(table: Table) -> Index {
        let mut index = Index::default();
        for service in &table.services {
            let also = service.also.iter().map(|(name, source)| (name, source));
            for (name, source) in [(&service.signing_name, &service.event_source)].into_iter().chain(also) {
                let signing = index.by_signing_name.entry(name.clone()).or_default();
                signing.services.push(Arc::clone(service));
                index.by_event_source.entry(source.clone()).or_default().push(Arc::clone(service));
            }
            if let Some(target) = &service.target_prefix {
                let last = target.rsplit('.').next().unwrap_or(target);
                index.by_target.entry(last.to_owned()).or_default().push(Arc::clone(service));
            }
        }
        for signing in index.by_signing_name.values_mut() {
            // Twins (rds, docdb, neptune): the one that has the name stands for all.
            signing
                .services
                .sort_by_key(|service| (service.key != service.signing_name, service.key.clone()));
        }
        index.table = table;
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use sha2::{Digest, Sha256};
    use std::io::Write;

    #[test]
    fn names_that_look_like_reads_are_reads_but_for_the_exceptions() {
        let catalog = Catalog::read(EMBEDDED).unwrap();
        let operations = catalog.services().iter().flat_map(|service| service.operations().values());
        let mut changing: Vec<&str> = operations
            .filter(|operation| EventFacts::by_name(&operation.name).read_only && !operation.facts.read_only)
            .map(|operation| operation.name.as_str())
            .collect();
        changing.sort_unstable();
        assert_eq!(changing, ["GetFederationToken", "GetSessionToken"]);
    }

    #[test]
    fn whoever_changes_what_is_known_of_events_raises_its_version() {
        let known = [include_str!("exceptions.tsv"), include_str!("../../domain/resources/rules.tsv")];
        // What is hidden in records is not a fact of an event.
        let is_fact = |line: &&str| {
            line.contains('\t') && !["#", "secret\t", "dropped\t"].iter().any(|kind| line.starts_with(kind))
        };
        let lines = known.iter().flat_map(|text| text.lines()).filter(is_fact);
        let mut hash = Sha256::new();
        lines.for_each(|line| hash.update(line));
        let hash = crate::domain::text::hex(&hash.finalize()[..8]);
        assert_eq!(
            (FACTS_VERSION, hash.as_str()),
            (3, "fb0d45c678726ed7"),
            "raise FACTS_VERSION, and put both in here"
        );
    }

    #[test]
    fn all_of_the_table_in_the_binary_can_be_read() {
        let catalog = Catalog::read(EMBEDDED).unwrap();
        let operations: usize = catalog.services().iter().map(|service| service.operations().len()).sum();
        assert!(operations > 19_000, "{operations}");
        let (origin, made) = catalog.origin();
        assert!(origin.starts_with("botocore "), "{origin}");
        let made: chrono::NaiveDate = made.parse().unwrap();
        let days = (Clock::system().now().date_naive() - made).num_days();
        // Not a failure: it gets older by itself. Past the test runner, which shows only what fails.
        let words = format!("the table of AWS's operations is {days} days old ({origin})\n");
        std::io::stderr().write_all(words.as_bytes()).unwrap();
    }
}
