//! The `resources` of a forwarded call's record. They are what selectors of data events ask for.
//!
//! Written are those of S3's calls, and of every data event the one that it is about, by the rules that resource names of
//! each service follow (service authorization reference, "resource types defined by"). Where the call does not name it
//! (`ListQueues`), or in a form that is not read, its type stands alone.

use crate::domain::account_id::AccountId;
use crate::domain::arn::ArnParts;
use crate::domain::record::RecordResource;
use crate::domain::region::Region;
use crate::recorder::exchange::Exchange;
use crate::recorder::identify::{Identified, pairs};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};

/// How a service's calls name what their data events are about.
struct Naming {
    /// The service's key in the catalog.
    service: &'static str,
    /// The members that can hold a name or an ARN; the first that is there counts.
    members: &'static [&'static str],
    /// What stands between the account and the name in its ARN; `None` where members hold whole ARNs only.
    before_name: Option<&'static str>,
}

const NAMINGS: &[Naming] = &[
    Naming { service: "lambda", members: &["FunctionName"], before_name: Some("function:") },
    Naming { service: "dynamodb", members: &["TableName"], before_name: Some("table/") },
    Naming { service: "dynamodbstreams", members: &["StreamArn"], before_name: None },
    Naming { service: "sqs", members: &["QueueUrl", "QueueName"], before_name: Some("") },
    Naming { service: "sns", members: &["TopicArn", "TargetArn"], before_name: None },
    Naming { service: "kinesis", members: &["StreamARN", "StreamName"], before_name: Some("stream/") },
    Naming { service: "firehose", members: &["DeliveryStreamName"], before_name: Some("deliverystream/") },
    Naming { service: "stepfunctions", members: &["stateMachineArn", "activityArn"], before_name: None },
    Naming { service: "cognito-identity", members: &["IdentityPoolId"], before_name: Some("identitypool/") },
    Naming { service: "rds-data", members: &["resourceArn"], before_name: None },
    Naming {
        service: "logs",
        members: &["logGroupName", "logGroupIdentifier"],
        before_name: Some("log-group:"),
    },
    Naming { service: "events", members: &["EventBusName"], before_name: Some("event-bus/") },
];

/// The resources of a call by `account` in `region`.
pub(super) fn of_call(
    call: &Identified,
    exchange: &Exchange,
    account: &AccountId,
    region: &Region,
) -> Vec<RecordResource> {
    if call.service.key == "s3" {
        return of_s3(call, account);
    }
    let Some(resource_type) = call.known.as_ref().and_then(|known| known.data_resource_type.clone()) else {
        return Vec::new();
    };
    let resource = |arn: Option<String>| {
        let owner = arn.as_deref().and_then(ArnParts::split).and_then(|arn| AccountId::parse(arn.account));
        let account_id = Some(owner.unwrap_or_else(|| account.clone()));
        RecordResource { account_id, resource_type: resource_type.to_string(), arn }
    };
    let naming = NAMINGS.iter().find(|naming| naming.service == call.service.key);
    let named = naming.map(|naming| (naming, names(naming, call, exchange)));
    let arns: BTreeSet<String> = named
        .iter()
        .flat_map(|(naming, names)| names.iter().filter_map(|name| naming.arn(name, account, region)))
        .collect();
    if arns.is_empty() {
        return vec![resource(None)];
    }
    arns.into_iter().map(|arn| resource(Some(arn))).collect()
}

fn of_s3(call: &Identified, account: &AccountId) -> Vec<RecordResource> {
    let Some(bucket) = label(call, "Bucket").filter(|_| call.operation != "CreateBucket") else {
        return Vec::new();
    };
    let arn = format!("arn:aws:s3:::{bucket}");
    let object = label(call, "Key").map(|key| RecordResource {
        account_id: None,
        resource_type: "AWS::S3::Object".to_owned(),
        arn: Some(format!("{arn}/{key}")),
    });
    let bucket = RecordResource {
        account_id: Some(account.clone()),
        resource_type: "AWS::S3::Bucket".to_owned(),
        arn: Some(arn),
    };
    object.into_iter().chain([bucket]).collect()
}

fn label<'a>(call: &'a Identified, name: &str) -> Option<&'a str> {
    call.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
}

impl Naming {
    /// `name` can be an ARN, the URL of a queue, or a name.
    fn arn(&self, name: &str, account: &AccountId, region: &Region) -> Option<String> {
        if ArnParts::split(name).is_some() {
            // A version or an alias of a function is not part of the function.
            let parts = if self.service == "lambda" { 7 } else { usize::MAX };
            return Some(name.split(':').take(parts).collect::<Vec<_>>().join(":"));
        }
        let before = self.before_name?;
        let (mut owner, mut short) = (account.to_string(), name);
        if self.service == "sqs" {
            let mut parts = name.trim_end_matches('/').rsplit('/');
            short = parts.next()?;
            owner = parts.next().and_then(AccountId::parse).map_or(owner, |account| account.to_string());
        } else if self.service == "lambda" {
            // `name`, `name:alias`, `account:function:name`
            if let Some((account, rest)) = name.split_once(":function:") {
                (owner, short) = (account.to_owned(), rest);
            }
            short = short.split(':').next()?;
        }
        let service = self.service;
        (!short.is_empty()).then(|| format!("arn:aws:{service}:{region}:{owner}:{before}{short}"))
    }
}

/// The values of the members that name something, wherever the call has them.
fn names(naming: &Naming, call: &Identified, exchange: &Exchange) -> Vec<String> {
    let labelled = naming.members.iter().find_map(|member| label(call, member));
    if let Some(name) = labelled {
        return vec![name.to_owned()];
    }
    let body = exchange.body.whole().unwrap_or_default();
    if let Ok(members) = serde_json::from_slice::<HashMap<String, &RawValue>>(body) {
        return names_in_json(naming, &members);
    }
    let form = [exchange.head.query(), std::str::from_utf8(body).unwrap_or_default()];
    let form: Vec<_> = form.into_iter().flat_map(pairs).collect();
    let value = |member: &&str| form.iter().find(|(name, _)| name == member).map(|(_, value)| value.clone());
    // Older clients ask a queue at its own URL.
    let at_queue = || (naming.service == "sqs").then(|| exchange.head.path().to_owned());
    naming.members.iter().find_map(value).or_else(at_queue).into_iter().collect()
}

fn names_in_json(naming: &Naming, members: &HashMap<String, &RawValue>) -> Vec<String> {
    let parsed = |member: &str| serde_json::from_str::<Value>(members.get(member)?.get()).ok();
    let named = naming.members.iter().find_map(|member| Some(parsed(member)?.as_str()?.to_owned()));
    if let Some(name) = named {
        return vec![name];
    }
    match naming.service {
        "dynamodb" => {
            let tables = parsed("RequestItems").unwrap_or_default();
            let tables = tables.as_object().into_iter().flat_map(|tables| tables.keys().cloned());
            let items = parsed("TransactItems").unwrap_or_default();
            let actions = items.as_array().into_iter().flatten().filter_map(Value::as_object);
            let names = actions.flat_map(|actions| actions.values()).filter_map(|a| a["TableName"].as_str());
            tables.chain(names.map(str::to_owned)).collect()
        }
        "events" => {
            let entries = parsed("Entries").unwrap_or_default();
            let entries = entries.as_array().into_iter().flatten();
            entries.map(|entry| entry["EventBusName"].as_str().unwrap_or("default").to_owned()).collect()
        }
        _ => Vec::new(),
    }
}
