//! The resources by which LookupEvents finds an event.
//!
//! They are not the record's own `resources` alone: AWS builds an index for each API from members of the request and
//! the response (observed). `MEMBERS` below is ours: the members that name a resource, for the services most asked about.

use crate::domain::text::escape_nul;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A resource of an event, spelt as on the wire. The type is in CloudFormation's style and can be unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    /// `AWS::IAM::User`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// A name, id or ARN.
    pub resource_name: String,
}

/// `AWS::CloudTrail::Trail` → `Trail`: how the documentation of 2015 spells types.
pub fn short_type(resource_type: &str) -> &str {
    resource_type.rsplit("::").next().unwrap_or(resource_type)
}

/// Where a member has to stand to count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Top,
    Anywhere,
}

/// A resource's type in CloudFormation's style, if the index knows one.
type ResourceType = Option<&'static str>;

/// (event source, member of the request or the response, where, resource type)
const MEMBERS: &[(&str, &str, At, ResourceType)] = &[
    ("cloudtrail", "trailARN", At::Top, Some("AWS::CloudTrail::Trail")),
    ("cloudtrail", "name", At::Top, Some("AWS::CloudTrail::Trail")),
    ("cloudtrail", "trailName", At::Top, Some("AWS::CloudTrail::Trail")),
    ("cloudtrail", "trailNameList", At::Top, Some("AWS::CloudTrail::Trail")),
    // What is tagged has no type in the index (observed of other services).
    ("cloudtrail", "resourceId", At::Top, None),
    ("cloudtrail", "s3BucketName", At::Top, Some("AWS::S3::Bucket")),
    ("dynamodb", "tableName", At::Top, Some("AWS::DynamoDB::Table")),
    ("ec2", "groupId", At::Anywhere, Some("AWS::EC2::SecurityGroup")),
    ("ec2", "instanceId", At::Anywhere, Some("AWS::EC2::Instance")),
    ("ec2", "snapshotId", At::Anywhere, Some("AWS::EC2::Snapshot")),
    ("ec2", "subnetId", At::Anywhere, Some("AWS::EC2::Subnet")),
    ("ec2", "volumeId", At::Anywhere, Some("AWS::EC2::Volume")),
    ("ec2", "vpcId", At::Anywhere, Some("AWS::EC2::VPC")),
    ("iam", "accessKeyId", At::Anywhere, Some("AWS::IAM::AccessKey")),
    ("iam", "groupName", At::Anywhere, Some("AWS::IAM::Group")),
    ("iam", "instanceProfileName", At::Anywhere, Some("AWS::IAM::InstanceProfile")),
    ("iam", "policyArn", At::Anywhere, Some("AWS::IAM::Policy")),
    ("iam", "roleName", At::Anywhere, Some("AWS::IAM::Role")),
    ("iam", "userName", At::Anywhere, Some("AWS::IAM::User")),
    ("lambda", "functionName", At::Top, Some("AWS::Lambda::Function")),
    ("rds", "dBInstanceIdentifier", At::Top, Some("AWS::RDS::DBInstance")),
    ("rds", "dBSnapshotIdentifier", At::Top, Some("AWS::RDS::DBSnapshot")),
    ("s3", "bucketName", At::Top, Some("AWS::S3::Bucket")),
    ("secretsmanager", "secretId", At::Top, Some("AWS::SecretsManager::Secret")),
    ("sns", "topicArn", At::Top, Some("AWS::SNS::Topic")),
    ("sqs", "queueUrl", At::Top, Some("AWS::SQS::Queue")),
    ("sts", "accessKeyId", At::Anywhere, Some("AWS::IAM::AccessKey")),
    ("sts", "roleArn", At::Top, Some("AWS::IAM::Role")),
    ("sts", "roleSessionName", At::Top, Some("AWS::STS::AssumedRole")),
];

/// Whether an event is found by what its request and response name: a refused call is not, nor are CloudTrail's own
/// calls that only read (observed).
pub fn are_indexed(event_source: &str, read_only: bool, failed: bool) -> bool {
    let own_read = read_only && event_source == "cloudtrail.amazonaws.com";
    !failed && !own_read
}

/// Adds the resources that the members of `part` name: a request or a response, as JSON text or as a value. What cannot
/// be read adds nothing.
pub fn collect<'de>(event_source: &str, part: impl Deserializer<'de>, into: &mut Vec<Resource>) {
    let service = event_source.split('.').next().unwrap_or_default();
    if MEMBERS.iter().any(|(source, ..)| *source == service) {
        // Ignored: a part is valid JSON already, and what names nothing adds nothing.
        let _ = Walk { service, member: None, depth: 0, into }.deserialize(part);
    }
}

/// Adds a resource unless it is there already.
pub fn add(into: &mut Vec<Resource>, resource_type: Option<&str>, resource_name: &str) {
    let known =
        |r: &Resource| r.resource_name == resource_name && r.resource_type.as_deref() == resource_type;
    if !resource_name.is_empty() && !into.iter().any(known) {
        into.push(Resource {
            resource_type: resource_type.map(str::to_owned),
            resource_name: resource_name.to_owned(),
        });
    }
}

/// The same without NUL characters, see [`escape_nul`].
pub fn without_nul(mut resources: Vec<Resource>) -> Vec<Resource> {
    for resource in &mut resources {
        resource.resource_name = escape_nul(&resource.resource_name).into_owned();
        resource.resource_type = resource.resource_type.as_deref().map(|text| escape_nul(text).into_owned());
    }
    resources
}

/// Walks JSON without building it, and picks the strings that name resources.
struct Walk<'a> {
    service: &'a str,
    /// The type of the resource that a string here would name, if it would name one.
    member: Option<ResourceType>,
    depth: usize,
    into: &'a mut Vec<Resource>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let member = MEMBERS
                .iter()
                .find(|(source, member, at, _)| {
                    *source == self.service && *member == name && (*at == At::Anywhere || self.depth == 0)
                })
                .map(|(.., resource_type)| *resource_type);
            map.next_value_seed(Walk {
                service: self.service,
                member,
                depth: self.depth + 1,
                into: &mut *self.into,
            })?;
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        loop {
            let item = Walk {
                service: self.service,
                member: self.member,
                depth: self.depth + 1,
                into: &mut *self.into,
            };
            if items.next_element_seed(item)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Some(resource_type) = self.member {
            add(self.into, resource_type, text);
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(source: &str, request: &str, response: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for part in [request, response] {
            collect(source, &mut serde_json::Deserializer::from_str(part), &mut found);
        }
        found.into_iter().map(|r| (r.resource_type.unwrap_or_default(), r.resource_name)).collect()
    }

    #[test]
    fn create_trail_names_the_trail_twice_and_its_bucket() {
        let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/demo";
        let response = format!(r#"{{"name":"demo","trailARN":"{arn}","s3BucketName":"b-1"}}"#);
        let found = named("cloudtrail.amazonaws.com", r#"{"name":"demo","s3BucketName":"b-1"}"#, &response);
        let names: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["demo", "b-1", arn]);
    }

    #[test]
    fn a_name_deep_inside_counts_only_where_it_is_known_to() {
        let request = r#"{"trailName":"t-1","advancedEventSelectors":[{"name":"all of it"}]}"#;
        assert_eq!(named("cloudtrail.amazonaws.com", request, "null").len(), 1);
        let response = r#"{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}"#;
        assert_eq!(named("ec2.amazonaws.com", "{}", response).len(), 2);
        assert!(named("unknown.amazonaws.com", request, response).is_empty());
    }

    #[test]
    fn types_have_a_short_form() {
        assert_eq!(short_type("AWS::CloudTrail::Trail"), "Trail");
        assert_eq!(short_type("Trail"), "Trail");
    }
}
