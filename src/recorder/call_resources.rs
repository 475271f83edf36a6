//! The `resources` of a forwarded call's record, for the services whose records have them, and of every data event, as
//! selectors of data events ask for them.
//!
//! ARNs are made by the rules of each service (service authorization reference, "resource types defined by"). Where a call
//! does not name what it is about (`ListQueues`), the type of a data event stands alone.

use crate::aws::identify::Identified;
use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::category::Category;
use crate::domain::record::RecordResource;
use crate::domain::region::Region;
use crate::recorder::content::ReadReply;
use serde_json::Value;
use std::collections::BTreeSet;

/// How a service's calls name what they are about.
struct Naming {
    /// The service's key in the catalog.
    service: &'static str,
    /// The calls that it is for.
    calls: Calls,
    /// The members of `requestParameters` that can hold a name, names or an ARN; the first that is there counts.
    members: &'static [&'static str],
    /// What stands between the account and the name in its ARN; `None` where members hold whole ARNs only.
    before_name: Option<&'static str>,
}

/// Calls of a service that are about something.
enum Calls {
    /// Those that make data events; what they are about has the type that the catalog says.
    Data,
    /// All others, or these of them; the type is left out where AWS leaves it out.
    Management { resource_type: Option<&'static str>, operations: &'static [&'static str] },
}

const NAMINGS: &[Naming] = &[
    Naming::of_data("lambda", &["functionName"], Some("function:")),
    Naming::of_data("dynamodb", &["tableName"], Some("table/")),
    Naming::of_data("dynamodbstreams", &["streamArn"], None),
    Naming::of_data("sqs", &["queueUrl", "queueName"], Some("")),
    Naming::of_data("sns", &["topicArn", "targetArn"], None),
    Naming::of_data("kinesis", &["streamARN", "streamName"], Some("stream/")),
    Naming::of_data("firehose", &["deliveryStreamName"], Some("deliverystream/")),
    Naming::of_data("stepfunctions", &["stateMachineArn", "activityArn"], None),
    Naming::of_data("cognito-identity", &["identityPoolId"], Some("identitypool/")),
    Naming::of_data("rds-data", &["resourceArn"], None),
    Naming::of_data("logs", &["logGroupName", "logGroupIdentifier"], Some("log-group:")),
    Naming::of_data("events", &["eventBusName"], Some("event-bus/")),
    Naming {
        service: "kms",
        calls: Calls::Management { resource_type: Some("AWS::KMS::Key"), operations: &[] },
        members: &["keyId", "targetKeyId"],
        before_name: Some("key/"),
    },
    Naming {
        service: "sts",
        calls: Calls::Management { resource_type: Some("AWS::IAM::Role"), operations: &[] },
        members: &["roleArn"],
        before_name: None,
    },
    Naming {
        service: "ssm",
        calls: Calls::Management {
            resource_type: None,
            operations: &[
                "DeleteParameter",
                "DeleteParameters",
                "GetParameter",
                "GetParameters",
                "PutParameter",
            ],
        },
        members: &["name", "names"],
        before_name: Some("parameter/"),
    },
    Naming {
        service: "ecr",
        calls: Calls::Management { resource_type: None, operations: &[] },
        members: &["repositoryName"],
        before_name: Some("repository/"),
    },
];

/// The resources of a call by an account in a region; `request` is what its record has of its parameters.
pub(super) fn of_call(
    call: &Identified,
    request: Option<&Value>,
    reply: Option<&ReadReply<'_>>,
    (account, region): (&AccountId, &Region),
) -> Vec<RecordResource> {
    if call.service.key == "s3" {
        return of_s3(call, request, account);
    }
    let is_data = call.facts().category == Category::Data;
    let naming = NAMINGS.iter().find(|naming| naming.is_for(call));
    let resource_type = match naming.map(|naming| &naming.calls) {
        Some(Calls::Management { resource_type, .. }) => *resource_type,
        _ => call.known.as_ref().and_then(|known| known.data_resource_type.as_deref()),
    };
    let resource = |arn: Option<String>| {
        let owner = arn.as_deref().and_then(ArnParts::split).and_then(|arn| AccountId::parse(arn.account));
        let account_id = Some(owner.unwrap_or_else(|| account.clone()));
        let resource_type = resource_type.map(str::to_owned);
        RecordResource { account_id, resource_type, arn, ..RecordResource::default() }
    };
    let names = naming.map(|naming| (naming, names(naming, request, reply)));
    let arns: BTreeSet<String> = names
        .iter()
        .flat_map(|(naming, names)| names.iter().filter_map(|name| naming.arn(name, account, region)))
        .collect();
    if arns.is_empty() && is_data && resource_type.is_some() {
        return vec![resource(None)];
    }
    arns.into_iter().map(|arn| resource(Some(arn))).collect()
}

fn of_s3(call: &Identified, request: Option<&Value>, account: &AccountId) -> Vec<RecordResource> {
    let Some(bucket) = label(call, "Bucket").filter(|_| call.operation != "CreateBucket") else {
        return Vec::new();
    };
    let arn = format!("arn:aws:s3:::{bucket}");
    let object = |arn: Option<String>, arn_prefix: Option<String>| RecordResource {
        resource_type: Some("AWS::S3::Object".to_owned()),
        arn,
        arn_prefix,
        ..RecordResource::default()
    };
    let is_data = call.facts().category == Category::Data;
    let objects = match label(call, "Key") {
        Some(key) => Some(object(Some(format!("{arn}/{key}")), None)),
        // A data event that is about a whole bucket is about all objects in it.
        None if is_data => {
            let prefix = request.and_then(|request| request["prefix"].as_str()).unwrap_or_default();
            Some(object(None, Some(format!("{arn}/{prefix}"))))
        }
        None => None,
    };
    let bucket = RecordResource {
        account_id: Some(account.clone()),
        resource_type: Some("AWS::S3::Bucket".to_owned()),
        arn: Some(arn),
        ..RecordResource::default()
    };
    objects.into_iter().chain([bucket]).collect()
}

fn label<'a>(call: &'a Identified, name: &str) -> Option<&'a str> {
    call.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
}

impl Naming {
    const fn of_data(
        service: &'static str,
        members: &'static [&'static str],
        before_name: Option<&'static str>,
    ) -> Naming {
        Naming { service, calls: Calls::Data, members, before_name }
    }

    fn is_for(&self, call: &Identified) -> bool {
        let is_data = call.facts().category == Category::Data;
        self.service == call.service.key
            && match &self.calls {
                Calls::Data => is_data,
                Calls::Management { operations, .. } => {
                    !is_data && (operations.is_empty() || operations.contains(&call.operation.as_str()))
                }
            }
    }

    /// `name` can be an ARN, the URL of a queue, or a name.
    fn arn(&self, name: &str, account: &AccountId, region: &Region) -> Option<String> {
        if ArnParts::split(name).is_some() {
            // A version or an alias of a function is not part of the function.
            let parts = if self.service == "lambda" { 7 } else { usize::MAX };
            return Some(name.split(':').take(parts).collect::<Vec<_>>().join(":"));
        }
        let before = self.before_name?;
        let (mut owner, mut short) = (account.to_string(), name);
        match self.service {
            "sqs" => {
                let mut parts = name.trim_end_matches('/').rsplit('/');
                short = parts.next()?;
                owner = parts.next().and_then(AccountId::parse).map_or(owner, |account| account.to_string());
            }
            "lambda" => {
                // `name`, `name:alias`, `account:function:name`
                if let Some((account, rest)) = name.split_once(":function:") {
                    (owner, short) = (account.to_owned(), rest);
                }
                short = short.split(':').next()?;
            }
            // Which key an alias stands for is not known.
            "kms" if name.starts_with("alias/") => return None,
            "ssm" => short = name.trim_start_matches('/'),
            _ => {}
        }
        let service = self.service;
        (!short.is_empty()).then(|| format!("arn:aws:{service}:{region}:{owner}:{before}{short}"))
    }
}

/// The values of the members that name something, wherever the call has them.
fn names(naming: &Naming, request: Option<&Value>, reply: Option<&ReadReply<'_>>) -> Vec<String> {
    let answered = reply.filter(|_| naming.service == "kms").and_then(answered_key);
    if let Some(arn) = answered {
        return vec![arn];
    }
    let value = |member: &&str| request.map(|request| &request[*member]).filter(|value| !value.is_null());
    match naming.members.iter().find_map(value) {
        Some(Value::String(name)) => return vec![name.clone()],
        Some(names) => return texts(names).collect(),
        None => {}
    }
    let none = Value::Null;
    let request = request.unwrap_or(&none);
    let items = |name: &str| request[name].as_array().into_iter().flatten();
    match naming.service {
        "dynamodb" => {
            let tables = request["requestItems"].as_object();
            let tables = tables.into_iter().flat_map(|tables| tables.keys().cloned());
            let actions =
                items("transactItems").filter_map(Value::as_object).flat_map(|action| action.values());
            tables
                .chain(actions.filter_map(|action| action["tableName"].as_str().map(str::to_owned)))
                .collect()
        }
        "events" => items("entries")
            .map(|entry| entry["eventBusName"].as_str().unwrap_or("default").to_owned())
            .collect(),
        _ => Vec::new(),
    }
}

fn texts(names: &Value) -> impl Iterator<Item = String> {
    names.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned))
}

/// The ARN of the key that KMS has used: the call may have named it by an alias, or not at all.
fn answered_key(reply: &ReadReply<'_>) -> Option<String> {
    let answer = reply.content.json()?;
    let named = [&answer["KeyId"], &answer["KeyMetadata"]["Arn"]];
    named.into_iter().filter_map(Value::as_str).find(|arn| ArnParts::split(arn).is_some()).map(str::to_owned)
}
