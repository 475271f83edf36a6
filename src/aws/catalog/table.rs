//! The table of AWS's services and operations, as `generate.py` writes it: tab-separated text, described there.
//!
//! It is large, and most of it is never asked for: the lines of a service are read when something is asked of it.

use super::kinds::{self, Kinds};
use crate::aws::protocol::Protocol;
use crate::domain::category::Category;
use crate::domain::event_facts::EventFacts;
use flate2::read::GzDecoder;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The largest table, unpacked.
const MAX_TABLE: u64 = 64 * 1024 * 1024;

/// A service in one of its versions.
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
    /// `eventSource` of its calls: `monitoring.amazonaws.com`.
    pub event_source: String,
    /// Other names in credential scopes, and what `eventSource` is then.
    pub also: Vec<(String, String)>,
    /// Whether some of its operations come without a signature, or with a bearer token; REST only.
    pub takes_unsigned: bool,
    details: OnceLock<Details>,
    table: Arc<str>,
    lines: Range<usize>,
}

/// What is read of a service when it is asked for.
#[derive(Debug, Default)]
struct Details {
    sensitive: HashSet<String>,
    kinds: Kinds,
    operations: HashMap<String, Arc<AwsOperation>>,
    events: HashMap<String, EventFacts>,
}

/// An operation of a service.
#[derive(Debug)]
pub struct AwsOperation {
    /// `CreateUser`
    pub name: String,
    /// `eventName` of its calls: `CreateFunction20150331`.
    pub event_name: String,
    /// `GET`, …; REST only.
    pub method: String,
    /// The path with its labels, `/2015-03-31/functions/{FunctionName}`; REST only.
    pub path: String,
    /// What a request must have: `?name` in its query, `name` in its headers, `@name` signed for that; REST only.
    pub required: Vec<String>,
    /// What kind of event its calls are.
    pub facts: EventFacts,
    /// What their resources are, if they are data events: `AWS::S3::Object`.
    pub data_resource_type: Option<Arc<str>>,
    /// Whether the model says that it is going away.
    pub deprecated: bool,
    /// Whether the request's body is a stream of bytes or events (`PutObject`): not to be read.
    pub streams_in: bool,
    /// Whether the reply's body is one.
    pub streams_out: bool,
    /// Whether it comes without a signature, or with a bearer token; REST only.
    pub is_unsigned: bool,
    /// Whether it is younger than EC2's API of 2015-03-01, since when its records have another shape.
    pub young: bool,
    /// Members whose values records of this operation hide, dotted: `Command.Parameters`.
    pub secret: Vec<String>,
    /// Members that they do not have at all.
    pub dropped: Vec<String>,
}

/// Why a table of operations cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum TableError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("line {line}: {why}")]
    Line { line: usize, why: &'static str },
    #[error("it has no services: not a table of operations")]
    Empty,
}

/// A table that has been unpacked.
#[derive(Default)]
pub(super) struct Table {
    /// What it was made from: `botocore 1.44.8`.
    pub(super) origin: String,
    /// The day on which it was made: `2026-11-25`.
    pub(super) made: String,
    /// In the order of the table.
    pub(super) services: Vec<Arc<AwsService>>,
}

impl Table {
    /// Unpacks a table, packed or not, and finds the services in it.
    pub(super) fn read(bytes: &[u8]) -> Result<Table, TableError> {
        let mut text = String::new();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            GzDecoder::new(bytes).take(MAX_TABLE).read_to_string(&mut text)?;
        } else {
            bytes.take(MAX_TABLE).read_to_string(&mut text)?;
        }
        let text: Arc<str> = text.into();
        let mut table = Table::default();
        let (mut begin, mut service) = (0, None);
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let end = begin + line.len();
            let cells = cells(line);
            match cells.as_slice() {
                ["#", origin, made] if number == 0 => {
                    (table.origin, table.made) = ((*origin).to_owned(), (*made).to_owned());
                }
                ["S", ..] => {
                    table.services.extend(service.take().map(Arc::new));
                    let wrong = TableError::Line { line: number + 1, why: "a service has ten cells" };
                    service = Some(AwsService::new(&cells, &text, end).ok_or(wrong)?);
                }
                _ => match &mut service {
                    Some(service) => service.lines.end = end,
                    None => {
                        let why = "it does not belong to a service";
                        return Err(TableError::Line { line: number + 1, why });
                    }
                },
            }
            begin = end;
        }
        table.services.extend(service.map(Arc::new));
        if table.services.is_empty() { Err(TableError::Empty) } else { Ok(table) }
    }

    /// Reads everything in it, as somebody else has made it.
    pub(super) fn check(&self) -> Result<(), TableError> {
        for service in &self.services {
            Details::read(service).map_err(|(within, why)| {
                let line = service.table[..service.lines.start].lines().count() + within + 1;
                TableError::Line { line, why }
            })?;
        }
        Ok(())
    }
}

impl fmt::Debug for AwsService {
    /// Short: the whole table hangs on it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsService").field("key", &self.key).finish_non_exhaustive()
    }
}

impl AwsService {
    fn new(cells: &[&str], table: &Arc<str>, begin: usize) -> Option<AwsService> {
        let [
            _,
            key,
            signing_name,
            endpoint_prefix,
            protocols,
            api_version,
            target,
            source,
            also,
            unsigned,
            _,
        ] = cells
        else {
            return None;
        };
        let also = also.split(',').filter_map(|pair| pair.split_once('='));
        let source = if source.is_empty() { signing_name } else { source };
        Some(AwsService {
            key: (*key).to_owned(),
            signing_name: (*signing_name).to_owned(),
            endpoint_prefix: (*endpoint_prefix).to_owned(),
            protocols: protocols.split(',').filter_map(protocol).collect(),
            api_version: (*api_version).to_owned(),
            target_prefix: Some((*target).to_owned()).filter(|target| !target.is_empty()),
            event_source: event_source(source),
            also: also.map(|(name, source)| (name.to_owned(), event_source(source))).collect(),
            takes_unsigned: *unsigned == "unsigned",
            details: OnceLock::new(),
            table: Arc::clone(table),
            lines: begin..begin,
        })
    }

    /// Whether its operations are called by name.
    pub fn is_rpc(&self) -> bool {
        !self.protocols.iter().all(is_rest)
    }

    /// Whether some are called by method and path.
    pub fn has_paths(&self) -> bool {
        self.protocols.iter().any(is_rest)
    }

    /// Whether its operations come as forms: SQS's still do, though its model has another protocol today.
    pub fn takes_forms(&self) -> bool {
        self.key == "sqs"
            || self.protocols.iter().any(|protocol| matches!(protocol, Protocol::Query | Protocol::Ec2))
    }

    /// Its operations by name.
    pub fn operations(&self) -> &HashMap<String, Arc<AwsOperation>> {
        &self.details().operations
    }

    /// What kind of event one with this `eventName` is; `None` for a name that is not known.
    pub fn event(&self, event_name: &str) -> Option<EventFacts> {
        self.details().events.get(event_name).copied()
    }

    /// Names of members, as on the wire, whose values are secret or private: the model marks them sensitive.
    pub fn sensitive(&self) -> &HashSet<String> {
        &self.details().sensitive
    }

    /// What its members hold.
    pub fn kinds(&self) -> &Kinds {
        &self.details().kinds
    }

    fn details(&self) -> &Details {
        self.details.get_or_init(|| {
            // What is in the binary is tested, and what comes from a file has been checked.
            Details::read(self).unwrap_or_else(|(_, why)| {
                tracing::error!(service = self.key, why, "the table of operations cannot be read");
                Details::default()
            })
        })
    }
}

impl Details {
    /// Reads the lines of a service; else the number of a line, from 0, and what is wrong with it.
    fn read(service: &AwsService) -> Result<Details, (usize, &'static str)> {
        let before = &service.table[..service.lines.start];
        let first = before.lines().next_back().map(cells).unwrap_or_default();
        let mut details = Details {
            sensitive: first.last().map(|cell| kinds::names(cell)).unwrap_or_default(),
            ..Details::default()
        };
        let mut names: HashMap<&str, &str> = HashMap::new();
        let mut data: HashMap<&str, Arc<str>> = HashMap::new();
        for (number, line) in service.table[service.lines.clone()].lines().enumerate() {
            let wrong = |why| (number, why);
            match cells(line).as_slice() {
                ["T", cells @ ..] => {
                    details.kinds = Kinds::read(cells).ok_or(wrong("members come in seven lists"))?;
                }
                ["N", pairs @ ..] => {
                    for pair in pairs {
                        let (name, event) = pair.split_once('=').ok_or(wrong("a name has no event"))?;
                        names.insert(name, event);
                    }
                }
                ["D", resource_type, operations @ ..] => {
                    let resource_type: Arc<str> = (*resource_type).into();
                    data.extend(operations.iter().map(|name| (*name, Arc::clone(&resource_type))));
                }
                [letter @ ("E" | "F"), events @ ..] => {
                    let facts = |name: &str| facts(*letter == "F", data.contains_key(name));
                    details.events.extend(events.iter().map(|name| ((*name).to_owned(), facts(name))));
                }
                [letter @ ("O" | "R"), name, rest @ ..] => {
                    let mut operation = AwsOperation::read(name, rest).map_err(wrong)?;
                    operation.data_resource_type = data.get(name).cloned();
                    operation.facts = facts(*letter == "R", operation.data_resource_type.is_some());
                    if let Some(event_name) = names.get(name) {
                        operation.event_name = (*event_name).to_owned();
                    }
                    details.events.insert(operation.event_name.clone(), operation.facts);
                    details.operations.insert(operation.name.clone(), Arc::new(operation));
                }
                [""] => {}
                _ => return Err(wrong("neither a service nor an operation")),
            }
        }
        Ok(details)
    }
}

impl AwsOperation {
    fn read(name: &str, rest: &[&str]) -> Result<AwsOperation, &'static str> {
        let (method, path, flags, required, secret) = match rest {
            [] => ("", "", "0", "", ""),
            [method, path, flags, required, secret] => (*method, *path, *flags, *required, *secret),
            _ => return Err("an operation has a name alone, or five cells more"),
        };
        let (dropped, secret): (Vec<String>, _) =
            kinds::names::<Vec<String>>(secret).into_iter().partition(|name| name.starts_with('-'));
        let flags: u8 = flags.parse().map_err(|_| "flags are not a number")?;
        Ok(AwsOperation {
            name: name.to_owned(),
            event_name: name.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            required: kinds::names(required),
            facts: EventFacts::by_name(name),
            data_resource_type: None,
            deprecated: flags & 1 != 0,
            streams_in: flags & 2 != 0,
            streams_out: flags & 4 != 0,
            young: flags & 8 != 0,
            is_unsigned: flags & 16 != 0,
            dropped: dropped.iter().map(|name| name[1..].to_owned()).collect(),
            secret,
        })
    }
}

fn protocol(name: &str) -> Option<Protocol> {
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

fn is_rest(protocol: &Protocol) -> bool {
    matches!(protocol, Protocol::RestJson | Protocol::RestXml)
}

fn event_source(first_label: &str) -> String {
    format!("{first_label}.amazonaws.com")
}

fn facts(read_only: bool, is_data: bool) -> EventFacts {
    EventFacts { read_only, category: if is_data { Category::Data } else { Category::Management } }
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_end_matches(['\n', '\r']).split('\t').collect()
}
