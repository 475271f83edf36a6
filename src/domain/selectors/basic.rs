//! Basic event selectors: their rules.

use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::region::Region;
use crate::domain::text::invalid_value;
use crate::error::{ApiError, ApiResult, Code};
use serde::{Deserialize, Serialize};

/// Selectors that a trail may have.
const MAX_SELECTORS: usize = 5;

/// Values of all data resources of a trail together.
const MAX_VALUES: usize = 250;

/// The services whose management events can be left out.
pub(super) const EXCLUDABLE_SOURCES: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

/// Management events that only read, only those that change something, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are CloudTrail's own")]
pub enum ReadWriteType {
    ReadOnly,
    WriteOnly,
    All,
}

/// A selector, complete. AWS answers all four members (observed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventSelector {
    /// Goes for management and data events.
    pub read_write_type: ReadWriteType,
    /// Whether it chooses management events.
    pub include_management_events: bool,
    /// The data events that it chooses.
    pub data_resources: Vec<DataResource>,
    /// Services whose management events it does not choose.
    pub exclude_management_event_sources: Vec<String>,
}

/// Resources whose data events a selector chooses. Values are kept as they were given, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DataResource {
    /// `AWS::S3::Object`, `AWS::Lambda::Function` or `AWS::DynamoDB::Table`
    #[serde(rename = "Type")]
    pub resource_type: DataResourceType,
    /// ARNs, for S3 also their beginnings.
    pub values: Vec<String>,
}

/// What has data events that basic selectors can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DataResourceType {
    #[serde(rename = "AWS::S3::Object")]
    S3Object,
    #[serde(rename = "AWS::Lambda::Function")]
    LambdaFunction,
    #[serde(rename = "AWS::DynamoDB::Table")]
    DynamoDbTable,
}

/// A selector as it is asked for.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventSelectorInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_write_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    include_management_events: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_resources: Option<Vec<DataResourceInput>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exclude_management_event_sources: Option<Vec<String>>,
}

/// A data resource as it is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataResourceInput {
    #[serde(default, rename = "Type", skip_serializing_if = "Option::is_none")]
    resource_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    values: Option<Vec<String>>,
}

impl Default for EventSelector {
    fn default() -> EventSelector {
        EventSelector {
            read_write_type: ReadWriteType::All,
            include_management_events: true,
            data_resources: Vec::new(),
            exclude_management_event_sources: Vec::new(),
        }
    }
}

impl ReadWriteType {
    fn parse(text: &str) -> ApiResult<ReadWriteType> {
        match text {
            "ReadOnly" => Ok(ReadWriteType::ReadOnly),
            "WriteOnly" => Ok(ReadWriteType::WriteOnly),
            "All" => Ok(ReadWriteType::All),
            other => Err(invalid(invalid_value(other, "ReadWriteType"))),
        }
    }

    /// The value of `readOnly` that is chosen; `None` for both.
    pub(super) const fn read_only(self) -> Option<bool> {
        match self {
            ReadWriteType::ReadOnly => Some(true),
            ReadWriteType::WriteOnly => Some(false),
            ReadWriteType::All => None,
        }
    }
}

impl DataResourceType {
    /// The type as records and selectors spell it.
    pub const fn name(self) -> &'static str {
        match self {
            DataResourceType::S3Object => "AWS::S3::Object",
            DataResourceType::LambdaFunction => "AWS::Lambda::Function",
            DataResourceType::DynamoDbTable => "AWS::DynamoDB::Table",
        }
    }

    fn parse(text: &str) -> ApiResult<DataResourceType> {
        [DataResourceType::S3Object, DataResourceType::LambdaFunction, DataResourceType::DynamoDbTable]
            .into_iter()
            .find(|kind| kind.name() == text)
            // Observed.
            .ok_or_else(|| {
                let why = invalid_value(text, "DataResources.Type");
                invalid(format!(
                    "{why} Valid values are: AWS::DynamoDB::Table, AWS::Lambda::Function, AWS::S3::Object"
                ))
            })
    }

    const fn service(self) -> &'static str {
        match self {
            DataResourceType::S3Object => "s3",
            DataResourceType::LambdaFunction => "lambda",
            DataResourceType::DynamoDbTable => "dynamodb",
        }
    }

    /// Whether `value` stands for all resources of the type: `arn:aws:s3`, which AWS also takes as `arn:aws:s3:::`
    /// (observed), `arn:aws:lambda`, `arn:aws:dynamodb`.
    pub(super) fn means_all(self, value: &str) -> bool {
        let value = match self {
            DataResourceType::S3Object => value.strip_suffix(":::").unwrap_or(value),
            _ => value,
        };
        let mut parts = value.split(':');
        parts.next() == Some("arn")
            && parts.next().is_some_and(is_partition)
            && parts.next() == Some(self.service())
            && parts.next().is_none()
    }

    fn is_valid(self, value: &str) -> bool {
        if self.means_all(value) {
            return true;
        }
        let Some(arn) = ArnParts::split(value).filter(|arn| is_partition(arn.partition)) else {
            return false;
        };
        let named = |name: &str, also: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        let regional = Region::parse(arn.region).is_some() && AccountId::parse(arn.account).is_some();
        arn.service == self.service()
            && match self {
                // A bucket, a slash, and how keys begin.
                DataResourceType::S3Object => {
                    let bucket = arn.resource.split_once('/').map(|(bucket, _)| bucket);
                    arn.region.is_empty()
                        && arn.account.is_empty()
                        && bucket.is_some_and(|name| named(name, ".-_"))
                }
                DataResourceType::LambdaFunction => {
                    let name = arn.resource.strip_prefix("function:");
                    regional && name.is_some_and(|name| named(name, "-_:$"))
                }
                DataResourceType::DynamoDbTable => {
                    let name = arn.resource.strip_prefix("table/");
                    regional && name.is_some_and(|name| named(name, ".-_"))
                }
            }
    }
}

pub(super) fn invalid(why: impl Into<String>) -> ApiError {
    Code::InvalidEventSelectorsException.because(why.into())
}

fn is_partition(text: &str) -> bool {
    text == "aws" || text.starts_with("aws-")
}

/// Checks selectors and fills in what was left out.
pub(super) fn parse(given: Vec<EventSelectorInput>) -> ApiResult<Vec<EventSelector>> {
    if !(1..=MAX_SELECTORS).contains(&given.len()) {
        // Observed for an empty list.
        return Err(invalid("Specify a valid number of selectors (1 to 5) for your trail"));
    }
    let selectors = given.into_iter().map(EventSelectorInput::parse).collect::<ApiResult<Vec<_>>>()?;
    let resources = selectors.iter().flat_map(|selector| &selector.data_resources);
    let values: usize = resources.map(DataResource::counted).sum();
    if values > MAX_VALUES {
        // Observed.
        return Err(invalid(format!(
            "Specify a valid number of DataResources.Values (0 to {MAX_VALUES}) for all your selectors"
        )));
    }
    Ok(selectors)
}

impl EventSelectorInput {
    fn parse(self) -> ApiResult<EventSelector> {
        let default = EventSelector::default();
        let read_write_type = self.read_write_type.as_deref().map(ReadWriteType::parse).transpose()?;
        let data_resources = self.data_resources.unwrap_or_default();
        let selector = EventSelector {
            read_write_type: read_write_type.unwrap_or(default.read_write_type),
            include_management_events: self
                .include_management_events
                .unwrap_or(default.include_management_events),
            data_resources: data_resources
                .into_iter()
                .map(DataResourceInput::parse)
                .collect::<ApiResult<_>>()?,
            exclude_management_event_sources: self.exclude_management_event_sources.unwrap_or_default(),
        };
        let excluded = &selector.exclude_management_event_sources;
        if let Some(source) = excluded.iter().find(|source| !EXCLUDABLE_SOURCES.contains(&source.as_str())) {
            return Err(invalid(invalid_value(source, "ExcludeManagementEventSources")));
        }
        if !excluded.is_empty() && !selector.include_management_events {
            return Err(invalid(
                "ExcludeManagementEventSources can be set only where IncludeManagementEvents is true.",
            ));
        }
        Ok(selector)
    }
}

impl DataResourceInput {
    fn parse(self) -> ApiResult<DataResource> {
        let resource_type = DataResourceType::parse(self.resource_type.as_deref().unwrap_or_default())?;
        let values = self.values.unwrap_or_default();
        if values.is_empty() {
            return Err(invalid(format!(
                "Specify values of {} for DataResources.Values.",
                resource_type.name()
            )));
        }
        match values.iter().find(|value| !resource_type.is_valid(value)) {
            Some(value) => Err(invalid(invalid_value(value, "DataResources.Values"))),
            None => Ok(DataResource { resource_type, values }),
        }
    }
}

impl DataResource {
    /// Values that count against the limit: those that stand for all resources do not.
    fn counted(&self) -> usize {
        self.values.iter().filter(|value| !self.resource_type.means_all(value)).count()
    }
}
