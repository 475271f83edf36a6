//! The resources of data events: no lookup shows these, but people ask what happened to a bucket, a table, a function.

use super::resource::{NamingMembers, Resource};
use crate::domain::text::escape_nul;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;

/// Members of `requestParameters` that name what a data event acts on, by service, with its type. The record's `resources`
/// have ARNs; people look for names.
const NAMES: [(&str, &str, &str); 8] = [
    ("dynamodb", "tableName", "AWS::DynamoDB::Table"),
    ("kinesis", "streamARN", "AWS::Kinesis::Stream"),
    ("kinesis", "streamName", "AWS::Kinesis::Stream"),
    ("lambda", "functionName", "AWS::Lambda::Function"),
    ("s3", "bucketName", "AWS::S3::Bucket"),
    ("sns", "topicArn", "AWS::SNS::Topic"),
    ("sqs", "queueUrl", "AWS::SQS::Queue"),
    ("states", "stateMachineArn", "AWS::StepFunctions::StateMachine"),
];

const S3_OBJECT: &str = "AWS::S3::Object";

/// What all these resources of a data event are or lie in: the bucket of an object, a table, a function; empty if they have
/// several.
pub fn container(resources: &[Resource]) -> &str {
    let mut containers = resources.iter().map(|resource| container_of(&resource.resource_name));
    let first = containers.next().unwrap_or_default();
    if containers.all(|other| other == first) { first } else { "" }
}

/// What a resource of this name, ARN or address is or lies in: `b` of `b`, `arn:aws:s3:::b` and `arn:aws:s3:::b/k`, `f` of
/// `arn:aws:lambda:us-east-1:111122223333:function:f:live`, `q` of `https://sqs.test/111122223333/q`.
pub fn container_of(name: &str) -> &str {
    let Some(arn) = name.strip_prefix("arn:") else {
        return if name.contains("://") { name.rsplit('/').next().unwrap_or(name) } else { name };
    };
    // arn:partition:service:region:account:resource
    let mut parts = arn.splitn(5, ':');
    let (service, resource) = (parts.nth(1), parts.nth(2).unwrap_or_default());
    // In most services the resource's type comes first.
    let (first, rest) = resource.split_once(['/', ':']).unwrap_or((resource, ""));
    if service == Some("s3") || rest.is_empty() {
        first
    } else {
        rest.split(['/', ':']).next().unwrap_or(rest)
    }
}

/// What the record's own `resources` name, then its parameters; some of it may be there twice. An object comes before its
/// bucket.
pub(super) fn named(event: &NamingMembers<'_>) -> Vec<Resource> {
    let mut found = Vec::new();
    let mut add = |at: Option<usize>, resource_type: Option<&str>, name: &str| {
        let resource = Resource {
            resource_type: resource_type.map(|text| escape_nul(text).into_owned()),
            resource_name: escape_nul(name).into_owned(),
        };
        if !name.is_empty() {
            found.insert(at.unwrap_or(found.len()), resource);
        }
    };
    for (resource_type, arn) in event.own {
        add(None, resource_type.filter(|text| !text.is_empty()), arn);
    }
    let service = event.event_source.strip_suffix(".amazonaws.com").unwrap_or(event.event_source);
    let mut names = NAMES.iter().filter(|(of, ..)| *of == service).peekable();
    let Some(request) = event.request.filter(|_| names.peek().is_some()) else { return found };
    let request: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(request.get()).unwrap_or_default();
    let text = |member: &str| serde_json::from_str::<Cow<'_, str>>(request.get(member)?.get()).ok();
    let has_object = event.own.iter().any(|(resource_type, _)| *resource_type == Some(S3_OBJECT));
    if let ("s3", false, Some(bucket), Some(key)) = (service, has_object, text("bucketName"), text("key")) {
        add(Some(0), Some(S3_OBJECT), &format!("arn:aws:s3:::{bucket}/{key}"));
    }
    for (_, member, resource_type) in names {
        if let Some(name) = text(member) {
            add(None, Some(resource_type), &name);
        }
    }
    found
}
