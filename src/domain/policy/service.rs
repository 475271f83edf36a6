//! What the policy of a resource says to a service of AWS, as CloudTrail is one where it writes to a bucket.
//!
//! Source: CloudTrail's user guide, "Amazon S3 bucket policy for CloudTrail".

use super::key::Keys;
use super::resource::ResourcePolicy;
use super::service_request::ServiceRequest;
use super::{Decision, PolicyContext};
use chrono::{DateTime, Utc};

/// The policy of a resource, as services are judged by it.
#[derive(Debug)]
pub struct PolicyForServices(ResourcePolicy);

impl PolicyForServices {
    /// Reads a policy's JSON; `None` for what is none.
    pub fn parse(json: &str) -> Option<PolicyForServices> {
        ResourcePolicy::read(json, Keys::OfServices).map(PolicyForServices)
    }

    /// What it says to a request: an `action` (`s3:PutObject`) on the resource with this ARN, made in `region`.
    pub fn decide(
        &self,
        request: &ServiceRequest<'_>,
        (action, arn): (&str, &str),
        region: &str,
        time: DateTime<Utc>,
    ) -> Decision {
        let context = PolicyContext {
            source_ip: None,
            region,
            time,
            user_name: None,
            user_id: "",
            principal_arn: "",
            account: "",
            principal_type: "",
            user_agent: None,
            is_secure: true,
            service: Some(request),
        };
        self.0.decide_for_service(request.service, (action, arn), &context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/demo";
    const FOLDER: &str = "arn:aws:s3:::b/AWSLogs/111122223333/CloudTrail/";

    fn put(statements: Value) -> Decision {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let request = ServiceRequest {
            service: "cloudtrail.amazonaws.com",
            source_arn: TRAIL,
            source_account: "111122223333",
            acl: Some("bucket-owner-full-control"),
            encryption: Some("AES256"),
            encryption_key: None,
        };
        let time = "2026-11-22T05:30:00Z".parse().unwrap();
        let policy = PolicyForServices::parse(&policy).unwrap();
        policy.decide(&request, ("s3:PutObject", FOLDER), "eu-west-1", time)
    }

    fn statement(effect: &str, principal: Value, condition: Value) -> Value {
        json!({"Effect": effect, "Principal": principal, "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::b/AWSLogs/111122223333/*", "Condition": condition})
    }

    fn allowed_if(condition: Value) -> Decision {
        put(json!([statement("Allow", json!({"Service": "cloudtrail.amazonaws.com"}), condition)]))
    }

    #[test]
    fn a_service_is_named_as_a_service_or_is_one_of_everybody() {
        for (principal, expected) in [
            (json!({"Service": "cloudtrail.amazonaws.com"}), Decision::Allowed),
            (json!({"Service": ["config.amazonaws.com", "cloudtrail.amazonaws.com"]}), Decision::Allowed),
            (json!("*"), Decision::Allowed),
            (json!({"AWS": "*"}), Decision::Allowed),
            (json!({"Service": "config.amazonaws.com"}), Decision::NotAllowed),
            (json!({"AWS": "cloudtrail.amazonaws.com"}), Decision::NotAllowed),
            (json!({"AWS": "111122223333"}), Decision::NotAllowed),
        ] {
            assert_eq!(
                put(json!([statement("Allow", principal.clone(), json!({}))])),
                expected,
                "{principal}"
            );
        }
    }

    #[test]
    fn conditions_are_asked_of_what_the_service_sends_and_of_whose_trail_it_is() {
        for condition in [
            json!({"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": TRAIL}}),
            json!({"ArnLike": {"aws:sourcearn": "arn:aws:cloudtrail:*:111122223333:trail/*"}}),
            json!({"StringEquals": {"aws:SourceAccount": ["111122223333"]}}),
            json!({"Bool": {"aws:SecureTransport": "true", "aws:PrincipalIsAWSService": true}}),
            json!({"NumericGreaterThanEquals": {"s3:TlsVersion": 1.2}}),
            json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}),
            json!({"Null": {"aws:PrincipalArn": "true"}}),
        ] {
            assert_eq!(allowed_if(condition.clone()), Decision::Allowed, "{condition}");
        }
        for condition in [
            json!({"StringEquals": {"s3:x-amz-acl": "private"}}),
            json!({"StringEquals": {"aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/other"}}),
            json!({"ArnEquals": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/demo"}}),
            json!({"StringEquals": {"aws:SourceAccount": "444455556666"}}),
            json!({"StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}),
            json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
            json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}}),
            json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        ] {
            assert_eq!(allowed_if(condition.clone()), Decision::NotAllowed, "{condition}");
        }
    }

    #[test]
    fn a_statement_that_denies_everybody_denies_services_too() {
        let allow = statement("Allow", json!({"Service": "cloudtrail.amazonaws.com"}), json!({}));
        for (condition, expected) in [
            (json!({"Bool": {"aws:SecureTransport": "false"}}), Decision::Allowed),
            (json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}), Decision::Allowed),
            (
                json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}),
                Decision::Allowed,
            ),
            (json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}), Decision::Denied),
            (json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}), Decision::Denied),
            (json!({}), Decision::Denied),
        ] {
            let deny = statement("Deny", json!("*"), condition.clone());
            assert_eq!(put(json!([allow, deny])), expected, "{condition}");
        }
        let all_but = |service: &str| json!({"Effect": "Deny", "NotPrincipal": {"Service": service}, "Action": "s3:*", "Resource": "*"});
        assert_eq!(put(json!([allow, all_but("cloudtrail.amazonaws.com")])), Decision::Allowed);
        assert_eq!(put(json!([allow, all_but("config.amazonaws.com")])), Decision::Denied);
    }
}
