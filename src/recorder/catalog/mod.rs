//! What AWS's services and operations are called and how requests for them look, as data.

mod kinds;
pub mod names;
mod routes;

use flate2::read::GzDecoder;
pub use kinds::Kinds;
pub use routes::Request;
use routes::Route;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::{Arc, OnceLock};

/// The table that `generate.py` has written from botocore's models.
const EMBEDDED: &[u8] = include_bytes!("operations.tsv.gz");

/// The largest table, unpacked.
const MAX_TABLE: u64 = 64 * 1024 * 1024;

/// How a service's messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// JSON 1.0 and 1.1, the operation in `X-Amz-Target`.
    Json,
    /// A form, the operation in `Action`; answers in XML.
    Query,
    /// EC2's dialect of it.
    Ec2,
    /// JSON bodies; method and path say which operation.
    RestJson,
    /// XML bodies; method and path say which operation.
    RestXml,
    /// CBOR, the operation in the path (`/service/…/operation/…`).
    Cbor,
}

/// A service in one of its versions.
#[derive(Debug)]
pub struct AwsService {
    /// botocore's name of it, which is unique: `ec2`, `s3control`, `sesv2`.
    pub key: String,
    /// The name in credential scopes: `ec2`, `s3`, `ses`.
    pub signing_name: String,
    /// The first label of its host name.
    pub endpoint_prefix: String,
    /// The protocols that its model names, the first choice first.
    pub protocols: Vec<Protocol>,
    /// `2016-11-15`
    pub api_version: String,
    /// What stands before the dot in `X-Amz-Target`.
    pub target_prefix: Option<String>,
    /// Names of members, as on the wire, whose values are secret or private: the model marks them sensitive.
    pub sensitive: HashSet<String>,
    /// What its members hold.
    pub kinds: Kinds,
    /// Operations by name.
    pub operations: HashMap<String, Arc<AwsOperation>>,
}

/// An operation of a service.
#[derive(Debug)]
pub struct AwsOperation {
    /// `CreateUser`
    pub name: String,
    /// `GET`, …; REST only.
    pub method: String,
    /// Whether the model says that it is going away.
    pub deprecated: bool,
    /// The path with its labels, `/2015-03-31/functions/{FunctionName}`; REST only.
    pub path: String,
    /// Whether the request's body is a stream of bytes or events (`PutObject`): not to be read.
    pub streams_in: bool,
    /// Whether the reply's body is one.
    pub streams_out: bool,
    /// Members that a request must have: `?name` in its query, `name` in its headers; REST only.
    pub required: Vec<String>,
    /// Whether it is younger than EC2's API of 2015-03-01, since when its records have another shape.
    pub young: bool,
    /// Members that are sensitive in this operation only, dotted: `Command.Parameters`.
    pub secret: Vec<String>,
}

/// Why a table of operations cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum CatalogError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("line {line}: {why}")]
    Line { line: usize, why: &'static str },
}

/// All services and operations.
#[derive(Debug)]
pub struct Catalog {
    by_signing_name: HashMap<String, Vec<Arc<AwsService>>>,
    by_target: HashMap<String, Vec<Arc<AwsService>>>,
    by_operation: HashMap<String, Vec<Arc<AwsService>>>,
    /// By signing name.
    routes: HashMap<String, Vec<Route>>,
}

impl Catalog {
    /// The table in the binary, read once.
    ///
    /// # Errors
    /// None, unless the build is broken.
    pub fn embedded() -> Result<Arc<Catalog>, CatalogError> {
        static READ: OnceLock<Arc<Catalog>> = OnceLock::new();
        if let Some(catalog) = READ.get() {
            return Ok(Arc::clone(catalog));
        }
        let catalog = Arc::new(Catalog::read(EMBEDDED)?);
        Ok(Arc::clone(READ.get_or_init(|| catalog)))
    }

    /// A table as `generate.py` writes it, packed or not.
    ///
    /// # Errors
    /// It is damaged, or no such table.
    pub fn read(bytes: &[u8]) -> Result<Catalog, CatalogError> {
        let mut text = String::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            GzDecoder::new(bytes).take(MAX_TABLE).read_to_string(&mut text)?;
        } else {
            bytes.take(MAX_TABLE).read_to_string(&mut text)?;
        }
        let mut services: Vec<AwsService> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let wrong = |why| CatalogError::Line { line: number + 1, why };
            let cells: Vec<&str> = line.split('\t').collect();
            match cells.as_slice() {
                ["#", ..] | [""] => {}
                ["S", key, signing_name, endpoint_prefix, protocols, api_version, target, sensitive] => {
                    services.push(AwsService {
                        key: (*key).to_owned(),
                        signing_name: (*signing_name).to_owned(),
                        endpoint_prefix: (*endpoint_prefix).to_owned(),
                        protocols: protocols.split(',').filter_map(Protocol::of).collect(),
                        api_version: (*api_version).to_owned(),
                        target_prefix: Some((*target).to_owned()).filter(|target| !target.is_empty()),
                        sensitive: kinds::names(sensitive),
                        kinds: Kinds::default(),
                        operations: HashMap::new(),
                    });
                }
                ["T", cells @ ..] => {
                    let service = services.last_mut().ok_or(wrong("members without a service"))?;
                    service.kinds = Kinds::read(cells).ok_or(wrong("members come in six lists"))?;
                }
                ["O", name, rest @ ..] => {
                    let service = services.last_mut().ok_or(wrong("an operation without a service"))?;
                    let (method, path, flags, required, secret) = match rest {
                        [] => ("", "", "0", "", ""),
                        [method, path, flags, required, secret] => {
                            (*method, *path, *flags, *required, *secret)
                        }
                        _ => return Err(wrong("an operation has a name alone, or five cells more")),
                    };
                    let flags: u8 = flags.parse().map_err(|_| wrong("flags are not a number"))?;
                    let operation = AwsOperation {
                        name: (*name).to_owned(),
                        method: method.to_owned(),
                        path: path.to_owned(),
                        deprecated: flags & 1 != 0,
                        streams_in: flags & 2 != 0,
                        streams_out: flags & 4 != 0,
                        young: flags & 8 != 0,
                        required: kinds::names(required),
                        secret: kinds::names(secret),
                    };
                    service.operations.insert((*name).to_owned(), Arc::new(operation));
                }
                _ => return Err(wrong("neither a service nor an operation")),
            }
        }
        Ok(Catalog::index(services))
    }

    fn index(services: Vec<AwsService>) -> Catalog {
        let mut catalog = Catalog {
            by_signing_name: HashMap::new(),
            by_target: HashMap::new(),
            by_operation: HashMap::new(),
            routes: HashMap::new(),
        };
        for service in services {
            let service = Arc::new(service);
            let name = service.signing_name.clone();
            if let Some(target) = &service.target_prefix {
                let last = target.rsplit('.').next().unwrap_or(target);
                catalog.by_target.entry(last.to_owned()).or_default().push(Arc::clone(&service));
            }
            for operation in service.operations.values() {
                catalog.by_operation.entry(operation.name.clone()).or_default().push(Arc::clone(&service));
                if !operation.path.is_empty() {
                    catalog.routes.entry(name.clone()).or_default().push(Route::new(&service, operation));
                }
            }
            catalog.by_signing_name.entry(name).or_default().push(service);
        }
        for services in catalog.by_signing_name.values_mut() {
            // Twins (rds, docdb, neptune): the one that has the name stands for all.
            services.sort_by_key(|service| (service.key != service.signing_name, service.key.clone()));
        }
        for routes in catalog.routes.values_mut() {
            routes.sort_by(Route::order);
        }
        catalog
    }

    /// The services that sign with this name, the one of that name first.
    pub fn signing_as(&self, name: &str) -> &[Arc<AwsService>] {
        self.by_signing_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// The services whose `X-Amz-Target` begins like this; only what follows the last dot counts.
    pub fn targeted_by(&self, prefix: &str) -> &[Arc<AwsService>] {
        let last = prefix.rsplit('.').next().unwrap_or(prefix);
        self.by_target.get(last).map_or(&[], Vec::as_slice)
    }

    /// The services that have an operation of this name.
    pub fn offering(&self, operation: &str) -> &[Arc<AwsService>] {
        self.by_operation.get(operation).map_or(&[], Vec::as_slice)
    }

    /// The REST operation that fits a request best, with the labels of its path.
    pub fn route(&self, signing_name: &str, request: &Request<'_>) -> Option<routes::Fit> {
        routes::best(self.routes.get(signing_name)?, request)
    }
}

impl Protocol {
    fn of(name: &str) -> Option<Protocol> {
        Some(match name {
            "json" => Protocol::Json,
            "query" => Protocol::Query,
            "ec2" => Protocol::Ec2,
            "rest-json" => Protocol::RestJson,
            "rest-xml" => Protocol::RestXml,
            "smithy-rpc-v2-cbor" => Protocol::Cbor,
            _ => return None,
        })
    }
}
